"""Know agents by what a phone system calls them, however it writes their numbers; pure."""

from collections.abc import Collection, Mapping
from functools import lru_cache

import msgspec

from connector.numbers import Kind, could_be, read

_IN_URI = frozenset(":@<%")


class Agents(msgspec.Struct, frozen=True, kw_only=True):
    """What the agents of one phone system go by.

    `words` are their extensions and logins as they were entered; `telephones` maps those that are whole
    phone numbers, read as E.164, to the word.
    """

    words: frozenset[str] = frozenset()
    telephones: Mapping[str, str] = {}

    def word(self, end: str | None, country: str) -> str | None:
        """Return which agent's word an end of a call is, None for nobody's; it is read in `country`."""
        if not end or end in self.words:
            return end or None
        if could_be(end, self.telephones):
            found = self.telephones.get(read(end, country).e164 or "")
            if found is not None:
                return found
        return self._short(end, country)

    def _short(self, end: str, country: str) -> str | None:
        """Find an extension in a URI, or between blanks; a name in a URI may be anybody's."""
        if not self.words or end.isalnum() or (_may_be_number(end) and not _IN_URI.intersection(end)):
            return None
        known = read(end, country)
        return known.display if known.kind is Kind.EXTENSION and known.display in self.words else None


NO_AGENTS = Agents()


@lru_cache(maxsize=64)
def agents_of(words: frozenset[str], country: str) -> Agents:
    """Return agents by their words; numbers among these are read in `country`."""
    return Agents(words=words, telephones=_telephones(words, country))


def _telephones(words: Collection[str], country: str) -> dict[str, str]:
    read_as = ((read(word, country).e164, word) for word in sorted(words) if _may_be_number(word))
    return {e164: word for e164, word in read_as if e164 is not None}


def _may_be_number(word: str) -> bool:
    """Spare what is surely none the reading, which takes ten times as long: an extension is shorter."""
    return sum(map(str.isdigit, word)) > 6
