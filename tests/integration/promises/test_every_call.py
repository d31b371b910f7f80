"""Of every call that a phone system tells of, in any dialect, comes a record, or the reason why none does."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select

from connector.calls import CallRecord, call_key, closing, watchdog_event
from connector.clock import DAY
from connector.follow_up.listing import Filter, read_page
from connector.follow_up.viewers import COMMANDS
from connector.numbers import read
from connector.store import Store, calls, tables
from connector.store.engine import writing
from connector.store.ingester import Arrival, EventIngester, Sender
from tests.integration.databases import Databases
from tests.integration.promises.stories import NOBODY, STRANGERS, Tale, is_outside, tales
from tests.integration.store.conftest import SENDER, build
from tests.unit.dialects.posting import NOW

EXAMPLES = 60
SILENT_AFTER_SECONDS = 14_400
LONG_AFTER = NOW + DAY


@pytest.fixture
def store(databases: Databases) -> Iterator[Store]:
    """Open a database with a phone system, on each engine."""
    with databases.fresh(build) as url:
        opened = Store(url)
        yield opened
        opened.close()


class Listener:
    """Take in what is told, as the connector does, and read what came of it."""

    def __init__(self, connection: Connection, *, with_internal: bool) -> None:
        self._connection = connection
        self._sender = Sender(SENDER.id, SENDER.uid, SENDER.portal_id, with_internal)
        self._ingester = EventIngester(
            lambda: LONG_AFTER, record_after_seconds=3, silent_after_seconds=SILENT_AFTER_SECONDS
        )
        self.counted: Counter[str] = Counter()

    def take(self, tale: Tale) -> None:
        """Take every request, then let the watchdog close what goes on."""
        for request in tale.requests:
            self._take(Arrival(self._sender, request))
        for row in calls.overdue(self._connection, LONG_AFTER, 100):
            planned = row.call and closing(row.call, SILENT_AFTER_SECONDS)
            assert row.call
            assert planned
            self._take(Arrival(self._sender, [watchdog_event(row.call, planned[1], LONG_AFTER)]))

    def _take(self, arrival: Arrival) -> None:
        (taken,) = self._ingester.take(self._connection, [arrival])
        self.counted.update(taken.not_recorded)

    def records(self) -> dict[str, CallRecord]:
        """Read the wanted records by the call key of the group's root, whose own it is if there is one."""
        root = tables.calls.alias("root")
        joined = tables.outbox.join(tables.calls, tables.calls.c.id == tables.outbox.c.call_id).join(
            root, (root.c.id == tables.calls.c.root_id) | (root.c.id == tables.calls.c.id), isouter=True
        )
        asked = select(root.c.key, tables.outbox.c.wanted).select_from(joined)
        ordered = asked.where(root.c.root_id.is_(None)).order_by(tables.calls.c.root_id.is_(None))
        found = self._connection.execute(ordered).all()
        return {key: msgspec.json.decode(wanted, type=CallRecord) for key, wanted in found}

    def reasons(self) -> dict[str, str]:
        """List the calls without a record, by their call keys."""
        found = read_page(self._connection, viewer=COMMANDS, asked=Filter(not_recorded=True), now=NOW)
        return {each.call: each.not_recorded or "" for each in found.calls}


@contextmanager
def undone(store: Store) -> Iterator[Connection]:
    """Open a transaction that is rolled back: a fresh database at no cost."""
    with writing(store.engine).connect() as connection, connection.begin() as transaction:
        yield connection
        transaction.rollback()


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@pytest.mark.both_engines
@given(tale=tales(), wanted=st.sampled_from(("customers", "internal")))
def test_records_and_reasons_are_all_calls(store: Store, wanted: str, tale: Tale) -> None:
    """Records, and calls not recorded by reason, are the calls received; whoever is outside has a record."""
    with undone(store) as connection:
        listener = Listener(connection, with_internal=wanted == "internal")
        listener.take(tale)
        records, reasons = listener.records(), listener.reasons()
    received = {call_key(SENDER.uid, root) for root in tale.roots()}
    with_somebody = {call_key(SENDER.uid, root) for root in tale.roots(outside=True)}
    assert with_somebody <= records.keys()
    assert records.keys() | reasons.keys() == received
    assert not records.keys() & reasons.keys()
    assert Counter(reasons.values()) <= listener.counted
    for story in tale.stories:
        if len(tale.stories) == 1 and is_outside(story) and story.begins:
            _is_on_the_party(records[call_key(SENDER.uid, story.call_id)], story.caller, story.called)


def _is_on_the_party(kept: CallRecord, caller: str | None, called: str | None) -> None:
    """Check that a record has the number of whoever is outside, or none where nobody is named."""
    party = next((end for end in (caller, called) if end in STRANGERS), None)
    if party is not None:
        assert read(kept.customer, "DE").e164 == party
    elif caller in NOBODY:
        assert read(kept.customer, "DE").e164 is None
