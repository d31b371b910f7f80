"""Every operation of Desk that we use, as a pure request; the client sends them.

Sources: the official OpenAPI files (zoho/zohodesk-oas v1.0); the operation's name stands above each.
Costs follow Desk's credits: one record 1, a page of a list or a search 3 (more beyond offset 2,000).
"""

from collections.abc import Sequence
from typing import Any, Literal
from urllib.parse import quote

from connector.clock import to_iso
from connector.zoho import fields
from connector.zoho.layouts import DeskField, Layout, Module
from connector.zoho.models import (
    Account,
    CallComment,
    Contact,
    Department,
    DeskAgent,
    DeskCall,
    DeskRecord,
    Matches,
    Organization,
    Permissions,
    Ticket,
    TicketComment,
    Webhook,
    desk_record,
    matches,
    maybe,
    one,
    page,
    read_permissions,
    read_sharing,
)
from connector.zoho.wire import Request

PAGE_COST = 3
LIST_LIMIT = 100
AGENTS_LIMIT = 200

FARTHEST_SEARCHED = 999
"""The last offset that a search takes (contacts.yaml, sFrom)."""

SearchField = Literal["phone", "mobile", "email", "_all"]
Span = Literal["createdTime", "modifiedTime"]
RecordModule = Literal["contacts", "accounts", "tickets"]
"""The modules of which a whole record can be read."""

_contacts = page(Contact)
_calls = page(DeskCall)
_contact = one(Contact)
_account = one(Account)
_ticket = one(Ticket)
_call = one(DeskCall)


# Operation getOrganizations of Organization.json
def organizations() -> Request[list[Organization]]:
    """Ask for the portals of the authorising agent; needs no orgId."""
    return Request(method="GET", path="/organizations", read=page(Organization))


# Operation getMyInfo of Agent.json
def my_info() -> Request[DeskAgent]:
    """Ask who the authorising agent is."""
    return Request(method="GET", path="/myinfo", read=one(DeskAgent))


# Operation getMyProfilePermissions of Profile.json
def my_permissions() -> Request[Permissions]:
    """Ask what the profile of the authorising agent allows."""
    return Request(method="GET", path="/myProfilePermissions", read=read_permissions)


# Operation getDataSharingRules of SharingRule.json
def sharing_rules() -> Request[dict[str, str]]:
    """Ask how each module's records are shared among agents."""
    return Request(method="GET", path="/dataSharingRules", read=read_sharing)


# Operation getAgents of Agent.json
def agents(from_index: int, limit: int) -> Request[list[DeskAgent]]:
    """Ask for a page of agents, at most 200."""
    query = _paged(from_index, min(limit, AGENTS_LIMIT))
    return Request(method="GET", path="/agents", read=page(DeskAgent), query=query, cost=PAGE_COST)


# Operation getAgentByEmail of Agent.json
def agent_by_email(email: str) -> Request[DeskAgent | None]:
    """Ask for the agent with an e-mail address; nothing (204) is no agent."""
    return Request(method="GET", path=f"/agents/email/{quote(email, safe='@')}", read=maybe(DeskAgent))


# Operation getDepartments of Department.json
def departments(from_index: int, limit: int) -> Request[list[Department]]:
    """Ask for a page of departments, at most 200."""
    query = _paged(from_index, min(limit, AGENTS_LIMIT))
    return Request(method="GET", path="/departments", read=page(Department), query=query, cost=PAGE_COST)


# Operation searchContacts of Search.json
def search_contacts(field: SearchField, values: Sequence[str]) -> Request[list[Contact]]:
    """Ask for the contacts whose field is one of at most 30 values; `*` stands for anything."""
    query = ((field, ",".join(values)), ("limit", str(LIST_LIMIT)))
    return Request(method="GET", path="/contacts/search", read=_contacts, query=query, cost=PAGE_COST)


