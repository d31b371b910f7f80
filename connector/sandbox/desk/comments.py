"""Comments on calls and on tickets: list and create."""

import html

from connector.sandbox.desk import bodies, params, scopes
from connector.sandbox.desk.gateway import Answer, DeskRequest, Operation
from connector.sandbox.desk.portal import Portal
from connector.sandbox.desk.records import Comment, JsonObject
from connector.sandbox.desk.refusals import Problem, invalid_data
from connector.sandbox.desk.search import cut
from connector.sandbox.desk.shapes import listing, wants
from connector.sandbox.desk.times import write_time


def list_comments(request: DeskRequest) -> Answer:
    """List the comments of a call, oldest first unless asked otherwise."""
    call = request.portal.see(request.portal.calls, request.path["id"])
    mentions: JsonObject = {"mention": []} if wants(request, "mentions") else {}
    page = _page(request, call.id)
    return listing(_shape(request.portal, comment) | mentions for comment in page)


def list_ticket_comments(request: DeskRequest) -> Answer:
    """List the comments of a ticket, oldest first unless asked otherwise."""
    ticket = request.portal.see(request.portal.tickets, request.path["id"])
    mentions: JsonObject = {"mention": []} if wants(request, "mentions") else {}
    page = _page(request, ticket.id, 50)
    return listing((_shape_of_ticket(request.portal, comment) for comment in page), **mentions)


def _page(request: DeskRequest, record_id: str, limit: int = 10) -> list[Comment]:
    _, descending = request.query.get("sortBy", ("commentedTime", False))
    comments = request.portal.comments.get(record_id, [])
    return cut(comments[::-1] if descending else comments, request.query, limit)


def create_comment(request: DeskRequest) -> Answer:
    """Add a comment to a call, as HTML unless it is said to be plain text."""
    call = request.portal.see(request.portal.calls, request.path["id"], trashed=False)
    return _shape(request.portal, _add(request, call.id))


def create_ticket_comment(request: DeskRequest) -> Answer:
    """Add a comment to a ticket, as HTML unless it is said to be plain text, and unseen by the contact."""
    portal = request.portal
    ticket = portal.see(portal.tickets, request.path["id"], trashed=False)
    made = _shape_of_ticket(portal, _add(request, ticket.id))
    told = made | {"ticketId": ticket.id, "departmentId": ticket.department_id}
    portal.webhook_sender.notify(portal, "Ticket_Comment_Add", told)
    return made


def _add(request: DeskRequest, record_id: str) -> Comment:
    if request.body.get("attachmentIds"):
        raise invalid_data([Problem("/attachmentIds")])
    comment = Comment(
        id=request.portal.new_id(),
        content=request.body["content"],
        content_type=request.body.get("contentType") or "html",
        commenter_id=request.agent.id,
        commented_at=request.now,
        is_public=request.body.get("isPublic", False),
    )
    request.portal.comments.setdefault(record_id, []).append(comment)
    return comment


def _shape_of_ticket(portal: Portal, comment: Comment) -> JsonObject:
    return _shape(portal, comment) | {"isPublic": comment.is_public}


def _shape(portal: Portal, comment: Comment) -> JsonObject:
    return {
        "id": comment.id,
        "content": comment.content,
        "encodedContent": html.escape(comment.content),
        "contentType": comment.content_type,
        "commentedTime": write_time(comment.commented_at),
        "modifiedTime": write_time(comment.commented_at),
        "commenterId": comment.commenter_id,
        "commenter": _commenter(portal, comment),
        "impersonatedUser": None,
        "attachments": [],
    }


def _commenter(portal: Portal, comment: Comment) -> JsonObject | None:
    agent = portal.agent(comment.commenter_id)
    if agent is None:
        return None
    return {
        "id": agent.id,
        "firstName": agent.first_name,
        "lastName": agent.last_name,
        "name": agent.full_name,
        "email": agent.email,
        "photoURL": None,
        "roleName": "Support Agent",
        "type": "AGENT",
    }


_PATH = "/api/v1/calls/{id:int}/comments"
_TICKET_PATH = "/api/v1/tickets/{id:int}/comments"

OPERATIONS = (
    Operation(
        method="GET",
        path=_PATH,
        scopes=scopes.READ_COMMENTS,
        handler=list_comments,
        query=params.COMMENT_LIST,
        cost="page",
        permission="calls.view",
    ),
    Operation(
        method="POST",
        path=_PATH,
        scopes=scopes.CREATE_COMMENTS,
        handler=create_comment,
        body=bodies.CALL_COMMENT,
        permission="calls.edit",
    ),
    Operation(
        method="GET",
        path=_TICKET_PATH,
        scopes=scopes.READ_TICKETS,
        handler=list_ticket_comments,
        query=params.COMMENT_LIST,
        cost="page",
        permission="tickets.view",
    ),
    Operation(
        method="POST",
        path=_TICKET_PATH,
        scopes=scopes.UPDATE_TICKETS,
        handler=create_ticket_comment,
        body=bodies.TICKET_COMMENT,
        permission="tickets.edit",
    ),
)
