"""Turn a run into figures; pure."""

import math
from collections.abc import Iterable, Sequence

import msgspec

from connector.demo.agent import Sight
from connector.demo.comparing import Verdict
from connector.demo.control import RequestCount
from connector.demo.playing import Played

MS = 1_000


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """When a call was on a banner: with its number, and with its name; seconds since it was first posted."""

    number: float | None
    name: float | None


def percentile(values: Iterable[float], share: float) -> float | None:
    """Return the nearest-rank percentile, rounded to a tenth; None of nothing."""
    ordered = sorted(values)
    if not ordered:
        return None
    return round(ordered[max(0, math.ceil(share * len(ordered)) - 1)], 1)


def first_seen(played: Sequence[Played], sights: Sequence[Sight]) -> dict[str, Seen]:
    """Find out when each call that banners must show was first on any."""
    call_at = {
        at: (call, story) for story in played for call in story.posted_at for at in story.time_of(call)
    }
    number: dict[str, float] = {}
    name: dict[str, float] = {}
    for sight in sorted(sights, key=lambda each: each.at):
        call, story = call_at.get(sight.view["started_at"], ("", None))
        if story is None:
            continue
        after = sight.at - story.posted_at[call]
        number.setdefault(call, after)
        # What is shown after the end may be the contact that was made for the record.
        if sight.view["contacts"] and sight.view["state"] != "ended":
            name.setdefault(call, after)
    wanted = (call for each in played for call in each.story.pops)
    return {call: Seen(number=number.get(call), name=name.get(call)) for call in wanted}


def is_look_up(counted: RequestCount) -> bool:
    """Tell whether requests were made to know who is calling, rather than to write what happened."""
    return counted.path.endswith(("/contacts/search", "/tickets"))


def report(
    verdict: Verdict,
    played: Sequence[Played],
    seen: dict[str, Seen],
    recorded_seconds: Sequence[float],
    requests: Sequence[RequestCount],
) -> dict[str, object]:
    """Return the figures of a run as one JSON object; times are in what their names end in."""
    calls = sum(len(each.story.dues) for each in played)
    asked = [each for each in requests if each.path.startswith("/api/")]
    look_ups = sum(each.count for each in asked if is_look_up(each))
    others = sum(each.count for each in asked) - look_ups
    acks = [seconds * MS for each in played for seconds in each.ack_seconds]
    return {
        "calls": calls,
        "delivered": verdict.delivered,
        "lost": verdict.lost,
        "duplicated": verdict.duplicated,
        "wrong": verdict.wrong,
        "contacts_duplicated": verdict.contacts_duplicated,
        "pops": sum(each.number is not None for each in seen.values()),
        "pop_ms": _spread([each.number * MS for each in seen.values() if each.number is not None], 0.99),
        "named_ms": _spread([each.name * MS for each in seen.values() if each.name is not None], 0.99),
        "ack_ms": _spread(acks, 0.99),
        "record_s": _spread(recorded_seconds, 0.95),
        "delivery_requests_per_call": round(others / calls, 2) if calls else 0,
        "lookup_requests_per_call": round(look_ups / calls, 2) if calls else 0,
        "problems": list(verdict.problems),
    }


def _spread(values: Iterable[float], high: float) -> dict[str, float | None]:
    found = list(values)
    return {"p50": percentile(found, 0.5), f"p{round(high * 100)}": percentile(found, high)}
