"""Read sipgate.io's pushes: forms signed with sipgate's RSA key, answered with XML that asks for more.

Page: developer.sipgate.io, push API. Only newCall is sent unless its answer names addresses for the rest.
sipgate signs for all of its customers with one key, and without a time: the signature says that sipgate
sent it, the secret in the address that it is about us, and an event sent twice is the same event.
"""

from base64 import b64decode
from binascii import Error as NotBase64
from functools import lru_cache
from html import escape

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from connector.calls import Direction
from connector.dialects import cti, signing
from connector.dialects.base import (
    Answer,
    AnswerContext,
    Hints,
    Parsed,
    Posted,
    Question,
    SystemConfig,
    unreadable,
)
from connector.dialects.fields import Params, read_form, required
from connector.errors import BadSignature, InvalidEvent, SettingsError, TooLarge
from connector.numbers import Kind, read

SOURCE = "sipgate"
SIGNATURE = "x-sipgate-signature"
_SHORTEST_KEY_BITS = 1_024


def parse(system: SystemConfig, posted: Posted) -> Parsed:
    """Check the address's secret and the signature over the body, and return the events.

    What cannot be read is rejected yet answered: without an answer sipgate sends nothing more of the call.
    """
    signing.verify_address_secret(posted.token, system.address_secrets)
    _verify(posted, system.secrets)
    try:
        return cti.parsed(_cti_event(read_form(posted.body)), SOURCE, system, posted)
    except (InvalidEvent, TooLarge) as problem:
        return unreadable(problem)


def answer(told: AnswerContext) -> Answer:
    """Ask for what follows, and say what to do with a call that begins."""
    url = escape(told.posted.url)
    question = told.parsed.question
    inside = "" if question is None else _action(question, told.hints)
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Response onAnswer="{url}" onHangup="{url}">'
    body += f"{inside}</Response>"
    return Answer(status=200, content_type="application/xml", body=body.encode())


def check_key(pem: str) -> None:
    """Raise SettingsError unless this is an RSA public key in PEM."""
    _key(pem)


def _action(question: Question, hints: Hints) -> str:
    if hints.rejects:
        return '<Reject reason="busy"/>'
    if hints.caller_id and question.direction is Direction.OUTBOUND:
        shown = escape(hints.caller_id.removeprefix("+"))
        return f'<Dial callerId="{shown}"><Number>{_bare(question.number)}</Number></Dial>'
    numbers = [number for number in (read(word, "").e164 for word in hints.owner) if number]
    return f"<Dial><Number>{_bare(numbers[0])}</Number></Dial>" if numbers else ""


def _bare(number: str) -> str:
    return escape(number.removeprefix("+"))


def _verify(posted: Posted, secrets: tuple[str, ...]) -> None:
    try:
        signature = b64decode(posted.headers.get(SIGNATURE, ""), validate=True)
    except (NotBase64, ValueError) as problem:
        raise BadSignature(f"the header {SIGNATURE} is no base64") from problem
    if not signature:
        raise BadSignature(f"the header {SIGNATURE} is missing")
    if not any(_is_signed(posted.body, signature, _key(pem)) for pem in secrets):
        raise BadSignature("the signature was not made over this body with the key that is kept here")


def _is_signed(body: bytes, signature: bytes, key: RSAPublicKey) -> bool:
    try:
        key.verify(signature, body, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


@lru_cache(maxsize=64)
def _key(pem: str) -> RSAPublicKey:
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm) as problem:
        raise SettingsError(
            "sipgate's key is an RSA public key in PEM: -----BEGIN PUBLIC KEY-----"
        ) from problem
    if not isinstance(key, RSAPublicKey) or key.key_size < _SHORTEST_KEY_BITS:
        raise SettingsError(f"sipgate's key is an RSA public key of {_SHORTEST_KEY_BITS} bits or more")
    return key


def _cti_event(told: Params) -> cti.CtiEvent:
    event = required(told.one("event"), "event", "/event")
    # Names are for people and change; ids do not. Who answers a machine is told by name only.
    users = told.many("userId", "user")
    if event == "answer" and cti.VOICEMAIL in told.many("user"):
        users = (cti.VOICEMAIL,)
    return cti.CtiEvent(
        event=event,
        call_id=required(told.one("callId"), "callId", "/callId"),
        direction=told.one("direction"),
        from_number=_plus(told.one("from")),
        to_number=_plus(told.one("to")),
        users=users,
        cause=told.one("cause"),
        parent=_parent(told.one("origCallId")),
    )


def _parent(call_id: str | None) -> str | None:
    return None if call_id is None else required(call_id, "origCallId", "/origCallId")


def _plus(number: str | None) -> str | None:
    """Give E.164 its plus: sipgate writes the digits alone, which at home may be another number."""
    is_bare = number is not None and number.isascii() and number.isdigit()
    return f"+{number}" if is_bare and read(number, "").kind is not Kind.EXTENSION else number
