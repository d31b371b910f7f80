"""The two engines, for every test that touches the store."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from connector.store import Store
from tests import postgresql
from tests.integration.databases import Databases, PostgresqlDatabases, SqliteDatabases

ENGINES = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql))


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
    return PostgresqlDatabases(stack.enter_context(postgresql.running()))


@pytest.fixture(params=ENGINES)
def databases(request: pytest.FixtureRequest, databases_of: Callable[[str], Databases]) -> Databases:
    """Run a test on each engine."""
    return databases_of(request.param)


@pytest.fixture
def store(databases: Databases) -> Iterator[Store]:
    """Open a database with nothing in it, on each engine."""
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
