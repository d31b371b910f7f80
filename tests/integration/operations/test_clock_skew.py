"""A machine whose clock is wrong delivers nothing, and says so."""

from collections.abc import Iterator

import pytest

from connector.clock import MINUTE, SECOND, system_clock
from connector.maintenance import ClockSkew
from connector.metrics import Metrics
from connector.store import Store
from tests.integration.databases import Databases

pytestmark = [pytest.mark.anyio, pytest.mark.both_engines]


@pytest.fixture
def store(databases: Databases) -> Iterator[Store]:
    """Open a database of either engine."""
    with databases.fresh() as url:
        opened = Store(url)
        yield opened
        opened.close()


@pytest.mark.parametrize("ahead", [-5 * MINUTE, 0, 2 * SECOND, 5 * MINUTE])
async def test_clocks_are_compared(store: Store, ahead: int, caplog: pytest.LogCaptureFixture) -> None:
    """Minutes ahead of the database or behind it is too much; on SQLite there is nobody to differ from."""
    clocks = ClockSkew(store, lambda: system_clock() + ahead, Metrics())
    assert clocks.agree
    await clocks.step()
    differs = store.engine.dialect.name == "postgresql" and abs(ahead) >= MINUTE
    assert clocks.agree is not differs
    assert len(caplog.records) == differs


async def test_a_clock_that_is_set_right(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    """It is noticed by itself, and said once."""
    ahead = 5 * MINUTE
    clocks = ClockSkew(store, lambda: system_clock() + ahead, Metrics())
    await clocks.step()
    await clocks.step()
    ahead = 0
    await clocks.step()
    assert clocks.agree
    assert len(caplog.records) in (0, 2)
