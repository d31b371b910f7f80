"""Which bodies Desk takes: the request bodies of calls.yaml and contacts.yaml, written as rules.

Where the official files contradict themselves: required members of a call are those of the newest revision;
a contact needs `lastName` as in the older one, and an account its name; patterns are matched against the
whole value; of two patterns for a contact's `mobile` both hold, so that neither brackets nor `;` pass;
brackets do not pass in `phone`.
"""

from connector.sandbox.desk.rules import (
    INT32_MOST,
    Either,
    Flag,
    Kinds,
    Many,
    Members,
    Named,
    Number,
    Rule,
    Text,
)

_WIDE = r" \t\n\v\f\r\x80-\U0010ffff"  # Java's white space, and everything beyond ASCII
PLAIN_TEXT = rf"[0-9a-zA-Z_\-.$@?,:'/!{_WIDE}]+"
PICK_LIST = rf"[0-9a-zA-Z_\-.$@?:/!(){_WIDE}]+"
PHONE = rf"[0-9a-zA-Z_+\-.$@?,;:'/!{_WIDE}]+"
MOBILE = rf"[0-9a-zA-Z_+\-.$@?,:'/!{_WIDE}]+"
FAX = rf"[0-9a-zA-Z_+\-.()$@?,:'/!{_WIDE}]+"
EMAIL = (
    r"\w[\w+\-.'&!~]*@(?=.{4,256}$)"
    r"(?:[^\W_]+(?:[\-_]*[^\W_])*\.)+[^\W\d_]{2,22}"
)
ASCII_EMAIL = (
    r"[a-zA-Z0-9_][a-zA-Z0-9_+\-.'&~]*@(?=.{4,256}$)"
    r"(?:[a-zA-Z0-9]+(?:[\-_]*[a-zA-Z0-9])*\.)+[a-zA-Z]{2,22}"
)
TIME = (
    r"(?:19|20)[0-9]{2}[-/.](?:0?[1-9]|1[012])[-/.](?:0?[1-9]|[12][0-9]|3[01])"
    r"T(?:[01]?[0-9]|2[0-3]):[0-5]?[0-9]:[0-5]?[0-9](?:[/.][0-9]{0,3})?Z"
)
_URL = r"(?a:(?:ht|f)tps?://[0-9a-zA-Z][-.\w]*(?::[0-9])*/?[a-zA-Z0-9\-.?,|:'/\\+=&%$#_\[\]@!()*;~]*)"
RECORDING_URL = rf"{_URL}|[*]|null|NULL"
WEBSITE = r"(?a:(?:ht|f)tps?://[-.\w]*/?[a-zA-Z0-9\-.?,:'/\\+=&%$#_@]*)"
TICKET_WEB_URL = rf"{_URL}|[*]"

_ID = Number()
_ID_OR_WORD = Number(words=True)
_ID_OR_WORD_OR_NULL = Number(words=True, nullable=True)
_ALERTS = Many(item=Text(choices=("EMAIL", "POPUP", "SMS"), nullable=True), unique=True, nullable=True)


def _fields(most: int = 100) -> Named:
    return Named(names=PLAIN_TEXT, value=Text(most=most, pattern=PLAIN_TEXT))


_REMINDERS = Many(
    item=Either(
        rules=(
            Members(
                members={
                    "alertType": _ALERTS,
                    "reminderType": Text(choices=("RELATIVE",), nullable=True),
                    "relativeReminderInMin": Number(most=INT32_MOST, nullable=True),
                },
                required=("alertType", "relativeReminderInMin", "reminderType"),
                nullable=True,
            ),
            Members(
                members={
                    "alertType": _ALERTS,
                    "reminderType": Text(choices=("ABSOLUTE",), nullable=True),
                    "reminderTime": Text(most=100, pattern=TIME, nullable=True),
                },
                required=("alertType", "reminderTime", "reminderType"),
                nullable=True,
            ),
        )
    )
)

CALL_STATUSES = ("Completed", "Scheduled", "Missed", "Canceled", "In Progress")
_CALL_MEMBERS: dict[str, Rule] = {
    "contactId": _ID,
    "subject": Text(most=300),
    "departmentId": _ID,
    "startTime": Text(most=100, pattern=TIME),
    "ownerId": _ID_OR_WORD,
    "priority": Text(pattern=PICK_LIST),
    "ticketId": _ID,
    "status": Text(choices=CALL_STATUSES),
    "duration": Number(most=INT32_MOST),
    "cf": _fields(),
    "reminder": _REMINDERS,
    "customFields": _fields(),
    "layoutId": _ID,
    "direction": Text(choices=("outbound", "inbound")),
    "description": Text(most=65_535),
    "teamId": _ID_OR_WORD,
    "recordingUrl": Text(pattern=RECORDING_URL, most=2_500),
}