# Operation searchContacts of Search.json
def search_contacts_text(text: str, limit: int) -> Request[list[Contact]]:
    """Ask for the contacts whose full name holds a text."""
    query = (("fullName", f"*{text}*"), ("limit", str(min(limit, LIST_LIMIT))))
    return Request(method="GET", path="/contacts/search", read=_contacts, query=query, cost=PAGE_COST)


# Operation getContacts of Contact.json
def contacts(from_index: int, limit: int) -> Request[list[Contact]]:
    """Ask for a page of contacts with their accounts, at most 100."""
    query = (*_paged(from_index, min(limit, LIST_LIMIT)), ("include", "accounts"))
    return Request(method="GET", path="/contacts", read=_contacts, query=query, cost=PAGE_COST)


# Operation searchContacts of Search.json
def contacts_since(by: Span, since: int, until: int, from_index: int) -> Request[Matches[Contact]]:
    """Ask for the contacts made or modified between two moments, both included, the oldest first.

    A page's price rises with its offset, and a search has no offset beyond 999: who goes through
    many contacts begins anew at the last moment seen.
    """
    query = (
        (f"{by}Range", f"{to_iso(since)},{to_iso(until)}"),
        ("sortBy", by),
        *_paged(from_index, LIST_LIMIT),
    )
    read = matches(Contact)
    return Request(method="GET", path="/contacts/search", read=read, query=query, cost=PAGE_COST)


# Operation getContact of Contact.json
def contact(contact_id: str) -> Request[Contact]:
    """Ask for one contact with its account."""
    query = (("include", "accounts"),)
    return Request(method="GET", path=f"/contacts/{_id(contact_id)}", read=_contact, query=query)


# Operation createContact of Contact.json
def create_contact(body: dict[str, Any]) -> Request[Contact]:
    """Make a contact from `fields.contact_body`."""
    return Request(method="POST", path="/contacts", read=_contact, body=body, repeatable=False)


# Operation updateContact of Contact.json
def patch_contact(contact_id: str, body: dict[str, Any]) -> Request[DeskRecord]:
    """Change what is given of a contact."""
    return Request(method="PATCH", path=f"/contacts/{_id(contact_id)}", read=desk_record, body=body)


# Operations getContact of Contact.json, getAccount of Account.json and getTicket of Ticket.json
def record(module: RecordModule, record_id: str) -> Request[DeskRecord]:
    """Ask for one record as a whole; a contact comes with its account."""
    query = (("include", "accounts"),) if module == "contacts" else ()
    return Request(method="GET", path=f"/{module}/{_id(record_id)}", read=desk_record, query=query)


# Operation getAccounts of Account.json
def accounts(from_index: int, limit: int) -> Request[list[Account]]:
    """Ask for a page of accounts, at most 100."""
    query = _paged(from_index, min(limit, LIST_LIMIT))
    return Request(method="GET", path="/accounts", read=page(Account), query=query, cost=PAGE_COST)


# Operation searchAccounts of Search.json
def accounts_since(by: Span, since: int, until: int, from_index: int) -> Request[Matches[Account]]:
    """Ask for the accounts made or modified between two moments, as `contacts_since` does for contacts."""
    query = (
        (f"{by}Range", f"{to_iso(since)},{to_iso(until)}"),
        ("sortBy", by),
        *_paged(from_index, LIST_LIMIT),
    )
    read = matches(Account)
    return Request(method="GET", path="/accounts/search", read=read, query=query, cost=PAGE_COST)


# Operation createAccount of Account.json
def create_account(body: dict[str, Any]) -> Request[Account]:
    """Make an account."""
    return Request(method="POST", path="/accounts", read=_account, body=body, repeatable=False)


# Operation updateAccount of Account.json
def patch_account(account_id: str, body: dict[str, Any]) -> Request[DeskRecord]:
    """Change what is given of an account."""
    return Request(method="PATCH", path=f"/accounts/{_id(account_id)}", read=desk_record, body=body)


# Operation getContactsUnderAccount of Contact.json
def account_contacts(account_id: str, limit: int) -> Request[list[Contact]]:
    """Ask for the contacts of an account, at most 100."""
    path, query = f"/accounts/{_id(account_id)}/contacts", _paged(0, min(limit, LIST_LIMIT))
    return Request(method="GET", path=path, read=_contacts, query=query, cost=PAGE_COST)


