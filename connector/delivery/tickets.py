"""Bring tickets and comments to Desk."""

from typing import Any

import msgspec
from sqlalchemy import Connection

from connector.outbox.send_once import Body
from connector.store import assignments, outbox


class TicketRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The ticket that shall be made."""

    department_id: str
    contact_id: str
    subject: str
    fields: dict[str, Any] = {}
    call_key: str = ""


class CommentRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The comment that shall be made on a ticket."""

    ticket_id: str
    content: str


encode = msgspec.json.Encoder(order="deterministic").encode


def ticket_body(record: TicketRecord, key: str) -> Body:
    """Write a new ticket."""
    own = {"departmentId": record.department_id, "contactId": record.contact_id, "subject": record.subject}
    return record.fields | own


def comment_content(record: CommentRecord, key: str) -> str:
    """Write a comment."""
    return record.content


def put_on_ticket(
    connection: Connection, call_id: int, ticket_id: str, now: int, chosen_by: str = ""
) -> None:
    """Note the ticket of a call."""
    assignments.set_ticket(connection, call_id, ticket_id, now, chosen_by=chosen_by)
    outbox.retouch(connection, call_id, now)
