"""The table of actions: every operation of Desk that we send or that programs may ask for, and what it takes.

The scopes that linking asks for, their reasons on the pages, and the check of a portal are made of it.
Sources: the official OpenAPI files (zoho/zohodesk-oas v1.0), with which a test compares every row. They put
all scopes of an operation into one requirement; which of them are alternatives in fact is read from what
clients get by with. Permissions are those of Profile.commonPermissionJsonResponse. Where neither names a
permission, or the edition, the row has none: that shows only when it is tried.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Literal

import msgspec

from connector.casing import ascii_lower

Level = Literal["private", "public read only", "public"]
"""How a module's records are shared among agents, as Desk calls it, the least first."""


_LEVELS: Mapping[str, Level] = MappingProxyType({"create": "private", "edit": "public", "delete": "public"})


class Feature(msgspec.Struct, frozen=True):
    """Something that the product does in Desk: what it is called, and why, as an administrator reads it.

    An optional one is on only where it is asked for.
    """

    title: str
    why: str
    is_optional: bool = False


LOOK_UP = Feature("Finding contacts", "to find out who is calling, and to show the name and the account")
CONTACT_INDEX = Feature("Keeping the contact index", "to know callers without asking for each call")
NEW_CONTACTS = Feature("Making contacts", "to make a contact for a caller whom Desk does not know yet")
TICKETS = Feature("Showing tickets", "to show the caller's open tickets")
RECORDS = Feature("Writing call records", "to write the call record")
RECONCILE = Feature(
    "Reading call records", "to look whether a record is there already before writing it again"
)
CHANGES = Feature(
    "Changing call records", "to add to a record what became known later, such as the recording"
)
PORTAL = Feature("Reading the portal", "to read the portal, its departments and its agents")
OWNERS = Feature(
    "Reading agents' addresses", "to read the agents' e-mail addresses, so that records find their owner"
)
WEBHOOKS = Feature(
    "Subscribing to webhooks",
    "to be told by Desk which contacts change, instead of asking for them, and to end that again",
    is_optional=True,
)
FIELDS = Feature(
    "Making custom fields", "to make the custom field for the recording's address", is_optional=True
)
CARDS = Feature(
    "Editing cards",
    "to change contacts and accounts where an agent edits them in the banner",
    is_optional=True,
)
NEW_TICKETS = Feature(
    "Making tickets", "to make tickets of calls, and to change and comment on them", is_optional=True
)
ACCOUNTS = Feature(
    "Finding accounts", "to find out which company is calling, and who works there", is_optional=True
)


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """One operation of Desk.

    `scopes` are groups, of each of which one is needed; the first is the one that we ask for.
    `permission` is what the linking agent's profile must allow, `module` whose records must be shared.
    `edition` is the smallest that has it, "" where every edition does or nobody says.
    `credits` is what one request costs, of a list its first page. `uses` are the features that send it.
    """

    id: str
    title: str
    group: str
    method: str
    path: str
    scopes: tuple[tuple[str, ...], ...]
    permission: str | None = None
    module: str | None = None
    edition: str = ""
    is_repeatable: bool = True
    credits: int = 1
    uses: tuple[Feature, ...] = ()

    @property
    def level(self) -> Level:
        """Return how much its module must be shared, as far as other agents' records go.

        Changing theirs takes all of it, reading them less; what is made anew is one's own.
        """
        right = (self.permission or "").partition(".")[2]
        return _LEVELS.get(right, "public read only")

    @property
    def is_write(self) -> bool:
        """Tell whether it leaves something in Desk, which light agents may not."""
        return self.method != "GET"


def _row(title: str, request: str, *scopes: tuple[str, ...], may: str | None = None, **more: Any) -> Action:
    """Return a row; `request` is its method and path, `may` the permission, and from that the module."""
    method, _, path = request.partition(" ")
    module = (may or "").partition(".")[0]
    given: dict[str, Any] = {
        "id": ascii_lower(title).replace(" ", "_"),
        "title": title,
        "group": path.strip("/").partition("/")[0],
        "method": method,
        "path": path,
        "scopes": scopes,
        "permission": may,
        "module": module if module in SHARED_MODULES else None,
    }
    return Action(**given | more)


