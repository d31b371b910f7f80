"""What a profile hides is in no answer: its values are looked for in the raw bytes of all that is sent.

A route that shows something of contacts, accounts or tickets belongs into `FETCHES`.
"""

from collections.abc import Awaitable, Callable, Collection
from typing import NamedTuple

import httpx2
import msgspec
import pytest

from connector.crm.defaults import RULES
from connector.crm.model import OBJECTS, ObjectName
from connector.crm.profile_setup import Wanted
from connector.crm.profiles import ObjectAccess
from connector.recordings import piece_of
from connector.sandbox.desk.records import Account
from connector.sandbox.presets import DEMO_ORG_ID
from connector.services import Services
from connector.store import assignments, calls
from connector.web.auth import SESSION
from tests.integration.pipeline.place import Place
from tests.integration.recordings.listeners import LOOPBACK, Listeners
from tests.integration.recordings.upstream import WAV, Upstream

pytestmark = pytest.mark.anyio

ADA, SUE, ADAM = "ada@example.com", "sue@example.com", "adam@example.com"
CALLER = {"from": "+442079460811"}
SILENT_SECONDS = 30

VALUES = {
    "first": "Quillon",
    "last": "Brantmoor",
    "phone": "020 7946-0811",
    "mobile": "+44 7700 900 471",
    "email": "quill@brantmoor.example",
    "account": "Wexcombe Interiors",
    "subject": "The blind sticks halfway",
    "status": "On Hold",
    "number": "8675309",
    "assigned": "5550771829304",
}
"""What stands in Desk and in our index; the number of the call itself is spelt otherwise everywhere."""

NAMES = ("first", "last")
OF_TICKETS = ("subject", "status", "number")
HIDDEN: dict[str, Collection[str]] = {
    "contacts.firstName": ("first",),
    "contacts.lastName": ("last",),
    "contacts.phone": ("phone",),
    "contacts.mobile": ("mobile",),
    "contacts.email": ("email",),
    "accounts.accountName": ("account",),
    "tickets.subject": ("subject",),
    "tickets.status": ("status",),
    "contacts": tuple(VALUES),
    "accounts": ("account",),
    "tickets": (*OF_TICKETS, "assigned"),
    "portals": tuple(VALUES),
}
"""Each field that can be hidden, each object, and all of a portal, with what must be nowhere then."""


class World(NamedTuple):
    """A call of a caller who is known, and whoever looks at it."""

    listeners: Listeners
    key: str
    call_id: int
    contact_id: str
    who: str = ADA

    @property
    def place(self) -> Place:
        """Return where it happened."""
        return self.listeners.place

    @property
    def services(self) -> Services:
        """Return the connector's services."""
        return self.listeners.services

    async def get(self, path: str) -> bytes:
        """Return the bytes of an answer."""
        return (await self.listeners.open(self.who, path, accept="text/html")).content

    async def stream(self) -> bytes:
        """Return what a banner is sent: its snapshot, and all events of a choice."""
        cookie = {"cookie": f"{SESSION}={await self.place.signed_in(self.who)}"}
        asked = self.place.client.stream("GET", "/api/banner/stream", headers=cookie, timeout=SILENT_SECONDS)
        sent = b""
        async with asked as response:
            async for part in response.aiter_raw():
                is_first, sent = b"event: snapshot" not in sent, sent + part
                if is_first:
                    await self.choose()
                if sent.count(b"event: call") and sent.endswith(b"\n\n"):
                    return sent
        raise AssertionError(sent)

    async def choose(self) -> bytes:
        """Say whose call it is."""
        answer = await self.place.ask(
            self.who, f"/api/calls/{self.call_id}/contact", {"contact": self.contact_id}
        )
        return answer.content


Fetch = Callable[[World], Awaitable[bytes]]


def of(path: str) -> Fetch:
    """Return how an address is asked for, with the call's key or id put in."""
    return lambda world: world.get(path.format(key=world.key, id=world.call_id, contact=world.contact_id))


FETCHES: list[tuple[str, Fetch]] = [
    ("stream", World.stream),
    ("choice", World.choose),
    ("search by name", of("/api/contacts/search?text=Brantmoor")),
    ("search by a part of a number", of("/api/contacts/search?text=900%20471")),
    ("search by a number", of("/api/contacts/search?text=%2B442079460811")),
    ("look-up", of("/api/contacts/lookup?number=%2B442079460811")),
    ("card", of("/api/calls/{id}/card")),
    ("card of a match", of("/api/calls/{id}/card?contact={contact}")),
    ("history, page", of("/calls/{key}")),
    ("history, JSON", of("/api/v1/calls/{key}")),
    ("list, page", of("/calls")),
    ("list, JSON", of("/api/v1/calls")),
    ("recordings", of("/recordings/{key}")),
    ("colleagues", of("/api/calls/{id}/colleagues")),
    ("profile", of("/api/profile")),
]
"""Everything that shows something of a call or a contact to people."""


