"""Verify X-Twilio-Signature, as Twilio's own libraries do.

base64 of an HMAC over the address that was posted to, with its query, and each field's name and distinct
values in order. Of JSON only a hash is signed: it stands in the query. The key is the account's Auth Token
(SHA-1), or a shared key of one's own, and then a header tells the hash.
Pages: twilio.com/docs/usage/webhooks/webhooks-security and .../webhook-shared-keys.
"""

import hmac
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from urllib.parse import parse_qs, parse_qsl, urlsplit, urlunsplit

from connector.casing import ascii_lower, ascii_upper
from connector.errors import BadSignature

SETTINGS = "x-twilio-webhooks-signature-settings"
HEADERS = ("x-twilio-signature", "x-signalwire-signature")
BODY_HASH = "bodySHA256"

_HASHES = {"HMAC_SHA1": "sha1", "HMAC_SHA256": "sha256"}
_PORTS = {"https": 443, "http": 80}


def sign(token: str, url: str, fields: Mapping[str, Sequence[str]], digest: str = "sha1") -> str:
    """Make the signature of a request to `url` with these form fields."""
    text = url + "".join(name + value for name in sorted(fields) for value in sorted(set(fields[name])))
    return b64encode(hmac.digest(token.encode(), text.encode(), digest)).decode()


def verify(
    headers: Mapping[str, str], url: str, body: bytes, tokens: Iterable[str], *, is_form: bool
) -> None:
    """Pass if the request was signed with one of the tokens; BadSignature if not.

    The sender signs `url` with or without its port, whichever way it was typed.
    """
    given = next((headers[name] for name in HEADERS if headers.get(name)), "")
    if not given:
        raise BadSignature(f"the header {HEADERS[0]} is missing")
    fields = _fields(body) if is_form else {}
    if not is_form:
        _check_hash(url, body)
    digest = _hash(headers.get(SETTINGS, ""))
    expected = [sign(token, spelling, fields, digest) for token in tokens for spelling in _spellings(url)]
    matches = [hmac.compare_digest(given.encode("utf-8", "replace"), one.encode()) for one in expected]
    if not any(matches):
        raise BadSignature("no signature of this address and body was made with a token that is valid now")


def _hash(settings: str) -> str:
    """Return which hash the header names: `key=...,algorithm=...`, or the one that needs no header."""
    told = dict(part.strip().partition("=")[::2] for part in settings.split(","))
    name = ascii_upper(told.get("algorithm", "").strip()) or "HMAC_SHA1"
    if name not in _HASHES:
        raise BadSignature(f"the header {SETTINGS} names a hash that is none of {', '.join(_HASHES)}")
    return _HASHES[name]


def _fields(body: bytes) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict")
    except ValueError as problem:
        raise BadSignature("what is signed as a form is none") from problem
    for name, value in pairs:
        fields.setdefault(name, []).append(value)
    return fields


def _check_hash(url: str, body: bytes) -> None:
    told = parse_qs(urlsplit(url).query).get(BODY_HASH, [""])[0]
    if not hmac.compare_digest(ascii_lower(told).encode(), sha256(body).hexdigest().encode()):
        raise BadSignature(f"{BODY_HASH} in the address is not the hash of this body")


def _spellings(url: str) -> Iterator[str]:
    """Write an address as it is, without its port, and with the port that it has or stands for."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition(":")[0] if parts.port else parts.netloc
    port = parts.port or _PORTS[parts.scheme]
    yield from dict.fromkeys(
        (url, urlunsplit(parts._replace(netloc=host)), urlunsplit(parts._replace(netloc=f"{host}:{port}")))
    )
