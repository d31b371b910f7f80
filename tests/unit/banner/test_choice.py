"""Which of several contacts the pop policy takes, and when."""

from typing import Any

import msgspec
import pytest

from connector.banner.choice import Choice, candidate, choice, is_undecided
from connector.banner.views import LookupResult, Snapshot
from connector.calls import CallEvent, EventType, Flow, fold
from connector.contacts import Contact
from connector.crm.defaults import RULES
from connector.crm.model import ManyMatches, PopPolicy
from tests.unit.banner.calls import CRM, event, snapshot

ADA = Contact(id="7", name="Zoe", modified_at=5, created_at=1, owner_id="a1")
BOB = Contact(id="8", name="Bob", modified_at=9, created_at=2, owner_id="a2")
RING_1 = event(0, EventType.RINGING, agent="1001")
RING_2 = event(1, EventType.RINGING, agent="1002")
ANSWER_2 = event(5, EventType.ANSWERED, agent="1002")


def rung(many: ManyMatches, *events: CallEvent, **more: Any) -> Snapshot:
    """Return a call whose portal has a policy for several matches."""
    rules = msgspec.structs.replace(RULES, pop={Flow.DIRECT: PopPolicy(many=many)})
    return snapshot(fold(events), crm=msgspec.structs.replace(CRM, rules=rules), **more)


def chosen(seen: Snapshot, owner: str | None = None) -> Choice:
    """Return the choice among two."""
    return choice(seen, map(candidate, (ADA, BOB)), lambda: owner)


@pytest.mark.parametrize(
    ("many", "contact_id"),
    [("agent", None), ("last_modified", "8"), ("earliest_created", "7"), ("alphabetical", "8")],
)
def test_policies(many: ManyMatches, contact_id: str | None) -> None:
    """Each policy chooses at once, but for that which leaves it to the agent."""
    assert chosen(rung(many, RING_1, RING_2)) == Choice(contact_id=contact_id)


def test_mine_first_waits_for_the_agent() -> None:
    """Rung alone, it is this agent's contact; rung together, nobody's until one has answered."""
    assert chosen(rung("mine_first", RING_1), "a1").contact_id == "7"
    assert chosen(rung("mine_first", RING_1), None).contact_id == "8"
    waits = chosen(rung("mine_first", RING_1, RING_2), "a1")
    assert waits == Choice(owners={"7": "a1", "8": "a2"})
    found = LookupResult(contacts=(ADA, BOB), owners=waits.owners)
    assert not is_undecided(rung("mine_first", RING_1, RING_2, lookup="found", found=found))
    answered = rung("mine_first", RING_1, RING_2, ANSWER_2, lookup="found", found=found)
    assert is_undecided(answered)
    assert chosen(answered, "a1").contact_id == "7"
    assert not is_undecided(
        rung("mine_first", RING_1, RING_2, ANSWER_2, lookup="found", found=found, chosen_contact_id="8")
    )


def test_mine_first_without_owners() -> None:
    """Where nobody looks after any of them, there is nothing to wait for."""
    seen = rung("mine_first", RING_1, RING_2)
    nobodys = [candidate(msgspec.structs.replace(each, owner_id=None)) for each in (ADA, BOB)]
    assert choice(seen, nobodys, lambda: "a1") == Choice(contact_id="8")


def test_a_crm_that_is_off_chooses_nobody() -> None:
    """As before there were policies."""
    seen = rung("last_modified", RING_1)
    off = msgspec.structs.replace(seen, crm=msgspec.structs.replace(seen.crm, enabled=False))
    assert chosen(off) == Choice()


def test_of_unknown_age_is_not_the_earliest() -> None:
    """Who is known to be earlier comes before those whose making nobody has told."""
    unknown = msgspec.structs.replace(ADA, created_at=None)
    seen = rung("earliest_created", RING_1)
    assert choice(seen, map(candidate, (unknown, BOB)), lambda: None).contact_id == "8"
