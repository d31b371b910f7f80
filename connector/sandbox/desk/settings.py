"""What a portal is made of: organisations, agents, departments, and who the token's owner is."""

from collections.abc import Iterable, Mapping
from typing import Any

from connector.sandbox.config import Org
from connector.sandbox.desk import queries, scopes
from connector.sandbox.desk.door import Answer, Ask, Operation
from connector.sandbox.desk.permissions import PROFILE_ID, ROLE_ID, list_permissions
from connector.sandbox.desk.portal import Portal
from connector.sandbox.desk.records import Agent, Department, JsonObject
from connector.sandbox.desk.refusals import Refusal
from connector.sandbox.desk.search import any_match, cut
from connector.sandbox.desk.shapes import listing, wants
from connector.sandbox.desk.times import write_time

_EDITIONS = {"Free": "FREE", "Express": "EXPRESS", "Professional": "PROFESSIONAL", "Enterprise": "ENTERPRISE"}
_NOTHING_OF_ORG = (
    "alias city country currencyCode currencyLocale currencySymbol description designation employeeCount "
    "employeeCountRange faviconURL fax industry logoURL migrationFrom mobile phoneNumber primaryContact "
    "preferredCommunicationChannels preferredSolution state street website zip"
)


def list_organizations(ask: Ask) -> Answer:
    """List every portal of the person who gave the token, whichever it is bound to."""
    user = ask.config.user(ask.grant.zuid)
    orgs = [ask.config.org(org_id) for org_id in (user.orgs if user else ())]
    return listing(_shape_org(ask, org) for org in orgs if org is not None)


def list_accessible_organizations(ask: Ask) -> Answer:
    """List the one portal that the token is bound to."""
    return listing([_shape_org(ask, ask.portal.org)])


def get_organization(ask: Ask) -> Answer:
    """Read the portal that the token is bound to."""
    if ask.path["id"] != ask.portal.org.org_id:
        raise Refusal("URL_NOT_FOUND")
    more = {"customDomain": None} if ask.query.get("includeCustomDomain") else {}
    return _shape_org(ask, ask.portal.org) | more


def _shape_org(ask: Ask, org: Org) -> JsonObject:
    desk = ask.config.data_center(org.location).desk or ""
    shape: JsonObject = dict.fromkeys(_NOTHING_OF_ORG.split())
    return shape | {
        "id": org.org_id,
        "companyName": org.name[:50],
        "portalName": "".join(c for c in org.name.lower() if c.isascii() and c.isalnum()),
        "portalURL": desk[:100],
        "edition": _EDITIONS.get(org.edition),
        "timeZone": ask.config.time_zone,
        "isAdminInOrg": True,
        "isDefault": org.org_id == ask.portal.org.org_id,
        "isPayloadEncryptionEnabled": False,
        "isSandboxPortal": False,
    }


def list_agents(ask: Ask) -> Answer:
    """List the agents of the portal, by name."""
    query = ask.query
    kept = [agent for agent in ask.portal.agents() if _is_listed(ask.portal, agent, query)]
    kept.sort(key=lambda agent: agent.full_name.lower(), reverse=query.get("sortOrder") == "desc")
    return listing(_shape_listed(ask.portal, agent) for agent in cut(kept, query))


def _is_listed(portal: Portal, agent: Agent, query: Mapping[str, Any]) -> bool:
    fields = {
        "firstName": agent.first_name,
        "lastName": agent.last_name,
        "emailId": agent.email,
        "name": agent.full_name,
    }
    searched = [fields[query["fieldName"]]] if "fieldName" in query else list(fields.values())
    own, wanted = _department_ids(portal, agent), query.get("departmentIds")
    return (
        ("searchStr" not in query or any_match(query["searchStr"], searched))
        and query.get("status", _status(agent)) == _status(agent)
        and query.get("isConfirmed", True)
        and not query.get("isLightAgent", False)
        and (wanted is None or not wanted.isdisjoint(own))
    )


def get_agent(ask: Ask) -> Answer:
    """Read one agent."""
    return _found(ask.portal, (each for each in ask.portal.agents() if each.id == ask.path["id"]))


def get_agent_by_email(ask: Ask) -> Answer:
    """Read the agent who has an e-mail address; letter case does not matter."""
    email = ask.path["email"].lower()
    return _found(ask.portal, (each for each in ask.portal.agents() if each.email.lower() == email))


def _found(portal: Portal, agents: Iterable[Agent]) -> Answer:
    agent = next(iter(agents), None)
    if agent is None:
        raise Refusal("URL_NOT_FOUND")
    return _shape_agent(portal, agent)


