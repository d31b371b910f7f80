"""A stage: sandbox and connector as programs of their own, people, a linked portal, a phone."""

from collections.abc import AsyncIterator

import pytest

from connector.demo.env import Environment, Wishes
from connector.demo.phone import Phone


@pytest.fixture(scope="package")
async def env() -> AsyncIterator[Environment]:
    """Set the stage once."""
    async with Environment(Wishes(latency_ms=0)) as env:
        yield env


@pytest.fixture
async def phone(env: Environment) -> AsyncIterator[Phone]:
    """Be the phone system of the stage."""
    phone = Phone(env.hook, env.furniture.secret)
    yield phone
    await phone.close()
