"""A stage: sandbox and connector as programs of their own, people, a linked portal, a phone."""

from collections.abc import AsyncIterator

import pytest

from connector.demo.phone import Phone
from connector.demo.stage import Stage, Wishes


@pytest.fixture(scope="package")
async def stage() -> AsyncIterator[Stage]:
    """Set the stage once."""
    async with Stage(Wishes(latency_ms=0)) as stage:
        yield stage


@pytest.fixture
async def phone(stage: Stage) -> AsyncIterator[Phone]:
    """Be the phone system of the stage."""
    phone = Phone(stage.hook, stage.furniture.secret)
    yield phone
    await phone.close()
