"""Deciphering Desk's answers without a network."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector import errors
from connector.zoho import operations, wire
from connector.zoho.models import DeskCall
from tests.unit.zoho.samples import sample

READ = operations.call("7")
LIST = operations.calls("7", 0, 10, newest_first=False)
WRITE = operations.create_call({"subject": "x"})


def decipher(
    request: wire.Request[Any], status: int, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> object:
    """Decipher an answer with the headers it may have."""
    return wire.decipher(request, status, headers or {}, body)


def problem(code: str, message: str = "") -> bytes:
    """Write an error as Desk does."""
    return json.dumps({"errorCode": code, "message": message}).encode()


def test_a_record() -> None:
    """A bare record is read."""
    call = wire.decipher(WRITE, 200, {}, sample("call.json"))
    assert isinstance(call, DeskCall)
    assert call.contact_id == "1892000000088017"


def test_an_empty_list() -> None:
    """204, no data and null are empty lists."""
    assert decipher(LIST, 204) == []
    assert decipher(LIST, 200, b'{"data":null}') == []
    assert decipher(LIST, 200, b"{}") == []


def test_nobody() -> None:
    """204 for an agent is no agent."""
    assert decipher(operations.agent_by_email("a@example.com"), 204) is None


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, "SCOPE_MISMATCH", errors.ScopeMissing),
        (403, "SCOPE_MISMATCH", errors.ScopeMissing),
        (401, "OAUTH_ORG_MISMATCH", errors.OrgMismatch),
        (403, "OAUTH_ORG_MISMATCH", errors.OrgMismatch),
        (401, "INVALID_OAUTH", errors.GrantLost),
        (401, "UNAUTHORIZED", errors.GrantLost),
        (403, "FORBIDDEN", errors.Forbidden),
        (403, "LICENSE_ACCESS_LIMITED", errors.LicenseLimited),
        (403, "SOMETHING_NEW", errors.Forbidden),
        (400, "BAD_REQUEST", errors.ZohoRefused),
        (404, "URL_NOT_FOUND", errors.RecordNotFound),
        (405, "METHOD_NOT_ALLOWED", errors.ZohoRefused),
        (413, "RESOURCE_SIZE_EXCEEDED", errors.ZohoRefused),
        (415, "UNSUPPORTED_MEDIA_TYPE", errors.ZohoRefused),
        (422, "UNPROCESSABLE_ENTITY", errors.InvalidData),
        (422, "EMPTY_PAYLOAD", errors.InvalidData),
        (422, "INTEGRATION_ADMIN_ERROR", errors.InvalidData),
        (429, "TOO_MANY_REQUESTS", errors.ConcurrencyExceeded),
        (429, "THRESHOLD_EXCEEDED", errors.CreditsExhausted),
        (429, "", errors.ConcurrencyExceeded),
        (401, "", errors.GrantLost),
    ],
)
@pytest.mark.parametrize("request_", [READ, WRITE], ids=["read", "write"])
def test_refusals(request_: wire.Request[Any], status: int, code: str, kind: type[errors.ZohoError]) -> None:
    """A 4xx is never applied, and its code says whose fault it is."""
    with pytest.raises(errors.ZohoError) as caught:
        decipher(request_, status, problem(code, "Said so."))
    assert type(caught.value) is kind
    # Credits are the portal's, whatever was asked.
    assert request_.path in str(caught.value) or kind is errors.CreditsExhausted


def test_refused_fields_are_named() -> None:
    """A 422 tells field by field what is wrong."""
    with pytest.raises(errors.InvalidData, match="/ownerId invalid") as caught:
        decipher(WRITE, 422, sample("invalid_data.json"))
    assert caught.value.fields == {"/ownerId": "invalid", "/cf/cf_recordingurl": "invalid"}


def test_retry_after() -> None:
    """Daily exhaustion says when to come back; concurrency does not."""
    with pytest.raises(errors.CreditsExhausted) as caught:
        decipher(READ, 429, problem("THRESHOLD_EXCEEDED"), {"Retry-After": "7200"})
    assert caught.value.retry_after_seconds == 7200
    with pytest.raises(errors.ConcurrencyExceeded) as concurrent:
        decipher(READ, 429, problem("TOO_MANY_REQUESTS"))
    assert concurrent.value.retry_after_seconds is None


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({"Retry-After": "11520"}, "new ones in 3 h 12 min"),
        ({"Retry-After": "45"}, "new ones in 45 s"),
        ({}, "does not say until when"),
        ({"Retry-After": "soon"}, "does not say until when"),
    ],
)
def test_used_up_credits_say_until_when(headers: dict[str, str], said: str) -> None:
    """In words of their own, whoever reads them."""
    with pytest.raises(errors.CreditsExhausted, match=said):
        decipher(READ, 429, problem("THRESHOLD_EXCEEDED"), headers)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("86400", 86_400), ("86401", 86_400), ("999999999", 86_400), ("9" * 5_000, None), ("soon", None)],
)
def test_retry_after_is_a_day_at_most(said: str, seconds: int | None) -> None:
    """Whatever stands there, a portal rests no longer than its credits need to come back."""
    with pytest.raises(errors.CreditsExhausted) as caught:
        decipher(READ, 429, problem("THRESHOLD_EXCEEDED"), {"Retry-After": said})
    assert caught.value.retry_after_seconds == seconds


PAGES = (b"", b"<html></html>", b"{}", b"[]", b'"no"', b"\xff", problem(""), b'{"error":"blocked"}')


@pytest.mark.parametrize(
    "status", [400, 402, 403, 404, 405, 406, 409, 410, 413, 414, 415, 418, 422, 451, 499]
)
@pytest.mark.parametrize("body", [*PAGES, sample("desk_error.html")])
def test_a_page_is_not_desks_word(status: int, body: bytes) -> None:
    """A 4xx that names no errorCode is an outage like any: it says nothing of any record."""
    with pytest.raises(errors.ZohoDown):
        decipher(READ, status, body)
    with pytest.raises(errors.OutcomeUnknown):
        decipher(WRITE, status, body)


@pytest.mark.parametrize("body", PAGES)
def test_a_page_that_ends_nothing(body: bytes) -> None:
    """Whoever says 401 or 429 means it: the token is renewed, and fewer requests leave at a time."""
    for status, kind in ((401, errors.GrantLost), (429, errors.ConcurrencyExceeded)):
        with pytest.raises(kind):
            decipher(WRITE, status, body)


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408, 425])
@pytest.mark.parametrize("body", [b"", b"<html></html>", b'{"errorCode":"INTERNAL_SERVER_ERROR"}'])
def test_outages(status: int, body: bytes) -> None:
    """After a 5xx a read may be repeated, and a write's outcome is unknown."""
    with pytest.raises(errors.ZohoDown):
        decipher(READ, status, body)
    with pytest.raises(errors.OutcomeUnknown):
        decipher(WRITE, status, body)


