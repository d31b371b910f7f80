"""What one process switches, the banners of another show."""

from collections.abc import Callable, Iterator

import pytest

from tests.integration.databases import Databases
from tests.integration.pipeline.place import Place
from tests.integration.profiles.test_switching import switch_and_look

pytestmark = [pytest.mark.anyio, pytest.mark.postgresql]


@pytest.fixture
def database_url(databases_of: Callable[[str], Databases]) -> Iterator[str]:
    """Give each test a database of its own; only PostgreSQL is for several processes."""
    with databases_of("postgresql").fresh() as url:
        yield url


async def test_a_switch_is_shown_by_other_processes(place: Place, neighbour: Place) -> None:
    """So are the banners that another process has, by its own looking."""
    await switch_and_look(place, neighbour)