# Operation searchTickets of Search.json. It lags behind: a new ticket is found some seconds later.
def search_tickets(criteria: Sequence[tuple[str, str]], limit: int) -> Request[list[Ticket]]:
    """Ask for the tickets that meet every criterion, such as `phone` with at most 30 values."""
    query = (*criteria, ("limit", str(min(limit, LIST_LIMIT))))
    return Request(method="GET", path="/tickets/search", read=page(Ticket), query=query, cost=PAGE_COST)


# Operation createTicket of Ticket.json
def create_ticket(body: dict[str, Any]) -> Request[Ticket]:
    """Make a ticket."""
    return Request(method="POST", path="/tickets", read=_ticket, body=body, repeatable=False)


# Operation getTicket of Ticket.json
def ticket(ticket_id: str) -> Request[Ticket]:
    """Ask for one ticket."""
    return Request(method="GET", path=f"/tickets/{_id(ticket_id)}", read=_ticket)


# Operation updateTicket of Ticket.json
def patch_ticket(ticket_id: str, body: dict[str, Any]) -> Request[Ticket]:
    """Change what is given of a ticket."""
    return Request(method="PATCH", path=f"/tickets/{_id(ticket_id)}", read=_ticket, body=body)


# Operation getTicketComments of TicketComment.json
def ticket_comments(ticket_id: str, limit: int) -> Request[list[TicketComment]]:
    """Ask for a ticket's comments, the oldest first, at most 100."""
    path, query = f"/tickets/{_id(ticket_id)}/comments", _paged(0, min(limit, LIST_LIMIT))
    return Request(method="GET", path=path, read=page(TicketComment), query=query, cost=PAGE_COST)


# Operation createTicketComment of TicketComment.json; without a contentType Desk takes it for HTML.
def create_ticket_comment(ticket_id: str, content: str, *, is_public: bool) -> Request[TicketComment]:
    """Add a plain-text comment to a ticket; the contact sees a public one."""
    body = {
        "contentType": "plainText",
        "content": fields.clip(content, fields.COMMENT_LENGTH),
        "isPublic": is_public,
    }
    path = f"/tickets/{_id(ticket_id)}/comments"
    return Request(method="POST", path=path, read=one(TicketComment), body=body, repeatable=False)


# Operation getTicketsByContact of Ticket.json
def contact_tickets(contact_id: str, limit: int, *, newest_first: bool) -> Request[list[Ticket]]:
    """Ask for a contact's tickets, by the time of their making."""
    path = f"/contacts/{_id(contact_id)}/tickets"
    query = (*_paged(0, min(limit, LIST_LIMIT)), ("sortBy", _by_making(newest_first=newest_first)))
    return Request(method="GET", path=path, read=page(Ticket), query=query, cost=PAGE_COST)


# Operation createCall of Call.json
def create_call(body: dict[str, Any]) -> Request[DeskCall]:
    """Write a call record from `fields.call_body`."""
    return Request(method="POST", path="/calls", read=_call, body=body, repeatable=False)


# Operation getCall of Call.json
def call(call_id: str) -> Request[DeskCall]:
    """Ask for one call record, description included."""
    return Request(method="GET", path=f"/calls/{_id(call_id)}", read=_call)


# Operation updateCall of Call.json
def patch_call(call_id: str, body: dict[str, Any]) -> Request[DeskCall]:
    """Change a call record; by contract the five required fields belong into the body again."""
    return Request(method="PATCH", path=f"/calls/{_id(call_id)}", read=_call, body=body)


# Operation getCalls of Call.json. The enum has ascending order only; a sister operation tells of the "-".
def calls(department_id: str, from_index: int, limit: int, *, newest_first: bool) -> Request[list[DeskCall]]:
    """Ask for a page of a department's calls, by the time of their making."""
    order = ("sortBy", _by_making(newest_first=newest_first))
    query = (*_paged(from_index, min(limit, LIST_LIMIT)), ("departmentId", department_id), order)
    return Request(method="GET", path="/calls", read=_calls, query=query, cost=PAGE_COST)


