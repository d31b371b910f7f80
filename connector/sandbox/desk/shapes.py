"""Shapes that answers of several modules share; each returns the members that the contracts require."""

from collections.abc import Iterable

from connector.sandbox.desk.gateway import DeskRequest
from connector.sandbox.desk.portal import Portal
from connector.sandbox.desk.records import Account, Agent, Contact, JsonObject, Ticket
from connector.sandbox.desk.times import write_time

NO_HAPPINESS = {"badPercentage": "0", "goodPercentage": "0", "okPercentage": "0"}


def listing(items: Iterable[JsonObject], **more: object) -> JsonObject | None:
    """Wrap the items of a list; None, which is 204, if there are none."""
    data = list(items)
    return {"data": data, **more} if data else None


def wants(request: DeskRequest, included: str) -> bool:
    """Tell whether a request asks for more to be included."""
    return included in request.query.get("include", ())


def chosen(request: DeskRequest, item: JsonObject, always: Iterable[str] = ("id",)) -> JsonObject:
    """Leave only the members that `fields` names, and those that are always there."""
    if "fields" not in request.query:
        return item
    names = {*request.query["fields"], *always}
    return {name: value for name, value in item.items() if name in names}


def web_url(portal: Portal, kind: str, record_id: str) -> str:
    """Return the address of a record's page, which this sandbox serves too."""
    return f"{portal.origin}/desk/{kind}/{record_id}"


def agent_card(agent: Agent | None, *extra: str) -> JsonObject | None:
    """Return an agent as records name them; `extra` may be emailId, email or zuid."""
    if agent is None:
        return None
    card: JsonObject = {
        "id": agent.id,
        "firstName": agent.first_name,
        "lastName": agent.last_name,
        "photoURL": None,
    }
    further = {"emailId": agent.email, "email": agent.email, "zuid": agent.zuid}
    return card | {name: further[name] for name in extra}


def account_card(account: Account | None) -> JsonObject | None:
    """Return an account as contacts name it."""
    if account is None:
        return None
    return {"id": account.id, "accountName": account.account_name, "website": account.website}


def contact_card(contact: Contact | None) -> JsonObject | None:
    """Return a contact as call records name them."""
    if contact is None:
        return None
    return {
        "id": contact.id,
        "firstName": contact.first_name,
        "lastName": contact.last_name,
        "accountId": contact.account_id,
        "phone": contact.phone,
        "mobile": contact.mobile,
        "email": contact.email,
        "isSpam": False,
    }


def ticket_card(portal: Portal, ticket: Ticket | None) -> JsonObject | None:
    """Return a ticket as call records name it."""
    if ticket is None:
        return None
    return {
        "id": ticket.id,
        "ticketNumber": ticket.ticket_number,
        "subject": ticket.subject,
        "status": ticket.status,
        "channel": ticket.channel,
        "phone": ticket.phone,
        "teamId": None,
        "assignee": agent_card(portal.agent(ticket.assignee_id)),
        "createdTime": write_time(ticket.created_at),
        "dueDate": write_time(ticket.due_at),
        "closedTime": write_time(ticket.closed_at),
        "isArchived": False,
        "isSpam": False,
    }
