"""What a profile leaves of what is shown."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from connector.banner.views import CallView, LookupResult, May, view
from connector.calls import CallEvent, Cause, EventType, fold
from connector.contacts import Account, Contact, OpenTicket
from connector.crm.defaults import CONTACTS
from connector.crm.model import OBJECTS
from connector.crm.profiles import EVERYONE, EVERYTHING, Access, ObjectAccess, Profile
from connector.crm.seeing import seen_contacts, seen_fields, seen_tickets, sees_name
from connector.store.calls import RecordState
from tests.unit.banner.calls import event, snapshot

NOOR = Contact(
    id="7",
    name="Noor Brantley",
    account="Wexcombe Interiors",
    url="https://desk.example/contact/7",
    phone="+33199000011",
    mobile="+33199000012",
    owner_id="owner-3",
)
TICKET = OpenTicket(id="9", number="159", subject="A blind that sticks", status="Waiting", url="https://d/9")
WEXCOMBE = Account(id="77", name="Wexcombe Interiors", phone="+33199000077")
POPPED = {"firstName": "Noor", "lastName": "Brantley", "phone": "+33199000011"}
RECORD = RecordState(state="done", url="https://desk.example/call/5")
VALUES = {
    ("contacts", "firstName"): "Noor",
    ("contacts", "lastName"): "Brantley",
    ("contacts", "phone"): NOOR.phone,
    ("contacts", "mobile"): NOOR.mobile,
    ("contacts", "ownerId"): NOOR.owner_id,
    ("accounts", "accountName"): NOOR.account,
    ("accounts", "phone"): "+33199000077",
    ("tickets", "subject"): TICKET.subject,
    ("tickets", "status"): TICKET.status,
}
"""What stands in the banner's call for each field that can be hidden."""


def profile(access: Access) -> Profile:
    """Make a profile."""
    return Profile(id=2, name="Night", access=access)


def hiding(*fields: tuple[str, str]) -> Profile:
    """Make a profile that sees all fields but these."""
    every: dict[str, set[str]] = {name: set() for name in OBJECTS}
    for name, field in VALUES:
        every[name].add(field)
    every["calls"].add("subject")
    seen = {
        name: tuple(sorted(all_of - {f for n, f in fields if n == name})) for name, all_of in every.items()
    }
    objects = {name: ObjectAccess(seen=seen[name]) for name in OBJECTS}
    return profile(msgspec.structs.replace(EVERYTHING, objects=objects))


def shown(whose: Profile) -> CallView:
    """Return a call of a caller who is known, as users of a profile see it."""
    events: list[CallEvent] = [
        event(0, EventType.RINGING, agent="1001"),
        event(9, EventType.ENDED, cause=Cause.NO_ANSWER),
    ]
    found = LookupResult(
        contacts=(NOOR,),
        tickets={"7": (TICKET,)},
        last_at={"7": 1_765_432_100_000},
        accounts=(WEXCOMBE,),
        details={"7": POPPED},
    )
    made = snapshot(fold(events), record=RECORD, lookup="found", found=found, chosen_contact_id="7")
    return view(made, "over", whose)


@given(hidden=some.sets(some.sampled_from(sorted(VALUES))))
def test_no_hidden_value_is_in_the_bytes(hidden: set[tuple[str, str]]) -> None:
    """Whatever is hidden together, of the values none is sent, and what is not hidden is."""
    sent = msgspec.json.encode(shown(hiding(*hidden))).decode()
    gone = {VALUES[each] for each in hidden}
    no_contacts = {each for each in VALUES if each[0] == "contacts"} <= hidden
    no_tickets = {each for each in VALUES if each[0] == "tickets"} <= hidden
    for (name, _), value in VALUES.items():
        is_gone = value in gone or (no_contacts and name != "accounts") or (no_tickets and name == "tickets")
        assert (str(value) in sent) != is_gone, value


def test_everyone_sees_what_they_always_did() -> None:
    """With the profile that is there from the start nothing is left out, and all is allowed."""
    seen = shown(EVERYONE)
    assert (seen.contacts[0].name, seen.contacts[0].phone, seen.contacts[0].open_tickets) == (
        NOOR.name,
        NOOR.phone,
        1,
    )
    assert (seen.tickets, seen.record.url, seen.lookup) == ((TICKET,), RECORD.url, "found")
    assert seen.may == May(create=True, edit=True, ticket=True, listen=True)


