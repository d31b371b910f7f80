"""Tokens, portals, scopes, permissions, methods and media types at the gateway of Desk."""

import httpx2
import pytest

from tests.integration.sandbox_desk.conftest import Desk, problems, refusal


def test_no_token_is_unauthorized_without_credit_headers(desk: Desk) -> None:
    """Whoever shows no token is not authenticated, and learns nothing of credits."""
    answer = desk.http.get("/api/v1/contacts")
    assert refusal(answer) == (401, "UNAUTHORIZED")
    assert answer.json()["message"] == "You are not authenticated to perform this operation."
    assert not [name for name in answer.headers if name.startswith("x-rate-limit")]


def test_bad_token_is_invalid_oauth(desk: Desk) -> None:
    """An unknown token is not the same as none."""
    answer = desk.call("GET", "contacts", token="1000.no.such")
    assert refusal(answer) == (401, "INVALID_OAUTH")


def test_expired_token_is_invalid_oauth(desk: Desk) -> None:
    """A token dies after its hour."""
    desk.sandbox.state.clock.advance(desk.config.access_token_life_seconds)
    assert refusal(desk.get("contacts")) == (401, "INVALID_OAUTH")


def test_bearer_is_understood_too(desk: Desk) -> None:
    """Zoho takes both schemes."""
    answer = desk.call("GET", "contacts", headers={"Authorization": f"Bearer {desk.token}"})
    assert answer.status_code == 200


def test_401_as_html_page(desk: Desk) -> None:
    """With the switch a 401 comes as a web page."""
    desk.config.desk_401_html = True
    answer = desk.call("GET", "contacts", token="bad")
    assert answer.status_code == 401
    assert answer.headers["content-type"].startswith("text/html")
    assert "Zoho Desk - Error" in answer.text


@pytest.mark.parametrize("how", ["none", "header", "query"])
def test_org_id_may_come_in_header_query_or_not_at_all(desk: Desk, how: str) -> None:
    """The token knows its portal."""
    headers = {"orgId": desk.org.org_id} if how == "header" else {}
    params = {"orgId": desk.org.org_id} if how == "query" else {}
    assert desk.call("GET", "contacts", headers=headers, params=params).status_code == 200


@pytest.mark.parametrize("status", [401, 403])
def test_foreign_org_id_is_a_mismatch(desk: Desk, status: int) -> None:
    """Another portal's id is refused with the status that is set; the header goes before the query."""
    desk.config.org_mismatch_status = 401 if status == 401 else 403
    answer = desk.call("GET", "contacts", headers={"orgId": "1"}, params={"orgId": desk.org.org_id})
    assert refusal(answer) == (status, "OAUTH_ORG_MISMATCH")
    assert answer.json()["message"] == "The OAuthToken is not valid for specified organization"


def test_organizations_needs_no_org_id(desk: Desk) -> None:
    """The list of organisations is how an app learns the id; a wrong header does not matter."""
    answer = desk.call("GET", "organizations", headers={"orgId": "1"})
    assert [org["id"] for org in answer.json()["data"]] == [desk.org.org_id]
    assert refusal(desk.call("GET", "accessibleOrganizations", headers={"orgId": "1"}))[0] == 403


@pytest.mark.parametrize(
    ("path", "scopes", "expected"),
    [
        ("contacts", ("Desk.contacts.READ",), 200),
        ("contacts", ("desk.CONTACTS.read",), 200),
        ("contacts", ("Desk.contacts.CREATE",), 403),
        ("contacts/search", ("Desk.contacts.READ",), 403),
        ("contacts/search", ("Desk.contacts.READ", "Desk.search.READ"), 200),
        ("calls", ("Desk.calls.READ",), 204),
        ("calls", ("Desk.activities.calls.READ",), 204),
        ("calls", ("Desk.activities.ALL",), 204),
        ("calls/search", ("Desk.calls.READ",), 403),
        ("calls/search", ("Desk.calls.READ", "Desk.search.READ"), 204),
        ("agents", ("Desk.basic.READ",), 200),
        ("agents", ("Desk.settings.READ",), 200),
        ("agents", ("Desk.agents.READ",), 200),
        ("agents", ("Desk.contacts.ALL",), 403),
        ("myinfo", ("Desk.settings.READ",), 200),
        ("departments", ("Desk.departments.READ",), 200),
        ("tickets", ("Desk.tickets.ALL",), 200),
    ],
)
def test_scopes(desk: Desk, path: str, scopes: tuple[str, ...], expected: int) -> None:
    """Alternatives suffice one by one, searching is additional, letter case does not matter."""
    answer = desk.call("GET", path, token=desk.grant(*scopes))
    assert answer.status_code == expected
    if expected == 403:
        assert answer.json()["errorCode"] == "SCOPE_MISMATCH"


