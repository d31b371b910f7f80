"""Know for how long others' requests have been seen unchanged, on a clock that never jumps.

Whoever waits for what may still be applied counts from its own first sight: a wall clock that is set forward
would turn "not applied yet" into "absent".
"""

from collections.abc import Collection, Iterable, Sequence

from connector.clock import Clock
from connector.store.notes import UnderWay
from connector.store.outbox import Row

Sight = tuple[object, ...]


class Sightings:
    """Rows that are being sent, or whose outcome is unknown, as this process has seen them."""

    def __init__(self, steady: Clock) -> None:
        self._steady = steady
        self._authors: dict[Sight, int] = {}
        self._requests: dict[Sight, int] = {}

    def see(self, those: Sequence[UnderWay]) -> None:
        """Note what is there now; what is not there any more is forgotten."""
        self._authors = self._seen(self._authors, map(_author, those))
        self._requests = self._seen(self._requests, map(_request, those))

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

    def _seen(self, before: dict[Sight, int], sights: Iterable[Sight]) -> dict[Sight, int]:
        now = self._steady()
        return {sight: before.get(sight, now) for sight in sights}


def _author(each: UnderWay) -> Sight:
    return each.id, each.created_at, each.owner, each.lease_until, each.sent_at


def _request(each: UnderWay | Row) -> Sight:
    return each.id, each.created_at, each.attempt, each.sent_at
