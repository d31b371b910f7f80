"""Profiles are kept, given, taken and switched by their rules, whichever process does it."""

import asyncio
from collections.abc import Mapping
from typing import NamedTuple

import pytest

from connector.accounts import Agents
from connector.clock import system_clock
from connector.crm import EVERYONE, Crm, ObjectName, Profiles, ProfileSetup, Rules
from connector.crm.defaults import RULES
from connector.crm.model import CrmObject, Field
from connector.crm.profile_setup import Wanted
from connector.crm.profiles import EVERYTHING, Access, ObjectAccess
from connector.crm.rulebook import encode_rules
from connector.errors import InvalidValue, NotAllowed, NotFound
from connector.store import Store, audit, portals
from connector.store import crm as crms
from connector.store import profiles as table
from connector.store.crm import CrmRow
from connector.store.users import User
from tests.integration.databases import Databases
from tests.integration.three_ways.ways import PORTAL

pytestmark = pytest.mark.anyio

ACTOR = "adam@example.com"
Objects = Mapping[ObjectName, ObjectAccess]
LAST_NAME: Objects = {"contacts": ObjectAccess(seen=("lastName",), edited=())}


class Office(NamedTuple):
    """A portal, and two users."""

    store: Store
    setup: ProfileSetup
    ada: User
    bruno: User

    async def active(self, user: User) -> str:
        """Return the name of the profile that a user works with."""
        return (await Profiles(self.store, system_clock).active(user.id)).name

    async def changes(self) -> list[tuple[str, str, str]]:
        """Return what the audit says of profiles, the earliest first."""
        found = await self.store.read(lambda c: audit.newest(c, wanted=audit.Wanted(action="profile.")))
        assert {each.actor for each in found} <= {ACTOR, self.ada.email}
        return [(each.action, each.subject, each.detail) for each in reversed(found)]


@pytest.fixture
async def office(store: Store) -> Office:
    """Have them."""
    agents = Agents(store, system_clock)
    people = [await agents.add_agent(f"{name}@example.com", name, actor="test") for name in ("ada", "bruno")]
    await store.write(lambda connection: portals.put(connection, **PORTAL))
    return Office(store, ProfileSetup(store, system_clock), *(each.user for each in people))


async def add(office: Office, name: str, **wanted: object) -> int:
    """Add a profile; return its id."""
    return (await office.setup.add(Wanted(name=name, **wanted), actor=ACTOR)).id  # type: ignore[arg-type]


@pytest.mark.both_engines
async def test_who_works_with_which(office: Office) -> None:
    """The first that is given counts, others when they are chosen; what is taken or removed is not kept."""
    night, day = await add(office, "Night"), await add(office, "Day")
    assert table.EVERYONE_ID not in (night, day)
    assert await office.active(office.ada) == "Everyone"
    await office.setup.give(night, [office.ada.id, office.bruno.email], actor=ACTOR)
    await office.setup.give(day, [office.ada.id], actor=ACTOR)
    assert (await office.active(office.ada), await office.active(office.bruno)) == ("Night", "Night")
    await office.setup.switch(office.ada, day)
    assert await office.active(office.ada) == "Day"
    await office.setup.take(day, [office.ada.email], actor=ACTOR)
    assert await office.active(office.ada) == "Night"
    await office.setup.remove(night, actor=ACTOR)
    assert (await office.active(office.ada), await office.active(office.bruno)) == ("Everyone", "Everyone")
    assert (await office.changes())[2:] == [
        ("profile.given", "Night", "ada@example.com"),
        ("profile.given", "Night", "bruno@example.com"),
        ("profile.given", "Day", "ada@example.com"),
        ("profile.switched", "Day", "ada@example.com"),
        ("profile.taken", "Day", "ada@example.com"),
        ("profile.removed", "Night", "users: ada@example.com, bruno@example.com"),
    ]


@pytest.mark.both_engines
async def test_everyone_is_there_before_it_has_a_row(office: Office) -> None:
    """It is the first of the list from the start, can lose everything, and is neither given nor removed."""
    (first,) = await office.setup.list_all()
    assert (first.profile, first.user_count) == (EVERYONE, 2)
    await add(office, "Night", users=["ada@example.com"])
    assert await office.store.read(lambda c: table.get(c, table.EVERYONE_ID)) is None
    lost = Wanted(objects=LAST_NAME, may_create=False, may_edit=False)
    await office.setup.change(table.EVERYONE_ID, lost, actor=ACTOR)
    listed = await office.setup.list_all()
    assert [(each.profile.name, each.user_count) for each in listed] == [("Everyone", 1), ("Night", 1)]
    everyone = await Profiles(office.store, system_clock).active(office.bruno.id)
    assert (everyone.sees(1, "contacts", "lastName"), everyone.sees(1, "tickets", "subject")) == (True, False)
    assert (everyone.access.may_edit, everyone.access.may_listen) == (False, True)
    assert await add(office, "Day") not in (1, 2)
    for refused in (
        office.setup.remove(1, actor=ACTOR),
        office.setup.give(1, ["ada@example.com"], actor=ACTOR),
        office.setup.change(1, Wanted(users=["ada@example.com"]), actor=ACTOR),
    ):
        with pytest.raises(InvalidValue):
            await refused


