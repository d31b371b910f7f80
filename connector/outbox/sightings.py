"""Know for how long others' requests have been under way, on a clock that never jumps.

A request that was noted on this machine says when, by the very clock that is read here. For all others a
process counts from its own first sight: a wall clock that is set forward would turn "not applied yet" into
"absent".
"""

from collections.abc import Callable, Collection, Sequence

import msgspec

from connector.clock import Clock, machine_of
from connector.store.in_flight import UnderWay
from connector.store.outbox import Row

Sight = tuple[object, ...]


class _Noted(msgspec.Struct, frozen=True):
    """The part of what was sent that says where and when it was noted."""

    noted: str = ""


_read_noted = msgspec.json.Decoder(_Noted).decode


class Sightings:
    """Rows that are being sent, or whose outcome is unknown, as this process has seen them."""

    def __init__(self, steady: Clock, machine: str | None = None) -> None:
        self._steady = steady
        self._machine = machine_of(steady) if machine is None else machine
        self._authors: dict[Sight, int] = {}
        self._requests: dict[Sight, int] = {}

    def stamp(self) -> str:
        """Return this moment and the machine whose clock tells it; nothing where nobody else reads it."""
        return f"@{self._machine}@{self._steady()}" if self._machine else ""

    def see(self, those: Sequence[UnderWay]) -> None:
        """Note what is there now; what is not there any more is forgotten."""
        self._authors = self._seen(self._authors, those, _author, lambda each: each.owner or "")
        self._requests = self._seen(self._requests, those, _request, _stamp_of_request)

    def see_own(self, row: Row) -> None:
        """Note the request that this process is about to send."""
        self._requests.setdefault(_request(row), self._steady())

    def abandoned(self, those: Sequence[UnderWay], own: Collection[str | None], after: int) -> list[UnderWay]:
        """Return what somebody has been sending, unchanged, for so many milliseconds, our `own` aside."""
        now = self._steady()
        return [
            each
            for each in those
            if each.state == "sending"
            and each.owner not in own
            and now - self._authors[_author(each)] >= after
        ]

    def seen_for(self, row: Row) -> int:
        """Return for how many milliseconds it has been known that this request may have been applied."""
        now = self._steady()
        return now - self._requests.get(_request(row), now)

    def _seen(
        self,
        before: dict[Sight, int],
        those: Sequence[UnderWay],
        sight_of: Callable[[UnderWay], Sight],
        stamp_of: Callable[[UnderWay], str],
    ) -> dict[Sight, int]:
        seen: dict[Sight, int] = {}
        for each in those:
            sight = sight_of(each)
            seen[sight] = before[sight] if sight in before else self._moment(stamp_of(each))
        return seen

    def _moment(self, stamp: str) -> int:
        """Return when something was stamped on this machine; now where it was elsewhere, or not at all."""
        now, (_, _, place) = self._steady(), stamp.partition("@")
        machine, _, moment = place.rpartition("@")
        return min(now, int(moment)) if self._machine and machine == self._machine else now


def _author(each: UnderWay) -> Sight:
    return each.id, each.created_at, each.owner, each.lease_until, each.sent_at


def _request(each: UnderWay | Row) -> Sight:
    return each.id, each.created_at, each.attempt, each.sent_at


def _stamp_of_request(each: UnderWay) -> str:
    # An owner of the release before may have claimed the row since; what was sent says when it was sent.
    return "" if each.sent is None else _read_noted(each.sent).noted
