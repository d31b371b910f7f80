"""What stories are made of: chance, callers, agents, and the ordinary course of a call."""

from typing import Any

import msgspec

from connector.clock import SECOND
from connector.demo.building import BILLING_LINE, DEPARTMENT_OF_LINE, MAIN_LINE
from connector.demo.callers import Callers
from connector.demo.chance import Random
from connector.demo.people import Person, Team
from connector.demo.stories import Contact, Due, Known, Script, Stranger

BILLING_SHARE = 0.4
"""How often the agents of Billing are called on its own line."""


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """How one call goes: who calls which line, who takes it, and when (milliseconds of the story)."""

    call: str
    caller: str
    contact: Contact
    line: str
    agent: Person
    word: str
    rings_ms: int
    answered_ms: int
    ends_ms: int

    @property
    def said(self) -> dict[str, Any]:
        """Return what the first event of an inbound call says."""
        return {"direction": "inbound", "from_": self.caller, "to": self.line, "agent": self.word}

    @property
    def due(self) -> Due:
        """Return the record of the call, answered as it went."""
        return Due(
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
    def missed(self) -> Due:
        """Return the record of the call if nobody took it."""
        return msgspec.structs.replace(self.due, status="Missed", duration_seconds=0)


class Writer:
    """Draw by chance what a story needs; `talk_seconds` are the shortest and the longest talk."""

    def __init__(self, chance: Random, callers: Callers, team: Team, talk_seconds: tuple[int, int]) -> None:
        self.chance = chance
        self.callers = callers
        self.team = team
        self._talk_seconds = talk_seconds
        self._run = f"{chance.getrandbits(40):010x}"
        self._count = 0

    def script(self) -> Script:
        """Begin a story with a name of its own."""
        self._count += 1
        return Script(f"demo-{self._run}-{self._count}")

    def known(self) -> tuple[str, Contact]:
        """Choose a caller whom Desk knows, and write the number somehow."""
        number, contact_id = self.callers.known()
        return self.callers.written(number), Known(contact_id)

    def stranger(self) -> tuple[str, Contact]:
        """Choose a caller whom Desk does not know."""
        number = self.callers.stranger()
        return self.callers.written(number), Stranger(number)

    def course(
        self, call: str, who: tuple[str, Contact], *, begins_ms: int = 0, agent: Person | None = None
    ) -> Course:
        """Choose how a call goes: its line, its agent, its times."""
        agent = agent or self.chance.choice(self.team.agents)
        answered_ms = begins_ms + self.chance.randint(2_500, 6_000)
        talk_ms = self.chance.randint(*self._talk_seconds) * SECOND + self.chance.randrange(SECOND)
        caller, contact = who
        return Course(
            call=call,
            caller=caller,
            contact=contact,
            line=BILLING_LINE if agent.is_billing and self.chance.random() < BILLING_SHARE else MAIN_LINE,
            agent=agent,
            word=self.chance.choice((agent.extension, agent.extension, agent.email)),
            rings_ms=begins_ms,
            answered_ms=answered_ms,
            ends_ms=answered_ms + talk_ms,
        )


def tell(script: Script, course: Course) -> Due:
    """Let a call ring, be answered and end, each told when it happens."""
    script.say(course.call, "ringing", course.rings_ms, **course.said)
    script.say(course.call, "answered", course.answered_ms, agent=course.word)
    script.say(course.call, "ended", course.ends_ms, cause="normal")
    return course.due
