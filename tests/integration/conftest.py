"""The two engines, for every test that touches the store."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from connector.store import Store
from tests import postgresql
from tests.integration.databases import Databases, PostgresqlDatabases, SqliteDatabases

ENGINES = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql))

ON_BOTH_ENGINES = {"store", "outbox", "limits", "processes", "upgrades"}
"""Folders whose tests show something that depends on the engine: locks, clocks, conflicts, migrations.

All others run on SQLite, but for the tests that are marked `both_engines`: by these, every statement that a
room sends is sent to PostgreSQL too. Mark a test that sends one of its own, or that meets another process;
`both_engines(first=True)` where its parameters are Desk's answers, of which none makes another statement:
PostgreSQL has the first of them.
"""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Choose the engines of each test that asks for `databases`, be it by another fixture."""
    if "databases" in metafunc.fixturenames:
        metafunc.parametrize("databases", _engines(metafunc), indirect=True)


def _engines(metafunc: pytest.Metafunc) -> Sequence[object]:
    is_marked = metafunc.definition.get_closest_marker("both_engines") is not None
    on_both = is_marked or metafunc.definition.path.parent.name in ON_BOTH_ENGINES
    return ENGINES if on_both else ENGINES[:1]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what PostgreSQL need not run again."""
    begun: set[str] = set()
    left_out = [item for item in items if isinstance(item, pytest.Function) and _is_repeated(item, begun)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def _is_repeated(item: pytest.Function, begun: set[str]) -> bool:
    """Tell whether PostgreSQL runs the test with other parameters, and `begun` names it."""
    marker = item.get_closest_marker("both_engines")
    if marker is None or not marker.kwargs.get("first") or item.callspec.params["databases"] != "postgresql":
        return False
    name = f"{item.path}::{item.originalname}"
    is_repeated = name in begun
    begun.add(name)
    return is_repeated


@pytest.fixture(scope="session")
def databases_of() -> Iterator[Callable[[str], Databases]]:
    """Return where an engine's databases come from; PostgreSQL is started for the first who asks."""
    made: dict[str, Databases] = {}
    with ExitStack() as stack:

        def of(engine: str) -> Databases:
            if engine not in made:
                made[engine] = _open(engine, stack)
            return made[engine]

        yield of


def _open(engine: str, stack: ExitStack) -> Databases:
    if engine == "sqlite":
        folder = TemporaryDirectory(prefix="connector-sqlite-", dir=postgresql.fastest())
        return SqliteDatabases(Path(stack.enter_context(folder)))
    made = PostgresqlDatabases(stack.enter_context(postgresql.running()))
    stack.callback(made.close)
    return made


@pytest.fixture
def databases(request: pytest.FixtureRequest, databases_of: Callable[[str], Databases]) -> Databases:
    """Run a test on each engine that is chosen for it above."""
    return databases_of(request.param)


@pytest.fixture
def store(databases: Databases) -> Iterator[Store]:
    """Open a database with nothing in it."""
    with databases.fresh() as url:
        opened = Store(url)
        yield opened
        opened.close()


@pytest.fixture
def sqlite_databases(databases_of: Callable[[str], Databases]) -> Databases:
    """Run a test on SQLite only."""
    return databases_of("sqlite")


@pytest.fixture
def postgresql_databases(databases_of: Callable[[str], Databases]) -> PostgresqlDatabases:
    """Run a test on PostgreSQL only; it must be marked so."""
    found = databases_of("postgresql")
    assert isinstance(found, PostgresqlDatabases)
    return found