@pytest.mark.both_engines
async def test_two_processes_add_at_once(databases: Databases) -> None:
    """Each profile has an id of its own, and a name is given once."""
    with databases.fresh() as url:
        stores = [Store(url), Store(url)]
        setups = [ProfileSetup(each, system_clock) for each in stores]
        wanted = [Wanted(name=name) for name in ("Night", "Day", "Night")]
        adding = (setups[number % 2].add(each, actor=ACTOR) for number, each in enumerate(wanted))
        made = await asyncio.gather(*adding, return_exceptions=True)
        found = [each.profile for each in await setups[0].list_all()]
        for store in stores:
            store.close()
    assert sorted(each.name for each in found) == ["Day", "Everyone", "Night"]
    assert [type(each) for each in made].count(InvalidValue) == 1


async def test_nobody_switches_to_what_is_not_theirs(office: Office) -> None:
    """Neither to another's, nor to everyone's once they have one, nor to what there is not."""
    night, day = await add(office, "Night"), await add(office, "Day")
    await office.setup.switch(office.ada, table.EVERYONE_ID)
    await office.setup.give(night, [office.ada.id], actor=ACTOR)
    for other in (day, table.EVERYONE_ID, 99):
        with pytest.raises(NotAllowed):
            await office.setup.switch(office.ada, other)
    assert await office.active(office.ada) == "Night"
    choices = await Profiles(office.store, system_clock).choices(office.ada.id)
    assert (choices.active.id, [each.id for each in choices.profiles]) == (night, [night])
    nobodys = await Profiles(office.store, system_clock).choices(office.bruno.id)
    assert (nobodys.active, nobodys.profiles) == (EVERYONE, (EVERYONE,))


async def test_a_change_tells_what_it_changed(office: Office) -> None:
    """The audit has the new access and the former name; what changes nothing is no change."""
    night = await add(office, "Night", objects=LAST_NAME, portals=[1], may_listen=True)
    await office.setup.change(night, Wanted(portals=None, name="Late"), actor=ACTOR)
    await office.setup.change(night, Wanted(may_listen=True, objects=LAST_NAME), actor=ACTOR)
    access = "contacts: sees lastName, edits nothing; may: listen"
    assert await office.changes() == [
        ("profile.added", "Night", f"portals: 1; {access}"),
        ("profile.changed", "Late", f"name was: Night; portals: all; {access}"),
    ]


async def test_two_changes_in_one_millisecond(office: Office) -> None:
    """Other processes tell each from the one before."""
    setup, moments = ProfileSetup(office.store, lambda: 5), set[int]()
    for may in (False, True, False):
        await setup.change(table.EVERYONE_ID, Wanted(may_listen=may), actor=ACTOR)
        moments |= set((await office.store.read(table.in_use)).changed_at.values())
    assert moments == {5, 6, 7}


@pytest.mark.parametrize(
    ("wanted", "pointer"),
    [
        (Wanted(name=" "), "/name"),
        (Wanted(name="x" * 101), "/name"),
        (Wanted(name="a\nb"), "/name"),
        (Wanted(name="Everyone"), "/name"),
        (Wanted(name="N", portals=[7]), "/portals"),
        (Wanted(name="N", users=["nobody@example.com"]), "/users"),
        (Wanted(name="N", objects={"tickets": ObjectAccess(seen=("nothing",))}), "/objects/tickets/seen"),
        (Wanted(name="N", objects={"tickets": ObjectAccess(edited=("no",))}), "/objects/tickets/edited"),
        (
            Wanted(name="N", objects={"contacts": ObjectAccess(seen=("phone",), edited=("email",))}),
            "/objects/contacts/edited",
        ),
    ],
)
async def test_what_cannot_be(office: Office, wanted: Wanted, pointer: str) -> None:
    """It is refused with its place, and nothing is kept of it."""
    with pytest.raises(InvalidValue) as refused:
        await office.setup.add(wanted, actor=ACTOR)
    assert refused.value.pointer == pointer
    assert [each.profile for each in await office.setup.list_all()] == [EVERYONE]
    assert not await office.changes()


async def test_fields_come_from_the_portals_crm(office: Office) -> None:
    """A field that an administrator added can be chosen, and stays chosen when it is gone from there."""
    with_plan = Rules(objects=(CrmObject(name="contacts", fields=(Field(name="cf_plan", label="Plan"),)),))
    plan: Objects = {"contacts": ObjectAccess(seen=("cf_plan",), edited=())}

    async def put(crm: Crm) -> None:
        row = CrmRow(portal_id=1, name=crm.name, enabled=True, rules=encode_rules(crm.rules),
                     revision=crm.revision, changed_at=1)  # fmt: skip
        assert await office.store.write(lambda c: crms.put(c, row))

    await put(Crm(portal_id=1, name="Desk", rules=with_plan, revision=1))
    assert (await office.setup.fields())["contacts"]["cf_plan"].label == "Plan"
    night = await add(office, "Night", objects=plan)
    await put(Crm(portal_id=1, name="Desk", rules=RULES, revision=2))
    assert "cf_plan" not in (await office.setup.fields())["contacts"]
    assert "cf_plan" in (await office.setup.fields(night))["contacts"]
    both: Objects = {"contacts": ObjectAccess(seen=("cf_plan", "phone"), edited=())}
    kept = await office.setup.change(night, Wanted(objects=both), actor=ACTOR)
    assert kept.sees(1, "contacts", "cf_plan")


async def test_what_is_not_there(office: Office) -> None:
    """A profile and a user that are not there are said to be missing."""
    for asked in (
        office.setup.get(9),
        office.setup.remove(9, actor=ACTOR),
        office.setup.of_user("x@example.com"),
    ):
        with pytest.raises(NotFound):
            await asked
    assert (await office.setup.get(await add(office, "Nothing"))).access == Access()
    assert EVERYONE.access == EVERYTHING
