"""The token endpoint: grants, errors under HTTP 200, limits."""

import base64
import hashlib

import pytest

from connector.sandbox.presets import DEMO_CLIENT_ID, DEMO_ORG_ID, client_secret
from connector.sandbox.state import SandboxState
from tests.integration.sandbox_accounts.conftest import DESK, Person


def test_online_answer(ada: Person) -> None:
    """Online access gives an access token for an hour and nothing to refresh it with."""
    answer = ada.tokens()
    assert answer == {
        "access_token": answer["access_token"],
        "scope": "Desk.contacts.READ Desk.calls.CREATE",
        "api_domain": "https://www.zohoapis.com",
        "token_type": "Bearer",
        "expires_in": 3600,
    }


def test_headers_of_the_answer(ada: Person) -> None:
    """It is labelled as Zoho labels it."""
    answer = ada.browser.post("/oauth/v2/token", data=ada.form({"code": ada.code()}))
    assert answer.headers["content-type"] == "application/json;charset=UTF-8"
    assert answer.headers.get_list("server") == ["ZGS"]
    assert answer.headers["cache-control"] == "no-store"


def test_refresh_token_only_where_consent_was_shown(ada: Person) -> None:
    """Offline access gives a refresh token at the first consent, then only with prompt=consent."""
    assert "refresh_token" in ada.tokens(access_type="offline")
    assert "refresh_token" not in ada.tokens(access_type="offline")
    assert "refresh_token" in ada.tokens(access_type="offline", prompt="consent")


def test_refresh_gives_no_refresh_token(ada: Person, world: SandboxState) -> None:
    """The old one is kept; the new access token has the same grant."""
    first = ada.offline()
    second = ada.refresh(first["refresh_token"])
    assert "refresh_token" not in second
    assert second["access_token"] != first["access_token"]
    assert world.tokens.resolve(second["access_token"]) == world.tokens.resolve(first["access_token"])


def test_switches_of_the_answer(ada: Person, world: SandboxState) -> None:
    """The scope may be missing, and api_domain be the documented one."""
    world.config.scope_in_token_answer = False
    world.config.api_domain_style = "api.zoho"
    answer = ada.tokens()
    assert "scope" not in answer
    assert answer["api_domain"] == "https://api.zoho.com"


def test_fields_in_the_query(ada: Person) -> None:
    """Zoho's own samples send everything in the address."""
    answer = ada.browser.post("/oauth/v2/token", params=ada.form({"code": ada.code()}))
    assert "access_token" in answer.json()


def test_fields_in_a_multipart_body(ada: Person) -> None:
    """A multipart form is read too."""
    files = {name: (None, value) for name, value in ada.form({"code": ada.code()}).items()}
    assert "access_token" in ada.browser.post("/oauth/v2/token", files=files).json()


def test_client_by_http_basic(ada: Person) -> None:
    """Client id and secret may come by HTTP Basic."""
    form = ada.form({"code": ada.code()})
    auth = (form.pop("client_id"), form.pop("client_secret"))
    assert "access_token" in ada.browser.post("/oauth/v2/token", data=form, auth=auth).json()


@pytest.mark.parametrize("header", ["Basic !!!", "Basic /w==", "Digest x"])
def test_garbage_authorization_is_no_client(ada: Person, header: str) -> None:
    """What cannot be read counts as absent."""
    form = {"grant_type": "refresh_token"}
    answer = ada.browser.post("/oauth/v2/token", data=form, headers={"Authorization": header})
    assert answer.json() == {"error": "invalid_client"}


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"client_id": ""}, "invalid_client"),
        ({"client_id": "1000.NOBODY"}, "invalid_client"),
        ({"grant_type": "password"}, "invalid_client"),
        ({"client_secret": ""}, "invalid_client_secret"),
        ({"client_secret": "0" * 42}, "invalid_client_secret"),
        ({"client_secret": client_secret(DEMO_CLIENT_ID, "eu")}, "invalid_client_secret"),
        ({"redirect_uri": ""}, "invalid_redirect_uri"),
        ({"redirect_uri": "http://127.0.0.1:9/other"}, "invalid_redirect_uri"),
        ({"code": "1000.no.such"}, "invalid_code"),
        ({"code": "-"}, "invalid_code"),
        ({"grant_type": "refresh_token"}, "invalid_code"),
    ],
)
def test_errors_come_under_200(ada: Person, changes: dict[str, str], error: str) -> None:
    """Each mistake has its code, alone in the answer; the code is not used up by it."""
    code = ada.code()
    assert ada.post_token(**{"code": code, **changes}) == {"error": error}
    assert "access_token" in ada.post_token(code=code)


def test_code_works_once(ada: Person) -> None:
    """A used code is invalid_code."""
    code = ada.code()
    ada.post_token(code=code)
    assert ada.post_token(code=code) == {"error": "invalid_code"}


@pytest.mark.parametrize("life", [60, 120])
def test_code_expires(ada: Person, world: SandboxState, life: int) -> None:
    """A code ends after two minutes, or one if so switched."""
    world.config.code_life_seconds = life
    code = ada.code()
    world.clock.advance(life)
    assert ada.post_token(code=code) == {"error": "invalid_code"}


def test_code_is_bound_to_its_redirect_address(ada: Person) -> None:
    """Another registered address is not the one of the code."""
    ada.client.redirect_uris.append("http://127.0.0.1:9/other")
    answer = ada.post_token(code=ada.code(), redirect_uri="http://127.0.0.1:9/other")
    assert answer == {"error": "invalid_redirect_uri"}