def get_my_info(ask: Ask) -> Answer:
    """Read the agent who gave the token."""
    departments = [
        {"id": each.id, "name": each.name, "sanitizedName": _sanitize(each.name)}
        for each in ask.portal.departments.values()
        if ask.agent in ask.portal.agents_in(each)
    ]
    more = {
        "profile": {"id": PROFILE_ID, "name": "Support Administrator"},
        "role": {"id": ROLE_ID, "name": "CEO"},
        "associatedDepartments": departments,
        "associatedChatDepartments": [],
    }
    shape = _shape_listed(ask.portal, ask.agent)
    return shape | {name: value for name, value in more.items() if wants(ask, name)}


def _status(agent: Agent) -> str:
    return "ACTIVE" if agent.is_active else "DISABLED"


def _department_ids(portal: Portal, agent: Agent) -> list[str]:
    return [each.id for each in portal.departments.values() if agent in portal.agents_in(each)]


def _shape_agent(portal: Portal, agent: Agent) -> JsonObject:
    return {
        "id": agent.id,
        "zuid": agent.zuid,
        "name": agent.full_name,
        "firstName": agent.first_name,
        "lastName": agent.last_name,
        "emailId": agent.email,
        "status": _status(agent),
        "isConfirmed": True,
        "associatedDepartmentIds": _department_ids(portal, agent),
        "associatedChatDepartmentIds": [],
        "profileId": PROFILE_ID,
        "roleId": ROLE_ID,
        "rolePermissionType": "Admin",
        "channelExpert": [],
        "aboutInfo": "",
        "countryCode": "en_US",
        "langCode": "en_US",
        "timeZone": "UTC",
        "extn": "",
        "mobile": "",
        "phone": "",
        "photoURL": None,
    }


def _shape_listed(portal: Portal, agent: Agent) -> JsonObject:
    return _shape_agent(portal, agent) | {"isZiaAgent": False}


def list_departments(ask: Ask) -> Answer:
    """List the departments; all are enabled."""
    kept = [
        each
        for each in ask.portal.departments.values()
        if any_match(ask.query.get("searchStr", ("*",)), [each.name]) and ask.query.get("isEnabled", True)
    ]
    return listing(_shape_department(each) for each in cut(kept, ask.query))


def get_department(ask: Ask) -> Answer:
    """Read one department with the ids of its agents."""
    department = ask.portal.departments.get(ask.path["id"])
    if department is None:
        raise Refusal("URL_NOT_FOUND")
    agent_ids = [agent.id for agent in ask.portal.agents_in(department)]
    return _shape_department(department) | {"associatedAgentIds": agent_ids}


def _shape_department(department: Department) -> JsonObject:
    return {
        "id": department.id,
        "name": department.name,
        "nameInCustomerPortal": department.name,
        "sanitizedName": _sanitize(department.name),
        "description": department.description,
        "creatorId": department.creator_id,
        "createdTime": write_time(department.created_at),
        "isDefault": department.is_default,
        "isEnabled": True,
        "isVisibleInCustomerPortal": True,
        "isAssignToTeamEnabled": False,
        "chatStatus": "NOT_CREATED",
        "hasLogo": False,
    }


def _sanitize(name: str) -> str:
    return name.lower().replace(" ", "-")


_AGENT_LIST, _DEPARTMENT_LIST = "/api/v1/agents", "/api/v1/departments"


def _read(path: str, needed: scopes.Scopes, handler: Any, **more: Any) -> Operation:
    return Operation(method="GET", path=path, scopes=needed, handler=handler, **more)


OPERATIONS = (
    _read("/api/v1/organizations", scopes.ORGANIZATIONS, list_organizations, org_free=True),
    _read(
        "/api/v1/organizations/{id:int}",
        scopes.ORGANIZATIONS,
        get_organization,
        query=queries.ORGANIZATION_GET,
    ),
    _read("/api/v1/accessibleOrganizations", scopes.ORGANIZATIONS, list_accessible_organizations),
    _read("/api/v1/myinfo", scopes.MY_INFO, get_my_info, query=queries.MY_INFO),
    _read("/api/v1/myProfilePermissions", scopes.PERMISSIONS, list_permissions),
    _read(_AGENT_LIST, scopes.AGENTS, list_agents, query=queries.AGENT_LIST, cost="page"),
    _read(f"{_AGENT_LIST}/email/{{email}}", scopes.MY_INFO, get_agent_by_email),
    _read(f"{_AGENT_LIST}/{{id:int}}", scopes.AGENTS, get_agent, query=queries.AGENT_GET),
    _read(_DEPARTMENT_LIST, scopes.DEPARTMENTS, list_departments, query=queries.DEPARTMENT_LIST, cost="page"),
    _read(f"{_DEPARTMENT_LIST}/{{id:int}}", scopes.DEPARTMENTS, get_department),
)
