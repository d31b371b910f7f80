"""The CRM of a portal: saved by one administrator at a time, and compared with Desk now and later."""

from typing import Any, cast

import msgspec
import pytest

from connector.clock import DAY, MINUTE
from connector.crm import Rulebook, defaults
from connector.crm.desk_fields import DeskFields
from connector.crm.model import Field
from connector.crm.service import Crms
from connector.crm.wanted import Parts, plain, read, strictly
from connector.errors import InvalidValue, NotFound, NotNow, ZohoDown
from connector.store import Store, audit, portals
from connector.store import crm as crm_table
from connector.store import desk_fields as told_table
from connector.zoho.client import Desk
from connector.zoho.layouts import DeskField, Layout, Section
from tests.integration.three_ways.ways import PORTAL

pytestmark = pytest.mark.anyio

PLAN = DeskField(id="1", api_name="cf_plan", label="Plan", type="Picklist", allowed=("Basic", "Premium"))
REASON = DeskField(id="2", api_name="cf_reason", type="Text", is_mandatory=True)


class FakeDesk:
    """A Desk with some fields, one layout of calls, and a count of what it was asked."""

    def __init__(self) -> None:
        self.known: dict[str, list[DeskField]] = {"contacts": [PLAN], "calls": []}
        self.wanted: tuple[DeskField, ...] = ()
        self.is_down = False
        self.asked = 0

    async def fields(self, module: str) -> list[DeskField]:
        """List the fields of a module."""
        self.asked += 1
        if self.is_down:
            raise ZohoDown("Zoho does not answer.")
        return self.known.get(module, [])

    async def layouts(self, module: str, department_id: str | None = None) -> list[Layout]:
        """List one layout for each department, and one that is used no more."""
        return [Layout(id=f"{module} old", status="inactive"),
                Layout(id=f"{module} {department_id}", is_default=True)]  # fmt: skip

    async def layout(self, layout_id: str) -> Layout:
        """Read a layout."""
        fields = self.wanted if layout_id == "calls 401" else ()
        return Layout(id=layout_id, sections=(Section(name="All", fields=fields),))


