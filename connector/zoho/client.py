"""Zoho Desk, one method an endpoint: each asks the budget for leave, sends, and deciphers.

Above each stands the operation and the official OpenAPI file (zoho/zohodesk-oas v1.0) that it is of.
"""

import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from copy import copy
from typing import Any, Self, TypeVar

import httpx2
import msgspec

from connector.clock import to_iso
from connector.errors import InvalidData, RecordNotFound
from connector.zoho import fields, operations, wire
from connector.zoho.budget import Budget, Leaves
from connector.zoho.data_centers import DataCenter
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
)
from connector.zoho.operations import AGENTS_LIMIT, LIST_LIMIT, RecordModule, SearchField, Span
from connector.zoho.tokens import DeskAuth, TokenSource
from connector.zoho.transport import last_look, mapped
from connector.zoho.wire import Request

T = TypeVar("T")

REQUEST_IDS = ("X-Request-Id", "X-ZRequestId")
"""Headers in which answers may name their request; Desk documents none."""


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """A request that left, without what it said, and how it was answered; `status` is None if it was not."""

    operation: str
    milliseconds: int
    status: int | None = None
    error_code: str = ""
    request_id: str = ""


Tell = Callable[[Exchange], None]
"""Hears of each request that left."""


class Sorting:
    """Which lists of a portal can be had newest first, which the contract leaves open.

    `known` reads what was refused before, by any process, and `keep` is told of what is refused now.
    """

    def __init__(
        self,
        known: Callable[[], Awaitable[Collection[str]]] | None = None,
        keep: Callable[[str], Awaitable[None]] | None = None,
    ) -> None:
        self._known = known
        self._keep = keep
        self._working: dict[str, bool] = {}

    async def may_try(self, name: str) -> bool:
        """Tell whether a list may be asked for in that order."""
        works = self._working.get(name)
        if works or self._known is None:
            return works is not False
        # Asked each time, for another process may have forgotten it.
        return name not in await self._known()

    def works(self, name: str) -> None:
        """Note that a list was sorted so."""
        self._working[name] = True

    async def refuse(self, name: str) -> None:
        """Note that a list is not sorted so."""
        self._working[name] = False
        if self._keep is not None:
            await self._keep(name)


