"""Put a call's history in order for people: a heading, and a thing or some of a kind, for each part of it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from connector.follow_up.shapes import CallHistory, CallSeen, DeliverySeen, LegSeen

Row = Mapping[str, Any]
"""What is known of one thing, by what it is called."""

Section = tuple[str, Row | Sequence[Row]]
"""A heading, and a thing or a table."""

FACTS = ("call", "phone_system", "dialect", "at", "state", "talk_seconds", "waiting_seconds")
OF_CALL = ("call_id", "parent", "state", "direction", "from", "to", "queue", "started_at", "answered_at",
           "ended_at", "cause", "closed_because")  # fmt: skip
OF_EVENT = ("received_at", "at", "type", "agent", "from", "to", "cause", "repeats", "source", "id",
            "signed_by")  # fmt: skip
OF_DELIVERY = ("id", "kind", "state", "revision", "sent_revision", "due_at", "desk_id", "desk_url", "reason",
               "detail", "attempts_made")  # fmt: skip


RECORD_WORDS: Mapping[str, str] = {
    "due": "on its way to Desk",
    "sending": "on its way to Desk",
    "unknown": "sent to Desk, which did not answer: the connector looks whether it is there",
    "done": "written to Desk",
    "dead": "not written: Desk refused it",
    "dropped": "not written: dropped by hand",
    "erased": "erased",
}
"""How a record stands, for people, by the state of its delivery."""


WHOSE: Mapping[str, str] = {
    "call": "the record",
    "contact": "its contact",
    "ticket": "a ticket",
    "comment": "a comment on its ticket",
}
"""What a delivery brings to Desk, by its kind."""


def sections(told: CallHistory) -> Iterator[Section]:
    """Go through the parts of a history, each with its heading; the first has none."""
    yield "", _facts(told)
    yield "Calls (a call, and those that came out of it)", [_some(each, OF_CALL) for each in told.calls]
    yield "Agents", [_of(each, leg) for each in told.calls for leg in each.legs]
    yield "Look-ups", [_look_up(each) for each in told.calls]
    yield "Events, as they were received", [_some(each, OF_EVENT) for each in told.events or ()]
    if told.more_events:
        yield "There are more events than these", []
    yield "Where it goes in Desk", list(map(_built, told.assignments))
    yield "Orders", list(map(_built, told.orders))
    for delivery in told.deliveries or ():
        yield from _delivery(delivery)
    yield "Recordings", list(map(_built, told.recordings))
    yield "Who opened, heard or copied them", list(map(_built, told.listeners or ()))


def summary(told: CallHistory) -> Row:
    """Return in short who, when, how it ended and what became of the record."""
    root = next((each for each in told.calls if each.call == told.call), None)
    legs = [leg for each in told.calls for leg in each.legs]
    return {
        "from": root and root.from_number,
        "to": root and root.to_number,
        "contact": root and _contact(root),
        "agents": list(dict.fromkeys(leg.name or leg.agent for leg in legs)),
        "when": f"{told.at[:19].replace('T', ' ')} UTC",
        "how_it_ended": _end(told, root, legs),
        "record": RECORD_WORDS[told.record.state] if told.record else f"none: {told.why or 'not yet'}",
    }


def _contact(root: CallSeen) -> str | None:
    """Name the contact that an agent chose, or the only one."""
    found = root.look_up.contacts
    chosen = [each.name for each in found if root.look_up.chosen in (None, each.id)]
    return chosen[0] if len(chosen) == 1 else f"one of {len(chosen)}" if chosen else None


def _end(told: CallHistory, root: CallSeen | None, legs: Sequence[LegSeen]) -> str:
    if told.erased_at is not None:
        return "erased"
    if told.state != "ended":
        return f"it goes on: {told.state}" if told.state else "unknown"
    if any(leg.answered_at for leg in legs) or (root and root.answered_at):
        return f"answered, {told.talk_seconds or 0} s of talk"
    return "nobody answered" + (f" ({root.cause.replace('_', ' ')})" if root and root.cause else "")


def _facts(told: CallHistory) -> Row:
    record = "none" if told.record is None else told.record.state
    return _some(told, FACTS) | {"record": record, "not_recorded": told.why, "erased_at": told.erased_at}


def _of(call: CallSeen, part: msgspec.Struct) -> dict[str, Any]:
    return {"call_id": call.call_id} | _built(part)


def _look_up(call: CallSeen) -> Row:
    row = _of(call, call.look_up)
    del row["count"]
    return row | {"contacts": [f"{each.name} ({each.id})" for each in call.look_up.contacts]}


def _delivery(delivery: DeliverySeen) -> Iterator[Section]:
    yield f"Delivery of {WHOSE[delivery.kind]}", _some(delivery, OF_DELIVERY)
    left_out = delivery.attempts_made - len(delivery.attempts)
    more = f" ({left_out} of {delivery.attempts_made} left out)" if left_out else ""
    yield f"Desk's answers{more}", list(map(_built, delivery.attempts))


def _some(thing: msgspec.Struct, names: Sequence[str]) -> dict[str, Any]:
    built = _built(thing)
    return {name: built[name] for name in names}


def _built(thing: msgspec.Struct) -> dict[str, Any]:
    built: dict[str, Any] = msgspec.to_builtins(thing)
    return built
