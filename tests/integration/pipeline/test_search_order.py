"""Rules set in the CRM, a phone that rings, and what pops: the search order and the pop policy, served."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import msgspec
import pytest

from connector.calls import Flow
from connector.crm.defaults import CONTACTS, RULES
from connector.crm.model import Field, PopPolicy, Rules, SearchRow
from connector.crm.rulebook import encode_rules
from connector.store import crm, desk_agents, users
from connector.store.crm import CrmRow
from connector.store.desk_agents import Known
from tests.integration.pipeline.place import Banner, Place

pytestmark = pytest.mark.anyio

STRANGER = "+442079460777"
TYPED = "020 7946 0777"
ROWS = (
    SearchRow(object="accounts"),
    SearchRow(object="contacts", fields=("mobile",)),
    SearchRow(object="contacts", fields=("phone",)),
    SearchRow(object="contacts", fields=("email",), match="email"),
    SearchRow(object="tickets", enabled=False),
)
BY_ACCOUNT = (SearchRow(object="contacts", fields=("phone", "mobile")), SearchRow(object="accounts"))


def rule(place: Place, *search: SearchRow, objects: Any = None, **policy: Any) -> None:
    """Set a portal's search order, and a policy for calls that come directly."""
    rules: Rules = msgspec.structs.replace(
        RULES,
        search=search or RULES.search,
        pop={**RULES.pop, Flow.DIRECT: PopPolicy(**policy)},
        objects=objects or RULES.objects,
    )
    row = CrmRow(portal_id=1, name="Desk", enabled=True, rules=encode_rules(rules), revision=1, changed_at=0)
    assert place.services.store.write_now(lambda c: crm.put(c, row))
    place.services.rulebook.forget()


async def ring(place: Place, call: str = "c-1", **facts: Any) -> None:
    """Ring at Ada's."""
    await place.post(place.event("ringing", call, agent="1001", **{"from": STRANGER} | facts))


