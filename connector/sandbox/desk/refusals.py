"""Desk's error answers: one row for each error code (accounts.md section 5)."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec

ProblemType = Literal["invalid", "missing", "duplicate"]


class Problem(msgspec.Struct, frozen=True):
    """One thing wrong with a body: the JSON pointer of a member and what kind of wrong it is."""

    pointer: str
    kind: ProblemType = "invalid"


_CODES: Mapping[str, tuple[int, str]] = {
    "UNAUTHORIZED": (401, "You are not authenticated to perform this operation."),
    "INVALID_OAUTH": (401, "The OAuth Token you provided is invalid."),
    "SCOPE_MISMATCH": (403, "The scope of this token does not cover the operation."),
    "OAUTH_ORG_MISMATCH": (403, "The OAuthToken is not valid for specified organization"),
    "FORBIDDEN": (403, "You are not authorized to access this resource."),
    "LICENSE_ACCESS_LIMITED": (403, "Your Zoho Desk Edition does not support this feature/operation."),
    "URL_NOT_FOUND": (404, "The URL you requested could not be found."),
    "METHOD_NOT_ALLOWED": (405, "This method is not allowed for the URL."),
    "RESOURCE_SIZE_EXCEEDED": (413, "The request is larger than allowed."),
    "UNSUPPORTED_MEDIA_TYPE": (415, "The media type of the request is not supported."),
    "INVALID_DATA": (422, "The data does not comply to the validation restrictions defined."),
    "UNPROCESSABLE_ENTITY": (422, "The request cannot be processed."),
    "EMPTY_PAYLOAD": (422, "The request has no content."),
    "TOO_MANY_REQUESTS": (
        429,
        "The maximum number of Concurrent API Calls that can be made has been exceeded.",
    ),
    "INTERNAL_SERVER_ERROR": (500, "An internal server error occurred while performing this operation."),
    "THRESHOLD_EXCEEDED": (429, "The API credits of this day are used up."),
}


class Refusal(Exception):
    """An error answer: its status, its JSON body and further headers."""

    def __init__(self, code: str, message: str | None = None, *, status: int | None = None) -> None:
        usual_status, usual_message = _CODES[code]
        super().__init__(code)
        self.code = code
        self.status = status or usual_status
        self.message = message or usual_message
        self.headers: dict[str, str] = {}
        self.problems: tuple[Problem, ...] = ()

    def body(self) -> dict[str, Any]:
        """Write the answer's body; `errors` stands in it only if members of a body were wrong."""
        body: dict[str, Any] = {"errorCode": self.code, "message": self.message}
        if self.problems:
            body["errors"] = [{"fieldName": p.pointer, "errorType": p.kind} for p in self.problems]
        return body


def invalid_data(problems: Iterable[Problem]) -> Refusal:
    """Make the refusal of a body that names each wrong member."""
    refusal = Refusal("INVALID_DATA")
    refusal.problems = tuple(problems)
    return refusal


def bad_parameter(name: str) -> Refusal:
    """Make the refusal of a query parameter's value."""
    text = f"The value passed for the '{name}' query parameter is invalid."
    return Refusal("UNPROCESSABLE_ENTITY", text)


def extra_parameter(name: str) -> Refusal:
    """Make the refusal of a query parameter that the operation does not have."""
    return Refusal("UNPROCESSABLE_ENTITY", f"Extra query parameter '{name}' is present in the input.")
