"""Many agents work on the same cards in two processes while Desk fails, and others work there too.

Nobody overwrites what they have not seen, every field ends as its last writer left it, and whatever was made
by a click is there once.
"""

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from connector.sandbox.faults import Rule
from tests.integration.cards.env import PEOPLE, Desk, Process, click

pytestmark = [pytest.mark.anyio, pytest.mark.both_engines]

CONTACTS = 2
ROUNDS = 5
EDITED_IN_DESK = 0.1
LOOK_SECONDS = 0.05
SETTLED_SECONDS = 100
"""After a lost answer a record is closed for a while."""

SEED = 4

FAULTS = (
    Rule(kind="drop", probability=0.06),
    Rule(kind="late", probability=0.03, seconds=20, method="PATCH"),
    Rule(kind="late", probability=0.06, seconds=20, method="POST"),
    Rule(kind="server_error", probability=0.04),
    Rule(kind="html", probability=0.02),
    Rule(kind="reset", probability=0.02),
)


class Storm:
    """What agents do, and what came of it."""

    def __init__(self, processes: list[Process], desk: Desk) -> None:
        self.processes = processes
        self.desk = desk
        self.chance = random.Random(SEED)  # noqa: S311 - a choice that repeats
        self.values = map("value{}@example.com".format, itertools.count())
        self.saving: Counter[str] = Counter()
        self.saved: dict[str, list[tuple[str, str]]] = {}
        self.conflicts: list[tuple[str, str]] = []
        self.asked: Counter[str] = Counter()

    async def ask(self, who: str, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Ask one of the processes."""
        process = self.chance.choice(self.processes)
        answer = await process.ask(method, path, who, body)
        return answer.status_code, answer.json()

    async def agent(self, who: str, calls: dict[str, int]) -> None:
        """Work on cards: open one, change it, and make tickets and comments, some of them twice."""
        for _ in range(ROUNDS):
            contact_id = self.chance.choice(sorted(calls))
            await self.edit(who, contact_id, calls[contact_id])
            await self.make(who, calls[contact_id])

    async def clock(self) -> None:
        """Let time pass, ten times as fast, whether anybody waits for it or not."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self.processes[0].advance(10 * LOOK_SECONDS)

    async def edit(self, who: str, contact_id: str, call: int, edited: float = EDITED_IN_DESK) -> None:
        """Open a card and save it; now and then somebody was faster in Desk itself."""
        status, card = await self.ask(who, "GET", f"/api/calls/{call}/card")
        seen = {} if status != 200 else {each["name"]: each["value"] for each in card["contact"]["fields"]}
        if status != 200 or card["problem"] or "email" not in seen:
            return
        if self.chance.random() < edited and not self.saving[contact_id]:
            self.desk.edit(contact_id, email=next(self.values))
        wanted = next(self.values)
        body = {"object": "contacts", "id": contact_id, "seen": seen, "changes": {"email": wanted}}
        self.saving[contact_id] += 1
        status, answer = await self.ask(who, "PATCH", f"/api/calls/{call}/card", body)
        self.saving[contact_id] -= 1
        if status == 200:
            self.saved.setdefault(contact_id, []).append((seen["email"], wanted))
        elif status == 409 and answer.get("reason") == "changed_meanwhile":
            (conflict,) = answer["conflicts"]
            assert (conflict["seen"], conflict["yours"]) == (seen["email"], wanted)
            self.conflicts.append((contact_id, conflict["theirs"]))

    async def make(self, who: str, call: int) -> None:
        """Make a ticket by a click or two, as people do who see nothing happen."""
        subject = f"Subject {next(self.values)}"
        body = {"fields": {"subject": subject}, "key": click()}
        clicks = [self.ask(who, "POST", f"/api/calls/{call}/tickets", body) for _ in range(2)]
        answers = await asyncio.gather(*clicks)
        made = [answer["ticket"]["id"] for status, answer in answers if status == 201]
        assert len(set(made)) <= 1
        if any(status in (201, 202) for status, _ in answers):
            self.asked[subject] += 1
        for ticket in made[:1]:
            said = {"content": f"About {subject}", "key": click()}
            path = f"/api/calls/{call}/tickets/{ticket}/comments"
            told = await asyncio.gather(*(self.ask(who, "POST", path, said) for _ in range(2)))
            if any(status in (201, 202) for status, _ in told):
                self.asked[said["content"]] += 1

    async def unknown(self, who: str, number: str, call: int) -> None:
        """Make a contact for a caller whom nobody knows, in two windows, until somebody does."""
        for _ in range(6):
            body = {"fields": {"lastName": f"New {number}", "phone": number}, "key": click()}
            clicks = [self.ask(who, "POST", f"/api/calls/{call}/card", body) for _ in range(2)]
            if any(status in (201, 202) for status, _ in await asyncio.gather(*clicks)):
                return


def emails(desk: Desk, contact_id: str) -> list[str]:
    """Return what the e-mail address of a contact was, one value after the other."""
    versions = [each.email for _, each in desk.portal.contacts._versions[contact_id]]
    return [str(value) for value, _ in itertools.groupby(versions)]


def made(desk: Desk) -> Iterator[str]:
    """Go through the subjects of all tickets, and what comments say, without our own lines."""
    for ticket in desk.portal.tickets.everything():
        if ticket.subject.startswith("Subject "):
            yield ticket.subject
            yield from (each.partition("\n")[0] for each in desk.comments(ticket.id))


async def test_a_storm(process: Process, other: Process, desk: Desk) -> None:
    """Nothing is lost, nothing is there twice, and nothing is overwritten unseen."""
    numbers = [f"+3319900{1000 + each}" for each in range(CONTACTS)]
    known = [desk.add_contact(f"Name {each}", each, email="first@example.com") for each in numbers]
    strangers = [f"+3319900{2000 + each}" for each in range(len(PEOPLE))]
    calls: dict[str, dict[str, int]] = {}
    unknown: dict[str, tuple[str, int]] = {}
    for (email, _, extension), stranger in zip(PEOPLE, strangers, strict=True):
        who = email.partition("@")[0]
        calls[who] = {
            each.id: await process.ring(f"c {who} {each.id}", each.phone, extension) for each in known
        }
        unknown[who] = stranger, await process.ring(f"c {who}", stranger, extension)
    storm = Storm([process, other], desk)
    process.sandbox.state.faults.add(*FAULTS)
    passing = asyncio.create_task(storm.clock())
    await asyncio.gather(
        *(storm.agent(who, own) for who, own in calls.items()),
        *(storm.unknown(who, *own) for who, own in unknown.items()),
    )
    passing.cancel()
    process.sandbox.state.faults.clear()
    process.advance(30)
    await desk.late_writes()
    await process.deliver_all()
    # By chance nobody may have been slower so far.
    process.advance(SETTLED_SECONDS)
    who, own = next(iter(calls.items()))
    await storm.edit(who, known[0].id, own[known[0].id], edited=1)
    assert storm.conflicts
    for contact in known:
        values = emails(desk, contact.id)
        for seen, wanted in storm.saved.get(contact.id, []):
            assert values[values.index(wanted) - 1] == seen, "overwritten unseen"
        theirs = {value for contact_id, value in storm.conflicts if contact_id == contact.id}
        assert theirs <= set(values)
    assert Counter(made(desk)) >= storm.asked
    assert max(Counter(made(desk)).values()) == 1
    for number in strangers:
        bearing = [each for each in desk.portal.contacts.present() if each.phone == number]
        assert len(bearing) == 1, number
    assert {row.state for row in await process.rows("ticket", "comment", "contact")} == {"done"}