async def named(banner: Banner, but: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return how a call is shown once it is known who it is; not the one that was shown before."""
    while (shown := await banner.until(lookup="found"))["id"] == (but or {}).get("id"):
        pass
    return shown


def ids(shown: Mapping[str, Any], name: str = "contacts") -> list[str]:
    """Return the ids of what is shown."""
    return [each["id"] for each in shown[name]]


@pytest.mark.both_engines
async def test_an_account(place: Place) -> None:
    """A number that no contact bears is an account's, which pops with its contacts to choose from."""
    desk = place.sandbox.state.desk
    firm = desk.add_account(account_name="Wexcombe Interiors", phone=TYPED)
    people = [desk.add_contact(last_name=name, account_id=firm.id).id for name in ("Ashgrove", "Brantley")]
    rule(place, *BY_ACCOUNT)
    await place.services.syncing.work()
    place.sandbox.state.requests.reset()
    async with place.banner("ada@example.com") as banner:
        await ring(place)
        shown = await named(banner)
        assert (shown["matched"], ids(shown, "accounts"), set(ids(shown))) == (
            "accounts",
            [firm.id],
            set(people),
        )
        assert shown["pop"] == {"now": True, "then": "choose"}
        assert shown["accounts"][0]["phone"] == TYPED
        assert place.sandbox.state.requests.count(path="/api/v1/accounts/{id}/contacts") == 0
        assert place.sandbox.state.requests.count(path="/api/v1/accounts/search") == 0
        path = f"/api/calls/{shown['id']}/contact"
        chosen = (await place.ask("ada@example.com", path, {"contact": people[1]})).json()
        assert (chosen["chosen"], chosen["pop"]["then"]) == (people[1], "card")


async def test_a_contact_comes_before_its_account(place: Place) -> None:
    """The first row with a match ends the search; one that searches on shows both."""
    desk = place.sandbox.state.desk
    firm = desk.add_account(account_name="Wexcombe Interiors", phone=TYPED)
    mine = desk.add_contact(last_name="Ashgrove", phone=TYPED)
    rule(place, *BY_ACCOUNT)
    await place.services.syncing.work()
    async with place.banner("ada@example.com") as banner:
        await ring(place)
        shown = await named(banner)
        assert (shown["matched"], ids(shown), shown["accounts"]) == ("contacts", [mine.id], [])
        rows = (msgspec.structs.replace(BY_ACCOUNT[0], search_on=True), BY_ACCOUNT[1])
        rules = msgspec.structs.replace(RULES, search=rows)
        row = CrmRow(
            portal_id=1, name="Desk", enabled=True, rules=encode_rules(rules), revision=2, changed_at=0
        )
        place.services.store.write_now(lambda c: crm.put(c, row))
        place.services.rulebook.forget()
        await ring(place, "c-2")
        both = await named(banner, shown)
        assert (both["matched"], ids(both), ids(both, "accounts")) == ("contacts", [mine.id], [firm.id])


async def test_tickets_come_last(place: Place) -> None:
    """Only a number that nobody bears is looked for in tickets, live; their contacts are the matches."""
    desk = place.sandbox.state.desk
    known = desk.add_contact(last_name="Known", phone="020 7946 0001")
    asker = desk.add_contact(first_name="Noor", last_name="Brantley")
    desk.add_ticket(asker, subject="From another phone", phone=TYPED)
    rule(place, SearchRow(object="contacts", fields=("phone", "mobile")), SearchRow(object="tickets"))
    await place.services.syncing.work()
    path = "/api/v1/tickets/search"
    async with place.banner("ada@example.com") as banner:
        await ring(place, **{"from": "+442079460001"})
        first = await named(banner)
        assert ids(first) == [known.id]
        assert place.sandbox.state.requests.count(path=path) == 0
        await ring(place, "c-2")
        shown = await named(banner, first)
        assert (shown["matched"], [each["name"] for each in shown["contacts"]]) == (
            "tickets",
            ["Noor Brantley"],
        )
        assert place.sandbox.state.requests.count(path=path) == 1
        place.sandbox.state.desk.use_up_credits(leave=0)
        await ring(place, "c-3", **{"from": "+442079460778"})
        assert (await banner.until(lookup="failed"))["pop"]["then"] == "nothing"


async def test_an_address(place: Place) -> None:
    """Who calls over the internet is found by e-mail address where a row looks for one; else not asked."""
    desk = place.sandbox.state.desk
    contact = desk.add_contact(last_name="Brantley", email="Noor@Wexcombe.example")
    caller = {"from": "sip:noor@wexcombe.example"}
    async with place.banner("ada@example.com") as banner:
        await ring(place, **caller)
        assert (await banner.next("call"))["lookup"] == "skipped"
        rule(place, SearchRow(object="contacts", fields=("email",), match="email"))
        await ring(place, "c-2", **caller)
        second = await named(banner)
        assert ids(second) == [contact.id]
        await place.services.syncing.work()
        place.sandbox.state.requests.reset()
        await ring(place, "c-3", **caller)
        assert ids(await named(banner, second)) == [contact.id]
        assert place.sandbox.state.requests.count(path="/api/v1/contacts/search") == 0


async def test_rows_of_some_flows(place: Place) -> None:
    """A row for queue calls does not count for one that comes directly: nobody is asked."""
    place.sandbox.state.desk.add_contact(last_name="Ashgrove", phone=TYPED)
    rule(place, SearchRow(object="contacts", fields=("phone",), flows=(Flow.QUEUE,)))
    async with place.banner("ada@example.com") as banner:
        await ring(place)
        assert (await banner.next("call"))["lookup"] == "skipped"
        await ring(place, "c-2", queue="support")
        assert (await named(banner))["flow"] == "queue"


async def test_a_known_call_costs_what_it_did(place: Place) -> None:
    """With five rows, a caller whom the index knows costs the one request for the tickets."""
    place.sandbox.state.desk.add_contact(last_name="Ashgrove", phone=TYPED)
    rule(place, *ROWS)
    await place.services.syncing.work()
    place.sandbox.state.requests.reset()
    async with place.banner("ada@example.com") as banner:
        await ring(place)
        await banner.until(lookup="found", tickets=[])
    assert sum(each.count for each in place.sandbox.state.requests.listing()) == 1


@pytest.mark.both_engines
async def test_a_choice_is_kept(place: Place) -> None:
    """The last modified of several is chosen once; who takes that back is asked, whatever comes later."""
    desk, now = place.sandbox.state.desk, place.services.clock()
    for name, age in (("Old", 9_000), ("New", 1_000)):
        desk.add_contact(last_name=name, phone=TYPED, modified_at=now - age)
    rule(place, many="last_modified")
    async with place.banner("ada@example.com") as banner:
        await ring(place)
        shown = await named(banner)
        chosen = next(each["id"] for each in shown["contacts"] if each["name"] == "New")
        assert (shown["chosen"], shown["pop"]["then"]) == (chosen, "card")
        path = f"/api/calls/{shown['id']}/contact"
        await place.ask("ada@example.com", path, {"contact": None})
        await place.post(place.event("answered", "c-1", agent="1001", **{"from": STRANGER}))
        later = await banner.until(state="answered")
        assert (later["chosen"], later["pop"]["then"]) == (None, "choose")


@pytest.mark.both_engines
async def test_mine_first(place: Place) -> None:
    """Where several are rung, it is decided whose contact comes first when one of them answers."""
    desk = place.sandbox.state.desk
    portal = desk.portals()[0]
    agents, now = [each.id for each in portal.agents()[:2]], place.services.clock()
    for number, owner in enumerate(agents):
        desk.add_contact(last_name=f"Of {owner}", phone=TYPED, owner_id=owner, modified_at=now - number)
    for email, owner in (("ada@example.com", agents[0]), ("bruno@example.com", agents[1])):
        user = await place.services.store.read(partial(users.by_email, email=email))
        assert user is not None
        known = partial(desk_agents.put, portal_id=1, user_id=user.id, known=Known(owner, now))
        place.services.store.write_now(known)
    rule(place, many="mine_first")
    async with place.banner("bruno@example.com") as banner:
        await place.post(
            *(place.event("ringing", "c-1", agent=each, **{"from": STRANGER}) for each in ("1001", "1002"))
        )
        shown = await named(banner)
        assert (shown["chosen"], shown["pop"]["then"]) == (None, "choose")
        await place.post(place.event("answered", "c-1", agent="1002", **{"from": STRANGER}))
        while shown["chosen"] is None:
            shown = await banner.until(state="answered")
        name = next(each["name"] for each in shown["contacts"] if each["id"] == shown["chosen"])
        assert name == f"Of {agents[1]}"


async def test_fields_that_pop(place: Place) -> None:
    """What the CRM shows while it rings goes along, from our own index; nothing else of the contact does."""
    place.sandbox.state.desk.add_contact(
        first_name="Noor", last_name="Brantley", phone=TYPED, email="noor@wexcombe.example"
    )
    email = Field(name="email", label="Mail", shown=("pop",))
    objects = (msgspec.structs.replace(CONTACTS, fields=(email,)), *RULES.objects[1:])
    rule(place, objects=objects)
    await place.services.syncing.work()
    async with place.banner("ada@example.com") as banner:
        await ring(place)
        shown = await named(banner)
        assert shown["fields"] == [
            {"name": "email", "label": "Mail", "value": "noor@wexcombe.example", "object": "contacts"}
        ]
        assert {"email", "phone", "mobile", "owner_id", "first_name"}.isdisjoint(shown["contacts"][0])


async def test_a_wrong_match_is_corrected(place: Place) -> None:
    """An agent may name any contact of Desk's; what is none is refused, and nothing is chosen."""
    desk = place.sandbox.state.desk
    desk.add_contact(last_name="Wrong", phone=TYPED)
    right = desk.add_contact(last_name="Right")
    async with place.banner("ada@example.com") as banner:
        await ring(place)
        shown = await named(banner)
        path = f"/api/calls/{shown['id']}/contact"
        for wrong in ("nobody", "123456789", "../1"):
            assert (await place.ask("ada@example.com", path, {"contact": wrong})).status_code == 404
        chosen = (await place.ask("ada@example.com", path, {"contact": right.id})).json()
        assert chosen["chosen"] == right.id
        assert [each["name"] for each in chosen["contacts"]] == ["Wrong", "Right"]
