"""Organisations, agents, departments and who one is."""

from tests.integration.sandbox_desk.conftest import Desk


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
    """The custom fields that calls have, and no others; a module must be named."""
    assert [row["apiName"] for row in desk.rows("fields", module="calls")] == desk.portal.call_fields
    assert [row["displayLabel"] for row in desk.rows("fields", module="calls", apiNames="cf_callkey")] == [
        "Call key"
    ]
    assert desk.get("fields", module="contacts").status_code == 204
    assert desk.get("fields").status_code == 422