def test_scope_mismatch_can_be_401(desk: Desk) -> None:
    """Which status it has is not documented, so it is a switch."""
    desk.config.scope_mismatch_status = 401
    answer = desk.call("GET", "contacts", token=desk.grant("Desk.calls.READ"))
    assert refusal(answer) == (401, "SCOPE_MISMATCH")


def test_missing_permission_is_forbidden_and_shows_in_the_profile(desk: Desk) -> None:
    """A profile without calls.create may not create calls, and says so."""
    desk.state.deny("calls.create", desk.org.org_id)
    assert refusal(desk.post("calls", desk.call_body())) == (403, "FORBIDDEN")
    shown = desk.get("myProfilePermissions").json()["permissions"]["calls"]
    assert (shown["create"], shown["view"]) == (False, True)


def test_token_of_somebody_without_a_seat_is_forbidden(desk: Desk) -> None:
    """Whoever has left the portal may do nothing in it."""
    desk.config.agents_of(desk.org.org_id)[0].orgs.clear()
    assert refusal(desk.get("contacts")) == (403, "FORBIDDEN")


@pytest.mark.parametrize("path", ["nothing", "contacts/abc", "contacts/1/nothing", "../../x"])
def test_unknown_address(desk: Desk, path: str) -> None:
    """What is not there is not found, in JSON."""
    answer = desk.http.get(f"/api/v1/{path}") if ".." not in path else desk.http.get("/api/v2/calls")
    if path == "contacts/abc" or ".." in path or "nothing" in path:
        assert refusal(answer) == (404, "URL_NOT_FOUND")


@pytest.mark.parametrize(("method", "path"), [("PUT", "contacts"), ("DELETE", "calls"), ("POST", "myinfo")])
def test_method_not_allowed(desk: Desk, method: str, path: str) -> None:
    """An address has its methods and no others."""
    answer = desk.call(method, path)
    assert refusal(answer) == (405, "METHOD_NOT_ALLOWED")
    assert "GET" in answer.headers["allow"]


