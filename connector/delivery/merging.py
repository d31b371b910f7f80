"""Bring a record in Desk into line without touching what an agent has edited; pure.

A field is ours to write while Desk still holds what we put there; anything else is somebody's edit.
"""

import html
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from connector.clock import to_iso
from connector.outbox.send_once import Body, Sent
from connector.zoho.models import DeskCall

REQUIRED = ("contactId", "departmentId", "startTime", "status", "subject")
"""By contract every change names them again (callUpdate), changed or not."""

_PLAIN = (*REQUIRED, "direction", "duration", "ownerId")
_READ_TOO = ("ticketId", "priority")


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What a PATCH shall write, `whole` with all that it may have to name; and which edits it leaves."""

    writes: Body
    whole: Body
    kept: tuple[str, ...]


def merge(
    ours: Body,
    sent: Sent,
    theirs: DeskCall,
    required: Collection[str] = (),
    gone: Collection[str] = (),
) -> Change:
    """Say what must be written so that Desk holds `ours`, edits of others aside.

    `required` is what this Desk wants named in every change beside its contract, such as `duration` or
    `cf/cf_name`: as it stands there, else as ours is; what neither has is left out.
    `gone` are contacts that Desk no longer has: no record stays on one, whoever put it there.
    `recordingUrl`, and fields of Desk's own that we do not read, are written where ours is not the one that
    surely stands there.
    """
    present = _shown(theirs)
    writes: Body = {}
    kept: list[str] = []
    for name in (*_PLAIN, *_readable(ours)):
        before = [base.get(name) for base in sent.bases]
        before += gone if name == "contactId" else ()
        _settle(name, ours.get(name), before, present.get(name), writes, kept)
    _describe(ours, sent.bases, present, writes, kept)
    _settle_cf(ours, sent.bases, theirs.cf or {}, writes, kept)
    writes |= {
        name: ours[name]
        for name in ours
        if name not in (*_PLAIN, *_READ_TOO, "description", "cf")
        and ours[name]
        and (sent.tried or ours[name] != (sent.body or {}).get(name))
    }
    again = {name: present.get(name) or ours[name] for name in REQUIRED}
    return Change(
        writes=writes,
        whole=_named(again | writes, ours, sent.bases, present, theirs, required),
        kept=tuple(kept),
    )


def _named(
    whole: Body,
    ours: Body,
    bases: Sequence[Body],
    present: Body,
    theirs: DeskCall,
    required: Collection[str],
) -> Body:
    """Return a body that names what is required as well."""
    for name in required:
        group, _, field = name.rpartition("/")
        if not group and field not in whole:
            value = present.get(field)
            whole |= _some({field: ours.get(field) if value is None else value})
        elif group == "cf" and field not in whole.get("cf", {}):
            value = (theirs.cf or {}).get(field)
            named = _some({field: (ours.get("cf") or {}).get(field) if value is None else value})
            there = _own_cf(ours, bases, theirs.cf or {})
            whole |= {"cf": whole.get("cf", there) | named} if named else {}
    return whole


def _readable(ours: Body) -> tuple[str, ...]:
    return tuple(name for name in _READ_TOO if name in ours)


def _some(values: Body) -> Body:
    return {name: value for name, value in values.items() if value is not None}


def missing_of(refused: Mapping[str, str], body: Body) -> list[str]:
    """Return what Desk refuses a change for because it does not name it again, though it does not change."""
    names = {pointer.strip("/"): kind for pointer, kind in refused.items()}
    named = {*body, *(f"cf/{name}" for name in body.get("cf", {}))}
    return [
        name for name, kind in names.items() if name not in named and (kind == "missing" or name in REQUIRED)
    ]


def _shown(theirs: DeskCall) -> Body:
    return {
        "contactId": _text(theirs.contact_id),
        "departmentId": _text(theirs.department_id),
        "startTime": None if theirs.started_at is None else to_iso(theirs.started_at),
        "status": theirs.status,
        "subject": theirs.subject,
        "direction": theirs.direction,
        "duration": None if theirs.duration_seconds is None else int(theirs.duration_seconds),
        "ownerId": _text(theirs.owner_id),
        "ticketId": _text(theirs.ticket_id),
        "priority": theirs.priority,
        "description": theirs.description,
    }


def _text(value: str | None) -> str | None:
    # Desk's ids are a type of their own, and the outbox keeps plain texts.
    return None if value is None else str(value)


def _settle(name: str, ours: Any, bases: Sequence[Any], present: Any, writes: Body, kept: list[str]) -> None:
    if ours is None or ours == present:
        return
    if present in bases:
        writes[name] = ours
    else:
        kept.append(name)


def _describe(ours: Body, bases: Iterable[Body], present: Body, writes: Body, kept: list[str]) -> None:
    """Put our block in the place of our older one, and leave whatever stands around it."""
    text = (present["description"] or "").replace("\r\n", "\n")
    new: str = ours["description"]
    # The longest first: a shorter one may be a part of it.
    blocks = sorted({new, *(base.get("description") or "" for base in bases)}, key=len, reverse=True)
    block = next((old for old in blocks if old and old in text), None)
    if block is None:
        _describe_in_markup(new, blocks, text, writes, kept)
    elif block != new:
        writes["description"] = text.replace(block, new, 1)


def _describe_in_markup(new: str, blocks: list[str], text: str, writes: Body, kept: list[str]) -> None:
    """Do so where Desk's editor has made HTML of our text, which is nobody's edit."""
    places = ((old, find_in_markup(old, text)) for old in blocks if is_markup(text))
    block, place = next(((old, found) for old, found in places if found is not None), ("", None))
    if place is None:
        kept.append("description")
    elif block != new:
        writes["description"] = replace_in_markup(text, place, new)


def _settle_cf(
    ours: Body, bases: Sequence[Body], present: Mapping[str, Any], writes: Body, kept: list[str]
) -> None:
    found: Body = {}
    left: list[str] = []
    for name, value in (ours.get("cf") or {}).items():
        before = [(base.get("cf") or {}).get(name) for base in bases]
        _settle(name, value, before, present.get(name), found, left)
    if found:
        writes["cf"] = _own_cf(ours, bases, present) | found
    kept += [f"cf/{name}" for name in left]


def _own_cf(ours: Body, bases: Iterable[Body], present: Mapping[str, Any]) -> Body:
    """Return all custom fields that are ours, or have been, as they stand in Desk.

    Whether it keeps those that a change with some does not name is not said anywhere.
    """
    names = dict.fromkeys(name for body in (ours, *bases) for name in body.get("cf") or {})
    return _some({name: present.get(name) for name in names})


_BREAK = r"<br\s*/?>|</?(?:div|p|ul|ol|li|table|tr|td|blockquote|h[1-6])\b[^<>]*>"
_TOKEN = re.compile(
    rf"(?P<gap>(?:{_BREAK}|\s|&nbsp;|&\#160;)+)|(?P<tag></?[a-z][^<>]*>)|(?P<entity>&\#?\w+;)|(?P<plain>.)",
    re.IGNORECASE,
)
_TAG = re.compile(r"</?[a-z][^<>]*>", re.IGNORECASE)
_LINE_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)


class Span(msgspec.Struct, frozen=True):
    """Where a text stands in another one."""

    start: int
    end: int


def find_in_markup(block: str, text: str) -> Span | None:
    """Return where a text says what a plain `block` says, whatever tags, entities and breaks it uses."""
    shown = list(_characters(text))
    wanted = " ".join(block.split())
    at = "".join(character for character, _ in shown).find(wanted)
    if not wanted or at < 0:
        return None
    return Span(shown[at][1].start, shown[at + len(wanted) - 1][1].end)


def replace_in_markup(text: str, span: Span, new: str) -> str:
    """Return a text with a plain one in the place of what stands there; the tags in it stay balanced."""
    tags = [tag for tag in _TAG.findall(text[span.start : span.end]) if not _LINE_BREAK.fullmatch(tag)]
    written = "<br>".join(html.escape(new, quote=False).splitlines())
    return text[: span.start] + written + "".join(tags) + text[span.end :]


def is_markup(text: str) -> bool:
    """Tell whether a text holds a tag or an entity."""
    return any(
        found.lastgroup in ("tag", "entity") or (found.lastgroup == "gap" and not found[0].isspace())
        for found in _TOKEN.finditer(text)
    )


def _characters(text: str) -> Iterator[tuple[str, Span]]:
    """Return the characters that people see, each with its place; a gap of any kind is one space."""
    for found in _TOKEN.finditer(text):
        span = Span(found.start(), found.end())
        if found.lastgroup == "gap":
            yield " ", span
        elif found.lastgroup != "tag":
            yield from ((character, span) for character in html.unescape(found[0]))