CALL_CREATE = Members(
    members=_CALL_MEMBERS, required=("contactId", "departmentId", "startTime", "status", "subject")
)
CALL_UPDATE = CALL_CREATE
CALL_UPDATE_LENIENT = Members(members=_CALL_MEMBERS)
CALL_TRASH = Members(
    members={"entityIds": Many(item=Number(nullable=True), least=1, most=50, nullable=True)},
    required=("entityIds",),
)
CALL_COMMENT = Members(
    members={
        "contentType": Text(choices=("html", "plainText"), most=100, nullable=True),
        "content": Text(most=32_000, nullable=True),
        "attachmentIds": Many(item=_ID),
    },
    required=("content",),
)


def _contact_members(place_most: int) -> dict[str, Rule]:
    """Return the members of a contact's body; a place may be longer on create than on update."""
    return {
        "lastName": Text(most=200, nullable=True),
        "accountId": _ID_OR_WORD_OR_NULL,
        "firstName": Text(most=40, nullable=True),
        "secondaryEmail": Text(most=100, pattern=EMAIL, nullable=True),
        "phone": Text(most=50, pattern=PHONE, nullable=True),
        "mobile": Text(most=50, pattern=MOBILE),
        "ownerId": _ID_OR_WORD_OR_NULL,
        "type": Text(pattern=PICK_LIST, nullable=True),
        "email": Text(most=255, pattern=EMAIL, nullable=True),
        "zip": Number(most=INT32_MOST),
        "country": Text(most=place_most),
        "twitter": Text(most=100),
        "cf": _fields(),
        "city": Text(most=place_most),
        "customFields": _fields(),
        "street": Text(most=250),
        "facebook": Text(most=100),
        "description": Text(most=65_535),
        "state": Text(most=place_most),
        "title": Text(most=100),
        "layoutId": _ID,
        "language": Text(most=255, pattern=PICK_LIST),
    }


CONTACT_CREATE = Members(members=_contact_members(100), required=("lastName",))
CONTACT_UPDATE = Members(members=_contact_members(30))
CONTACT_TRASH = Members(
    members={"contactIds": Many(item=Number(nullable=True), nullable=True)}, required=("contactIds",)
)


def _account_members(place_most: int, owner: Rule, fax: str) -> dict[str, Rule]:
    """Return the members of an account's body, which differ between create and update as contacts' do."""
    return {
        "accountName": Text(most=200, nullable=True),
        "website": Text(most=120, pattern=WEBSITE, nullable=True),
        "phone": Text(most=30, pattern=PHONE, nullable=True),
        "email": Text(most=255, pattern=EMAIL, nullable=True),
        "country": Text(most=place_most),
        "code": Text(most=30, pattern=PLAIN_TEXT),
        "cf": _fields(),
        "city": Text(most=place_most),
        "customFields": _fields(),
        "street": Text(most=250),
        "annualrevenue": Text(most=100, pattern=r"[0-9]{1,13}(?:\.[0-9]*)?"),
        "description": Text(most=65_535),
        "industry": Text(most=120, pattern=PLAIN_TEXT),
        "state": Text(most=place_most),
        "ownerId": owner,
        "fax": Text(most=30, pattern=fax),
        "associatedSLAIds": Many(item=_ID),
        "layoutId": _ID,
    }


ACCOUNT_CREATE = Members(members=_account_members(100, _ID_OR_WORD, PHONE), required=("accountName",))
ACCOUNT_UPDATE = Members(members=_account_members(30, _ID, FAX))
ACCOUNT_TRASH = Members(members={"accountIds": Many(item=_ID)}, required=("accountIds",))

_LABEL = Text(pattern=PICK_LIST, nullable=True)
_TICKET_FIELDS = Named(
    names=PLAIN_TEXT,
    value=Either(rules=(Text(most=255, pattern=PLAIN_TEXT, nullable=True), Number())),
    nullable=True,
)
_OTHER_TICKET = Members(members={"id": _ID}, required=("id",))

_ID_AND_TYPE = Members(
    members={"id": _ID, "type": Text(choices=("READ_ONLY", "READ_WRITE", "RESTRICTED_ACCESS"))},
    required=("id", "type"),
)
_TICKET_MEMBERS: dict[str, Rule] = {
    "productId": _ID_OR_WORD_OR_NULL,
    "subject": Text(most=1_000),
    "dueDate": Text(most=100, pattern=rf"{TIME}|null", nullable=True),
    "channel": _LABEL,
    "language": _LABEL,
    "priority": _LABEL,
    "assigneeId": _ID_OR_WORD_OR_NULL,
    "email": Text(most=150, pattern=EMAIL, nullable=True),
    "subCategory": _LABEL,
    "cf": _TICKET_FIELDS,
    "customFields": _TICKET_FIELDS,
    "description": Text(most=65_535, nullable=True),
    "classification": _LABEL,
    "category": _LABEL,
    "status": Text(pattern=PICK_LIST),
    "sourceTicket": _OTHER_TICKET,
    "contactId": _ID,
    "departmentId": _ID,
    "uploads": Many(item=_ID),
    "resolution": Text(most=65_535),
    "accountId": _ID,
    "responseDueDate": Text(choices=("null",)),
    "webUrl": Text(most=5_000, pattern=TICKET_WEB_URL),
    "teamId": _ID_OR_WORD,
    "secondaryContacts": Many(item=_ID, most=20),
    "entitySkills": Many(item=_ID, most=10),
    "ticketCreationType": Text(choices=("sendAsEmail", "clone")),
    "clonedTicketId": _ID,
    "layoutId": _ID,
    "parentTicket": Members(members={"id": _ID}, open=True),
}