@pytest.mark.parametrize("grant_type", ["", None])
def test_bad_requests_are_pages(ada: Person, grant_type: str | None) -> None:
    """Without POST or without grant_type the answer is HTTP 400 and HTML."""
    answer = (
        ada.browser.get("/oauth/v2/token", params=ada.form({}))
        if grant_type is None
        else ada.browser.post("/oauth/v2/token", data=ada.form({"grant_type": grant_type}))
    )
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("text/html")


def test_wrong_data_center(ada_eu: Person) -> None:
    """A European's code and refresh token are invalid_client at home, and work in Europe."""
    code = ada_eu.code(access_type="offline")
    ada_eu.location = "us"
    assert ada_eu.post_token(code=code) == {"error": "invalid_client"}
    ada_eu.location = "eu"
    tokens = ada_eu.post_token(code=code)
    assert tokens["api_domain"] == "https://www.zohoapis.eu"
    ada_eu.location = "us"
    assert ada_eu.refresh(tokens["refresh_token"]) == {"error": "invalid_client"}


def test_one_secret_for_all_data_centers(ada_eu: Person, world: SandboxState) -> None:
    """With the box ticked in the console, home's secret works in Europe."""
    world.config.secret_per_data_center = False
    answer = ada_eu.post_token(code=ada_eu.code(), client_secret=client_secret(DEMO_CLIENT_ID, "us"))
    assert "access_token" in answer


def test_client_not_enabled_there(ada_eu: Person) -> None:
    """A client without Europe is invalid_client in Europe."""
    code = ada_eu.code()
    ada_eu.client.locations = ["us"]
    assert ada_eu.post_token(code=code) == {"error": "invalid_client"}


def test_anothers_code_and_refresh_token(ada: Person, world: SandboxState) -> None:
    """What was given to one client is of no use to another."""
    tokens, code = ada.offline(), ada.code()
    other = type(ada.client)(client_id="1000.OTHER", secret="x", redirect_uris=ada.client.redirect_uris)
    world.config.clients.append(other)
    fields = {"client_id": "1000.OTHER", "client_secret": "x"}
    assert ada.post_token(code=code, **fields) == {"error": "invalid_code"}
    fields |= {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert ada.post_token(**fields) == {"error": "invalid_code"}


def s256(verifier: str) -> str:
    """Make the challenge of a verifier."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


@pytest.mark.parametrize(("method", "challenge"), [("S256", s256("v" * 43)), ("plain", "v" * 43)])
def test_pkce(ada: Person, method: str, challenge: str) -> None:
    """A challenge wants its verifier; a wrong or missing one uses the code up."""
    asked = {"code_challenge": challenge, "code_challenge_method": method}
    assert "access_token" in ada.post_token(code=ada.code(**asked), code_verifier="v" * 43)
    for wrong in ("w" * 43, ""):
        code = ada.code(**asked)
        assert ada.post_token(code=code, code_verifier=wrong) == {"error": "invalid_code"}
        assert ada.post_token(code=code, code_verifier="v" * 43) == {"error": "invalid_code"}


def test_verifier_without_challenge_is_ignored(ada: Person) -> None:
    """PKCE is not enforced where it was not asked for."""
    assert "access_token" in ada.post_token(code=ada.code(), code_verifier="v" * 43)


@pytest.mark.parametrize("status", [200, 400])
def test_access_denied(ada: Person, world: SandboxState, status: int) -> None:
    """The eleventh refresh in ten minutes is Access Denied, whose status is a switch; then all is well."""
    world.config.access_denied_status = status  # type: ignore[assignment]
    refresh_token = ada.offline()["refresh_token"]
    for _ in range(10):
        assert "access_token" in ada.refresh(refresh_token)
    form = ada.form({"grant_type": "refresh_token", "refresh_token": refresh_token})
    answer = ada.browser.post("/oauth/v2/token", data=form)
    assert answer.status_code == status
    assert answer.json()["error"] == "Access Denied"
    assert answer.json()["status"] == "failure"
    world.clock.advance(600)
    assert "access_token" in ada.refresh(refresh_token)


def test_evicted_refresh_token(ada: Person, world: SandboxState) -> None:
    """The twenty-first consent silently ends the first one's refresh token."""
    first = ada.offline()["refresh_token"]
    for number in range(20):
        if number % 9 == 0:
            world.clock.advance(600)
        assert "access_token" in ada.refresh(first)
        ada.offline()
    assert ada.refresh(first) == {"error": "invalid_code"}


def test_deactivated_user(ada: Person, world: SandboxState) -> None:
    """The grant of a deactivated user is invalid_code."""
    refresh_token = ada.offline()["refresh_token"]
    world.config.users[0].active = False
    assert ada.refresh(refresh_token) == {"error": "invalid_code"}


def test_client_credentials(ada: Person, world: SandboxState) -> None:
    """They are for a portal, and give no refresh token."""
    asked = {"grant_type": "client_credentials", "scope": DESK}
    answer = ada.post_token(**asked, soid=f"Desk.{DEMO_ORG_ID}")
    assert "refresh_token" not in answer
    grant = world.tokens.resolve(answer["access_token"])
    assert grant is not None
    assert grant.org_id == DEMO_ORG_ID


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({}, "missing_org_info"),
        ({"soid": "Desk.1"}, "missing_org_info"),
        ({"soid": f"CRM.{DEMO_ORG_ID}"}, "missing_org_info"),
        ({"soid": f"Desk.{int(DEMO_ORG_ID) + 1}"}, "missing_org_info"),
        ({"soid": f"Desk.{DEMO_ORG_ID}", "scope": "Desk.nonsense.READ"}, "invalid_scope"),
    ],
)
def test_client_credentials_refused(ada: Person, changes: dict[str, str], error: str) -> None:
    """A portal of this data centre must be named, and known scopes."""
    asked = {"grant_type": "client_credentials", "scope": DESK, **changes}
    assert ada.post_token(**asked) == {"error": error}