def _one_of(right: str, *modules: str) -> tuple[str, ...]:
    return tuple(f"Desk.{module}.{right}" for module in modules)


SHARED_MODULES = ("contacts", "accounts", "tickets", "calls")
"""Modules of data sharing whose records actions touch; agents and settings are not shared by it."""

_READ_CONTACTS, _MAKE_CONTACTS = _one_of("READ", "contacts"), _one_of("CREATE", "contacts")
_CHANGE_CONTACTS, _TRASH_CONTACTS = _one_of("UPDATE", "contacts"), _one_of("DELETE", "contacts")
_SEARCH, _READ_TICKETS = _one_of("READ", "search"), _one_of("READ", "tickets")
_CHANGE_TICKETS = _one_of("UPDATE", "tickets")
_CALLS = ("calls", "activities.calls")
_AGENTS, _DEPARTMENTS = ("basic", "agents", "settings"), ("basic", "departments", "settings")
_ORGANIZATION, _PERMISSIONS = ("basic", "organization", "settings"), ("basic", "permissions", "settings")
# An older revision of the contract names basic alone.
_LAYOUTS = ("basic", "layouts")
_SKILLS = ("automations", "settings")
# Of the three Desk.webhooks is in no list of scopes, and one that Zoho does not know would spoil the
# consent.
_WEBHOOKS = ("events", "settings", "webhooks")

PAGE = 3
"""Credits of a page of a list or search; more beyond offset 2,000."""

TRASH = 6
"""Credits for each record that is trashed."""