class Desk:
    """One portal's Desk.

    Every method raises a ZohoError where it does not answer. Those that write anew can raise OutcomeUnknown.
    `live` marks what somebody is waiting for, and may use the budget's reserve.
    """

    def __init__(
        self,
        http: httpx2.AsyncClient,
        dc: DataCenter,
        org_id: str | None,
        tokens: TokenSource,
        budget: Budget,
        sorting: Sorting | None = None,
    ) -> None:
        """Make the client of a portal; `org_id` is None while linking, when only `organizations` works.

        `sorting` is what is known of the orders in which it lists things; without it, nothing is.

        Raises NoDeskThere for a data centre without Desk.
        """
        self._http = http
        self._origin = dc.desk_origin()
        self._headers = {"Accept": "application/json"} | ({"orgId": org_id} if org_id else {})
        self._auth = DeskAuth(tokens)
        self._budget = budget
        self._sorting = sorting or Sorting()
        self._tell: Tell | None = None

    def using(self, budget: Budget, tell: Tell | None = None) -> Self:
        """Return the same Desk, whose requests use another budget, such as a permit that is held already.

        `tell` hears of each of them.
        """
        other = copy(self)
        other._budget = budget
        other._tell = tell
        return other

    # GET /organizations is operation getOrganizations of Organization.json
    async def organizations(self) -> list[Organization]:
        """List the portals that the grant's agent belongs to."""
        return await self._send(operations.organizations())

    # GET /myinfo is operation getMyInfo of Agent.json
    async def my_info(self) -> DeskAgent:
        """Tell who the grant's agent is."""
        return await self._send(operations.my_info())

    # GET /myProfilePermissions is operation getMyProfilePermissions of Profile.json
    async def my_permissions(self) -> Permissions:
        """Tell what the profile of the grant's agent allows."""
        return await self._send(operations.my_permissions())

    # GET /dataSharingRules is operation getDataSharingRules of SharingRule.json
    async def sharing_rules(self) -> dict[str, str]:
        """Tell how each module's records are shared: public, public read only or private."""
        return await self._send(operations.sharing_rules())

    # GET /agents is operation getAgents of Agent.json
    async def agents(self, from_index: int = 0, limit: int = AGENTS_LIMIT) -> list[DeskAgent]:
        """List a page of agents, at most 200; pages may overlap by one, see `operations`."""
        return await self._send(operations.agents(from_index, limit))

    # GET /agents/email/{emailId} is operation getAgentByEmail of Agent.json
    async def agent_by_email(self, email: str) -> DeskAgent | None:
        """Find the agent with an e-mail address; None for nobody, be it told as 204 or as 404."""
        try:
            return await self._send(operations.agent_by_email(email))
        except RecordNotFound:
            return None

    # GET /departments is operation getDepartments of Department.json
    async def departments(self, from_index: int = 0, limit: int = AGENTS_LIMIT) -> list[Department]:
        """List a page of departments, at most 200; pages may overlap by one, see `operations`."""
        return await self._send(operations.departments(from_index, limit))

    # GET /contacts/search is operation searchContacts of Search.json
    async def search_contacts(
        self, field: SearchField, values: Sequence[str], *, live: bool = False
    ) -> list[Contact]:
        """Find the contacts whose field is one of the values, `*` standing for anything.

        The first 30 distinct values that Desk can search for are used; without one, nothing is asked.
        """
        taken = fields.searchable(values)
        return await self._send(operations.search_contacts(field, taken), live=live) if taken else []

    # GET /contacts/search is operation searchContacts of Search.json
    async def search_contacts_text(self, text: str, limit: int = 20, *, live: bool = True) -> list[Contact]:
        """Find the contacts whose full name holds a text; commas and stars in it are spaces."""
        plain = " ".join(text.replace(",", " ").replace("*", " ").split())[: fields.LAST_NAME_LENGTH - 2]
        return await self._send(operations.search_contacts_text(plain, limit), live=live) if plain else []

    # GET /contacts is operation getContacts of Contact.json
    async def list_contacts(self, from_index: int = 0, limit: int = LIST_LIMIT) -> list[Contact]:
        """List a page of contacts, at most 100; pages may overlap by one, see `operations`."""
        return await self._send(operations.contacts(from_index, limit))

    # GET /contacts/search is operation searchContacts of Search.json
    async def contacts_since(self, by: Span, since: int, until: int, from_index: int = 0) -> Matches[Contact]:
        """Find 100 contacts made or modified between two moments, the oldest first; the index lags."""
        return await self._send(operations.contacts_since(by, since, until, from_index))

    # GET /contacts/{contactId} is operation getContact of Contact.json
    async def get_contact(self, contact_id: str, *, live: bool = False) -> Contact:
        """Read a contact; RecordNotFound or Forbidden where it is gone or hidden."""
        return await self._send(operations.contact(contact_id), live=live)

    # POST /contacts is operation createContact of Contact.json
    async def create_contact(self, body: dict[str, Any], *, live: bool = False) -> Contact:
        """Make a contact from `fields.contact_body`; OutcomeUnknown if it may be there or not."""
        return await self._send(operations.create_contact(body), live=live)

    # PATCH /contacts/{contactId} is operation updateContact of Contact.json
    async def patch_contact(self, contact_id: str, body: dict[str, Any], *, live: bool = False) -> DeskRecord:
        """Change what is given of a contact; Desk has no If-Match, so the last of two writers wins."""
        return await self._send(operations.patch_contact(contact_id, body), live=live)

    # GET /contacts/{id}, /accounts/{id} and /tickets/{id} are getContact, getAccount and getTicket
    async def record(self, module: RecordModule, record_id: str, *, live: bool = False) -> DeskRecord:
        """Read a record as a whole, a contact with its account; RecordNotFound where it is gone or hidden."""
        return await self._send(operations.record(module, record_id), live=live)

    # GET /accounts is operation getAccounts of Account.json
    async def list_accounts(self, from_index: int = 0, limit: int = LIST_LIMIT) -> list[Account]:
        """List a page of accounts, at most 100; pages may overlap by one, see `operations`."""
        return await self._send(operations.accounts(from_index, limit))

    # GET /accounts/search is operation searchAccounts of Search.json
    async def accounts_since(self, by: Span, since: int, until: int, from_index: int = 0) -> Matches[Account]:
        """Find 100 accounts made or modified between two moments, the oldest first; the index lags."""
        return await self._send(operations.accounts_since(by, since, until, from_index))

    # POST /accounts is operation createAccount of Account.json
    async def create_account(self, body: dict[str, Any], *, live: bool = False) -> Account:
        """Make an account; OutcomeUnknown if it may be there or not."""
        return await self._send(operations.create_account(body), live=live)

    # PATCH /accounts/{accountId} is operation updateAccount of Account.json
    async def patch_account(self, account_id: str, body: dict[str, Any], *, live: bool = False) -> DeskRecord:
        """Change what is given of an account."""
        return await self._send(operations.patch_account(account_id, body), live=live)

    # GET /accounts/{accountId}/contacts is operation getContactsUnderAccount of Contact.json
    async def contacts_of_account(
        self, account_id: str, limit: int = LIST_LIMIT, *, live: bool = False
    ) -> list[Contact]:
        """List the contacts of an account, at most 100."""
        return await self._send(operations.account_contacts(account_id, limit), live=live)

    # GET /contacts/{contactId}/tickets is operation getTicketsByContact of Ticket.json
    async def contact_tickets(self, contact_id: str, limit: int = 25, *, live: bool = False) -> list[Ticket]:
        """List a contact's tickets, the newest first, open or not.

        Where Desk refuses that order, it is made here, of the contact's first hundred.
        """
        request = operations.contact_tickets(contact_id, limit, newest_first=True)
        found = await self._newest_first("tickets", request, live=live)
        if found is None:
            request = operations.contact_tickets(contact_id, LIST_LIMIT, newest_first=False)
            found = await self._send(request, live=live)
            found = sorted(found, key=lambda ticket: ticket.created_at or 0, reverse=True)
        return found[:limit]

    async def lists_newest_tickets(self) -> bool:
        """Tell whether Desk sorts tickets descending: then the newest are listed, however many there are."""
        return await self._sorting.may_try("tickets")

    # GET /tickets/search is operation searchTickets of Search.json
    async def search_tickets(
        self,
        *,
        phones: Sequence[str] = (),
        email: str | None = None,
        contact_id: str | None = None,
        account_id: str | None = None,
        created: tuple[int, int] | None = None,
        limit: int = LIST_LIMIT,
        live: bool = False,
    ) -> list[Ticket]:
        """Find the tickets that meet all that is given; the index lags behind.

        Of the phones any may match: the first 30 that Desk can search for. `created` are two moments, both
        included. Where there is nothing to search for, nothing is asked.
        """
        taken = fields.searchable(phones)
        span = f"{to_iso(created[0])},{to_iso(created[1])}" if created else None
        given = {
            "phone": ",".join(taken),
            "email": email,
            "contactId": contact_id,
            "accountId": account_id,
            "createdTimeRange": span,
        }
        criteria = [(name, value) for name, value in given.items() if value]
        if not criteria or (phones and not taken):
            return []
        return await self._send(operations.search_tickets(criteria, limit), live=live)

    # POST /tickets is operation createTicket of Ticket.json
    async def create_ticket(self, body: dict[str, Any], *, live: bool = False) -> Ticket:
        """Make a ticket; OutcomeUnknown if it may be there or not."""
        return await self._send(operations.create_ticket(body), live=live)

    # GET /tickets/{ticketId} is operation getTicket of Ticket.json
    async def get_ticket(self, ticket_id: str, *, live: bool = False) -> Ticket:
        """Read a ticket; RecordNotFound or Forbidden where it is gone or hidden."""
        return await self._send(operations.ticket(ticket_id), live=live)

    # PATCH /tickets/{ticketId} is operation updateTicket of Ticket.json
    async def patch_ticket(self, ticket_id: str, body: dict[str, Any], *, live: bool = False) -> Ticket:
        """Change what is given of a ticket."""
        return await self._send(operations.patch_ticket(ticket_id, body), live=live)

    # GET /tickets/{ticketId}/comments is operation getTicketComments of TicketComment.json
    async def ticket_comments(
        self, ticket_id: str, limit: int = LIST_LIMIT, *, live: bool = False
    ) -> list[TicketComment]:
        """List a ticket's comments, the oldest first, at most 100."""
        return await self._send(operations.ticket_comments(ticket_id, limit), live=live)

    # POST /tickets/{ticketId}/comments is operation createTicketComment of TicketComment.json
    async def create_ticket_comment(
        self, ticket_id: str, content: str, *, is_public: bool = False, live: bool = False
    ) -> TicketComment:
        """Add a plain-text comment to a ticket; OutcomeUnknown if it may be there or not."""
        request = operations.create_ticket_comment(ticket_id, content, is_public=is_public)
        return await self._send(request, live=live)

    # POST /calls is operation createCall of Call.json
    async def create_call(self, body: dict[str, Any]) -> DeskCall:
        """Write a call record from `fields.call_body`; OutcomeUnknown if it may be there or not."""
        return await self._send(operations.create_call(body))

    # GET /calls/{callId} is operation getCall of Call.json
    async def get_call(self, call_id: str) -> DeskCall:
        """Read a call record; what can be written as recordingUrl cannot be read."""
        return await self._send(operations.call(call_id))

    # PATCH /calls/{callId} is operation updateCall of Call.json
    async def patch_call(self, call_id: str, body: dict[str, Any]) -> DeskCall:
        """Change a call record; sending the same again changes nothing, so no outcome stays unknown."""
        return await self._send(operations.patch_call(call_id, body))

    # GET /calls is operation getCalls of Call.json
    async def list_calls(
        self, department_id: str, from_index: int = 0, limit: int = LIST_LIMIT
    ) -> list[DeskCall]:
        """List a page of a department's calls, the oldest first; without descriptions."""
        return await self._send(operations.calls(department_id, from_index, limit, newest_first=False))

    # GET /calls is operation getCalls of Call.json
    async def newest_calls(
        self, department_id: str, from_index: int = 0, limit: int = LIST_LIMIT
    ) -> list[DeskCall] | None:
        """List a page of a department's calls, made last first; without descriptions.

        None where Desk refuses that order, which its contract would allow it: whoever looks for a call
        then has only `search_calls`, and must wait for the index.
        """
        request = operations.calls(department_id, from_index, limit, newest_first=True)
        return await self._newest_first("calls", request)

    # GET /calls/search is operation searchCalls of Search.json
    async def search_calls(
        self, created_from: int, created_to: int, text: str | None = None, limit: int = LIST_LIMIT
    ) -> list[DeskCall]:
        """Find the calls made between two moments, with a text in them; the index lags behind."""
        return await self._send(operations.search_calls(created_from, created_to, text, limit))

    # POST /calls/{callId}/comments is operation createCallComment of CallComments.json
    async def create_call_comment(self, call_id: str, content: str) -> CallComment:
        """Add a plain-text comment to a call record; OutcomeUnknown if it may be there or not."""
        return await self._send(operations.create_call_comment(call_id, content))

    # GET /fields is operation getFields of Field.json
    async def fields(self, module: Module) -> list[DeskField]:
        """List the fields of a module; an older Desk has no such list, and raises RecordNotFound."""
        return await self._send(operations.module_fields(module))

    async def call_fields(self) -> list[DeskField]:
        """List the fields of call records, as `fields` does."""
        return await self.fields("calls")

    # GET /layouts is operation getLayouts of Layout.json
    async def layouts(self, module: Module, department_id: str | None = None) -> list[Layout]:
        """List the layouts of a module, of one department if one is given; without sections."""
        return await self._send(operations.layouts(module, department_id))

    # GET /layouts/{layoutId} is operation getLayout of Layout.json
    async def layout(self, layout_id: str) -> Layout:
        """Read a layout with its sections and fields, which say what a new record must have."""
        return await self._send(operations.layout(layout_id))

    # POST /fields is operation createField of Field.json
    async def create_call_field(self, label: str) -> DeskField:
        """Make a custom field of calls for an address; OutcomeUnknown if it may be there or not."""
        return await self._send(operations.create_call_field(label))

    # POST /webhooks is operation createWebhook of Webhook.json
    async def create_webhook(self, body: dict[str, Any]) -> Webhook:
        """Subscribe from `webhooks.subscription`; Desk asks the URL for a 200 before it answers."""
        return await self._send(operations.create_webhook(body))

    # GET /webhooks is operation getWebhooks of Webhook.json
    async def list_webhooks(self) -> list[Webhook]:
        """List every subscription of the portal, other programs' included."""
        return await self._send(operations.webhooks())

    # DELETE /webhooks/{webhookId} is operation deleteWebhook of Webhook.json
    async def delete_webhook(self, webhook_id: str) -> None:
        """End a subscription; RecordNotFound where it is gone."""
        await self._send(operations.delete_webhook(webhook_id))

    async def _newest_first(
        self, name: str, request: Request[list[T]], *, live: bool = False
    ) -> list[T] | None:
        """Send a request for a list that sorts descending; None, then and ever after, if that is refused."""
        if not await self._sorting.may_try(name):
            return None
        try:
            found = await self._send(request, live=live)
        except InvalidData as problem:
            if "sortBy" not in str(problem):
                raise
            await self._sorting.refuse(name)
            return None
        self._sorting.works(name)
        return found

    async def _send(self, request: Request[T], *, live: bool = False) -> T:
        async with self._budget.request(request.cost, live=live) as leaves:
            response: httpx2.Response | None = None
            began = time.perf_counter()
            try:
                with mapped(str(request), at=self._origin, repeatable=request.repeatable):
                    response = await self._http.send(self._built(request, leaves), auth=self._auth)
            finally:
                if self._tell is not None:
                    self._tell(_exchange(request, response, time.perf_counter() - began))
            told = wire.limits(response.headers)
            self._budget.observe(told.weight, told.remaining)
            return wire.decipher(request, response.status_code, response.headers, response.content)

    def _built(self, request: Request[Any], leaves: Leaves) -> httpx2.Request:
        return self._http.build_request(
            request.method,
            self._origin + wire.PREFIX + request.path,
            params=dict(request.query) or None,
            headers=self._headers | ({} if request.body is None else {"Content-Type": "application/json"}),
            content=None if request.body is None else msgspec.json.encode(request.body),
            extensions=last_look(leaves),
        )


def _exchange(request: Request[Any], response: httpx2.Response | None, seconds: float) -> Exchange:
    operation, milliseconds = str(request), round(seconds * 1_000)
    if response is None:
        return Exchange(operation=operation, milliseconds=milliseconds)
    named = (response.headers.get(name) for name in REQUEST_IDS)
    return Exchange(
        operation=operation,
        milliseconds=milliseconds,
        status=response.status_code,
        error_code=wire.error_code(response.status_code, response.content),
        request_id=next(filter(None, named), ""),
    )