TICKET_CREATE = Members(
    members={
        **_TICKET_MEMBERS,
        "phone": Text(most=120, pattern=PHONE),
        "contact": Members(
            members={
                "lastName": Text(most=200),
                "email": Text(most=255, pattern=ASCII_EMAIL),
                "firstName": Text(most=100, nullable=True),
            },
            required=("email", "lastName"),
        ),
        "sharedDepartments": Many(item=Text(most=500), most=10),
        "blueprint": Members(members={}, open=True),
    },
    required=("departmentId",),
)
TICKET_UPDATE = Members(
    members={
        **_TICKET_MEMBERS,
        "phone": Text(most=120, pattern=PHONE, nullable=True),
        "contact": Members(
            members={
                "lastName": Text(most=200),
                "email": Text(most=255, pattern=EMAIL),
                "firstName": Text(most=100),
                "phone": Text(most=100, pattern=PHONE),
            },
            open=True,
        ),
        "sharedDepartments": Many(item=_ID_AND_TYPE),
    }
)
TICKET_COMMENT = Members(
    members={
        "isPublic": Flag(),
        "contentType": Text(choices=("html", "plainText")),
        "content": Text(most=32_000),
        "attachmentIds": Many(item=_ID),
    },
    required=("content",),
)

_NARROW_TEXT = r"[0-9a-zA-Z_\-.$@?,:'/! \t\n\v\f\r\x80-\uffff]+"  # without what lies beyond 16 bits
_ENCRYPTED: dict[str, Rule] = {"isEncryptedField": Flag()}


def _field(kind: str, *required: str, **members: Rule) -> tuple[str, Members]:
    """Return a kind of custom field and its rule."""
    own: dict[str, Rule] = {
        "displayLabel": Text(most=200, pattern=_NARROW_TEXT),
        "isTrackLastActivityTime": Flag(),
        "toolTip": Text(most=200),
        "toolTipType": Text(choices=("placeHolder", "icon")),
        "type": Text(choices=(kind,)),
    }
    return kind, Members(members=own | members, required=("displayLabel", "type", *required))


_SUB_TYPE = Text(choices=("Plain", "ColorCoded"))
_PLACES = Number(most=9)
_FIELDS = (
    _field("Text", "maxLength", maxLength=Number(least=1, most=255), **_ENCRYPTED),
    _field("Number", "maxLength", maxLength=Number(least=1, most=9), **_ENCRYPTED),
    _field("Percent", **_ENCRYPTED),
    _field("Decimal", "decimalPlaces", "maxLength", decimalPlaces=_PLACES,
           maxLength=Number(least=1, most=16), **_ENCRYPTED),
    _field("Currency", "decimalPlaces", "maxLength", decimalPlaces=_PLACES,
           maxLength=Number(least=3, most=16), roundingPrecision=Number(most=30),
           roundingOption=Text(choices=("roundOff", "roundDown", "roundUp", "normal"))),
    _field("Date"),
    _field("DateTime"),
    _field("Email", **_ENCRYPTED),
    _field("Phone", "maxLength", maxLength=Number(least=1, most=255), **_ENCRYPTED),
    _field("Picklist", subType=_SUB_TYPE),
    _field("URL", **_ENCRYPTED),
    _field("Textarea"),
    _field("Boolean", defaultValue=Text(choices=("true", "false"))),
    _field("Multiselect", subType=_SUB_TYPE),
    _field("LookUp", "lookup", lookup=Members(
        members={
            "module": Members(
                members={"apiName": Text(most=100, pattern=_NARROW_TEXT)}, required=("apiName",)
            ),
            "relatedListLabel": Text(most=255),
        },
        required=("module", "relatedListLabel"),
    )),
    _field("Formula", "returnType", returnType=Text(
        choices=("STRING", "DECIMAL", "BOOLEAN", "CURRENCY", "DATE", "DATETIME"))),
)  # fmt: skip
FIELD_CREATE = Kinds(by="type", kinds=dict(_FIELDS))
