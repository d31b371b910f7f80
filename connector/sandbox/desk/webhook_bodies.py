"""Which bodies Desk takes for a webhook: settings.yaml written as rules, one row an event."""

from connector.sandbox.desk.rules import Flag, Many, Members, Number, Rule, Text

_IDS = Many(item=Number(nullable=True), nullable=True)
_FLAG = Flag(nullable=True)
_UUID = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
_SOURCE = rf"(?:{_UUID})?"
_NAME = r"(?a:[0-9a-zA-Z_\-&.$@^(){}~=|*+?\[\],:\"'/!\u0080-\uFFFF\s]+)"
_DESCRIPTION = r"(?a:[0-9a-zA-Z_\-.$@?,:'/!\u0080-\uFFFF\s]+)"
_URL = (
    r"(?a:(?:ht|f)tps?://[0-9a-zA-Z][-.\w]*(?::[0-9])*/?"
    r"[a-zA-Z0-9\-.?,|:'/\\+=&%$#_\[\]@!()*;~]*)|[*]"
)
_NEW_URL = r"(?a:(?:ht|f)tps?://[-.\w]*/?[a-zA-Z0-9\-.?,:'/\\+=&amp;%$#_@]*)"


def _filter(**members: Rule) -> Members:
    return Members(members=members, required=(), nullable=True)


_NONE = Text(nullable=True)
_BARE = _filter()
_PREV = Members(members={"includePrevState": _FLAG}, required=("includePrevState",), nullable=True)
_DEPARTMENTS = Members(members={"departmentIds": _IDS}, required=("departmentIds",), nullable=True)
_DEPARTMENTS_PREV = Members(
    members={"departmentIds": _IDS, "includePrevState": _FLAG},
    required=("departmentIds", "includePrevState"),
    nullable=True,
)
_BOTH_DEPARTMENTS = Members(
    members={"departmentId": _IDS, "departmentIds": _IDS},
    required=("departmentId", "departmentIds"),
    nullable=True,
)
_TICKET_UPDATE = Members(
    members={
        "departmentId": _IDS,
        "departmentIds": _IDS,
        "fields": Many(item=Text(most=100, pattern=_DESCRIPTION, nullable=True), most=5, nullable=True),
        "includePrevState": _FLAG,
    },
    required=("departmentId", "departmentIds", "fields", "includePrevState"),
    nullable=True,
)
_THREAD_ADD = Members(
    members={
        "departmentId": _IDS,
        "departmentIds": _IDS,
        "direction": Text(choices=("in", "out"), nullable=True),
    },
    required=("departmentId", "departmentIds", "direction"),
    nullable=True,
)

_WITHOUT_FILTER = (
    "Account_Add Account_Delete Agent_Add Agent_Channel_Preference_Update Agent_Delete "
    "Agent_Presence_Update Article_Add Article_Delete Article_Feedback_Add Article_Translation_Add "
    "Article_Translation_Delete Call_Delete Contact_Add Contact_Delete Department_Add Event_Delete "
    "KBRootCategory_Add KBRootCategory_Delete KBSection_Add KBSection_Delete Task_Delete "
    "Ticket_Approval_Add Ticket_Comment_Attachment_Add Ticket_Comment_Attachment_Delete Ticket_Delete "
    "TimeEntry_Add TimeEntry_Delete"
)
_WITH_PREV = (
    "Account_Update Agent_Update Article_Translation_Update Article_Update Contact_Update "
    "Department_Update KBRootCategory_Update KBSection_Update Ticket_Approval_Update TimeEntry_Update"
)
_WITH_DEPARTMENTS = (
    "Call_Add Event_Add IM_Message_Add IM_Message_Status Task_Add Ticket_Attachment_Delete "
    "Ticket_Attachment_Restored Ticket_Attachment_Trashed"
)

EVENTS: dict[str, Rule] = {
    **dict.fromkeys(_WITHOUT_FILTER.split(), _NONE),
    **dict.fromkeys(_WITH_PREV.split(), _PREV),
    **dict.fromkeys(_WITH_DEPARTMENTS.split(), _DEPARTMENTS),
    **dict.fromkeys(("Call_Update", "Event_Update", "Task_Update"), _DEPARTMENTS_PREV),
    **dict.fromkeys(
        ("IM_Session_Status", "Ticket_Add", "Ticket_Comment_Add", "Ticket_Comment_Update"), _BOTH_DEPARTMENTS
    ),
    **dict.fromkeys(("Ticket_Attachment_Add", "Ticket_Attachment_Update"), _BARE),
    "Ticket_Update": _TICKET_UPDATE,
    "Ticket_Thread_Add": _THREAD_ADD,
}

_SUBSCRIPTIONS = Members(members=EVENTS, nullable=True)
_SOURCES = Many(item=Text(most=100, pattern="AUTOMATION"))

WEBHOOK_CREATE = Members(
    members={
        "subscriptions": _SUBSCRIPTIONS,
        "includeEventsFrom": _SOURCES,
        "isEnabled": Flag(),
        "name": Text(most=100, pattern=_NAME),
        "description": Text(most=3_000, pattern=_DESCRIPTION),
        "ignoreSourceId": Text(most=250, pattern=_SOURCE),
        "url": Text(most=500, pattern=_URL),
    },
    required=("subscriptions", "url"),
)
WEBHOOK_UPDATE = Members(
    members={
        "subscriptions": _SUBSCRIPTIONS,
        "includeEventsFrom": _SOURCES,
        "isEnabled": Flag(),
        "name": Text(most=100),
        "description": Text(most=3_000),
        "ignoreSourceId": Text(most=100, pattern=_SOURCE),
        "url": Text(most=100, pattern=_NEW_URL),
    },
    required=("subscriptions",),
)
