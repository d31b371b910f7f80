"""Keep events on disk until the connector has them, and what must be known after a crash.

One SQLite file, one connection, one thread at a time; a second bridge on the same file is refused.
"""

import secrets
import sqlite3
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Self

import msgspec

from connector.clock import DAY
from connector.errors import SettingsError, StoreUnavailable
from connector.private_files import private_database

_KNOWN_FOR = 2 * DAY

_TABLES = """
create table if not exists events (seq integer primary key autoincrement, id text unique, body blob not null);
create table if not exists aside (id text primary key, body blob not null, why text not null);
create table if not exists calls (id text primary key, body blob not null);
create table if not exists over (id text primary key, at integer not null);
create table if not exists facts (name text primary key, value integer not null);
"""


class SpooledEvent(msgspec.Struct, frozen=True):
    """One event that waits to be delivered."""

    seq: int
    id: str
    body: bytes


class Spool:
    """The bridge's file: events that wait, events put aside, and the calls that go on."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open or make the file; SettingsError where that cannot be, or another bridge holds it."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            private_database(path)
            connection = sqlite3.connect(path, timeout=1, isolation_level=None, check_same_thread=False)
            for pragma in ("locking_mode=exclusive", "journal_mode=wal", "synchronous=full"):
                connection.execute(f"pragma {pragma}").fetchall()
            connection.executescript(_TABLES)
        except (OSError, sqlite3.Error) as problem:
            raise SettingsError(f"BRIDGE_SPOOL: {path} cannot be used: {problem}") from problem
        return cls(connection)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def write(
        self, events: Iterable[tuple[str, bytes]], calls: Mapping[str, bytes | None], heard_at: int
    ) -> None:
        """Keep events, by id and in this order, and how far the calls have come; one commit.

        A call that is None is over. StoreUnavailable where the disk does not take it.
        """
        over = [(call_id, heard_at) for call_id, body in calls.items() if body is None]
        going_on = [(call_id, body) for call_id, body in calls.items() if body is not None]
        try:
            with self._connection as c:
                c.execute("begin immediate")
                c.executemany("insert or ignore into events (id, body) values (?, ?)", events)
                c.executemany("insert or replace into calls values (?, ?)", going_on)
                c.executemany("delete from calls where id = ?", [(call_id,) for call_id, _ in over])
                c.executemany("insert or replace into over values (?, ?)", over)
                c.execute("insert or replace into facts values ('heard_at', ?)", (heard_at,))
                if over:
                    c.execute("delete from over where at < ?", (heard_at - _KNOWN_FOR,))
        except sqlite3.Error as problem:
            raise StoreUnavailable(f"the spool cannot be written: {problem}") from problem

    def next(self, events: int, size: int) -> list[SpooledEvent]:
        """Return the oldest events that wait: so many at most, and so many bytes, but at least one."""
        query = "select seq, id, body from events order by seq limit ?"
        found: list[SpooledEvent] = []
        total = 0
        for seq, name, body in self._connection.execute(query, (events,)):
            total += len(body) + 1
            if found and total > size:
                break
            found.append(SpooledEvent(seq, name, body))
        return found

    def remove(self, events: Collection[SpooledEvent], rejected: Mapping[int, str]) -> None:
        """Delete events that have been delivered; those rejected, by place, are put aside with the reason."""
        aside = [(one.id, one.body, rejected[n]) for n, one in enumerate(events) if n in rejected]
        try:
            with self._connection as c:
                c.execute("begin immediate")
                c.executemany("insert or replace into aside values (?, ?, ?)", aside)
                c.executemany("delete from events where seq = ?", [(one.seq,) for one in events])
        except sqlite3.Error as problem:
            raise StoreUnavailable(f"the spool cannot be written: {problem}") from problem

    def calls(self) -> list[bytes]:
        """Return the calls that went on when Asterisk was last connected."""
        return [body for (body,) in self._connection.execute("select body from calls")]

    def known(self, call_ids: Collection[str]) -> set[str]:
        """Return which of these calls have been reported to their end."""
        query = "select id from over where id = ?"
        return {one for one in call_ids if self._connection.execute(query, (one,)).fetchone()}

    def heard_at(self) -> int | None:
        """Return until when Asterisk was connected; None if it never was."""
        row = self._connection.execute("select value from facts where name = 'heard_at'").fetchone()
        return None if row is None else int(row[0])

    def identity(self) -> str:
        """Return what tells this bridge from every other one; made once, and kept with the spool."""
        made = secrets.randbits(62)
        self._connection.execute("insert or ignore into facts values ('identity', ?)", (made,))
        row = self._connection.execute("select value from facts where name = 'identity'").fetchone()
        return f"{int(row[0]):016x}"

    def counts(self) -> tuple[int, int]:
        """Return how many events wait, and how many were put aside."""
        waiting, aside = "select count(*) from events", "select count(*) from aside"
        return self._connection.execute(waiting).fetchone()[0], self._connection.execute(aside).fetchone()[0]
