"""Comments on calls: list and create."""

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
    _, descending = request.query.get("sortBy", ("commentedTime", False))
    comments = request.portal.comments.get(call.id, [])
    page = cut(comments[::-1] if descending else comments, request.query)
    mentions: JsonObject = {"mention": []} if wants(request, "mentions") else {}
    return listing(_shape(request.portal, comment) | mentions for comment in page)


def create_comment(request: DeskRequest) -> Answer:
    """Add a comment to a call, as HTML unless it is said to be plain text."""
    call = request.portal.see(request.portal.calls, request.path["id"], trashed=False)
    if request.body.get("attachmentIds"):
        raise invalid_data([Problem("/attachmentIds")])
    comment = Comment(
        id=request.portal.new_id(),
        content=request.body["content"],
        content_type=request.body.get("contentType") or "html",
        commenter_id=request.agent.id,
        commented_at=request.now,
    )
    request.portal.comments.setdefault(call.id, []).append(comment)
    return _shape(request.portal, comment)


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
)