ACTIONS: tuple[Action, ...] = (
    # Contacts
    _row("Search Contacts", "GET /contacts/search", _READ_CONTACTS, _SEARCH, may="contacts.view",
         credits=PAGE, uses=(LOOK_UP, CONTACT_INDEX)),
    _row("List Contacts", "GET /contacts", _READ_CONTACTS, may="contacts.view", credits=PAGE),
    _row("Get Contact", "GET /contacts/{contactId}", _READ_CONTACTS, may="contacts.view",
         uses=(LOOK_UP, CONTACT_INDEX)),
    _row("Create Contact", "POST /contacts", _MAKE_CONTACTS, may="contacts.create", is_repeatable=False,
         uses=(NEW_CONTACTS,)),
    _row("Update Contact", "PATCH /contacts/{contactId}", _CHANGE_CONTACTS, may="contacts.edit",
         uses=(CARDS,)),
    _row("Delete Contacts", "POST /contacts/moveToTrash", _TRASH_CONTACTS, may="contacts.delete",
         credits=TRASH),
    _row("List Tickets By Contact", "GET /contacts/{contactId}/tickets", _READ_CONTACTS, _READ_TICKETS,
         _SEARCH, may="tickets.view", group="tickets", credits=PAGE, uses=(TICKETS,)),
    # Accounts
    _row("List Accounts", "GET /accounts", _READ_CONTACTS, may="accounts.view", credits=PAGE,
         uses=(ACCOUNTS,)),
    _row("Search Accounts", "GET /accounts/search", _READ_CONTACTS, _SEARCH, may="accounts.view",
         credits=PAGE, uses=(ACCOUNTS,)),
    _row("Get Account", "GET /accounts/{accountId}", _READ_CONTACTS, may="accounts.view", uses=(ACCOUNTS,)),
    _row("List Contacts By Account", "GET /accounts/{accountId}/contacts", _READ_CONTACTS,
         may="contacts.view", group="contacts", credits=PAGE, uses=(ACCOUNTS,)),
    _row("Create Account", "POST /accounts", _MAKE_CONTACTS, may="accounts.create", is_repeatable=False,
         uses=(CARDS,)),
    _row("Update Account", "PATCH /accounts/{accountId}", _CHANGE_CONTACTS, may="accounts.edit",
         uses=(CARDS,)),
    _row("Delete Accounts", "POST /accounts/moveToTrash", _TRASH_CONTACTS, may="accounts.delete",
         credits=TRASH),
    # Tickets
    _row("List Tickets", "GET /tickets", _READ_TICKETS, may="tickets.view", credits=PAGE),
    _row("List All Associated Tickets", "GET /associatedTickets", _READ_TICKETS, may="tickets.view",
         group="tickets", credits=PAGE),
    _row("Search Tickets", "GET /tickets/search", _READ_TICKETS, _SEARCH, may="tickets.view", credits=PAGE,
         uses=(TICKETS,)),
    _row("Get Ticket", "GET /tickets/{ticketId}", _READ_TICKETS, may="tickets.view", uses=(TICKETS,)),
    _row("Create Ticket", "POST /tickets", _one_of("CREATE", "tickets"), may="tickets.create",
         is_repeatable=False, uses=(NEW_TICKETS,)),
    _row("Update Ticket", "PATCH /tickets/{ticketId}", _CHANGE_TICKETS, may="tickets.edit",
         uses=(NEW_TICKETS,)),
    _row("Move Ticket", "POST /tickets/{ticketId}/move", _CHANGE_TICKETS, may="tickets.edit"),
    _row("Move Tickets To Trash", "POST /tickets/moveToTrash", _one_of("DELETE", "tickets"),
         may="tickets.delete", credits=TRASH),
    _row("List Ticket Comments", "GET /tickets/{ticketId}/comments", _READ_TICKETS, module="tickets",
         credits=PAGE, uses=(NEW_TICKETS,)),
    _row("Create Ticket Comment", "POST /tickets/{ticketId}/comments", _CHANGE_TICKETS, module="tickets",
         is_repeatable=False, uses=(NEW_TICKETS,)),
    # Call records
    _row("Create Call", "POST /calls", _one_of("CREATE", *_CALLS), may="calls.create", is_repeatable=False,
         uses=(RECORDS,)),
    _row("Get Call", "GET /calls/{callId}", _one_of("READ", *_CALLS), may="calls.view", uses=(RECONCILE,)),
    _row("List Calls", "GET /calls", _one_of("READ", *_CALLS), may="calls.view", credits=PAGE,
         uses=(RECONCILE,)),
    _row("Search Calls", "GET /calls/search", _one_of("READ", "calls"), _SEARCH, may="calls.view",
         credits=PAGE, uses=(RECONCILE,)),
    _row("Update Call", "PATCH /calls/{callId}", _one_of("UPDATE", *_CALLS), may="calls.edit",
         uses=(CHANGES,)),
    _row("Create Call Comment", "POST /calls/{callId}/comments",
         _one_of("UPDATE", "activities.calls", "tasks"), module="calls", is_repeatable=False),
    # The portal itself
    _row("List Organizations", "GET /organizations", _one_of("READ", *_ORGANIZATION), uses=(PORTAL,)),
    _row("Get Organization", "GET /organizations/{organizationId}", _one_of("READ", *_ORGANIZATION)),
    _row("Get My Info", "GET /myinfo", _one_of("READ", "basic", "settings"), group="agents",
         uses=(PORTAL,)),
    _row("Get My Profile Permissions", "GET /myProfilePermissions", _one_of("READ", *_PERMISSIONS),
         group="permissions", uses=(PORTAL,)),
    _row("Get Data Sharing Rules", "GET /dataSharingRules", _one_of("READ", *_PERMISSIONS),
         group="permissions", uses=(PORTAL,)),
    # Agents and departments
    _row("List Agents", "GET /agents", _one_of("READ", *_AGENTS), credits=PAGE, uses=(PORTAL,)),
    _row("Get Agent", "GET /agents/{agentId}", _one_of("READ", *_AGENTS)),
    # The contract names settings first here and basic first elsewhere. Both are asked for: read literally,
    # it wants both, and some clients get by with either.
    _row("Get Agent By Email", "GET /agents/email/{emailId}", _one_of("READ", "settings", "basic"),
         may="agents.viewAllFields", uses=(OWNERS,)),
    _row("Add Agent", "POST /agents", _one_of("CREATE", *_AGENTS), may="agents.create",
         is_repeatable=False),
    _row("Update Agent", "PATCH /agents/{agentId}", _one_of("UPDATE", *_AGENTS), may="agents.edit"),
    _row("List Departments", "GET /departments", _one_of("READ", *_DEPARTMENTS), credits=PAGE,
         uses=(PORTAL,)),
    _row("Get Department", "GET /departments/{departmentId}", _one_of("READ", *_DEPARTMENTS)),
    _row("Add Department", "POST /departments", _one_of("CREATE", *_DEPARTMENTS), may="setup.department",
         is_repeatable=False),
    _row("Update Department", "PATCH /departments/{departmentId}", _one_of("UPDATE", *_DEPARTMENTS),
         may="setup.department"),
    _row("Enable Department", "POST /departments/{departmentId}/enable",
         _one_of("UPDATE", *_DEPARTMENTS), may="setup.department"),
    _row("Disable Department", "POST /departments/{departmentId}/disable",
         _one_of("UPDATE", *_DEPARTMENTS), may="setup.department"),
    # Skills
    _row("List Skills", "GET /skills", _one_of("READ", *_SKILLS), credits=PAGE),
    _row("Get Skill", "GET /skills/{skillId}", _one_of("READ", *_SKILLS)),
    _row("Create Skill", "POST /skills", _one_of("CREATE", *_SKILLS), is_repeatable=False),
    _row("Update Skill", "PATCH /skills/{skillId}", _one_of("UPDATE", *_SKILLS)),
    _row("Delete Skill", "DELETE /skills/{skillId}", _one_of("DELETE", *_SKILLS)),
    _row("List Skill Types", "GET /skillTypes", _one_of("READ", *_SKILLS), credits=PAGE),
    _row("Get Skill Type", "GET /skillTypes/{skillTypeId}", _one_of("READ", *_SKILLS)),
    _row("Create Skill Type", "POST /skillTypes", _one_of("CREATE", *_SKILLS), is_repeatable=False),
    _row("Update Skill Type", "PATCH /skillTypes/{skillTypeId}", _one_of("UPDATE", *_SKILLS)),
    _row("Delete Skill Type", "DELETE /skillTypes/{skillTypeId}", _one_of("DELETE", *_SKILLS)),
    # Webhooks
    _row("Create Webhook", "POST /webhooks", _one_of("CREATE", *_WEBHOOKS), may="setup.webhooks",
         edition="professional", is_repeatable=False, uses=(WEBHOOKS,)),
    _row("List Webhooks", "GET /webhooks", _one_of("READ", *_WEBHOOKS), may="setup.webhooks",
         edition="professional", credits=PAGE, uses=(WEBHOOKS,)),
    _row("Delete Webhook", "DELETE /webhooks/{webhookId}", _one_of("DELETE", *_WEBHOOKS),
         may="setup.webhooks", edition="professional", uses=(WEBHOOKS,)),
    # Fields and layouts
    _row("List Fields", "GET /fields", _one_of("READ", "basic", "fields"), credits=PAGE, uses=(PORTAL,)),
    _row("List Layouts", "GET /layouts", _one_of("READ", *_LAYOUTS), credits=PAGE, uses=(PORTAL,)),
    _row("Get Layout", "GET /layouts/{layoutId}", _one_of("READ", *_LAYOUTS), uses=(PORTAL,)),
    _row("Create Field", "POST /fields", _one_of("CREATE", "fields", "settings"),
         may="setup.tabsAndFields", is_repeatable=False, uses=(FIELDS,)),
)  # fmt: skip

FEATURES: tuple[Feature, ...] = tuple(dict.fromkeys(each for action in ACTIONS for each in action.uses))
"""Every feature, in the order in which the table names them."""

ALWAYS: tuple[Feature, ...] = tuple(each for each in FEATURES if not each.is_optional)
"""What every portal is linked for."""


def enabled(
    *,
    webhooks: bool = False,
    fields: bool = False,
    cards: bool = False,
    tickets: bool = False,
    accounts: bool = False,
) -> tuple[Feature, ...]:
    """Return the features that are on."""
    optional = (
        (WEBHOOKS, webhooks),
        (FIELDS, fields),
        (CARDS, cards),
        (NEW_TICKETS, tickets),
        (ACCOUNTS, accounts),
    )
    return (*ALWAYS, *(feature for feature, is_on in optional if is_on))


def used_by(features: Iterable[Feature]) -> tuple[Action, ...]:
    """Return the actions that some features send, in the table's order."""
    wanted = set(features)
    return tuple(action for action in ACTIONS if not wanted.isdisjoint(action.uses))
