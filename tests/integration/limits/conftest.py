"""The delivery's environment, and more processes in it."""

from collections.abc import AsyncIterator, Callable

import pytest

from tests.integration.delivery.conftest import env, running, sandbox
from tests.integration.delivery.env import Environment
from tests.integration.limits.process import Goal, Process

__all__ = ["env", "running", "sandbox"]


@pytest.fixture
async def process(env: Environment) -> AsyncIterator[Callable[..., Process]]:
    """Return how to start another process."""
    started: list[Process] = []

    def start(goal: Goal | None = None) -> Process:
        started.append(Process(env, goal))
        return started[-1]

    yield start
    for each in started:
        await each.end()
