"""The demo's environment: sandbox and connector as programs of their own, people, a portal, a phone."""

from collections.abc import AsyncIterator

import pytest

from connector.demo.environment import Environment, Options
from connector.demo.phone import Phone


@pytest.fixture(scope="package")
async def env() -> AsyncIterator[Environment]:
    """Start the environment once for all tests of this package."""
    async with Environment(Options(latency_ms=0)) as env:
        yield env


@pytest.fixture
async def phone(env: Environment) -> AsyncIterator[Phone]:
    """Return the phone system of the environment."""
    phone = Phone(env.hook, env.setup.secret)
    yield phone
    await phone.close()
