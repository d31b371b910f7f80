"""Pages of Desk for people: contacts, calls, tickets, accounts; to look at and edit, without sign-in."""

from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from connector.sandbox.desk.edit_pages import routes_of_forms, rows_of
from connector.sandbox.desk.portal import Portal
from connector.sandbox.desk.records import Agent, Call, Comment, Contact, R, RecordTable, Ticket
from connector.sandbox.desk.times import write_time
from connector.sandbox.responses import page
from connector.sandbox.state import SandboxState, data_center_of

_ROWS = 50
_MISSING = "desk_missing.html"


class CallRow(msgspec.Struct, kw_only=True):
    """A call record as pages show it; `recording` is None unless it is an http or https address."""

    call: Call
    contact: Contact | None
    owner: str | None
    department: str
    started: str | None
    started_text: str | None
    duration: str
    recording: str | None


class TicketRow(msgspec.Struct, kw_only=True):
    """A ticket as lists show it."""

    ticket: Ticket
    contact: Contact | None
    department: str
    created: str | None


class Pages:
    """The pages of one sandbox; each shows the portals of the data centre that the Host header names."""

    def __init__(self, state: SandboxState) -> None:
        self._state = state

    async def home(self, request: Request) -> Response:
        """Show where to look in this sandbox."""
        data_center = data_center_of(request)
        return page("desk_home.html", data_center=data_center, portals=self._portals(request))

    async def contacts(self, request: Request) -> Response:
        """List contacts by name, those that a search finds if there is one."""
        text = request.query_params.get("search", "").strip()
        number = _page_number(request)
        found = sorted(
            (
                (portal, contact)
                for portal in self._portals(request)
                for contact in portal.contacts.present()
                if _mentions(portal, contact, text)
            ),
            key=lambda row: (row[1].last_name.lower(), (row[1].first_name or "").lower(), row[1].id),
        )
        rows = [
            (contact, portal.accounts.find(contact.account_id or ""))
            for portal, contact in found[(number - 1) * _ROWS : number * _ROWS]
        ]
        more = len(found) > number * _ROWS
        return page("desk_contacts.html", rows=rows, text=text, count=len(found), number=number, more=more)

    async def contact(self, request: Request) -> Response:
        """Show a contact with tickets and call records, newest first."""
        portal, contact = self._find(request, lambda portal: portal.contacts)
        if portal is None or contact is None:
            return page(_MISSING, 404, kind="contact")
        calls = (call for call in portal.calls.present() if call.contact_id == contact.id)
        tickets = [each for each in portal.tickets.present() if each.contact_id == contact.id]
        owner = portal.agent(contact.owner_id)
        return page(
            "desk_contact.html",
            contact=contact,
            rows=rows_of(portal, "contacts", contact),
            account=portal.accounts.find(contact.account_id or ""),
            owner=owner.full_name if owner else None,
            tickets=sorted(tickets, key=lambda ticket: -ticket.created_at),
            calls=_rows(portal, calls),
            time=_show_time,
        )

    async def calls(self, request: Request) -> Response:
        """List call records, newest first."""
        rows = [row for portal in self._portals(request) for row in _rows(portal, portal.calls.present())]
        rows.sort(key=lambda row: (-row.call.start_at, -int(row.call.id)))
        number = _page_number(request)
        shown, more = rows[(number - 1) * _ROWS : number * _ROWS], len(rows) > number * _ROWS
        return page("desk_calls.html", calls=shown, count=len(rows), number=number, more=more)

    async def call(self, request: Request) -> Response:
        """Show a call record with its comments."""
        portal, call = self._find(request, lambda portal: portal.calls)
        if portal is None or call is None:
            return page(_MISSING, 404, kind="call")
        comments = _comments(portal, call.id)
        ticket = portal.tickets.find(call.ticket_id or "")
        return page(
            "desk_call.html", row=_row(portal, call), ticket=ticket, comments=comments, time=_show_time
        )

    async def ticket(self, request: Request) -> Response:
        """Show a ticket."""
        portal, ticket = self._find(request, lambda portal: portal.tickets)
        if portal is None or ticket is None:
            return page(_MISSING, 404, kind="ticket")
        return page("desk_ticket.html", **_of_ticket(portal, ticket))

    async def tickets(self, request: Request) -> Response:
        """List tickets, newest first."""
        rows = [
            row for portal in self._portals(request) for row in _ticket_rows(portal, portal.tickets.present())
        ]
        rows.sort(key=lambda row: (-row.ticket.created_at, -int(row.ticket.id)))
        number = _page_number(request)
        shown, more = rows[(number - 1) * _ROWS : number * _ROWS], len(rows) > number * _ROWS
        return page("desk_tickets.html", tickets=shown, count=len(rows), number=number, more=more)

    async def accounts(self, request: Request) -> Response:
        """List accounts by name."""
        found = [account for portal in self._portals(request) for account in portal.accounts.present()]
        found.sort(key=lambda account: (account.account_name.lower(), account.id))
        number = _page_number(request)
        shown, more = found[(number - 1) * _ROWS : number * _ROWS], len(found) > number * _ROWS
        return page("desk_accounts.html", accounts=shown, count=len(found), number=number, more=more)

    async def account(self, request: Request) -> Response:
        """Show an account with its contacts and tickets."""
        portal, account = self._find(request, lambda portal: portal.accounts)
        if portal is None or account is None:
            return page(_MISSING, 404, kind="account")
        contacts = [each for each in portal.contacts.present() if each.account_id == account.id]
        contacts.sort(key=lambda contact: contact.full_name.lower())
        tickets = [each for each in portal.tickets.present() if each.account_id == account.id]
        return page(
            "desk_account.html",
            account=account,
            rows=rows_of(portal, "accounts", account),
            contacts=contacts,
            tickets=_ticket_rows(portal, sorted(tickets, key=lambda ticket: -ticket.created_at)),
            time=_show_time,
        )

    def _portals(self, request: Request) -> list[Portal]:
        location = data_center_of(request).location
        return [portal for portal in self._state.desk.portals() if portal.org.location == location]

    def _find(
        self, request: Request, table: Callable[[Portal], RecordTable[R]]
    ) -> tuple[Portal, R] | tuple[None, None]:
        """Find the record that the address names, in any portal; trashed ones are not shown."""
        record_id = request.path_params["id"]
        for portal in self._state.desk.portals():
            record = table(portal).find(record_id)
            if record is not None and not record.is_trashed:
                return portal, record
        return None, None


