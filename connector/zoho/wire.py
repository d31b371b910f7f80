"""Desk without I/O: a request as a value, and an answer deciphered into a value or an exception.

The status decides before the body is looked at, because Desk's errors may be HTML pages.
Sources: the error table of Desk's API document and of the official OpenAPI files (Common.json).
"""

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

import msgspec

from connector.clock import in_words
from connector.errors import (
    AlreadyThere,
    ConcurrencyExceeded,
    CreditsExhausted,
    Forbidden,
    GrantLost,
    InvalidData,
    LicenseLimited,
    OrgMismatch,
    OutcomeUnknown,
    RecordNotFound,
    ScopeMissing,
    ZohoDown,
    ZohoError,
    ZohoRefused,
)
from connector.zoho.models import as_text

T = TypeVar("T")

PREFIX = "/api/v1"


class Request(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """One request to Desk: where, what, at which cost, and how to read its answer.

    `cost` counts daily credits. `repeatable` says whether sending it twice does the same as once.
    """

    method: str
    path: str
    read: Callable[[bytes], T]
    query: tuple[tuple[str, str], ...] = ()
    body: Mapping[str, Any] | None = None
    cost: int = 1
    repeatable: bool = True

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class Limits(msgspec.Struct, frozen=True):
    """What an answer's headers say of the portal's daily credits; None where they are silent."""

    weight: int | None
    remaining: int | None


class _Problem(msgspec.Struct, frozen=True):
    """What Desk says of an error; `code` alone decides, and "" is none of Desk's."""

    code: str = ""
    message: str = ""
    fields: Mapping[str, str] = {}


# SCOPE_MISMATCH and OAUTH_ORG_MISMATCH come as 401 or 403; the code says more than the status.
_BY_CODE: Mapping[str, type[ZohoError]] = {
    "SCOPE_MISMATCH": ScopeMissing,
    "OAUTH_ORG_MISMATCH": OrgMismatch,
    "FORBIDDEN": Forbidden,
    "LICENSE_ACCESS_LIMITED": LicenseLimited,
    "URL_NOT_FOUND": RecordNotFound,
    "INVALID_DATA": InvalidData,
    "UNPROCESSABLE_ENTITY": InvalidData,
    "EMPTY_PAYLOAD": InvalidData,
    "THRESHOLD_EXCEEDED": CreditsExhausted,
    "TOO_MANY_REQUESTS": ConcurrencyExceeded,
    "INVALID_OAUTH": GrantLost,
    "UNAUTHORIZED": GrantLost,
}
# Where the code is one that we do not know.
_BY_STATUS: Mapping[int, type[ZohoError]] = {
    401: GrantLost,
    403: Forbidden,
    404: RecordNotFound,
    422: InvalidData,
    429: ConcurrencyExceeded,
}
_WITHOUT_WORDS = frozenset({401, 429})
"""What ends nothing, whoever says so: tokens are renewed, and fewer requests are sent at a time."""

_PASSING = frozenset({408, 425})
"""Not refused, but not taken in time."""

DIGITS_AT_MOST = 9
DAY_SECONDS = 24 * 60 * 60


def refuses_token(status: int, body: bytes) -> bool:
    """Tell whether an answer says that the access token is no good; a renewed one may be."""
    return status == 401 and _BY_CODE.get(_problem(body).code, GrantLost) is GrantLost


def limits(headers: Mapping[str, str]) -> Limits:
    """Read the two headers of the credits model; only authenticated answers carry them."""
    return Limits(
        _digits(headers.get("X-Rate-Limit-Request-Weight-v3")),
        _digits(headers.get("X-Rate-Limit-Remaining-v3")),
    )


def error_code(status: int, body: bytes) -> str:
    """Return Desk's errorCode, "" where an answer is good or names none."""
    return "" if status < 400 else _problem(body).code


def decipher(request: Request[T], status: int, headers: Mapping[str, str], body: bytes) -> T:
    """Return what Desk answered, or raise the ZohoError that it amounts to.

    OutcomeUnknown only for a request that is not repeatable: after a 5xx, a success that cannot be read, or
    a 4xx that is not in Desk's words, it may have been applied. Desk's own 4xx is never applied: it names
    its errorCode, and a page that does not is somebody's on the way, who knows of no record whether it is
    there. A redirect is none of Desk's answers.
    """
    if 200 <= status < 300:
        return _value(request, status, body)
    if status >= 500 or status in _PASSING:
        raise _vanished(request, f"Zoho answered {status}", status)
    if status < 400:
        said = f"{request}: Zoho answered {status}, a redirect, which Desk never does."
        raise ZohoDown(said, status)
    problem = _problem(body)
    if not problem.code and status not in _WITHOUT_WORDS:
        raise _vanished(request, f"Zoho answered {status} without an errorCode of Desk's", status)
    raise _refusal(request, status, headers, problem)


def _value(request: Request[T], status: int, body: bytes) -> T:
    try:
        return request.read(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        raise _vanished(request, f"Zoho's {status} cannot be read", status) from problem


def _vanished(request: Request[Any], what: str, status: int) -> ZohoError:
    if request.repeatable:
        return ZohoDown(f"{request}: {what}.", status)
    return OutcomeUnknown(f"{request}: {what}, and may have applied it or not.", status)


def _refusal(request: Request[Any], status: int, headers: Mapping[str, str], problem: _Problem) -> ZohoError:
    kind = _BY_CODE.get(problem.code) or _BY_STATUS.get(status, ZohoRefused)
    message = f"{request}: {status} {problem.code} {problem.message}".strip()
    if kind is InvalidData:
        fields = dict(problem.fields)
        refused = AlreadyThere if "duplicate" in fields.values() else InvalidData
        return refused(f"{message} {_listed(fields)}".strip(), fields)
    if kind is CreditsExhausted:
        return _used_up(_retry_after(headers))
    if kind is ConcurrencyExceeded:
        return kind(message, _retry_after(headers))
    return kind(message)


def _used_up(seconds: int | None) -> CreditsExhausted:
    """Return what says that a portal has no credits for so many seconds; None where Desk does not tell."""
    until = "Desk does not say until when, and is asked again every few minutes."
    if seconds is not None:
        until = f"There are new ones in {in_words(seconds)}."
    return CreditsExhausted(f"The credits of Zoho Desk for today are used up. {until}", seconds)


def _retry_after(headers: Mapping[str, str]) -> int | None:
    """Return for how many seconds Zoho wants to be left alone: its credits come back every day."""
    seconds = _digits(headers.get("Retry-After"))
    return None if seconds is None else min(DAY_SECONDS, seconds)


def _listed(fields: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {kind}" for name, kind in fields.items())


def _problem(body: bytes) -> _Problem:
    try:
        told = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _Problem()
    code, message = told.get("errorCode"), told.get("message")
    fields = _fields(told.get("errors"))
    return _Problem(code if isinstance(code, str) else "", as_text(message) or "", fields)


def _fields(told: object) -> dict[str, str]:
    """Return the fields that an error names, and what is wrong with each; anything else is nothing."""
    listed = told if isinstance(told, list) else [told]
    named = [each for each in listed if isinstance(each, dict)]
    wrong = {as_text(each.get("fieldName")): as_text(each.get("errorType")) or "invalid" for each in named}
    return {name: kind for name, kind in wrong.items() if name}


def _digits(text: str | None) -> int | None:
    # More digits are no number of seconds or credits, and Python refuses to read thousands of them.
    return int(text) if text and len(text) <= DIGITS_AT_MOST and text.isascii() and text.isdigit() else None
