"""Tell with whom the caller talked last, as far as the agent may see those calls."""

from sqlalchemy import Connection

from connector import numbers
from connector.calls import Call, CallState, talk_seconds
from connector.cards.seats import Seat
from connector.cards.shapes import PastCall
from connector.clock import DAY, from_iso
from connector.follow_up.listing import CallLine, Filter, read_page
from connector.follow_up.viewers import Viewer
from connector.store import listing

SHOWN = 5
"""Calls on a card: whoever wants more opens the history."""

COUNTED_AT_MOST = 50
"""Calls of a number that are looked at: nobody reads on."""


def read_past_calls(connection: Connection, seat: Seat, now: int) -> tuple[tuple[PastCall, ...], int]:
    """Return the last calls with the call's number but itself, the newest first, and how many of a week.

    An agent sees their own, supervisors and administrators all: as everywhere.
    """
    number = numbers.caller_key(seat.snapshot.customer)
    if number is None or seat.snapshot.customer.e164 is None:
        return (), 0
    viewer = Viewer(role=seat.user.role, user=seat.user)
    asked = Filter(number=seat.snapshot.customer.e164)
    page = read_page(connection, viewer=viewer, asked=asked, now=now, limit=COUNTED_AT_MOST)
    before = [line for line in page.calls if line.call != seat.snapshot.row.key]
    this_week = sum(from_iso(line.at) >= now - 7 * DAY for line in before)
    shown = (_past_call(connection, line) for line in before[:SHOWN])
    return tuple(each for each in shown if each is not None), this_week


def _past_call(connection: Connection, line: CallLine) -> PastCall | None:
    group = listing.group_of_key(connection, line.call)
    known = [] if group is None else [row.call for row in group.rows if row.call is not None]
    if not known:
        return None
    return PastCall(
        key=line.call,
        at=from_iso(line.at),
        direction=line.direction or "inbound",
        result=_result(known),
        agent=", ".join(line.names),
        talk_seconds=talk_seconds(known),
    )


def _result(known: list[Call]) -> str:
    """Return what came of calls, as the banner says it; "" of those that go on."""
    if any(call.state is not CallState.ENDED for call in known):
        return ""
    if any(call.answered_at is not None for call in known):
        return "answered"
    return "canceled" if all(call.direction == "outbound" for call in known) else "missed"