def routes_of_pages(state: SandboxState) -> list[BaseRoute]:
    """List the addresses of the pages."""
    pages = Pages(state)
    return [
        Route("/", pages.home),
        Route("/desk/contacts", pages.contacts),
        Route("/desk/contacts/{id}", pages.contact),
        Route("/desk/calls", pages.calls),
        Route("/desk/calls/{id}", pages.call),
        Route("/desk/tickets", pages.tickets),
        Route("/desk/tickets/{id}", pages.ticket),
        Route("/desk/accounts", pages.accounts),
        Route("/desk/accounts/{id}", pages.account),
        *routes_of_forms(state),
    ]


def _page_number(request: Request) -> int:
    text = request.query_params.get("page", "1")
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 9 else 1


def _mentions(portal: Portal, contact: Contact, text: str) -> bool:
    """Tell whether a contact has a text in their name, account or e-mail, or its digits in a number."""
    account = portal.accounts.find(contact.account_id or "")
    words = [
        contact.full_name,
        contact.email,
        contact.phone,
        contact.mobile,
        account and account.account_name,
    ]
    if any(text.lower() in (word or "").lower() for word in words):
        return True
    digits = _digits(text)
    return len(digits) > 2 and any(digits in _digits(n or "") for n in (contact.phone, contact.mobile))


def _digits(text: str) -> str:
    return "".join(c for c in text if c.isdigit())


def _rows(portal: Portal, calls: Iterable[Call]) -> list[CallRow]:
    newest = sorted(calls, key=lambda call: (-call.start_at, -int(call.id)))
    return [_row(portal, call) for call in newest]


def _row(portal: Portal, call: Call) -> CallRow:
    owner = portal.agent(call.owner_id)
    minutes, seconds = divmod(int(call.duration or 0), 60)
    return CallRow(
        call=call,
        contact=portal.contacts.find(call.contact_id),
        owner=owner.full_name if owner else None,
        department=portal.departments[call.department_id].name,
        started=write_time(call.start_at),
        started_text=_show_time(call.start_at),
        duration=f"{minutes}:{seconds:02d}",
        recording=_web_address(call.recording_url),
    )


def _show_time(at: int | None) -> str | None:
    """Write a moment for people: day and time of day, in UTC."""
    text = write_time(at)
    return text and text[:19].replace("T", " ")


def _web_address(url: str | None) -> str | None:
    """Return an address that may become a link; anything but http and https may not."""
    return url if url and urlsplit(url).scheme in ("http", "https") else None


def _comments(portal: Portal, record_id: str) -> list[tuple[Agent | None, Comment, str | None]]:
    return [
        (portal.agent(comment.commenter_id), comment, _show_time(comment.commented_at))
        for comment in portal.comments.get(record_id, [])
    ]


def _ticket_rows(portal: Portal, tickets: Iterable[Ticket]) -> list[TicketRow]:
    return [
        TicketRow(
            ticket=ticket,
            contact=portal.contacts.find(ticket.contact_id),
            department=portal.departments[ticket.department_id].name,
            created=_show_time(ticket.created_at),
        )
        for ticket in tickets
    ]


def _of_ticket(portal: Portal, ticket: Ticket) -> dict[str, object]:
    assignee = portal.agent(ticket.assignee_id)
    return {
        "ticket": ticket,
        "rows": rows_of(portal, "tickets", ticket),
        "contact": portal.contacts.find(ticket.contact_id),
        "account": portal.accounts.find(ticket.account_id or ""),
        "assignee": assignee.full_name if assignee else None,
        "department": portal.departments[ticket.department_id].name,
        "created": _show_time(ticket.created_at),
        "closed": _show_time(ticket.closed_at),
        "changed": _show_time(ticket.modified_at),
        "comments": _comments(portal, ticket.id),
    }
