"""Find and replace a plain text in what Desk's editor has made of it: HTML that says the same; pure."""

import html
import re
from collections.abc import Iterator

import msgspec

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


def find(block: str, text: str) -> Span | None:
    """Return where a text says what a plain `block` says, whatever tags, entities and breaks it uses."""
    shown = list(_shown(text))
    wanted = " ".join(block.split())
    at = "".join(character for character, _ in shown).find(wanted)
    if not wanted or at < 0:
        return None
    return Span(shown[at][1].start, shown[at + len(wanted) - 1][1].end)


def replace(text: str, span: Span, new: str) -> str:
    """Return a text with a plain one in the place of what stands there; the tags in it stay balanced."""
    tags = [tag for tag in _TAG.findall(text[span.start : span.end]) if not _LINE_BREAK.fullmatch(tag)]
    written = "<br>".join(html.escape(new, quote=False).splitlines())
    return text[: span.start] + written + "".join(tags) + text[span.end :]


def is_used(text: str) -> bool:
    """Tell whether a text holds a tag or an entity."""
    return any(
        found.lastgroup in ("tag", "entity") or (found.lastgroup == "gap" and not found[0].isspace())
        for found in _TOKEN.finditer(text)
    )


def _shown(text: str) -> Iterator[tuple[str, Span]]:
    """Return the characters that people see, each with its place; a gap of any kind is one space."""
    for found in _TOKEN.finditer(text):
        span = Span(found.start(), found.end())
        if found.lastgroup == "gap":
            yield " ", span
        elif found.lastgroup != "tag":
            yield from ((character, span) for character in html.unescape(found[0]))
