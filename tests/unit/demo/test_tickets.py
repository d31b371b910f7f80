"""The count of tickets after a run with faults must be able to fail: each way to be wrong is found."""

from typing import Any

import msgspec
import pytest

from connector.demo.company import KEY_FIELD
from connector.demo.verification import ExpectedDeskRecord
from tests.faults.tickets import Counts, count
from tests.unit.demo import desk


def missed(key: str) -> ExpectedDeskRecord:
    """Want the record of a missed call."""
    usual = desk.wanted(key)
    return msgspec.structs.replace(usual, expected=msgspec.structs.replace(usual.expected, status="Missed"))


def record(key: str, ticket_id: str | None) -> dict[str, Any]:
    """Make a record that names a ticket."""
    return desk.record(key, cf={KEY_FIELD: key}, ticketId=ticket_id)


def ticket(ticket_id: str, key: str, contact_id: str = "501") -> dict[str, Any]:
    """Make the ticket of a call, as Desk shows it."""
    return {"id": ticket_id, "contactId": contact_id, "description": f"Who: Ada<br>Call key: {key}"}


WANTED = (missed("zpc1"), desk.wanted("zpc2"))
OTHER = {"id": "70", "contactId": "501", "description": None}


@pytest.mark.parametrize(
    ("tickets", "named", "expected"),
    [
        ([ticket("71", "zpc1")], ("71", None), (1, 0, 0, 0)),
        ([], (None, None), (0, 1, 0, 0)),
        ([ticket("71", "zpc1"), ticket("72", "zpc1")], ("71", None), (1, 0, 1, 0)),
        ([ticket("71", "zpc1")], (None, None), (1, 0, 0, 1)),
        ([ticket("71", "zpc1", "502")], (None, None), (1, 0, 0, 1)),
        ([ticket("71", "zpc1"), ticket("72", "zpc2")], ("71", None), (2, 0, 0, 1)),
        ([ticket("71", "zpc1")], ("71", "71"), (1, 0, 0, 1)),
    ],
)
def test_count(
    tickets: list[dict[str, Any]], named: tuple[str | None, str | None], expected: tuple[int, int, int, int]
) -> None:
    """Lost, doubled, not named, another contact's, of a call without one, named by another call's record."""
    calls = [record("zpc1", named[0]), record("zpc2", named[1])]
    names = ("tickets", "tickets_lost", "tickets_duplicated", "tickets_wrong")
    assert count(WANTED, calls, [OTHER, *tickets]) == Counts(**dict(zip(names, expected, strict=True)))