@pytest.fixture
async def world(listeners: Listeners, upstream: Upstream) -> World:
    """Have a contact with an account and a ticket, whose call Ada took, recorded and looked up."""
    place, desk = listeners.place, listeners.place.sandbox.state.desk
    portal = desk.portal(DEMO_ORG_ID)
    assert portal is not None
    account = Account(id="77", account_name=VALUES["account"], created_at=0, modified_at=0)
    contact = desk.add_contact(
        first_name=VALUES["first"],
        last_name=VALUES["last"],
        phone=VALUES["phone"],
        mobile=VALUES["mobile"],
        email=VALUES["email"],
        account_id=portal.accounts.put(account, 0).id,
    )
    ticket = desk.add_ticket(contact, subject=VALUES["subject"], status=VALUES["status"])
    portal.tickets.put(msgspec.structs.replace(ticket, ticket_number=VALUES["number"]), 0)
    await listeners.source(origins=[upstream.origin], networks=[LOOPBACK])
    async with place.banner(ADA) as banner:
        await place.post(place.event("ringing", "c-1", agent="1001", **CALLER))
        while (await banner.until(lookup="found"))["tickets"] is None:
            pass
    key = await listeners.call("c-1", f"{upstream.origin}/1.wav", **CALLER)
    (row,) = await place.services.store.read(lambda c: calls.shown(c, since=0))
    await place.services.store.write(lambda c: assignments.set_ticket(c, row.id, VALUES["assigned"], 1))
    return World(listeners, key, row.id, str(contact.id))


async def hide(world: World, what: str) -> None:
    """Have Ada's profile see all fields of the CRM but one, or all objects but one, or no portal."""
    name, _, field = what.partition(".")
    seen: dict[ObjectName, ObjectAccess] = {}
    for each in OBJECTS:
        found = RULES.object(each)
        assert found is not None
        fields = tuple(one.name for one in found.fields if what != f"{each}.{one.name}")
        if each != name or field:
            seen[each] = ObjectAccess(seen=fields, edited=())
    setup = world.services.profile_setup
    portals: tuple[int, ...] | None = () if what == "portals" else None
    (profile,) = await setup.of_user(world.who)
    await setup.change(profile.id, Wanted(objects=seen, portals=portals), actor="test")
    world.services.profiles.forget()
    await world.services.publisher.renew_profiles()


async def found_in(world: World) -> dict[str, set[str]]:
    """Return which of the values each answer holds."""
    sent = {name: (await fetch(world)).decode() for name, fetch in FETCHES}
    return {name: {each for each, value in VALUES.items() if value in text} for name, text in sent.items()}


async def test_nothing_hidden_is_sent(world: World) -> None:
    """Whatever is hidden is in none of the answers, and everything is in some while nothing is hidden."""
    before = await found_in(world)
    assert set().union(*before.values()) >= VALUES.keys() - {"email"}
    for name in ("stream", "choice", "history, page", "history, JSON", "recordings", "look-up"):
        assert set(NAMES) <= before[name], name
    setup = world.services.profile_setup
    profile = await setup.add(Wanted(name="Less", may_listen=True), actor="test")
    await setup.give(profile.id, [ADA], actor="test")
    leaks = {}
    for what, hidden in HIDDEN.items():
        await hide(world, what)
        found = {name: values & set(hidden) for name, values in (await found_in(world)).items()}
        leaks[what] = {name: values for name, values in found.items() if values}
    assert leaks == {what: {} for what in HIDDEN}


async def test_what_is_not_hidden_is_still_sent(world: World) -> None:
    """Who does not see one thing sees the others."""
    setup = world.services.profile_setup
    profile = await setup.add(Wanted(name="Less", may_listen=True), actor="test")
    await setup.give(profile.id, [ADA], actor="test")
    await hide(world, "contacts.mobile")
    found = await found_in(world)
    assert found["stream"] >= {*NAMES, *OF_TICKETS}
    assert found["search by name"] >= {*NAMES, "phone"}


async def listen(world: World, who: str, url: str) -> list[httpx2.Response]:
    """Open the page of a call's recordings, and play one."""
    return [await world.listeners.page(who, world.key), await world.listeners.hear(who, world.key, url)]


async def test_who_may_not_listen(world: World, upstream: Upstream) -> None:
    """There is neither a link nor sound, for agents and supervisors, and the attempt is written down."""
    url = f"{upstream.origin}/1.wav"
    history = f"/api/v1/calls/{world.key}"
    for who in (ADA, SUE):
        assert [each.status_code for each in await listen(world, who, url)] == [200, 200]
    setup = world.services.profile_setup
    await setup.change(1, Wanted(may_listen=False), actor="test")
    world.services.profiles.forget()
    for who in (ADA, SUE):
        answers = await listen(world, who, url)
        assert [each.status_code for each in answers] == [403, 403]
        assert not [each for each in answers if WAV in each.content]
        assert not (await world.listeners.open(who, history)).json()["recordings"]
        page = await world.listeners.open(who, f"/calls/{world.key}")
        assert f"/recordings/{world.key}" not in page.text
        assert piece_of(url) not in page.text or who == SUE
    assert [each.status_code for each in await listen(world, ADAM, url)] == [200, 200]
    assert (await world.listeners.open(ADAM, history)).json()["recordings"]
    assert ("ada", "refused", 1) in await world.listeners.accesses()
