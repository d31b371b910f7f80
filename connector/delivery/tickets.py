"""Bring tickets and comments to Desk."""

from typing import Any

import msgspec

from connector.outbox.send_once import Body


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


def ticket_body(record: TicketRecord) -> Body:
    """Write a new ticket."""
    own = {"departmentId": record.department_id, "contactId": record.contact_id, "subject": record.subject}
    return record.fields | own
