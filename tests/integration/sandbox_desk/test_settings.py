"""Organisations, agents, departments and who one is."""

import pytest

from tests.integration.sandbox_desk.conftest import Desk, problems, refusal


def test_my_info_is_the_person_of_the_token(desk: Desk) -> None:
    """Two agents' tokens answer differently, and tell their departments if asked."""
    agents = desk.portal.agents()
    for number in (0, 1):
        answer = desk.call(
            "GET",
            "myinfo",
            token=desk.grant(agent=number),
            params={"include": "profile,role,associatedDepartments"},
        )
        info = answer.json()
        assert (info["id"], info["zuid"]) == (agents[number].id, agents[number].zuid)
        names = [department["name"] for department in info["associatedDepartments"]]
        assert names == ["Customer Support", ("Sales", "Billing")[number]]


def test_agents_by_list_id_and_email(desk: Desk) -> None:
    """An agent is found in all three ways; letter case of an e-mail address does not matter."""
    rows = desk.rows("agents", limit=200)
    assert len(rows) == 6
    one = desk.get(f"agents/{rows[2]['id']}").json()
    assert one["emailId"] == rows[2]["emailId"]
    assert desk.get(f"agents/email/{one['emailId'].upper()}").json()["id"] == one["id"]
    assert desk.get("agents/email/nobody@example.com").status_code == 404
    assert desk.get("agents/5").status_code == 404


def test_agent_list_pages_and_filters(desk: Desk) -> None:
    """Agents are listed by name, in pages counted from 1, and can be narrowed."""
    everything = desk.ids("agents")
    assert desk.ids("agents", limit=2, **{"from": 3}) == everything[2:4]
    assert desk.ids("agents", limit=0) == []
    assert desk.ids("agents", sortOrder="desc") == everything[::-1]
    assert desk.ids("agents", searchStr="Agent3", fieldName="firstName") == [everything[3]]
    assert desk.ids("agents", searchStr="agent3*") == [everything[3]]
    sales = list(desk.portal.departments)[1]
    assert desk.ids("agents", departmentIds=sales) == everything[::2]
    desk.config.agents_of(desk.org.org_id)[5].active = False
    assert desk.ids("agents", status="DISABLED") == [everything[5]]
    assert len(desk.ids("agents", status="ACTIVE")) == 5
    assert desk.ids("agents", isLightAgent="true") == []


def test_departments(desk: Desk) -> None:
    """Three departments, one of them the default, each with its agents."""
    rows = desk.rows("departments")
    assert [row["name"] for row in rows] == ["Customer Support", "Sales", "Billing"]
    assert [row["isDefault"] for row in rows] == [True, False, False]
    one = desk.get(f"departments/{rows[1]['id']}").json()
    assert one["associatedAgentIds"] == [agent.id for agent in desk.portal.agents()[::2]]
    assert desk.get("departments/5").status_code == 404
    assert [row["name"] for row in desk.rows("departments", searchStr="sal*")] == ["Sales"]
    assert desk.ids("departments", isEnabled="false") == []


def test_organizations(desk: Desk) -> None:
    """All portals of a person are listed; those of the token are one."""
    second = desk.config.orgs[0].org_id
    desk.config.agents_of(desk.org.org_id)[0].orgs.append(second)
    assert desk.ids("organizations") == [desk.org.org_id, second]
    assert desk.ids("accessibleOrganizations") == [desk.org.org_id]
    org = desk.get(f"organizations/{desk.org.org_id}").json()
    assert (org["companyName"], org["edition"]) == (desk.org.name, "ENTERPRISE")
    assert desk.get(f"organizations/{second}").status_code == 404


def test_fields_of_calls(desk: Desk) -> None:
    """Desk's own and the custom fields that calls have; a module must be named."""
    rows = desk.rows("fields", module="calls")
    assert [row["apiName"] for row in rows if row["isCustomField"]] == desk.portal.call_fields
    assert {"subject", "recordingUrl"} < {row["apiName"] for row in rows if not row["isCustomField"]}
    assert [row["displayLabel"] for row in desk.rows("fields", module="calls", apiNames="cf_callkey")] == [
        "Call key"
    ]
    assert desk.get("fields", module="tasks").status_code == 204
    assert desk.get("fields").status_code == 422


