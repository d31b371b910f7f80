"""How call records look from outside: single, in lists, in search results. `recordingUrl` is in none."""

import html

from connector.sandbox.desk.door import Ask
from connector.sandbox.desk.portal import Portal
from connector.sandbox.desk.records import Call, JsonObject, Ticket
from connector.sandbox.desk.shapes import agent_card, contact_card, ticket_card, wants, web_url
from connector.sandbox.desk.times import write_time

_FIELD_LABELS = {"cf_recordingurl": "Recording URL", "cf_callkey": "Call key"}


def label_of(field: str) -> str:
    """Return the name that people see of a custom field, which the deprecated `customFields` uses."""
    return _FIELD_LABELS.get(field, field.removeprefix("cf_").capitalize())


def _common(ask: Ask, call: Call) -> JsonObject:
    """Return the members that all three shapes share."""
    return {
        "id": call.id,
        "contactId": call.contact_id,
        "subject": call.subject,
        "departmentId": call.department_id,
        "startTime": write_time(call.start_at),
        "ownerId": call.owner_id,
        "priority": call.priority,
        "ticketId": call.ticket_id,
        "status": call.status,
        "statusType": call.status_type,
        "direction": call.direction,
        "completedTime": write_time(call.completed_at),
        "createdTime": write_time(call.created_at),
        "modifiedTime": write_time(call.modified_at),
        "creatorId": call.creator_id,
        "layoutId": ask.portal.layout_ids["calls"],
        "webUrl": web_url(ask.portal, "calls", call.id),
    }


def _standing(ask: Ask, call: Call) -> JsonObject:
    """Return what single reads and lists have and a search has not."""
    return {
        "callId": None,
        "activityTime": str(call.start_at),
        "isTrashed": call.is_trashed,
        "isSpam": False,
        "modifiedBy": agent_card(ask.portal.agent(call.modified_by_id), "emailId"),
    }


def _details(ask: Ask, call: Call) -> JsonObject:
    """Return what lists leave out."""
    return {
        "description": _as_html(call.description) if ask.config.description_as_html else call.description,
        "duration": call.duration,
        "cf": call.cf,
        "customFields": {label_of(field): value for field, value in call.cf.items()},
        "reminder": call.reminder,
    }


def _as_html(text: str | None) -> str | None:
    """Write a text as an editor keeps it: a block, its lines broken, its characters as entities."""
    return text and f"<div>{'<br />'.join(html.escape(text).splitlines())}<br /></div>"


def _included(ask: Ask, call: Call) -> JsonObject:
    """Return the records around a call that the request asks for."""
    portal = ask.portal
    found = {
        "contacts": ("contact", contact_card(portal.contacts.find(call.contact_id))),
        "tickets": ("ticket", ticket_card(portal, _ticket(portal, call))),
        "assignee": ("assignee", agent_card(portal.agent(call.owner_id), "emailId")),
        "teams": ("team", None),
    }
    return {name: card for asked, (name, card) in found.items() if wants(ask, asked)}


def shape_call(ask: Ask, call: Call) -> JsonObject:
    """Return a call as a single read shows it."""
    return _common(ask, call) | _standing(ask, call) | _details(ask, call) | _included(ask, call)


def shape_item(ask: Ask, call: Call) -> JsonObject:
    """Return a call as lists show it: no duration, description or custom fields."""
    commented = bool(ask.portal.comments.get(call.id))
    return _common(ask, call) | _standing(ask, call) | {"isCommented": commented} | _included(ask, call)


def shape_match(ask: Ask, call: Call) -> JsonObject:
    """Return a call as the search shows it."""
    portal = ask.portal
    contact = contact_card(portal.contacts.find(call.contact_id))
    department = portal.departments.get(call.department_id)
    return (
        _common(ask, call)
        | _details(ask, call)
        | {
            "reminder": [],
            "isCommented": bool(portal.comments.get(call.id)),
            "contact": contact and contact | {"secId": None},
            "modifiedBy": agent_card(portal.agent(call.modified_by_id), "emailId", "zuid"),
            "department": department and {"id": department.id, "name": department.name},
            "ticket": _searched_ticket(portal, call),
            "assignee": agent_card(portal.agent(call.owner_id), "emailId", "zuid"),
            "activityType": "Calls",
        }
    )


def _ticket(portal: Portal, call: Call) -> Ticket | None:
    return portal.tickets.find(call.ticket_id or "")


def _searched_ticket(portal: Portal, call: Call) -> JsonObject | None:
    ticket = _ticket(portal, call)
    card = ticket_card(portal, ticket)
    if ticket is None or card is None:
        return None
    contact = contact_card(portal.contacts.find(ticket.contact_id))
    return card | {
        "assignee": agent_card(portal.agent(ticket.assignee_id), "emailId", "zuid"),
        "contact": contact and contact | {"secId": None},
        "secId": None,
        "team": None,
    }
