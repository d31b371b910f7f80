"""A way to PostgreSQL that is cut at a commit, as when a pooler or a firewall is restarted: one record."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy.engine import URL

from connector.delivery.compose import keys_in
from connector.store import Store
from tests.integration.databases import PostgresqlDatabases
from tests.integration.delivery.env import Environment
from tests.integration.outbox.troubled import Cut

pytestmark = [pytest.mark.anyio, pytest.mark.postgresql]
COMMIT, CHANGE = b"COMMIT\0", b"UPDATE outbox"
COMMITS = ("pick", "note", "outcome")
"""What changes rows on the way of a record; where one is cut, more follow."""

CHUNK = 65_536


class Way:
    """A way to a server's socket. It breaks at a commit: `before` it is passed on, or `after` it is done."""

    def __init__(self, server: Path) -> None:
        self._server = server
        self._at, self._how = -1, "before"
        self.commits = 0

    def break_at(self, at: int, how: Cut) -> None:
        """Break at a commit from now on, of those that change rows of the outbox, counted from 0."""
        self._at, self._how, self.commits = at, how, 0

    async def carry(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        """Carry all that one connection says."""
        answers, server = await asyncio.open_unix_connection(str(self._server))
        returning = asyncio.create_task(self._carry_back(answers, back))
        has_changed = False
        with suppress(ConnectionError):
            while said := await client.read(CHUNK):
                has_changed |= CHANGE in said
                if COMMIT in said and has_changed and self._breaks():
                    returning.cancel()
                    await asyncio.gather(returning, return_exceptions=True)
                    if self._how == "after":
                        server.write(said)
                        # Whatever it answers, it has committed.
                        await answers.read(CHUNK)
                    break
                has_changed &= COMMIT not in said
                server.write(said)
        returning.cancel()
        await asyncio.gather(returning, return_exceptions=True)
        for end in (server, back):
            end.close()
            with suppress(ConnectionError):
                await end.wait_closed()

    def _breaks(self) -> bool:
        self.commits += 1
        return self.commits == self._at + 1

    async def _carry_back(self, answers: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while said := await answers.read(CHUNK):
                back.write(said)


@pytest.fixture
def store(postgresql_databases: PostgresqlDatabases) -> Iterator[Store]:
    """Open a database of PostgreSQL."""
    with postgresql_databases.fresh() as url:
        opened = Store(url)
        yield opened
        opened.close()


@pytest.fixture
async def way(postgresql_databases: PostgresqlDatabases) -> AsyncIterator[tuple[Way, int]]:
    """Open a way to the server, at a port."""
    made = Way(Path(postgresql_databases.server.folder) / ".s.PGSQL.5432")
    server = await asyncio.start_server(made.carry, "127.0.0.1", 0)
    yield made, server.sockets[0].getsockname()[1]
    server.close()


@pytest.mark.parametrize("how", ["before", "after"])
@pytest.mark.parametrize("at", range(len(COMMITS)), ids=COMMITS)
async def test_cut_at_a_commit(env: Environment, way: tuple[Way, int], at: int, how: Cut) -> None:
    """Whichever commit the connection breaks at, done or not, the record is there once, and not stuck."""
    env.state.desk.add_contact(last_name="Known", phone="06 12 34 56 78")
    await env.want(env.record())
    breaking, port = way
    url = URL.create(
        "postgresql+psycopg", "postgres", host="127.0.0.1", port=port, database=env.store.engine.url.database,
        query={"sslmode": "disable"},
    )  # fmt: skip
    store = Store(url.render_as_string())
    breaking.break_at(at, how)
    deliverer = env.another(store)
    await asyncio.gather(env.drain(deliverer), return_exceptions=True)
    if COMMITS[at] == "outcome":
        # Desk's answer was kept, and written once more: nothing has to be looked for.
        assert (await env.row()).state == "done"
    await env.settle(deliverer)
    await env.close_others()
    await asyncio.to_thread(store.close)
    assert Counter(key for call in env.calls for key in keys_in(call.description)) == {env.record().key: 1}
    assert (await env.row()).desk_id == env.call.id
    assert breaking.commits > at