def test_a_field_of_calls_is_made(desk: Desk) -> None:
    """Its name is made of its label, it can be filled at once, and its label is not given twice."""
    field = {"displayLabel": "Recording new", "type": "URL"}
    wide = desk.grant("Desk.fields.CREATE", "Desk.basic.READ", "Desk.calls.CREATE")
    made = desk.call("POST", "fields", token=wide, params={"module": "calls"}, json=field)
    assert (made.status_code, made.json()["apiName"], made.json()["type"]) == (201, "cf_recording_new", "URL")
    assert "cf_recording_new" in [row["apiName"] for row in desk.rows("fields", module="calls")]
    assert desk.make_call(cf={"cf_recording_new": "https://pbx.example/1"})["cf"]["cf_recording_new"]
    again = desk.call("POST", "fields", token=wide, params={"module": "calls"}, json=field)
    assert problems(again) == {"/displayLabel": "duplicate"}


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"displayLabel": "One"}, {"/type": "missing"}),
        ({"displayLabel": "One", "type": "Rainbow"}, {"/type": "invalid"}),
        ({"displayLabel": "One", "type": "Text"}, {"/maxLength": "missing"}),
        ({"displayLabel": "One", "type": "Text", "maxLength": 256}, {"/maxLength": "invalid"}),
        ({"displayLabel": "One", "type": "Text", "maxLength": 0}, {"/maxLength": "invalid"}),
        ({"type": "URL", "maxLength": 9}, {"/displayLabel": "missing", "/maxLength": "invalid"}),
    ],
)
def test_a_field_that_is_refused(desk: Desk, body: dict[str, object], wrong: dict[str, str]) -> None:
    """Each kind has its own members; what is wrong is named."""
    wide = desk.grant("Desk.settings.CREATE")
    answer = desk.call("POST", "fields", token=wide, params={"module": "calls"}, json=body)
    assert problems(answer) == wrong


def test_who_may_make_fields(desk: Desk) -> None:
    """It takes a scope and a permission of its own, and a module that is there."""
    asked = {"params": {"module": "calls"}, "json": {"displayLabel": "One", "type": "URL"}}
    narrow, wide = desk.grant("Desk.fields.READ"), desk.grant("Desk.fields.CREATE")
    assert refusal(desk.call("POST", "fields", token=narrow, **asked)) == (403, "SCOPE_MISMATCH")
    elsewhere = {**asked, "params": {"module": "moons"}}
    assert refusal(desk.call("POST", "fields", token=wide, **elsewhere))[0] == 422
    desk.config.denied_permissions = ["setup.tabsAndFields"]
    assert refusal(desk.call("POST", "fields", token=wide, **asked)) == (403, "FORBIDDEN")
    told = desk.get("myProfilePermissions").json()["permissions"]
    assert (told["setup"]["tabsAndFields"], told["setup"]["layouts"]) == (False, True)


def test_data_sharing(desk: Desk) -> None:
    """Private records are their owner's alone, read-only ones only the owner changes, and that is told."""
    owner = desk.portal.agents()[0]
    call = desk.make_call(ownerId=owner.id)
    shared = ("Desk.calls.ALL", "Desk.basic.READ", "Desk.search.READ")
    theirs, mine = desk.grant(*shared, agent=1), desk.grant(*shared)
    path, body = f"calls/{call['id']}", desk.call_body(ownerId=owner.id)

    def may(token: str) -> tuple[bool, int]:
        """Tell whether the call is listed, and what a change of it is answered."""
        listed = desk.call("GET", "calls", token=token, params={"limit": "100"})
        ids = [row["id"] for row in listed.json()["data"]] if listed.status_code == 200 else []
        return call["id"] in ids, desk.call("PATCH", path, token=token, json=body).status_code

    assert desk.get("dataSharingRules").json()["calls"] == "public"
    assert (may(mine), may(theirs)) == ((True, 200), (True, 200))
    desk.config.data_sharing = {"calls": "public read only"}
    assert (may(mine), may(theirs)) == ((True, 200), (True, 403))
    desk.config.data_sharing = {"calls": "private"}
    assert desk.get("dataSharingRules").json()["calls"] == "private"
    assert (may(mine), may(theirs)) == ((True, 200), (False, 404))