def test_only_json_is_taken(desk: Desk) -> None:
    """A form is an unsupported media type."""
    answer = desk.call("POST", "contacts", data={"lastName": "Form"})
    assert refusal(answer) == (415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("raw", [b"{", b"[]", b'"x"', b"[" * 100_000, b'{"lastName": "\\ud800"}', b"\xff"])
def test_unreadable_body(desk: Desk, raw: bytes) -> None:
    """What is no JSON object cannot be processed."""
    answer = desk.call("POST", "contacts", content=raw, headers={"Content-Type": "application/json"})
    assert refusal(answer) == (422, "UNPROCESSABLE_ENTITY")


@pytest.mark.parametrize("raw", [b"", b"{}"])
def test_empty_body(desk: Desk, raw: bytes) -> None:
    """A body without content is an error of its own."""
    answer = desk.call("POST", "contacts", content=raw, headers={"Content-Type": "application/json"})
    assert refusal(answer) == (422, "EMPTY_PAYLOAD")


def test_large_body(desk: Desk) -> None:
    """A body over one MiB is refused."""
    answer = desk.post("contacts", {"lastName": "x" * 1024 * 1024})
    assert refusal(answer) == (413, "RESOURCE_SIZE_EXCEEDED")


@pytest.mark.parametrize("path", ["contacts", "calls", "tickets", "agents", "departments", "contacts/search"])
def test_unknown_query_parameter(desk: Desk, path: str) -> None:
    """An extra parameter is named and refused."""
    answer = desk.get(path, nosuch=1)
    assert refusal(answer) == (422, "UNPROCESSABLE_ENTITY")
    assert answer.json()["message"] == "Extra query parameter 'nosuch' is present in the input."


@pytest.mark.parametrize(
    ("path", "name", "value"),
    [
        ("contacts", "limit", "101"),
        ("contacts", "limit", "0"),
        ("contacts", "limit", "ten"),
        ("contacts", "from", "-1"),
        ("calls", "limit", "101"),
        ("calls", "departmentId", "x"),
        ("calls", "isCompleted", "yes"),
        ("calls", "sortBy", "subject"),
        ("calls", "include", "livecalls"),
        ("tickets", "limit", "101"),
        ("agents", "limit", "201"),
        ("contacts/search", "limit", "101"),
        ("contacts/search", "from", "1000"),
        ("contacts/search", "_all", "ab"),
        ("contacts/search", "modifiedTimeRange", "2026-01-05T09:00:00Z"),
        ("contacts/search", "phone", ",".join(["1"] * 31)),
        ("calls/search", "createdTimeRange", "yesterday,today"),
        ("calls/search", "customField1", "no-colon"),
        ("calls", "viewId", "1"),
    ],
)
def test_bad_query_parameter(desk: Desk, path: str, name: str, value: str) -> None:
    """A value that may not be is refused in Desk's words."""
    answer = desk.get(path, **{name: value})
    assert refusal(answer) == (422, "UNPROCESSABLE_ENTITY")
    assert answer.json()["message"] == f"The value passed for the '{name}' query parameter is invalid."


def test_descending_sort_can_be_refused(desk: Desk) -> None:
    """The official enumerations have no descending keys; with the switch Desk insists."""
    assert desk.get("contacts", sortBy="-modifiedTime").status_code == 200
    desk.config.descending_sort_refused = True
    assert desk.get("contacts", sortBy="modifiedTime").status_code == 200
    for path in ("contacts", "calls", "contacts/search", "calls/search", "tickets"):
        assert desk.get(path, sortBy="-createdTime").status_code == 422


def test_unknown_members_of_a_body(desk: Desk) -> None:
    """Bodies are closed; every wrong member is named by a JSON pointer."""
    answer = desk.post("contacts", {"firstName": "x" * 41, "nosuch": 1, "a/b": 2})
    expected = {"/lastName": "missing", "/firstName": "invalid", "/nosuch": "invalid", "/a~1b": "invalid"}
    assert problems(answer) == expected


def test_records_of_another_portal_are_not_found(desk: Desk) -> None:
    """A token sees its own portal only."""
    foreign = desk.state.add_contact(last_name="Elsewhere")
    assert refusal(desk.get(f"contacts/{foreign.id}")) == (404, "URL_NOT_FOUND")
    assert problems(desk.post("calls", desk.call_body(contactId=foreign.id))) == {"/contactId": "invalid"}


def test_hidden_records_are_not_found(desk: Desk) -> None:
    """Data sharing keeps a record from reads, lists and searches alike."""
    contact = desk.state.add_contact(desk.org.org_id, last_name="Hidden", phone="+44 20 7946 0001")
    assert desk.ids("contacts/search", phone="+44 20 7946 0001") == [contact.id]
    desk.state.hide(contact.id)
    assert desk.get(f"contacts/{contact.id}").status_code == 404
    assert desk.ids("contacts/search", phone="+44 20 7946 0001") == []
    assert contact.id not in desk.ids("contacts", limit=100, sortBy="-createdTime")


def test_answers_are_json(desk: Desk) -> None:
    """Every answer with a body says what it is."""
    answer: httpx2.Response = desk.get("contacts")
    assert answer.headers["content-type"] == "application/json"
