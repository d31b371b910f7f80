"""What the store keeps of numbers."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import Connection, insert

from connector.store import Store, contacts
from connector.store.contacts import Answer
from connector.store.tables import portals
from tests.integration.databases import Databases

NUMBER = "+33199000001"


@pytest.fixture
def store(sqlite_databases: Databases) -> Iterator[Store]:
    """Open a database with two portals."""
    with sqlite_databases.fresh(two_portals) as url:
        opened = Store(url)
        yield opened
        opened.close()


def two_portals(connection: Connection) -> None:
    """Link two."""
    portal = {
        "location": "us",
        "name": "",
        "client_id": "",
        "state": "linked",
        "linked_by": "",
        "linked_at": 0,
    }
    rows = [portal | {"id": number, "org_id": str(number)} for number in (1, 2)]
    connection.execute(insert(portals), rows)


def _put(store: Store, answer: Answer, portal_id: int = 1, number: str = NUMBER) -> None:
    store.write_now(lambda connection: contacts.put_answer(connection, portal_id, number, answer))


def test_nothing_is_known_of_a_new_number(store: Store) -> None:
    """None is not the same as a number that Desk did not know."""
    assert store.read_now(lambda connection: contacts.answer(connection, 1, NUMBER)) is None


def test_a_number_is_known_to_one_portal_only(store: Store) -> None:
    """What one portal's Desk said is no other portal's business."""
    answer = Answer(b"[]", 1)
    _put(store, answer)
    assert store.read_now(lambda connection: contacts.answer(connection, 1, NUMBER)) == answer
    assert store.read_now(lambda connection: contacts.answer(connection, 2, NUMBER)) is None


@given(order=st.permutations([1, 2, 3, 4]))
@hypothesis_settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=24, deadline=None
)
def test_the_latest_answer_wins_in_any_order(store: Store, order: list[int]) -> None:
    """An answer that comes late does not replace that of a later question."""
    for asked_at in order:
        _put(store, Answer(str(asked_at).encode(), asked_at))
    kept = store.read_now(lambda connection: contacts.answer(connection, 1, NUMBER))
    assert kept == Answer(b"4", 4)
    store.write_now(lambda connection: contacts.forget_answers(connection, 1, [NUMBER]))


def test_answers_go_by_age_and_by_what_they_name(store: Store) -> None:
    """Old rows go everywhere, and the rows that hold a contact are found in one portal."""
    for portal, number, asked_at in ((1, "+1", 5), (1, "+2", 50), (2, "+3", 6), (2, "+4", 60)):
        _put(store, Answer(b'[{"id":"%d"}]' % asked_at, asked_at), portal, number)
    assert store.read_now(lambda connection: contacts.numbers_answered_with(connection, 1, b'"id":"5"')) == [
        "+1"
    ]
    assert store.write_now(lambda connection: contacts.forget_answers_before(connection, 50)) == 2
    assert store.read_now(lambda connection: contacts.answer(connection, 2, "+3")) is None
    assert store.read_now(lambda connection: contacts.answer(connection, 1, "+2")) is not None
