"""Say in a line what of a CRM is otherwise than before: for the audit, and for who was second to save."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from connector.calls import Flow
from connector.crm.model import CrmObject, Rules

VALUE_AT_MOST = 200
"""Characters of one value; whole templates would make a detail that nobody reads."""


def differences(before: Rules, after: Rules) -> list[str]:
    """Return each thing that is otherwise, by its place."""
    return [*_objects(before, after), *_search(before, after), *_pop(before, after),
            *_named("assign", before.assign, after.assign), *_named("hours", before.hours, after.hours)
            ]  # fmt: skip


def _objects(before: Rules, after: Rules) -> Iterator[str]:
    known = {each.name: each for each in before.objects}
    for each in after.objects:
        former = known.get(each.name, CrmObject(name=each.name))
        for name in ("label", "enabled"):
            if getattr(former, name) != getattr(each, name):
                yield f"{each.name} {name}: {_short(getattr(each, name))}"
        yield from _named(each.name, former.fields, each.fields)
    if [each.name for each in before.objects] != [each.name for each in after.objects]:
        yield f"objects: {', '.join(each.name for each in after.objects)}"


def _search(before: Rules, after: Rules) -> Iterator[str]:
    if before.search != after.search:
        yield "search: " + ", ".join(
            f"{row.object} by {' and '.join(row.fields)}{_notes(row)}" for row in after.search
        )


def _notes(row: Any) -> str:
    notes = [*row.flows, *(["search on"] if row.search_on else []), *([] if row.enabled else ["off"])]
    return f" ({', '.join(notes)})" if notes else ""


def _pop(before: Rules, after: Rules) -> Iterator[str]:
    for flow in Flow:
        former, policy = before.policy(flow), after.policy(flow)
        if former != policy:
            yield f"pop {flow}: {_changed(former, policy)}"


def _named(part: str, before: Sequence[Any], after: Sequence[Any]) -> Iterator[str]:
    """Yield what was added, changed, taken away and moved among things that have names."""
    known: Mapping[str, Any] = {each.name: each for each in before}
    for each in after:
        former = known.get(each.name)
        if former is None:
            yield f"{part} {each.name}: added"
        elif former != each:
            yield f"{part} {each.name}: {_changed(former, each)}"
    there = [each.name for each in after]
    for name in known:
        if name not in there:
            yield f"{part} {name}: taken away"
    kept = [name for name in known if name in there]
    if kept != [name for name in there if name in known]:
        yield f"{part} in the order: {', '.join(there)}"


def _changed(before: msgspec.Struct, after: msgspec.Struct) -> str:
    names = (name for name in after.__struct_fields__ if getattr(before, name) != getattr(after, name))
    return ", ".join(f"{name} {_short(getattr(after, name))}" for name in names)


def _short(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= VALUE_AT_MOST else f"{text[:VALUE_AT_MOST]}..."
