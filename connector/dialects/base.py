"""What every dialect takes and returns, and which agent is meant by what a phone system writes; pure."""

from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from connector.calls import CallEvent, Cause, Direction, EventType
from connector.errors import InvalidEvent, TooLarge
from connector.numbers import Kind, could_be, read

MAX_BODY_BYTES = 1024 * 1024
"""A larger body is refused; `web` stops reading there."""

MAX_EVENTS = 500
"""A body with more events is refused."""

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


class SystemConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What a dialect needs to know of the sender.

    `secrets` are those that sign, `address_secrets` those that stand in the address: all that are valid
    now. `lines` are the company's own numbers (E.164), `agents` what its people go by there.
    """

    uid: str
    slug: str
    country: str
    time_zone: str
    secrets: tuple[str, ...]
    address_secrets: tuple[str, ...] = ()
    lines: frozenset[str] = frozenset()
    agents: Agents = NO_AGENTS

    def agent(self, end: str | None) -> str | None:
        """Return which agent's extension, login or telephone an end of a call is; None for nobody's."""
        return self.agents.word(end, self.country)

    @property
    def zone(self) -> ZoneInfo:
        """Return the zone of times that name none."""
        return ZoneInfo(self.time_zone)


class Posted(msgspec.Struct, frozen=True, kw_only=True):
    """One request as it arrived; header names are in lower case, `received_at` is epoch milliseconds.

    `url` is where it was sent to, as the sender knows it: our public address, never the Host header.
    `token` is what the address says behind the phone system's slug.
    """

    headers: Mapping[str, str]
    content_type: str
    body: bytes
    received_at: int
    url: str = ""
    token: str = ""


class Ignored(msgspec.Struct, frozen=True, kw_only=True):
    """An authentic event of a type that says nothing about a call; kept, so that repeats are known."""

    index: int
    source: str
    id: str
    type: str


class Rejected(msgspec.Struct, frozen=True, kw_only=True):
    """A member that cannot be taken: its place in the batch, why, and where in it (JSON Pointer)."""

    index: int
    error: str
    pointer: str = ""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What a phone system wants to be told of a call that begins; `number` is the customer's, as written.

    `line` is our end of it, as far as it was told.
    """

    direction: Direction
    number: str
    line: str | None = None


class Parsed(msgspec.Struct, frozen=True, kw_only=True):
    """What a request says, and what its answer should say."""

    events: tuple[CallEvent, ...]
    ignored: tuple[Ignored, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    question: Question | None = None


class Hints(msgspec.Struct, frozen=True, kw_only=True):
    """What we know of a call that begins: shall it be turned away, who is it, whom should it ring.

    `caller_id` (E.164) is which of our numbers the one we call shall see; `owner` has the words for the
    agent who looks after the contact, those of this phone system first.
    """

    rejects: bool = False
    name: str | None = None
    caller_id: str | None = None
    owner: tuple[str, ...] = ()


NO_HINTS = Hints()


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a request once it was committed."""

    accepted: int
    duplicate: int = 0
    ignored: int = 0
    rejected: tuple[Rejected, ...] = ()


class AnswerContext(msgspec.Struct, frozen=True, kw_only=True):
    """All that an answer is made of."""

    posted: Posted
    parsed: Parsed
    receipt: Receipt
    hints: Hints = NO_HINTS


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What the phone system is told; `headers` stand beside its type and its size."""

    status: int
    content_type: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


def nothing_wrong(_secret: str) -> None:
    """Find nothing wrong with a secret."""


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """One way of writing events.

    `parse` verifies before it acts; it raises an EventError where nothing can be taken, unless the vendor
    would give the address up then: what cannot be read is `rejected`, and answered like the rest.
    `answer` is sent after the commit; `guide` is the file in this package that says how to set it up.
    `signing` says who makes the secret that signs: we, the vendor (`given` says what it is), or nobody;
    `check_given` raises SettingsError for what cannot be such a secret.
    `secret_in_address` says that a secret of ours stands at the end of the address.
    `template` is the file in this package that the vendor's console wants uploaded, "" where it wants none.
    `largest_body` is how many bytes are read of one request.
    """

    name: str
    title: str
    parse: Callable[[SystemConfig, Posted], Parsed]
    answer: Callable[[AnswerContext], Answer]
    guide: str
    signing: Literal["made", "given", "none"] = "made"
    given: str = ""
    check_given: Callable[[str], None] = nothing_wrong
    secret_in_address: bool = False
    template: str = ""
    largest_body: int = MAX_BODY_BYTES


def unreadable(problem: InvalidEvent | TooLarge) -> Parsed:
    """Return a request of which nothing can be taken, for vendors who hold errors against the address."""
    pointer = problem.pointer if isinstance(problem, InvalidEvent) else ""
    return Parsed(events=(), rejected=(Rejected(index=0, error=str(problem), pointer=pointer),))


def check_count(parsed: Parsed) -> None:
    """Raise TooLarge for more things than a request may say, whichever dialect has read it.

    Dialects count before they read; this is for the one that forgets to.
    """
    count = len(parsed.events) + len(parsed.ignored) + len(parsed.rejected)
    if count > MAX_EVENTS:
        raise TooLarge(f"the request says {count} things; {MAX_EVENTS} are the most")


def turned_away(parsed: Parsed) -> Parsed:
    """End the call that these events begin: the phone system is about to be told to reject it.

    Nobody's banner shall ring for it, and not every phone system says afterwards that it did so. Where it
    only asked who somebody is, there is nothing to end.
    """
    if not parsed.events:
        return parsed
    first = parsed.events[0]
    end = CallEvent(
        source=first.source,
        id=f"{first.id}-rejected",
        type=EventType.ENDED,
        call_id=first.call_id,
        at=first.at,
        received_at=first.received_at,
        cause=Cause.REJECTED,
    )
    return msgspec.structs.replace(parsed, events=(*parsed.events, end))


def known_time_zone(name: str) -> bool:
    """Tell whether this is a time zone of the IANA database."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
