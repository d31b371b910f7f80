"""The watchdog's turn, when a call cannot be ended."""

from typing import Any

import pytest

from connector.calls import CallEvent, EventType, fold
from connector.errors import ConnectorError, StoreUnavailable, UnknownPhoneSystem
from connector.pipeline import CLOSED_AT_A_TIME, Pipeline
from connector.store.calls import CallRow

pytestmark = pytest.mark.anyio

NOON = 1_767_614_400_000


def row(number: int) -> CallRow:
    """Make a call that has been silent for too long."""
    name = f"c-{number}"
    said = CallEvent(source="/pbx", id=name, type=EventType.RINGING, call_id=name, at=NOON, received_at=NOON)
    return CallRow(
        id=number,
        phone_system_id=number,
        call_id=name,
        key=name,
        root_id=None,
        call=fold([said]),
        revision=1,
        chosen_contact_id=None,
        lookup="none",
        found=None,
        changed_at=NOON,
        closes_at=NOON,
    )


class Overdue:
    """A store in which some calls are overdue, and stay so."""

    def __init__(self, count: int) -> None:
        self._count = count

    async def read(self, _ask: Any) -> list[CallRow]:
        """Return them."""
        return [row(number) for number in range(1, self._count + 1)]


class Phones:
    """Phone systems of which none can be had; who was asked for is noted."""

    def __init__(self, failure: ConnectorError) -> None:
        self.asked: list[int] = []
        self._failure = failure

    async def get(self, phone_id: int) -> None:
        """Fail, and note for whom."""
        self.asked.append(phone_id)
        raise self._failure


def pipeline(phones: Phones, overdue: int = 3) -> Pipeline:
    """Make a road that has nothing but calls to close."""
    nothing: Any = None
    parts: list[Any] = [Overdue(overdue), nothing, phones, nothing, nothing, lambda: NOON, 60, nothing]
    return Pipeline(*parts)


async def test_one_call_that_cannot_be_ended_keeps_no_other_open() -> None:
    """The watchdog goes on with the next, and says in the end what went wrong."""
    phones = Phones(UnknownPhoneSystem("gone"))
    with pytest.raises(UnknownPhoneSystem):
        await pipeline(phones).close_overdue()
    assert phones.asked == [1, 2, 3]


async def test_a_lost_database_ends_the_turn() -> None:
    """The next calls would fare no better: only those are tried that are closed at one time."""
    phones = Phones(StoreUnavailable("lost"))
    with pytest.raises(StoreUnavailable):
        await pipeline(phones, CLOSED_AT_A_TIME).close_overdue()
    assert len(phones.asked) == CLOSED_AT_A_TIME