@pytest.mark.parametrize(
    "access",
    [
        Access(),
        msgspec.structs.replace(EVERYTHING, portals=()),
        msgspec.structs.replace(EVERYTHING, portals=(2,)),
    ],
    ids=["nothing", "no portal", "another portal"],
)
def test_without_a_crm_there_is_the_number_alone(access: Access) -> None:
    """Nobody is named, no ticket and no record is linked, nothing can be made: the number stays."""
    seen = shown(profile(access))
    assert seen.number.e164 == "+33199000001"
    assert (seen.lookup, seen.contacts, seen.chosen, seen.tickets, seen.record.url) == (
        "skipped", (), None, None, None,
    )  # fmt: skip
    assert seen.may == May(listen=access.may_listen)
    assert seen.has_card == (access.portals is None)


def test_what_is_not_hidden_stays_when_tickets_are() -> None:
    """Who sees no tickets is told neither how many there are nor when the last one was."""
    objects = {name: each for name, each in EVERYTHING.objects.items() if name != "tickets"}
    seen = shown(profile(msgspec.structs.replace(EVERYTHING, objects=objects)))
    assert (seen.tickets, seen.contacts[0].open_tickets, seen.contacts[0].last_at) == (None, None, None)
    assert seen.contacts[0].name == NOOR.name
    assert not seen.may.ticket


@pytest.mark.parametrize(
    ("name", "hidden"),
    [("+33 1 99 00 00 11", "phone"), ("0199000012", "mobile"), ("noor@wexcombe.example", "email")],
)
def test_what_stands_in_for_a_name_is_hidden_with_its_field(name: str, hidden: str) -> None:
    """Contacts without a name are called by a number or an address, which is somebody's to hide."""
    fields = {"firstName", "lastName", "phone", "mobile", "email"}
    sees_all = profile(Access(objects={"contacts": ObjectAccess(seen=tuple(fields))}))
    less = profile(Access(objects={"contacts": ObjectAccess(seen=tuple(fields - {hidden}))}))
    contact = msgspec.structs.replace(NOOR, name=name)
    assert sees_name(sees_all, 1, name)
    assert not sees_name(less, 1, name)
    assert [each.name for each in seen_contacts(sees_all, 1, [contact])] == [name]
    assert [each.name for each in seen_contacts(less, 1, [contact])] == ["7"]


def test_a_number_with_words_is_hidden_as_well() -> None:
    """A contact called exactly by its phone is, even where letters stand in it."""
    contact = msgspec.structs.replace(NOOR, name="Tel 0199", phone="Tel 0199")
    less = profile(Access(objects={"contacts": ObjectAccess(seen=("firstName", "lastName"))}))
    assert [each.name for each in seen_contacts(less, 1, [contact])] == ["7"]


def test_tickets_keep_number_and_link() -> None:
    """What is hidden of a ticket is empty; without any field there is no ticket."""
    only_status = profile(Access(objects={"tickets": ObjectAccess(seen=("status",))}))
    (seen,) = seen_tickets(only_status, 1, (TICKET,)) or ()
    assert (seen.number, seen.url, seen.subject, seen.status) == ("159", "https://d/9", "", "Waiting")
    assert seen_tickets(profile(Access(objects={"tickets": ObjectAccess(seen=())})), 1, (TICKET,)) is None


def test_fields_of_a_card() -> None:
    """A card has the fields of its place that are seen, in the CRM's order."""
    some_fields = profile(Access(objects={"contacts": ObjectAccess(seen=("mobile", "lastName", "phone"))}))
    assert [each.name for each in seen_fields(some_fields, 1, CONTACTS)] == ["lastName", "phone", "mobile"]
    assert [each.name for each in seen_fields(some_fields, 1, CONTACTS, "pop")] == ["lastName", "phone"]
    assert not seen_fields(profile(Access(portals=(2,), objects=EVERYTHING.objects)), 1, CONTACTS)


@given(
    seen=some.none() | some.sets(some.sampled_from("abc")).map(tuple),
    edited=some.none() | some.sets(some.sampled_from("abc")).map(tuple),
    may_edit=some.booleans(),
)
def test_nobody_edits_what_they_do_not_see(
    seen: tuple[str, ...] | None, edited: tuple[str, ...] | None, *, may_edit: bool
) -> None:
    """To edit a field takes the right to edit, the field seen, and the field edited."""
    whose = profile(Access(objects={"contacts": ObjectAccess(seen=seen, edited=edited)}, may_edit=may_edit))
    for field in "abc":
        expected = may_edit and (seen is None or field in seen) and (edited is None or field in edited)
        assert whose.edits(1, "contacts", field) == expected
