"""What pops on a banner: by flow, by moment, by what was found; and what of a record goes along."""

import itertools
from typing import Any

import msgspec
import pytest

from connector.banner.publisher import encode
from connector.banner.views import CallView, LookupResult, PopView, view
from connector.calls import CallEvent, Direction, EventType, Flow, fold
from connector.contacts import Account, Contact
from connector.crm import EVERYONE, Crm
from connector.crm.defaults import CONTACTS, RULES
from connector.crm.model import Field, ManyMatches, PopPolicy, Rules, When
from connector.store.calls import NOBODY, MadeContact, RecordState
from tests.unit.banner.calls import CRM, event, snapshot

RING = event(0, EventType.RINGING, agent="1001")
ANSWER = event(5, EventType.ANSWERED, agent="1001")
END = event(9, EventType.ENDED)
ADA, BOB = Contact(id="7", name="Ada"), Contact(id="8", name="Bob")
FIRM = Account(id="9", name="Wexcombe Interiors", url="https://desk.example/9", phone="01 99 00 00 09")


def ruled(rules: Rules) -> Crm:
    """Return a CRM with some rules."""
    return msgspec.structs.replace(CRM, rules=rules)


def policy(**values: Any) -> Crm:
    """Return a CRM with a policy for calls that come directly."""
    return ruled(msgspec.structs.replace(RULES, pop={Flow.DIRECT: PopPolicy(**values)}))


def shown(*events: CallEvent, crm: Crm = CRM, lookup: str = "found", **found: Any) -> CallView:
    """Return what is shown of a call; `found` are members of what its look-up found."""
    chosen, record = found.pop("chosen", None), found.pop("record", None)
    seen = snapshot(
        fold(events),
        crm=crm,
        record=record,
        lookup=lookup,
        found=LookupResult(**found),
        chosen_contact_id=chosen,
    )
    return view(seen, "offered", EVERYONE)


def test_flows() -> None:
    """A view says how the call came, and each way has a policy of its own."""
    ways = {
        Flow.DIRECT: RING,
        Flow.QUEUE: event(0, EventType.RINGING, agent="1001", queue="support"),
        Flow.OUTBOUND: event(0, EventType.RINGING, agent="1001", direction=Direction.OUTBOUND),
        Flow.INTERNAL: event(0, EventType.RINGING, agent="1001", direction=Direction.INTERNAL),
    }
    assert {flow: shown(ring).flow for flow, ring in ways.items()} == {flow: flow for flow in Flow}
    only = ruled(msgspec.structs.replace(RULES, pop={flow: PopPolicy(when="off") for flow in Flow}))
    assert all(shown(ring, contacts=(ADA,)).pop.now for ring in ways.values())
    assert not any(shown(ring, crm=only, contacts=(ADA,)).pop.now for ring in ways.values())


@pytest.mark.parametrize(
    ("when", "moments"),
    [("off", (False, False, False)), ("ring", (True, True, False)), ("answer", (False, True, False))],
)
def test_moments(when: When, moments: tuple[bool, ...]) -> None:
    """It pops when it rings, or when it is answered, or never; no more once the call is over."""
    steps = itertools.accumulate(((RING,), (ANSWER,), (END,)), tuple.__add__)
    crm = policy(when=when)
    assert tuple(shown(*events, crm=crm, contacts=(ADA,)).pop.now for events in steps) == moments


def test_what_comes_up() -> None:
    """A new card for nobody, the card for one, a choice among several; nothing before anybody has looked."""
    crm = policy(none="new_card", one="card_and_open")
    assert shown(RING, crm=crm, lookup="none").pop == PopView(now=True, then="new_card")
    assert shown(RING, crm=crm, contacts=(ADA,)).pop.then == "card_and_open"
    assert shown(RING, crm=crm, contacts=(ADA, BOB)).pop.then == "choose"
    assert shown(RING, crm=crm, contacts=(ADA, BOB), chosen="8").pop.then == "card_and_open"
    assert shown(RING, crm=crm, contacts=(ADA, BOB), chosen=NOBODY).pop.then == "new_card"
    for lookup in ("pending", "failed"):
        assert shown(RING, crm=crm, lookup=lookup).pop.then == "nothing"


@pytest.mark.parametrize("many", ["agent", "last_modified", "earliest_created", "alphabetical", "mine_first"])
def test_a_choice_is_not_made_by_looking(many: ManyMatches) -> None:
    """Whatever the policy, what was decided at the look-up counts: who took a choice back is asked."""
    seen = shown(RING, crm=policy(many=many), contacts=(ADA, BOB))
    assert (seen.pop.then, seen.chosen) == ("choose", None)


def test_without_the_crm_no_card_comes_up() -> None:
    """Who does not see the portal's CRM is rung, and that is all."""
    off = msgspec.structs.replace(policy(none="new_card"), enabled=False)
    seen = shown(RING, crm=off, contacts=(ADA,))
    assert (seen.has_card, seen.pop) == (False, PopView(now=True, then="nothing"))


def test_an_account() -> None:
    """An account is shown with its contacts to choose from; alone it is what pops, with its own fields."""
    one = shown(RING, matched="accounts", accounts=(FIRM,), contacts=(ADA, BOB))
    assert (one.matched, [each.name for each in one.accounts]) == ("accounts", ["Wexcombe Interiors"])
    assert one.pop.then == "choose"
    alone = shown(
        RING, matched="accounts", accounts=(FIRM,), details={"9": {"accountName": "Wexcombe Interiors"}}
    )
    assert (alone.lookup, alone.pop.then, alone.chosen) == ("found", "card", None)
    assert [(each.object, each.name) for each in alone.fields] == [("accounts", "accountName")]


def test_an_accounts_contact_that_was_made_since() -> None:
    """The contact that the record stands on is shown beside the account."""
    made = RecordState(state="done", url=None, contact=MadeContact(id="12", name="Made", url=None))
    seen = shown(RING, ANSWER, END, matched="accounts", accounts=(FIRM,), record=made)
    assert [each.id for each in seen.contacts] == ["12"]


def test_fields_are_those_that_pop() -> None:
    """A field is shown in the order of the rules and by their label, and nothing else leaves."""
    values = {"lastName": "Brantley", "email": "noor@wexcombe.example", "phone": "01 99 00 00 01"}
    email = Field(name="email", label="Mail", shown=("pop",))
    fields = (email, *(each for each in CONTACTS.fields if each.name == "lastName"))
    rules = msgspec.structs.replace(RULES, objects=(msgspec.structs.replace(CONTACTS, fields=fields),))
    seen = shown(RING, crm=ruled(rules), contacts=(ADA,), details={"7": values})
    assert [(each.name, each.label, each.value) for each in seen.fields] == [
        ("email", "Mail", "noor@wexcombe.example"),
        ("lastName", "Last Name", "Brantley"),
    ]
    usual = encode(shown(RING, contacts=(ADA, BOB), details={"7": values, "8": values}))
    assert b"wexcombe" not in usual
    assert b"Brantley" not in usual
    assert b"wexcombe" not in encode(shown(RING, contacts=(ADA,), details={"7": values}))
