"""The steps that work in the background."""

import asyncio
import logging
from collections.abc import Iterator

import pytest

from connector.app import _every
from connector.errors import NotFound, StoreUnavailable

pytestmark = pytest.mark.anyio


class Failing:
    """A step that fails in one way after another, and is cancelled in the end."""

    def __init__(self, *failures: Exception) -> None:
        self._failures: Iterator[Exception] = iter(failures)

    async def step(self) -> None:
        """Fail, or have the loop end."""
        failure = next(self._failures, None)
        if failure is None:
            raise asyncio.CancelledError
        raise failure


async def test_a_step_survives_whatever_happens(caplog: pytest.LogCaptureFixture) -> None:
    """Each kind of failure is logged once; those of the store it logs itself."""
    caplog.set_level(logging.INFO)
    failing = Failing(KeyError("a"), KeyError("b"), NotFound("c"), NotFound("d"), StoreUnavailable("e"))
    with pytest.raises(asyncio.CancelledError):
        await _every(0, failing.step)
    assert [(record.levelname, record.__dict__["reason"]) for record in caplog.records] == [
        ("ERROR", "KeyError"),
        ("WARNING", NotFound.reason),
    ]
