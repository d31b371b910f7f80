"""Scenarios: what a phone system posts of some calls, and which records must then stand in Desk."""

from random import Random
from typing import Any, Literal

import msgspec

from connector.clock import SECOND, to_iso
from connector.demo.callers import Callers
from connector.demo.company import BILLING_LINE, DEPARTMENT_OF_LINE, MAIN_LINE, Person, Team
from connector.demo.phone import SOURCE, CloudEvent

BILLING_SHARE = 0.4
"""How often the agents of Billing are called on its own line."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One event of a call; `at_ms` is when it happens, counted from the scenario's beginning."""

    call: str
    id: str
    type: str
    at_ms: int
    data: dict[str, Any]

    def written(self, begun_at: int) -> CloudEvent:
        """Return the neutral event, for a scenario that began at `begun_at`."""
        return {
            "specversion": "1.0",
            "id": self.id,
            "source": SOURCE,
            "type": f"call.{self.type}",
            "subject": self.call,
            "time": to_iso(begun_at + self.at_ms),
            "data": self.data,
        }


class ScheduledPost(msgspec.Struct, frozen=True, kw_only=True):
    """What goes out in one request, and when; a late one goes out once the record is in Desk."""

    events: tuple[Event, ...]
    after_ms: int
    late: bool = False


class KnownContact(msgspec.Struct, frozen=True):
    """The record belongs to a contact that Desk has."""

    contact_id: str


class NewContact(msgspec.Struct, frozen=True):
    """The record belongs to the one contact that is made for a number (E.164)."""

    number: str


class WithheldContact(msgspec.Struct, frozen=True):
    """The record belongs to the one contact for withheld numbers."""


ExpectedContact = KnownContact | NewContact | WithheldContact


class ExpectedRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The call record that must stand in Desk.

    `owner` is an e-mail address, `department` a name; None is nobody, and the portal's default.
    """

    call: str
    direction: Literal["inbound", "outbound"]
    status: Literal["Completed", "Missed", "Canceled"]
    starts_ms: int
    duration_seconds: int
    contact: ExpectedContact
    owner: str | None
    department: str | None
    recording_url: str | None = None


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """Calls that belong together: what is posted, which records are due, and which calls banners must show.

    An internal call, or one that a transfer made, leaves no record.
    """

    posts: tuple[ScheduledPost, ...]
    records: tuple[ExpectedRecord, ...]
    on_banner: tuple[str, ...] = ()


class Script:
    """Builds the posts of a scenario, event by event; its calls and events have its name in their ids."""

    def __init__(self, name: str) -> None:
        self.call = name
        self._events = 0
        self._posts: list[ScheduledPost] = []

    def event(self, call: str, kind: str, at_ms: int, **data: Any) -> Event:
        """Return an event without posting it; `from_` stands for `from`."""
        self._events += 1
        data = {name.rstrip("_"): value for name, value in data.items()}
        return Event(call=call, id=f"{self.call}-{self._events}", type=kind, at_ms=at_ms, data=data)

    def post_event(self, call: str, kind: str, at_ms: int, **data: Any) -> None:
        """Add an event that is posted when it happens."""
        self.post(self.event(call, kind, at_ms, **data), after_ms=at_ms)

    def post(self, *events: Event, after_ms: int, late: bool = False) -> None:
        """Add events that are posted in one request."""
        self._posts.append(ScheduledPost(events=events, after_ms=after_ms, late=late))

    @property
    def posts(self) -> tuple[ScheduledPost, ...]:
        """Return what is posted, in the order in which it was added."""
        return tuple(self._posts)


class CallTimeline(msgspec.Struct, frozen=True, kw_only=True):
    """How one call goes: who calls which line, who takes it, and when (milliseconds of the scenario)."""

    call: str
    caller: str
    contact: ExpectedContact
    line: str
    agent: Person
    agent_as_sent: str
    rings_ms: int
    answered_ms: int
    ends_ms: int

    @property
    def data(self) -> dict[str, Any]:
        """Return the data of an inbound call's first event."""
        return {"direction": "inbound", "from_": self.caller, "to": self.line, "agent": self.agent_as_sent}

    @property
    def record(self) -> ExpectedRecord:
        """Return the record of the call, answered as it went."""
        return ExpectedRecord(
            call=self.call,
            direction="inbound",
            status="Completed",
            starts_ms=self.rings_ms,
            duration_seconds=(self.ends_ms - self.answered_ms) // SECOND,
            contact=self.contact,
            owner=self.agent.email,
            department=DEPARTMENT_OF_LINE[self.line],
        )

    @property
    def missed(self) -> ExpectedRecord:
        """Return the record of the call if nobody took it."""
        return msgspec.structs.replace(self.record, status="Missed", duration_seconds=0)


class ScenarioBuilder:
    """Chooses at random what a scenario needs; `talk_seconds` are the shortest and the longest talk."""

    def __init__(self, rng: Random, callers: Callers, team: Team, talk_seconds: tuple[int, int]) -> None:
        self.rng = rng
        self.callers = callers
        self.team = team
        self._talk_seconds = talk_seconds
        self._run = f"{rng.getrandbits(40):010x}"
        self._count = 0

    def script(self) -> Script:
        """Return the script of a new scenario, with a name of its own."""
        self._count += 1
        return Script(f"demo-{self._run}-{self._count}")

    def known(self) -> tuple[str, ExpectedContact]:
        """Return a caller whom Desk knows, the number written in one way or another."""
        number, contact_id = self.callers.known()
        return self.callers.written(number), KnownContact(contact_id)

    def stranger(self) -> tuple[str, ExpectedContact]:
        """Return a caller whom Desk does not know."""
        number = self.callers.stranger()
        return self.callers.written(number), NewContact(number)

    def timeline(
        self, call: str, who: tuple[str, ExpectedContact], *, begins_ms: int = 0, agent: Person | None = None
    ) -> CallTimeline:
        """Return how a call goes: its line, its agent, its times."""
        agent = agent or self.rng.choice(self.team.agents)
        answered_ms = begins_ms + self.rng.randint(2_500, 6_000)
        talk_ms = self.rng.randint(*self._talk_seconds) * SECOND + self.rng.randrange(SECOND)
        caller, contact = who
        return CallTimeline(
            call=call,
            caller=caller,
            contact=contact,
            line=BILLING_LINE if agent.is_billing and self.rng.random() < BILLING_SHARE else MAIN_LINE,
            agent=agent,
            agent_as_sent=self.rng.choice((agent.extension, agent.extension, agent.email)),
            rings_ms=begins_ms,
            answered_ms=answered_ms,
            ends_ms=answered_ms + talk_ms,
        )


def post_answered_call(script: Script, timeline: CallTimeline) -> ExpectedRecord:
    """Have a call ring, be answered and end, each posted when it happens; return its record."""
    script.post_event(timeline.call, "ringing", timeline.rings_ms, **timeline.data)
    script.post_event(timeline.call, "answered", timeline.answered_ms, agent=timeline.agent_as_sent)
    script.post_event(timeline.call, "ended", timeline.ends_ms, cause="normal")
    return timeline.record
