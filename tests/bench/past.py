"""Put past calls straight into the tables as the pipeline would have left them: events, calls, records."""

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
from sqlalchemy import Connection, text

from connector.calls import CallEvent, Cause, Direction, EventType, fold, record
from connector.clock import DAY, SECOND
from connector.store.engine import open_engine
from tests.bench.callers import NOW, number_of

AT_ONCE = 100_000
"""Calls in one transaction."""

YEAR = 365 * DAY

STORY = (
    (EventType.RINGING, 0, {"agent": "1001", "queue": "support", "direction": Direction.INBOUND}),
    (EventType.ANSWERED, 8, {"agent": "1001"}),
    (EventType.ENDED, 103, {"cause": Cause.NORMAL}),
    (EventType.RECORDED, 110, {"recording_url": "https://pbx.example/recordings/1.mp3"}),
)
"""What is said of a call, and after how many seconds."""

# The keys of calls are digests, which lie all over their index: so do the multiples of a large number.
_NUMBERS = """
WITH RECURSIVE numbers(i) AS (
  SELECT CAST(:first AS BIGINT) UNION ALL SELECT i + 1 FROM numbers WHERE i + 1 < :last
), past AS (
  SELECT i, 'past-' || i AS call_id, 'zpc' || (i * 618033988749 % 1000000000039) AS key,
    :began + i * :step AS at FROM numbers
)"""
_CALLS = """
INSERT INTO calls (id, phone_system_id, call_id, key, state, body, revision, lookup, found,
  created_at, changed_at)
{numbers} SELECT i, 1, call_id, key, 'ended', :call, 6, 'found', :found, at, at FROM past"""
_EVENTS = """
INSERT INTO events (phone_system_id, source, event_id, call_id, received_at, body)
{numbers} SELECT 1, '/pbx/past', call_id || :kind, i, at, :event FROM past"""
_OUTBOX = """
INSERT INTO outbox (portal_id, kind, key, call_id, wanted, sent_revision, state, due_at, sent,
  desk_id, desk_url, created_at, changed_at)
{numbers} SELECT 1, 'call', key, i, :record, 1, 'done', at, :record,
  '10400000' || i, 'https://desk.zoho.com/support/desk/calls/' || i, at, at FROM past"""


def told(call_id: str, number: int, began_at: int) -> list[CallEvent]:
    """Return the events of a call from the caller of that number."""
    ends = {"from_number": number_of(number), "to_number": "+442079460999"}
    return [
        CallEvent(
            source="/pbx",
            id=f"{call_id}-{kind}",
            type=kind,
            call_id=call_id,
            at=began_at + after * SECOND,
            received_at=began_at + after * SECOND,
            **(said | ends if kind is EventType.RINGING else said),
        )
        for kind, after, said in STORY
    ]


def fill(url: str, size: int) -> None:
    """Add calls, spread over a year, until there are `size` of them."""
    events = told("past-1000000", 1, NOW - YEAR)
    call = fold(events)
    written = record("zpc" + "a" * 24, [call])
    found = {"contacts": [{"id": "1", "name": "Caller 1", "account": None, "url": "https://desk.zoho.com/1"}]}
    facts = {"began": NOW - YEAR, "step": YEAR // size, "call": msgspec.msgpack.encode(call)}
    facts |= {"record": msgspec.json.encode(written), "found": msgspec.json.encode(found)}
    with _in_bulk(url) as connection:
        there, greatest = connection.execute(text("SELECT count(*), coalesce(max(id), 0) FROM calls")).one()
        last = greatest + 1 + size - there
        for first in range(greatest + 1, last, AT_ONCE):
            chunk = facts | {"first": first, "last": min(first + AT_ONCE, last)}
            _put(connection, _CALLS, chunk)
            for event in events:
                said = {"kind": f"-{event.type}", "event": msgspec.msgpack.encode(event)}
                _put(connection, _EVENTS, chunk | said)
            _put(connection, _OUTBOX, chunk)
            connection.commit()


def _put(connection: Connection, statement: str, facts: dict[str, object]) -> None:
    whole = text(statement.format(numbers=_NUMBERS))
    names = whole.compile().params
    connection.execute(whole, {name: facts[name] for name in names})


@contextmanager
def _in_bulk(url: str) -> Iterator[Connection]:
    """Open a database in a way that would not survive a power cut, but is many times as fast."""
    engine = open_engine(url)
    is_sqlite = engine.dialect.name == "sqlite"
    unsafe = ("journal_mode=OFF", "synchronous=OFF", "foreign_keys=OFF", "cache_size=-1000000")
    with engine.connect() as connection:
        cursor = connection.connection.cursor()
        for each in unsafe if is_sqlite else ():
            cursor.execute(f"PRAGMA {each}")
        if not is_sqlite:
            # No foreign keys are looked up, and nobody waits for the disk.
            connection.exec_driver_sql("SET session_replication_role = replica")
            connection.exec_driver_sql("SET synchronous_commit = off")
        yield connection
        if is_sqlite:
            cursor.execute("PRAGMA journal_mode=WAL")
        else:
            _tidy(connection)
    engine.dispose()


def _tidy(connection: Connection) -> None:
    """Let ids go on behind those that were given, and the planner know, as autovacuum would in time."""
    for table in ("calls", "outbox"):
        connection.exec_driver_sql(
            f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"  # noqa: S608 - our own
        )
    connection.commit()
    connection.exec_driver_sql("ANALYZE")
    connection.commit()
