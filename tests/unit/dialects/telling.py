"""Tell one and the same call in every dialect, as each vendor posts it, and read it back for real."""

import json
from base64 import b64encode
from collections.abc import Iterator
from email.utils import formatdate
from functools import cache
from urllib.parse import urlencode

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]  # it brings no types

from connector.calls import CallEvent, CallRecord, record
from connector.clock import SECOND, to_iso
from connector.dialects import DIALECTS, Posted, SystemConfig, signing
from connector.dialects.base import agents_of
from connector.dialects.past_calls import events as past_events
from tests.unit.dialects.posting import NOW
from tests.unit.dialects.vendor_posts import SECRETS, tell
from tests.unit.dialects.vendors import FORM, JSON, TOKEN, Story, calls

LINE = "+493012345600"
MOBILE = "+4915112345678"
"""Ada's own mobile, an extension of hers like 1001."""
WORDS = frozenset({"1001", "1002", "1003", MOBILE})
SIGNED = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
AUTH_TOKEN = "0123456789abcdef0123456789abcdef"
ADDRESS = "https://calls.example.com/hooks/berlin"

TOLD_IN_AND_OUT = (
    "zammad", "sipgate", "twilio", "import", "placetel", "aircall", "ringcentral", "freeswitch"
)  # fmt: skip
"""Those that know no word for a call among colleagues."""
DIALECTS_TOLD = ("neutral", *TOLD_IN_AND_OUT)


@cache
def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65_537, key_size=2_048)


def system(dialect: str) -> SystemConfig:
    """Return a phone system of this dialect with one line and three agents."""
    pem = _key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    secrets = {"neutral": (SIGNED,), "sipgate": (pem,), "twilio": (AUTH_TOKEN,)}
    secrets |= {name: (secret,) for name, secret in SECRETS.items()}
    return SystemConfig(
        uid="u", slug="berlin", country="DE", time_zone="Europe/Berlin",
        secrets=secrets.get(dialect, ()), address_secrets=(TOKEN,), lines=frozenset({LINE}),
        agents=agents_of(WORDS, "DE"),
    )  # fmt: skip


def told(dialect: str, story: Story) -> CallRecord | None:
    """Return the record that comes of a call."""
    return record("key", list(calls(heard(dialect, story)).values()))


def heard(dialect: str, story: Story) -> list[CallEvent]:
    """Read a call, all of its requests in their order."""
    if dialect == "import":
        return past_events(_row(story), system(dialect), "refuse", "")
    own = {"neutral": _neutral, "zammad": _zammad, "sipgate": _sipgate, "twilio": _twilio}
    posts = own[dialect](story) if dialect in own else tell(dialect, story)
    read = [DIALECTS[dialect].parse(system(dialect), one) for one in posts]
    assert not any(parsed.rejected for parsed in read)
    return [event for parsed in read for event in parsed.events]


