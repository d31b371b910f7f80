"""What the profile of an agent allows, as `GET /myProfilePermissions` tells it.

Every permission is held unless it was taken away from the portal (`DeskState.deny`); a light agent only
reads.
"""

from connector.sandbox.desk.door import Answer, Ask

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


def list_permissions(ask: Ask) -> Answer:
    """Tell what the profile of the agent allows, module by module."""
    denied, light = ask.portal.denied, ask.agent.is_light
    return {
        "id": PROFILE_ID,
        "name": "Light Agent" if light else "Support Administrator",
        "description": "",
        "default": True,
        "isVisible": True,
        "type": "Light" if light else "Administrator",
        "permissions": {
            module: {
                name: f"{module}.{name}" not in denied and not (light and name in _WRITES)
                for name in names.split()
            }
            for module, names in _PERMISSIONS.items()
        },
    }
