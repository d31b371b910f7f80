"""A served connector, a phone system's file server beside it, and people who want to listen."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.integration.databases import Databases
from tests.integration.pipeline.conftest import place, sandbox
from tests.integration.pipeline.place import Place
from tests.integration.recordings.listeners import Listeners
from tests.integration.recordings.upstream import Upstream, running

__all__ = ["place", "sandbox"]
"""The pipeline's own fixtures serve here too."""


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    """Give each test a database of its own, on each engine."""
    with databases.fresh() as url:
        yield url


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    """Run the server on which a phone system keeps its recordings."""
    async with running(Upstream()) as server:
        yield server


@pytest.fixture
async def listeners(place: Place) -> Listeners:
    """Have Ada, Bruno and Chiara, who take calls, a supervisor, and an administrator."""
    made = Listeners(place)
    await made.add("sue@example.com", "Sue", "supervisor")
    await made.add("adam@example.com", "Adam", "administrator")
    return made