@pytest.mark.parametrize("body", [b"", b"<html></html>", b"{}", b'{"id":null}', b"\xff"])
def test_an_unreadable_success(body: bytes) -> None:
    """A 2xx that holds no record was perhaps applied."""
    with pytest.raises(errors.ZohoDown):
        decipher(READ, 200, body)
    with pytest.raises(errors.OutcomeUnknown):
        decipher(WRITE, 201, body)


def test_a_patch_may_be_repeated() -> None:
    """Writing the same values again changes nothing."""
    with pytest.raises(errors.ZohoDown):
        decipher(operations.patch_call("7", {}), 502)


def test_a_redirect_is_not_desk() -> None:
    """A redirect is applied by nobody."""
    with pytest.raises(errors.ZohoDown):
        decipher(WRITE, 302, b"")


@pytest.mark.parametrize(
    ("status", "body", "refuses"),
    [
        (401, problem("INVALID_OAUTH"), True),
        (401, problem("UNAUTHORIZED"), True),
        (401, sample("desk_error.html"), True),
        (401, problem("SCOPE_MISMATCH"), False),
        (401, problem("OAUTH_ORG_MISMATCH"), False),
        (403, problem("INVALID_OAUTH"), False),
        (200, b"{}", False),
    ],
)
def test_which_401_refuses_the_token(status: int, body: bytes, refuses: object) -> None:
    """JSON or HTML, a 401 refuses the token unless it names another reason."""
    assert wire.refuses_token(status, body) is refuses


def test_limits() -> None:
    """The credits headers are read where they are numbers."""
    told = wire.limits({"X-Rate-Limit-Request-Weight-v3": "3", "X-Rate-Limit-Remaining-v3": "49000"})
    assert (told.weight, told.remaining) == (3, 49_000)
    assert wire.limits({"X-Rate-Limit-Remaining-v3": "many"}) == wire.Limits(None, None)
    assert wire.limits({"X-Rate-Limit-Remaining-v3": "9" * 5_000}) == wire.Limits(None, None)


@settings(deadline=None)
@given(st.integers(200, 599), st.binary(max_size=40) | st.sampled_from([sample("call.json"), b"{}"]))
def test_nothing_foreign_comes_of_any_answer(status: int, body: bytes) -> None:
    """Any status with any body is a value or a ZohoError, and only writes have unknown outcomes."""
    requests: tuple[wire.Request[Any], ...] = (READ, LIST, WRITE)
    for request in requests:
        try:
            decipher(request, status, body)
        except errors.OutcomeUnknown:
            assert not request.repeatable
        except errors.ZohoError:
            continue
