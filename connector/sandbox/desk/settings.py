"""Organisations, agents, departments, who the token's owner is, what the profile allows, and data sharing.

Every permission is held unless it was taken away from the portal (`DeskState.deny`); a light agent only
reads.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from connector.sandbox.config import Org
from connector.sandbox.desk import params, scopes
from connector.sandbox.desk.gateway import Answer, DeskRequest, Operation
from connector.sandbox.desk.portal import Portal
from connector.sandbox.desk.records import Agent, Department, JsonObject
from connector.sandbox.desk.refusals import Refusal
from connector.sandbox.desk.search import any_match, cut
from connector.sandbox.desk.shapes import listing, wants
from connector.sandbox.desk.times import write_time

PROFILE_ID = "104000000000000801"
ROLE_ID = "104000000000000802"

_CRUD = "view edit create delete"
_VIEWS = (
    "manageOwnCustomViews shareOwnCustomViews editSharedCustomViews deleteSharedCustomViews "
    "reshareSharedCustomViews"
)
_EXPORTED = f"{_CRUD} export {_VIEWS}"
_MODULE = f"{_EXPORTED} import"

_PERMISSIONS = {
    "tickets": f"{_MODULE} mergeTickets changeOwner handleUnassigned closeTicket deleteTags revokeBlueprint "
    "mailReview addFollowers mailSend editTags unassignedChangeOwner shareTickets",
    **dict.fromkeys(("contacts", "accounts", "calls", "events", "tasks", "products", "contracts"), _MODULE),
    **dict.fromkeys(("zia", "timeEntry", "gc", "im"), _CRUD),
    **dict.fromkeys(
        (
            "clientEvents",
            "componentMapping",
            "eventMapping",
            "componentEventMappingAssociation",
            "clientActionConditions",
            "clientAction",
            "clientActionModuleAssociation",
            "clientActionLocationAssociation",
        ),
        _EXPORTED,
    ),
    "reports": f"{_CRUD} export",
    "activities": _VIEWS,
    "agents": "overview import edit create delete viewAllFields",
    "comments": "edit delete",
    "community": f"{_CRUD} moderate",
    "CommunityTopic": "view",
    "CommunityComment": "view",
    "social": "view twitterPostDelete twitterConversationReply twitterPostCreate",
    "mobileapp": "radar deskapp customMobileApps",
    "kbCategory": f"{_CRUD} editAllArticles import manageKB admin export",
    "crmInteg": "crmContactsActivityEvents crmContactsActivityTasks crmContactsActivityCalls crmContactsInfo "
    "crmContactsNotes crmContactsPotentials crmAccountsActivityEvents crmAccountsActivityTasks "
    "crmAccountsActivityCalls crmAccountsInfo crmAccountsNotes crmAccountsPotentials",
    "financeInteg": "sendSalesOrder createSalesOrder sendInvoice viewSubscription createEstimate "
    "createContact viewInvoice createInvoice sendEstimate viewSalesOrder viewEstimate",
    "radar": "agentStats currentStats auditLog im channelTraffic dailyToast liveTraffic exceptionHandling "
    "textContentProtection dashboards dailyTrend apiUsageAlerts fcr activities kb visualContentProtection "
    "feeds averageHandlingTime customerHappiness manageRadar quickView mostThreadedTickets contacts",
    "setup": "automation buttons chat community customerHappiness department email exportPortalUsers "
    "exportUsers featureConfig fetchAcrossDepartment gamification globalReports googleAnalytics im "
    "importHistory layouts localization manageAgents manageMarketplace managerDashboard massComment "
    "massReply moveRecords permission pinnedConversations portal portalUsers privacySettings rebranding "
    "recycleBin sandbox securitySettings shareSnippet signUpApproval social tabsAndFields teams telephony "
    "templates timeTracking webForm webhooks",
}

_WRITES = frozenset({"create", "edit", "delete", "import"})


def list_permissions(request: DeskRequest) -> Answer:
    """Return what the profile of the agent allows, module by module."""
    lacks, light = request.portal.lacks, request.agent.is_light
    return {
        "id": PROFILE_ID,
        "name": "Light Agent" if light else "Support Administrator",
        "description": "",
        "default": True,
        "isVisible": True,
        "type": "Light" if light else "Administrator",
        "permissions": {
            module: {
                name: not lacks(f"{module}.{name}") and not (light and name in _WRITES)
                for name in names.split()
            }
            for module, names in _PERMISSIONS.items()
        },
    }


_SHARED = ("tickets", "calls", "accounts", "contracts", "contacts", "tasks", "events", "products")


def list_sharing(request: DeskRequest) -> Answer:
    """Return how each module is shared among agents."""
    return {module: request.portal.sharing(module) for module in _SHARED}


_EDITIONS = {"Free": "FREE", "Express": "EXPRESS", "Professional": "PROFESSIONAL", "Enterprise": "ENTERPRISE"}
_NOTHING_OF_ORG = (
    "alias city country currencyCode currencyLocale currencySymbol description designation employeeCount "
    "employeeCountRange faviconURL fax industry logoURL migrationFrom mobile phoneNumber primaryContact "
    "preferredCommunicationChannels preferredSolution state street website zip"
)


def list_organizations(request: DeskRequest) -> Answer:
    """List every portal of the person who gave the token, whichever it is bound to."""
    user = request.config.user(request.grant.zuid)
    orgs = [request.config.org(org_id) for org_id in (user.orgs if user else ())]
    return listing(_shape_org(request, org) for org in orgs if org is not None)


def list_accessible_organizations(request: DeskRequest) -> Answer:
    """List the one portal that the token is bound to."""
    return listing([_shape_org(request, request.portal.org)])


def get_organization(request: DeskRequest) -> Answer:
    """Read the portal that the token is bound to."""
    if request.path["id"] != request.portal.org.org_id:
        raise Refusal("URL_NOT_FOUND")
    more = {"customDomain": None} if request.query.get("includeCustomDomain") else {}
    return _shape_org(request, request.portal.org) | more


def _shape_org(request: DeskRequest, org: Org) -> JsonObject:
    desk = request.config.data_center(org.location).desk or ""
    shape: JsonObject = dict.fromkeys(_NOTHING_OF_ORG.split())
    return shape | {
        "id": org.org_id,
        "companyName": org.name[:50],
        "portalName": "".join(c for c in org.name.lower() if c.isascii() and c.isalnum()),
        "portalURL": desk[:100],
        "edition": _EDITIONS.get(org.edition),
        "timeZone": request.config.time_zone,
        "isAdminInOrg": True,
        "isDefault": org.org_id == request.portal.org.org_id,
        "isPayloadEncryptionEnabled": False,
        "isSandboxPortal": False,
    }


def list_agents(request: DeskRequest) -> Answer:
    """List the agents of the portal, by name."""
    query = request.query
    kept = [agent for agent in request.portal.agents() if _is_listed(request.portal, agent, query)]
    kept.sort(key=lambda agent: agent.full_name.lower(), reverse=query.get("sortOrder") == "desc")
    return listing(_shape_listed(request.portal, agent) for agent in cut(kept, query))


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


def get_agent(request: DeskRequest) -> Answer:
    """Read one agent."""
    return _found(request.portal, (each for each in request.portal.agents() if each.id == request.path["id"]))


def get_agent_by_email(request: DeskRequest) -> Answer:
    """Read the agent who has an e-mail address; letter case does not matter."""
    email = request.path["email"].lower()
    return _found(request.portal, (each for each in request.portal.agents() if each.email.lower() == email))


def _found(portal: Portal, agents: Iterable[Agent]) -> Answer:
    agent = next(iter(agents), None)
    if agent is None:
        raise Refusal("URL_NOT_FOUND")
    return _shape_agent(portal, agent)


def get_my_info(request: DeskRequest) -> Answer:
    """Read the agent who gave the token."""
    departments = [
        {"id": each.id, "name": each.name, "sanitizedName": _sanitize(each.name)}
        for each in request.portal.departments.values()
        if request.agent in request.portal.agents_in(each)
    ]
    more = {
        "profile": {"id": PROFILE_ID, "name": "Support Administrator"},
        "role": {"id": ROLE_ID, "name": "CEO"},
        "associatedDepartments": departments,
        "associatedChatDepartments": [],
    }
    shape = _shape_listed(request.portal, request.agent)
    return shape | {name: value for name, value in more.items() if wants(request, name)}


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
        "extn": agent.extension,
        "mobile": "",
        "phone": "",
        "photoURL": None,
    }


def _shape_listed(portal: Portal, agent: Agent) -> JsonObject:
    return _shape_agent(portal, agent) | {"isZiaAgent": False}


def list_departments(request: DeskRequest) -> Answer:
    """List the departments; all are enabled."""
    kept = [
        each
        for each in request.portal.departments.values()
        if any_match(request.query.get("searchStr", ("*",)), [each.name])
        and request.query.get("isEnabled", True)
    ]
    return listing(_shape_department(each) for each in cut(kept, request.query))


def get_department(request: DeskRequest) -> Answer:
    """Read one department with the ids of its agents."""
    department = request.portal.departments.get(request.path["id"])
    if department is None:
        raise Refusal("URL_NOT_FOUND")
    agent_ids = [agent.id for agent in request.portal.agents_in(department)]
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
        query=params.ORGANIZATION_GET,
    ),
    _read("/api/v1/accessibleOrganizations", scopes.ORGANIZATIONS, list_accessible_organizations),
    _read("/api/v1/myinfo", scopes.MY_INFO, get_my_info, query=params.MY_INFO),
    _read("/api/v1/myProfilePermissions", scopes.PERMISSIONS, list_permissions),
    _read(_AGENT_LIST, scopes.AGENTS, list_agents, query=params.AGENT_LIST, cost="page"),
    _read(f"{_AGENT_LIST}/email/{{email}}", scopes.MY_INFO, get_agent_by_email),
    _read(f"{_AGENT_LIST}/{{id:int}}", scopes.AGENTS, get_agent, query=params.AGENT_GET),
    _read(_DEPARTMENT_LIST, scopes.DEPARTMENTS, list_departments, query=params.DEPARTMENT_LIST, cost="page"),
    _read(f"{_DEPARTMENT_LIST}/{{id:int}}", scopes.DEPARTMENTS, get_department),
    _read("/api/v1/dataSharingRules", scopes.PERMISSIONS, list_sharing),
)