# Operation searchCalls of Search.json. It lags behind: a new record is found some seconds later.
def search_calls(created_from: int, created_to: int, text: str | None, limit: int) -> Request[list[DeskCall]]:
    """Ask for the calls made in a time, with a text anywhere in them (three characters at least)."""
    span = f"{to_iso(created_from)},{to_iso(created_to)}"
    searched = (("_all", text),) if text else ()
    query = (("createdTimeRange", span), ("limit", str(min(limit, LIST_LIMIT))), *searched)
    return Request(method="GET", path="/calls/search", read=_calls, query=query, cost=PAGE_COST)


# Operation createCallComment of CallComments.json
def create_call_comment(call_id: str, content: str) -> Request[CallComment]:
    """Add a plain-text comment to a call record."""
    body = {"contentType": "plainText", "content": fields.clip(content, fields.COMMENT_LENGTH)}
    path = f"/calls/{_id(call_id)}/comments"
    return Request(method="POST", path=path, read=one(CallComment), body=body, repeatable=False)


# Operation getFields of Field.json; a Desk that has not got it yet answers as for any unknown address.
def module_fields(module: Module) -> Request[list[DeskField]]:
    """Ask for all fields of a module, custom ones included."""
    query = (("module", module),)
    return Request(method="GET", path="/fields", read=page(DeskField), query=query, cost=PAGE_COST)


# Operation getLayouts of Layout.json
def layouts(module: Module, department_id: str | None) -> Request[list[Layout]]:
    """Ask for the layouts of a module that are in use, those of one department if one is given."""
    query = (("module", module), *((("departmentId", department_id),) if department_id else ()))
    return Request(method="GET", path="/layouts", read=page(Layout), query=query, cost=PAGE_COST)


# Operation getLayout of Layout.json
def layout(layout_id: str) -> Request[Layout]:
    """Ask for one layout with its sections and their fields."""
    return Request(method="GET", path=f"/layouts/{_id(layout_id)}", read=one(Layout))


# Operation createField of Field.json; Desk derives the API name, such as cf_recording, and answers it.
def create_call_field(label: str) -> Request[DeskField]:
    """Make a custom field of call records that takes an address."""
    query, body = (("module", "calls"),), {"displayLabel": label, "type": "URL"}
    read = one(DeskField)
    return Request(method="POST", path="/fields", read=read, query=query, body=body, repeatable=False)


# Operation createWebhook of Webhook.json
def create_webhook(body: dict[str, Any]) -> Request[Webhook]:
    """Subscribe to what happens in Desk, from `webhooks.subscription`."""
    return Request(method="POST", path="/webhooks", read=one(Webhook), body=body, repeatable=False)


# Operation getWebhooks of Webhook.json
def webhooks() -> Request[list[Webhook]]:
    """Ask for every subscription of the portal."""
    return Request(method="GET", path="/webhooks", read=page(Webhook), cost=PAGE_COST)


# Operation deleteWebhook of Webhook.json
def delete_webhook(webhook_id: str) -> Request[None]:
    """End a subscription; the contract gives the good answer an empty body."""
    return Request(method="DELETE", path=f"/webhooks/{_id(webhook_id)}", read=lambda _body: None)


def _by_making(*, newest_first: bool) -> str:
    return "-createdTime" if newest_first else "createdTime"


def _paged(from_index: int, limit: int) -> tuple[tuple[str, str], ...]:
    # The contract does not say where the lists of contacts, agents and departments begin to count. Taken
    # as counting from 0, those that count from 1 repeat a record between pages; otherwise one would be lost.
    start = (("from", str(from_index)),) if from_index else ()
    return (*start, ("limit", str(limit)))


def _id(text: str) -> str:
    # An id that is none must not become another path.
    return quote(text, safe="")
