"""Look in Desk for a call record that may have been written, and that only its key makes ours."""

from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import TypeVar

import msgspec

from connector.clock import DAY, MINUTE, from_iso
from connector.delivery.compose import keys_in
from connector.errors import RecordNotFound, ZohoDown
from connector.outbox.send_once import Body
from connector.zoho.client import Desk
from connector.zoho.models import DeskCall

SKEW = 10 * MINUTE
"""How far Desk's clock may be from ours."""

SEARCHED = DAY
"""The search finds our key and nothing else, so that a wide span costs nothing: clocks may be set wrong."""

PAGE = 100
AGAIN = 5
FIRST_LEAP = 128

TRIES = 3
"""How often each question of a look is asked before the look is given up."""

Answer = TypeVar("Answer")


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What was found: the record itself, or one that is like it in everything but has lost its key."""

    found: DeskCall | None = None
    undecided: DeskCall | None = None


async def look_for(
    desk: Desk, body: Body, key: str, sent_at: int, now: int, *, is_indexed: bool = False
) -> Look:
    """Look for the record that `body` would have made, among the newest calls and by Desk's search.

    A list shows a record at once, but only in its department; the search lags, but finds it anywhere, and
    is asked first where the index should have it. Raises any ZohoError: then nobody knows more than before.
    """

    async def listed() -> list[DeskCall]:
        calls = await calls_since(desk, body["departmentId"], sent_at - SKEW)
        return [call for call in calls if _is_like(call, body)]

    async def searched() -> list[DeskCall]:
        # The key may stand anywhere in the description.
        span = (sent_at - SEARCHED, now + SEARCHED)
        return await _surely(partial(desk.search_calls, *span, f"*{key}*"))

    undecided: DeskCall | None = None
    for ask in (searched, listed) if is_indexed else (listed, searched):
        look = await _examine(desk, await ask(), body, key)
        if look.found is not None:
            return look
        undecided = undecided or look.undecided
    return Look(undecided=undecided)


async def _surely(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """Ask again where no answer came: of many questions each would else have to begin with the first."""
    for _ in range(TRIES - 1):
        try:
            return await ask()
        except ZohoDown:
            continue
    return await ask()


async def _examine(desk: Desk, candidates: Iterable[DeskCall], body: Body, key: str) -> Look:
    """Read candidates whole, because neither lists nor searches are sure to tell descriptions."""
    undecided: DeskCall | None = None
    for call_id in dict.fromkeys(str(call.id) for call in candidates):
        call = await _whole(desk, call_id)
        if call is None:
            continue
        keys = keys_in(call.description)
        if key in keys or key in (call.cf or {}).values():
            return Look(found=call)
        if not keys and _is_twin(call, body):
            undecided = undecided or call
    return Look(undecided=undecided)


async def calls_since(desk: Desk, department_id: str, since: int) -> list[DeskCall]:
    """List a department's calls that were made since a moment, whatever orders Desk can sort them in."""
    calls = await _from_the_newest(desk, department_id, since)
    if calls is None:
        calls = await _from_the_end(desk, department_id, since)
    return [call for call in calls if not _is_before(call, since)]


async def _from_the_newest(desk: Desk, department_id: str, since: int) -> list[DeskCall] | None:
    """Read a list that is sorted newest first, back to a moment; None where Desk refuses that order."""
    found: list[DeskCall] = []
    while True:
        page = await _surely(partial(desk.newest_calls, department_id, len(found)))
        if page is None:
            return None
        found += page
        if _reaches(page, since):
            return found
        # A little again: a call that was deleted meanwhile moves the others up.
        del found[-AGAIN:]


def _reaches(page: list[DeskCall], since: int) -> bool:
    return len(page) < PAGE or any(_is_before(call, since) for call in page)


def _is_before(call: DeskCall, since: int) -> bool:
    return call.created_at is not None and call.created_at < since


async def _from_the_end(desk: Desk, department_id: str, since: int) -> list[DeskCall]:
    """Read a list that can only be sorted oldest first, from its first call since a moment on."""
    # One earlier, because the contract does not say whether lists count from 0 or from 1.
    index = max(0, await _first_since(desk, department_id, since) - 1)
    found: list[DeskCall] = []
    while True:
        page = await _surely(partial(desk.list_calls, department_id, index, PAGE))
        found += page
        if len(page) < PAGE:
            return found
        # A little again: a call that was deleted meanwhile moves the others up.
        index += PAGE - AGAIN


async def _first_since(desk: Desk, department_id: str, since: int) -> int:
    """Find, by leaps and then by halves, how many calls are older than a moment."""

    async def is_older(index: int) -> bool:
        page = await _surely(partial(desk.list_calls, department_id, index, 1))
        return bool(page) and _is_before(page[0], since)

    low, high = 0, FIRST_LEAP
    while await is_older(high):
        low, high = high, 2 * high
    while low < high:
        middle = (low + high) // 2
        if await is_older(middle):
            low = middle + 1
        else:
            high = middle
    return low


def _is_like(call: DeskCall, body: Body) -> bool:
    started_at = from_iso(body["startTime"])
    direction = body.get("direction")
    return call.started_at == started_at and (direction is None or call.direction in (direction, None))


def _is_twin(call: DeskCall, body: Body) -> bool:
    # After a restore it may be unknown which contact the record was written on.
    return _is_like(call, body) and str(body["contactId"]) in ("", str(call.contact_id))


async def _whole(desk: Desk, call_id: str) -> DeskCall | None:
    try:
        return await _surely(partial(desk.get_call, call_id))
    except RecordNotFound:
        return None