def _neutral(story: Story) -> Iterator[Posted]:
    ends = {"direction": {"in": "inbound", "out": "outbound"}.get(story.direction), "from": story.caller,
            "to": story.called, "parent": story.parent}  # fmt: skip
    said = [("ringing", 0, {"agent": agent}) for agent in story.rung or (None,) if story.begins]
    if story.answered_by is not None:
        said.append(("answered", 5, {"agent": story.answered_by or None}))
    if story.ends:
        said.append(("ended", 30, {"cause": story.cause}))
    for place, (kind, second, more) in enumerate(said):
        data = {name: value for name, value in (ends | more).items() if value is not None}
        event = {
            "specversion": "1.0", "id": f"{story.call_id}-{place}", "source": "/pbx", "type": f"call.{kind}",
            "subject": story.call_id, "time": to_iso(NOW + second * SECOND), "data": data,
        }  # fmt: skip
        body, at = json.dumps(event).encode(), NOW + second * SECOND
        headers = {
            "webhook-id": "m", "webhook-timestamp": str(at // SECOND),
            "webhook-signature": signing.sign(SIGNED, "m", at // SECOND, body),
        }  # fmt: skip
        yield Posted(headers=headers, content_type="application/cloudevents+json", body=body, received_at=at)


_CAUSES = {"normal": "normalClearing", "busy": "busy", "cancelled": "cancel", "no_answer": "noAnswer"}


def _words(story: Story, user: str) -> Iterator[tuple[int, dict[str, str | list[str] | None]]]:
    """Say newCall, answer and hangup, which Zammad and sipgate have in common."""
    ends = {"callId": story.call_id, "direction": story.direction, "from": story.caller, "to": story.called}
    if story.begins:
        yield 0, {"event": "newCall", user: list(story.rung), **ends}
    if story.answered_by is not None:
        yield 5, {"event": "answer", user: story.answered_by or None, **ends}
    if story.ends:
        yield 30, {"event": "hangup", "cause": _CAUSES[story.cause], **ends}


def _zammad(story: Story) -> Iterator[Posted]:
    for second, said in _words(story, "user"):
        body = json.dumps({name: value for name, value in said.items() if value}).encode()
        yield Posted(headers={}, content_type=JSON, body=body, received_at=NOW + second * SECOND, token=TOKEN)


def _sipgate(story: Story) -> Iterator[Posted]:
    for second, said in _words(story, "userId[]"):
        if story.parent is not None:
            said["origCallId"] = story.parent
        bare = {
            name: value.removeprefix("+") if name in ("from", "to") and isinstance(value, str) else value
            for name, value in said.items()
            if value
        }
        body = urlencode(bare, doseq=True).encode()
        signature = b64encode(_key().sign(body, PKCS1v15(), SHA256())).decode()
        yield Posted(
            headers={"x-sipgate-signature": signature}, content_type=FORM, body=body,
            received_at=NOW + second * SECOND, url=ADDRESS, token=TOKEN,
        )  # fmt: skip


_STATUS = {"normal": "completed", "busy": "busy", "cancelled": "canceled", "no_answer": "no-answer"}


def _twilio(story: Story) -> Iterator[Posted]:
    """Say a call that comes in, or that an agent makes at once; each agent rung is a leg of its own."""
    own = {"CallSid": story.call_id, "From": story.caller or "", "To": story.called or "",
           "Direction": {"in": "inbound", "out": "outbound-api"}[story.direction]}  # fmt: skip
    if story.direction == "out" and story.rung:
        own |= {"Direction": "inbound", "From": f"client:{story.rung[0]}"}
    if story.begins:
        yield callback(0, own | {"CallStatus": "ringing"})
    legs = story.rung if story.direction == "in" else ()
    shown = {"ParentCallSid": story.call_id, "Direction": "outbound-dial", "From": story.caller or ""}
    for agent in legs:
        leg = shown | {"CallSid": f"{story.call_id}-{agent}", "To": f"client:{agent}"}
        yield callback(0, leg | {"CallStatus": "ringing"})
        status = "completed" if agent == story.answered_by else "no-answer"
        seconds = {"CallDuration": "25"} if status == "completed" else {}
        yield callback(30, leg | seconds | {"CallStatus": status})
    if story.answered_by is not None and story.answered_by not in legs:
        # An outside telephone that shows our number, or the customer's.
        to = "+4915700000000" if story.direction == "in" else story.called or ""
        leg = shown | {"CallSid": f"{story.call_id}-other", "From": LINE, "To": to}
        yield callback(30, leg | {"CallStatus": "completed", "CallDuration": "25"})
    if story.ends:
        yield callback(30, own | {"CallStatus": _STATUS[story.cause], "CallDuration": "30"})


def callback(second: int, fields: dict[str, str]) -> Posted:
    """Post a callback of Twilio's."""
    whole = fields | {"Timestamp": formatdate(NOW // SECOND + second)}
    theirs = RequestValidator(AUTH_TOKEN).compute_signature(ADDRESS, whole)
    return Posted(
        headers={"x-twilio-signature": theirs}, content_type=FORM, body=urlencode(whole).encode(),
        received_at=NOW + second * SECOND, url=ADDRESS,
    )  # fmt: skip


def _row(story: Story) -> dict[str, str]:
    """Write a line of an export, which has room for one agent."""
    agent = story.answered_by if story.answered_by is not None else story.rung[-1] if story.rung else None
    row = {
        "call_id": story.call_id, "direction": story.direction, "from": story.caller, "to": story.called,
        "agent": agent, "cause": story.cause, "parent": story.parent, "started_at": to_iso(NOW),
        "answered_at": None if story.answered_by is None else to_iso(NOW + 5 * SECOND),
        "ended_at": to_iso(NOW + 30 * SECOND),
    }  # fmt: skip
    return {name: value for name, value in row.items() if value}
