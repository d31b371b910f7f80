"""Read Zammad's generic CTI, and answer as Zammad does, so that what speaks to Zammad speaks to us unchanged.

Page: docs.zammad.org, Generic CTI (newCall, answer, hangup). The vendor has no signature: a secret stands in
the address. Unlike Zammad, a repeated, early or late event is taken.
"""

from typing import Any

import msgspec

from connector.casing import ascii_lower
from connector.dialects import cti, signing
from connector.dialects.base import Answer, AnswerContext, Hints, Parsed, Posted, Question, SystemConfig
from connector.dialects.fields import Params, read_form, read_json, required
from connector.errors import InvalidEvent, UnsupportedFormat

SOURCE = "zammad"


def parse(system: SystemConfig, posted: Posted) -> Parsed:
    """Check the address's secret, read JSON or a form, and return the events.

    As Zammad does, a wrong direction is refused (422); nobody who speaks this dialect gives up for that.
    """
    signing.verify_address_secret(posted.token, system.address_secrets)
    return cti.parsed(_cti_event(_params(posted)), SOURCE, system, posted)


def answer(told: AnswerContext) -> Answer:
    """Return `{}`, or what to do with a call that begins: reject it, dial with a caller id, ring its owner.

    `caller_name` is ours: for the phone's display, where the phone system is set to be told names.
    """
    question = told.parsed.question
    content = {} if question is None else _content(question, told.hints)
    return Answer(status=200, content_type="application/json", body=msgspec.json.encode(content))


def _content(question: Question, hints: Hints) -> dict[str, Any]:
    if hints.rejects:
        return {"action": "reject", "reason": "busy"}
    content: dict[str, Any] = {}
    if hints.caller_id:
        content = {
            "action": "dial",
            "caller_id": hints.caller_id.removeprefix("+"),
            "number": question.number,
        }
    elif hints.owner:
        content = {"action": "dial", "number": hints.owner[0].removeprefix("+")}
    return content | ({"caller_name": hints.name} if hints.name else {})


def _params(posted: Posted) -> Params:
    media_type = ascii_lower(posted.content_type.partition(";")[0].strip())
    if media_type.startswith("multipart/"):
        raise UnsupportedFormat("send application/json or application/x-www-form-urlencoded")
    # Some senders put JSON under any name, and no form begins with a bracket.
    if media_type.endswith("json") or posted.body.lstrip().startswith(b"{"):
        return read_json(posted.body)
    if not posted.body.strip():
        raise InvalidEvent("the body is empty")
    return read_form(posted.body)


def _cti_event(told: Params) -> cti.CtiEvent:
    event = required(told.one("event"), "event", "/event")
    direction = told.one("direction")
    # Which of our people answered is known best by their phone: it is what Zammad looks at first.
    answering = told.one("answeringNumber") if event == "answer" and direction != "out" else None
    users = told.many("user")
    return cti.CtiEvent(
        event=event,
        call_id=required(told.one("callId", "call_id"), "callId", "/callId"),
        direction=direction,
        from_number=told.one("from"),
        to_number=told.one("to"),
        users=users if answering is None or cti.VOICEMAIL in users else (answering, *users),
        queue=told.one("queue"),
        cause=told.one("cause"),
    )