class Office:
    """The service, and its clock."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.now = 1_790_000_000_000
        self.desk = FakeDesk()
        self.rulebook = Rulebook(store, lambda: self.now)
        self.desk_fields = DeskFields(store, self._desk, lambda: self.now)
        self.crms = Crms(store, self.rulebook, self.desk_fields, lambda: self.now)

    async def _desk(self, _portal_id: int) -> Desk:
        return cast("Desk", self.desk)

    async def use(self, **field: Any) -> None:
        """Use one more field of contacts."""
        await self.crms.save(1, with_field(**field), actor="ada")

    async def audited(self) -> list[tuple[str, str, str]]:
        """Return what the audit says of CRMs, the latest first."""
        entries = await self.store.read(lambda c: audit.newest(c, wanted=audit.Wanted(action="crm.")))
        return [(each.actor, each.action, each.detail) for each in entries]


def with_field(**field: Any) -> Parts:
    """Return the usual objects with one more field of contacts."""
    first, *others = defaults.RULES.objects
    more = msgspec.structs.replace(first, fields=(*first.fields, Field(**field)))
    return strictly(objects=(more, *others))


@pytest.fixture
async def office(store: Store) -> Office:
    """Have one portal that is linked."""
    await store.write(lambda connection: portals.put(connection, **PORTAL))
    return Office(store)


async def test_the_second_administrator_is_told_what_happened(office: Office) -> None:
    """Nothing of theirs is written; what the first one saved counts at once in this very process."""
    assert (await office.rulebook.of(1)).enabled
    await office.crms.switch(1, enabled=False, actor="ada", revision=0)
    assert not (await office.rulebook.of(1)).enabled
    with pytest.raises(NotNow, match=r"ada has saved it at 2026-.* \(enabled: False\).* revision 1"):
        await office.crms.save(1, read(b'{"name": "Mine"}'), actor="bo", revision=0)
    saved = await office.crms.save(1, read(b'{"name": "Mine"}'), actor="bo", revision=1)
    assert (saved.crm.name, saved.crm.revision) == ("Mine", 2)
    assert [each[0] for each in await office.audited()] == ["bo", "ada"]


async def test_two_who_save_at_once_do_not_both(office: Office) -> None:
    """The row decides, not what each has read before."""
    before = await office.crms.get(1)
    wanted = msgspec.structs.replace(before, name="First")
    await office.store.write(lambda c: office.crms._write(before, wanted, "ada", c))
    with pytest.raises(NotNow, match="ada has saved it"):
        await office.store.write(lambda c: office.crms._write(before, wanted, "bo", c))


async def test_what_is_the_same_is_not_written(office: Office) -> None:
    """Nor does it reach the audit, and Desk is not asked for what has nothing to do with it."""
    same = await office.crms.save(1, Parts(name=defaults.NAME, enabled=True), actor="ada")
    assert same.crm.revision == 0
    await office.crms.save(1, read(b'{"pop": {"queue": {"when": "answer"}}}'), actor="ada")
    assert (office.desk.asked, len(await office.audited())) == (0, 1)
    with pytest.raises(NotFound):
        await office.crms.save(2, Parts(name="A"), actor="ada")


async def test_fields_are_checked_with_desk(office: Office) -> None:
    """Names, choices, and what the layout of the department of calls wants; once a minute at most."""
    with pytest.raises(InvalidValue, match="no field cf_gone"):
        await office.use(name="cf_gone")
    await office.use(name="cf_plan", type="one_of", template="Basic")
    assert office.desk.asked == 4
    office.now, office.desk.wanted = office.now + MINUTE, (REASON,)
    with pytest.raises(InvalidValue, match="wants cf_reason in calls of the department 401"):
        await office.use(name="cf_plan", type="one_of", template="Premium")


async def test_a_desk_that_is_away_keeps_nobody_from_saving(office: Office) -> None:
    """What it told before still counts, and whoever saves is told."""
    await office.use(name="cf_plan", type="one_of", template="Basic")
    office.desk.is_down, office.now = True, office.now + DAY
    saved = await office.crms.save(1, with_field(name="cf_plan", type="one_of"), actor="ada")
    assert "Desk could not be asked just now (Zoho does not answer)" in str(saved.warnings[0])
    with pytest.raises(InvalidValue, match="no field cf_gone"):
        await office.use(name="cf_gone")


async def test_a_field_that_vanishes_switches_itself_off_and_comes_back(office: Office) -> None:
    """Once a day, or when Desk has refused it; the CRM goes on, and the check says what to do."""
    await office.use(name="cf_plan", type="one_of")
    office.desk.known["contacts"] = []
    await office.desk_fields.step()
    assert await office.desk_fields.off(1) == {}, "it is asked once a day"
    await office.store.write(lambda connection: told_table.make_stale(connection, 1))
    await office.desk_fields.step()
    assert await office.desk_fields.off(1) == {("contacts", "cf_plan"): "Desk has it no more."}
    (check,) = await office.desk_fields.checks(1)
    assert (check.layer, check.state, "cf_plan" in check.what) == ("field", "warning", True)
    assert (await office.crms.show(1)).fields_off == 1
    office.desk.known["contacts"], office.now = [PLAN], office.now + DAY + 1
    await office.desk_fields.step()
    assert await office.desk_fields.off(1) == {}
    assert [each[:2] for each in await office.audited()][:2] == [
        ("connector", "crm.field_on"), ("connector", "crm.field_off")
    ]  # fmt: skip


async def test_a_field_that_is_taken_out_is_off_no_more(office: Office) -> None:
    """Nor is one whose type is set to what Desk has now."""
    await office.use(name="cf_plan", type="one_of")
    office.desk.known["contacts"] = [msgspec.structs.replace(PLAN, type="Text", allowed=None)]
    await office.store.write(lambda connection: told_table.make_stale(connection, 1))
    await office.desk_fields.step()
    assert list(await office.desk_fields.off(1)) == [("contacts", "cf_plan")]
    await office.use(name="cf_plan", type="short_text")
    assert await office.desk_fields.off(1) == {}
    await office.store.write(lambda c: crm_table.switch_off(c, 1, ("contacts", "cf_plan"), "It is gone.", 1))
    await office.crms.reset(1, actor="ada")
    assert await office.desk_fields.off(1) == {}
    assert (await office.crms.get(1)).rules == plain(defaults.RULES)


async def test_an_office_that_never_set_one_up_costs_nothing(office: Office) -> None:
    """The usual CRM names only what Desk's API has by itself."""
    await office.desk_fields.step()
    assert office.desk.asked == 0
    office.desk.is_down = True
    await office.crms.save(1, Parts(name="CRM"), actor="ada")
    await office.desk_fields.step()
    assert office.desk.asked == 1
