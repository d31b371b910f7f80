"""Who calls: contacts of the sandbox's Desk, people whom it does not know, and how networks write them.

Which number a contact has is read off the ranges that the sandbox invents numbers from, not with the
connector's own reading, so that a mistake there shows.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from random import Random

from connector.demo.sandbox_admin import Record
from connector.sandbox.desk.numbers import LANDLINES, MOBILES, Range

RANGES = (*LANDLINES, *MOBILES)
AT_HOME = "44"
"""The country code of the simulated phone system."""
NATIONAL = "+4420"
"""London's invented numbers can be written without a country code; mobile ones are in no numbering plan."""

_EXTENSION = re.compile(r"\s*(ext\.|x)\s*\d+$")


def number_of(text: str | None) -> str | None:
    """Return the number (E.164) that was typed into a contact's field, if it is of the invented ranges."""
    found = _range_of(text)
    return None if found is None else f"+{found[0].country}{found[0].area}{found[1]}"


def is_plain(text: str | None) -> bool:
    """Tell whether a text can be read in one way only: with a country code, or at home."""
    found = _range_of(text)
    if text is None or found is None or "()" in text:
        return False
    return text.startswith(("+", "00")) or (
        found[0].country == AT_HOME and text.startswith(("0", "Tel", "(0"))
    )


def _range_of(text: str | None) -> tuple[Range, str] | None:
    digits = re.sub(r"\D", "", _EXTENSION.sub("", text or ""))
    for each in RANGES:
        before, subscriber = digits[: -len(each.first)], digits[-len(each.first) :]
        if before.endswith(each.area) and each.first <= subscriber <= each.last:
            return each, subscriber
    return None


class Callers:
    """Chooses callers at random; nobody calls twice unless that is meant."""

    def __init__(self, contacts: Sequence[Record], rng: Random) -> None:
        self._rng = rng
        self._bearers = _bearers(contacts)
        known = [number for number, contacts in self._bearers.items() if _are_plain(number, contacts)]
        self._known = sorted(known)
        self._rng.shuffle(self._known)
        self._next = 0
        self._strangers: set[str] = set()

    def known(self) -> tuple[str, str]:
        """Return a number that Desk knows, and the id of the contact that its calls belong to."""
        number = self._known[self._next % len(self._known)]
        self._next += 1
        latest_first = sorted(self._bearers[number], key=lambda each: (len(each["id"]), each["id"]))
        latest_first.sort(key=lambda each: str(each["modifiedTime"]), reverse=True)
        return number, str(latest_first[0]["id"])

    def stranger(self) -> str:
        """Return a number that Desk does not know."""
        while True:
            each = self._rng.choice(RANGES)
            number = each.pick(self._rng).e164
            if number not in self._bearers and number not in self._strangers:
                self._strangers.add(number)
                return number

    def written(self, number: str) -> str:
        """Write a number in one of the ways that networks and phone systems do."""
        digits = number.removeprefix("+")
        ways = [
            number,
            f"00{digits}",
            f"sip:{number}@sbc.example.net;user=phone",
            f"<sip:{number}@192.0.2.7:5060>",
            f"tel:{number}",
        ]
        if number.startswith(NATIONAL):
            ways += [f"0{digits[2:]}", f"0{digits[2:4]} {digits[4:8]} {digits[8:]}", digits]
        return self._rng.choice(ways)

    def withheld(self) -> str:
        """Write that a number is withheld."""
        return self._rng.choice(("anonymous", "sip:anonymous@anonymous.invalid", "Restricted", "unknown"))


def _bearers(contacts: Sequence[Record]) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = defaultdict(list)
    for contact in contacts:
        for number in {number_of(contact["phone"]), number_of(contact["mobile"])} - {None}:
            found[str(number)].append(contact)
    return found


def _are_plain(number: str, contacts: Sequence[Record]) -> bool:
    typed = (text for contact in contacts for text in (contact["phone"], contact["mobile"]))
    return all(is_plain(text) for text in typed if number_of(text) == number)


def seeded_random(seed: int | None = None) -> Random:
    """Return a random generator; one with a seed repeats itself."""
    return Random(seed)  # noqa: S311 - it chooses callers, and nothing is secret
