"""Warn of what is probably mistyped; it is done all the same, because it may be right tomorrow."""

from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import msgspec

from connector import numbers
from connector.store.phones import PhoneSystem

LISTED_AT_MOST = 8


class Warned(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was done and may not have been meant.

    `text` is what catalogues have, with `values` to be put between its braces; `reason` is its slug.
    """

    reason: str
    text: str
    values: Mapping[str, Any] = {}

    def __str__(self) -> str:
        return self.text.format(**self.values)


Warnings = tuple[Warned, ...]


def of_queues(names: Iterable[str], known: Collection[str]) -> Warnings:
    """Warn of queues that nobody has named before, where others have been."""
    return tuple(_of_queue(name, known) for name in names if known and name not in known)


def _of_queue(name: str, known: Collection[str]) -> Warned:
    close = get_close_matches(name, sorted(known), 1)
    if close:
        text = "No queue has been called {queue} before. Is {close} meant? Kept as typed."
        return Warned(reason="new_queue", text=text, values={"queue": name, "close": close[0]})
    text = "No queue has been called {queue} before. Known are {known}. Kept as typed."
    return Warned(reason="new_queue", text=text, values={"queue": name, "known": listed(known)})


def of_caller_id(phone: PhoneSystem, number: str) -> Warnings:
    """Warn of a caller id that is none of the phone system's own numbers."""
    if numbers.is_among(number, phone.lines):
        return ()
    text = "{number} is none of the own numbers of {phone} ({known}). Kept as typed."
    values = {"number": number, "phone": phone.slug, "known": listed(phone.lines)}
    return (Warned(reason="no_line", text=text, values=values),)


def of_folder(folder: str | None) -> Warnings:
    """Warn of a folder that is not on this machine."""
    if not folder or _is_folder(folder):
        return ()
    text = (
        "There is no folder {folder} on this machine, or it may not be looked into. Kept as typed: every "
        "machine that serves needs the folder at that path."
    )
    return (Warned(reason="no_folder", text=text, values={"folder": folder}),)


def _is_folder(folder: str) -> bool:
    try:
        return Path(folder).is_dir()
    except (OSError, ValueError):
        return False


def listed(texts: Iterable[str]) -> str:
    """Return some of what there is, in order."""
    found = list(texts)
    more = ["..."] if len(found) > LISTED_AT_MOST else []
    return ", ".join(sorted(found)[:LISTED_AT_MOST] + more) or "none"
