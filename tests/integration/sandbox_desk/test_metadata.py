"""Fields and layouts over the API, and what they make of the records that are written."""

from typing import Any

import pytest

from connector.sandbox.config import CustomField
from tests.integration.sandbox_desk.conftest import Desk, problems

KINDS = {
    "Multiselect": ("A, B", "A, C"),
    "Number": ("12", "1.5"),
    "Decimal": ("-1.5", "x"),
    "Boolean": ("true", "yes"),
    "Date": ("2026-01-31", "31.1.2026"),
    "DateTime": ("2026-01-05T09:00:00.000Z", "2026-01-05"),
    "Email": ("a@mail.example", "a"),
    "Text": ("anything", None),
}


def fields(desk: Desk, module: str) -> dict[str, Any]:
    """Return a module's fields by name."""
    return {row["apiName"]: row for row in desk.rows("fields", module=module)}


@pytest.mark.parametrize(
    ("module", "own", "custom"),
    [
        ("contacts", "lastName", "cf_plan"),
        ("accounts", "accountName", "cf_region"),
        ("tickets", "subject", None),
        ("calls", "subject", "cf_outcome"),
    ],
)
def test_fields_of_each_module(desk: Desk, module: str, own: str, custom: str | None) -> None:
    """Desk's own and custom ones, with types, lengths and what picklists allow; ids differ."""
    found = fields(desk, module)
    assert (found[own]["isCustomField"], found[own]["type"]) == (False, "Text")
    assert len({row["id"] for row in found.values()}) == len(found)
    assert [name for name, row in found.items() if row["isCustomField"]][-1:] == ([custom] if custom else [])


def test_picklists_tell_what_they_allow(desk: Desk) -> None:
    """A picklist's values stand in it, those of a status with their type."""
    assert fields(desk, "contacts")["cf_plan"]["pickListValues"] == [{"value": "Basic"}, {"value": "Premium"}]
    status = fields(desk, "tickets")["status"]["pickListValues"]
    assert {"value": "Escalated", "statusType": "Open"} in status


def test_layouts_belong_to_departments_or_to_the_portal(desk: Desk) -> None:
    """Tickets and calls have one for each department, contacts and accounts one in all."""
    departments = list(desk.portal.departments)
    for module in ("tickets", "calls"):
        rows = desk.rows("layouts", module=module)
        assert [row["departmentId"] for row in rows] == departments
        assert len({row["id"] for row in rows}) == len(departments)
        assert desk.ids("layouts", module=module, departmentId=departments[1]) == [rows[1]["id"]]
    (contacts,) = desk.rows("layouts", module="contacts")
    assert (contacts["module"], "departmentId" in contacts) == ("Contacts", False)
    assert desk.rows("layouts", module="tickets")[0]["module"] == "Cases"
    assert desk.ids("layouts", module="contacts", status="inactive") == []
    assert desk.ids("layouts", module="tasks") == []
    assert desk.get("layouts").status_code == 422
    assert desk.get("layouts/5").status_code == 404


def test_one_department_wants_a_category(desk: Desk) -> None:
    """Its layout says so, and a ticket of it is refused without one; the other departments' is not."""
    support, _, billing = desk.portal.departments
    wanted = {}
    for row in desk.rows("layouts", module="tickets"):
        sections = desk.get(f"layouts/{row['id']}").json()["sections"]
        every = [field for section in sections for field in section["fields"]]
        wanted[row["departmentId"]] = {field["apiName"] for field in every if field["isMandatory"]}
    assert wanted[billing] - wanted[support] == {"category"}
    body = {"contactId": next(iter(desk.portal.contacts.present())).id, "departmentId": billing}
    assert desk.post("tickets", body | {"departmentId": support}).status_code == 200
    assert problems(desk.post("tickets", body)) == {"/category": "missing"}
    assert problems(desk.post("tickets", body | {"category": "Nonsense"})) == {"/category": "invalid"}
    made = desk.post("tickets", body | {"category": "Invoices"}).json()
    assert made["layoutDetails"]["layoutName"] == "Billing"
    assert problems(desk.patch(f"tickets/{made['id']}", {"category": None})) == {"/category": "missing"}
    assert desk.patch(f"tickets/{made['id']}", {"subject": "No need to say it again"}).status_code == 200


@pytest.mark.parametrize("module", ["contacts", "accounts", "tickets", "calls"])
def test_a_layout_may_want_any_field(desk: Desk, module: str) -> None:
    """A custom field that it wants must be given with a new record, and stay filled in."""
    field = CustomField(module=module, name="cf_must", label="Must")  # type: ignore[arg-type]
    desk.config.custom_fields = [field]
    desk.config.mandatory_fields = {module: ["cf_must"]}
    bodies = {
        "contacts": {"lastName": "A"},
        "accounts": {"accountName": "A"},
        "tickets": {
            "contactId": next(iter(desk.portal.contacts.present())).id,
            "departmentId": next(iter(desk.portal.departments)),
        },
        "calls": desk.call_body(),
    }
    body: dict[str, Any] = dict(bodies[module])
    assert problems(desk.post(module, body)) == {"/cf/cf_must": "missing"}
    made = desk.post(module, body | {"cf": {"cf_must": "x"}}).json()
    assert made["cf"]["cf_must"] == "x"
    again = body if module == "calls" else {"description": "y"}
    assert desk.patch(f"{module}/{made['id']}", again).json()["cf"]["cf_must"] == "x"


@pytest.mark.parametrize("kind", KINDS)
def test_values_fit_the_type_of_their_field(desk: Desk, kind: str) -> None:
    """A value of another form is refused by the field's name."""
    good, bad = KINDS[kind]
    desk.config.custom_fields = [
        CustomField(module="contacts", name="cf_x", label="X", type=kind, options=["A", "B"])
    ]
    made = desk.post("contacts", {"lastName": "A", "cf": {"cf_x": good}}).json()
    assert (made["cf"], made["customFields"]) == ({"cf_x": good}, {"X": good})
    if bad is not None:
        answer = desk.patch(f"contacts/{made['id']}", {"cf": {"cf_x": bad}})
        assert problems(answer) == {"/cf/cf_x": "invalid"}
        assert problems(desk.patch(f"contacts/{made['id']}", {"customFields": {"X": bad}})) == {
            "/customFields/X": "invalid"
        }


def test_a_field_that_is_deleted_is_gone_everywhere(desk: Desk) -> None:
    """Neither the list of fields nor a record has it, and writing it is refused."""
    made = desk.post("contacts", {"lastName": "A", "cf": {"cf_plan": "Basic"}}).json()
    desk.config.custom_fields = []
    assert desk.get(f"contacts/{made['id']}").json()["cf"] == {}
    assert "cf_plan" not in fields(desk, "contacts")
    answer = desk.patch(f"contacts/{made['id']}", {"cf": {"cf_plan": "Premium"}})
    assert problems(answer) == {"/cf/cf_plan": "invalid"}
