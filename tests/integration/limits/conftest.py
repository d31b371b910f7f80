"""The delivery's stage, and more processes upon it."""

from collections.abc import AsyncIterator, Callable

import pytest

from tests.integration.delivery.conftest import running, sandbox, stage
from tests.integration.delivery.stage import Stage
from tests.integration.limits.process import Goal, Process

__all__ = ["running", "sandbox", "stage"]


@pytest.fixture
async def process(stage: Stage) -> AsyncIterator[Callable[..., Process]]:
    """Answer how to start another process."""
    started: list[Process] = []

    def start(goal: Goal | None = None) -> Process:
        started.append(Process(stage, goal))
        return started[-1]

    yield start
    for each in started:
        await each.end()
