"""Signing in, consenting, and coming back to the client."""

import httpx2
import pytest

from connector.sandbox.presets import DEMO_ORG_ID
from connector.sandbox.serve import RunningSandbox
from connector.sandbox.state import SandboxState
from tests.integration.sandbox_accounts.conftest import CALLBACK, DESK, NO_TLS, Person, callback_of


def test_without_session_to_sign_in(ada: Person) -> None:
    """A request that holds answers 302 to the sign-in page, which lists the accounts."""
    query = {"client_id": ada.client.client_id, "response_type": "code", "redirect_uri": CALLBACK}
    answer = ada.browser.get("/oauth/v2/auth", params={**query, "scope": DESK})
    assert answer.status_code == 302
    page = ada.browser.get(answer.headers["location"])
    assert page.status_code == 200
    assert "ada@example.com" in page.text
    assert "<html lang=" in page.text


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_only_get(ada: Person, method: str) -> None:
    """Any method but GET is a bad request."""
    assert ada.browser.request(method, "/oauth/v2/auth").status_code == 400


def test_errors_are_pages(ada: Person) -> None:
    """What is wrong is shown as HTML at Zoho, and the client never hears of it."""
    answer = ada.authorize(client_id="1000.NOBODY")
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("text/html")
    assert "The transmitted client ID does not exist" in answer.text


def test_wrong_consent_request_is_a_page(ada: Person) -> None:
    """The consent form is checked as strictly as the address."""
    answer = ada.browser.post("/oauth/v2/consent", data={"request": "client_id=x", "decision": "accept"})
    assert answer.status_code == 400


def test_consent_without_session(ada: Person) -> None:
    """Consenting without being signed in leads to the sign-in page."""
    shown = ada.authorize()
    ada.browser.cookies.clear()
    answer = ada.decide(shown)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/signin?continue=")


def test_accepted(ada: Person, world: SandboxState) -> None:
    """A code comes back with state, location and accounts server; its token is bound to the portal."""
    shown = ada.authorize()
    assert "Harbour &amp; Hill (US)" in shown.text
    said = callback_of(ada.decide(shown, org_id=DEMO_ORG_ID))
    assert said.keys() == {"state", "code", "location", "accounts-server"}
    assert (said["state"], said["location"], said["accounts-server"]) == ("s-1", "us", ada.sandbox.origin)
    grant = world.tokens.resolve(ada.post_token(code=said["code"])["access_token"])
    assert grant is not None
    assert (grant.org_id, grant.zuid) == (DEMO_ORG_ID, ada.zuid)
    assert grant.scopes == {"desk.contacts.read", "desk.calls.create"}


def test_user_of_another_data_center(ada_eu: Person) -> None:
    """Who starts at home and lives in Europe comes back with Europe's location and server."""
    said = callback_of(ada_eu.decide(ada_eu.authorize()))
    assert (said["location"], said["accounts-server"]) == ("eu", ada_eu.sandbox.origins["eu"])


def test_foreign_portal_is_not_taken(ada: Person) -> None:
    """A portal in which one is no agent cannot be chosen; the page says so."""
    answer = ada.decide(ada.authorize(), org_id="1")
    assert answer.status_code == 400
    assert "Choose one of your portals" in answer.text


def test_portal_must_be_chosen_among_several(ada: Person, world: SandboxState) -> None:
    """Who has two portals has to say which."""
    world.config.orgs[1].location = "us"
    world.config.users[0].orgs.append(world.config.orgs[1].org_id)
    shown = ada.authorize()
    assert ada.decide(shown).status_code == 400
    code = callback_of(ada.decide(shown, org_id=world.config.orgs[1].org_id))["code"]
    found = world.tokens.find_code(code)
    assert found is not None
    assert found.grant.org_id == world.config.orgs[1].org_id


def test_denied(ada: Person, world: SandboxState) -> None:
    """A refusal is access_denied with the state, or without if so switched; nothing is remembered."""
    shown = ada.authorize()
    assert callback_of(ada.decide(shown, "deny")) == {"error": "access_denied", "state": "s-1"}
    world.config.denial_with_state = False
    assert callback_of(ada.decide(shown, "deny")) == {"error": "access_denied"}
    assert ada.authorize().status_code == 200


def test_no_org(nils: Person) -> None:
    """Who has no Desk account is offered only the way back, with no_org."""
    shown = nils.authorize()
    assert "Back to app" in shown.text
    assert 'value="accept"' not in shown.text
    assert callback_of(nils.decide(shown)) == {"error": "no_org", "state": "s-1"}


def test_no_org_for_phonebridge(ada: Person, world: SandboxState) -> None:
    """Each app whose scopes are asked for wants an account of its own."""
    assert "PhoneBridge" in ada.authorize(scope=f"{DESK},PhoneBridge.call.log").text
    world.config.users[0].services.append("PhoneBridge")
    assert 'value="accept"' in ada.authorize(scope=f"{DESK},PhoneBridge.call.log").text


def test_sign_in_needs_no_desk_account(nils: Person) -> None:
    """OpenID scopes are anybody's, and no portal is asked for."""
    shown = nils.authorize(scope="openid,email")
    assert 'name="org_id"' not in shown.text
    assert "code" in callback_of(nils.decide(shown))


def test_consent_is_remembered(ada: Person, world: SandboxState) -> None:
    """Once accepted, the same or fewer scopes need no page, more scopes or prompt=consent do."""
    ada.code()
    said = callback_of(ada.authorize(scope="Desk.contacts.READ"))
    found = world.tokens.find_code(said["code"])
    assert found is not None
    assert found.grant.org_id == DEMO_ORG_ID
    assert ada.authorize(scope="Desk.tickets.READ").status_code == 200
    assert ada.authorize(prompt="consent").status_code == 200


def test_eleventh_code_is_denied(ada: Person, world: SandboxState) -> None:
    """Past ten codes in ten minutes the answer is access_denied, until the window is over."""
    for _ in range(10):
        ada.code()
    assert callback_of(ada.authorize())["error"] == "access_denied"
    world.clock.advance(600)
    assert "code" in callback_of(ada.authorize())


def test_everything_is_escaped(ada: Person, world: SandboxState) -> None:
    """Markup in names and states stays text."""
    world.config.clients[0].name = "<script>alert(1)</script>"
    shown = ada.authorize(state='"><script>alert(2)</script>')
    assert "<script>" not in shown.text
    code = callback_of(ada.decide(shown))
    assert code["state"] == '"><script>alert(2)</script>'
    assert "<script>" not in ada.browser.get("/signin", params={"continue": '"><script>'}).text


@pytest.mark.parametrize("target", ["https://evil.test/", "//evil.test", "/elsewhere", ""])
def test_sign_in_goes_nowhere_else(ada: Person, target: str) -> None:
    """Only an authorization request is gone on to."""
    answer = ada.browser.post("/signin", data={"zuid": ada.zuid, "continue": target})
    assert answer.status_code == 200
    assert "You are signed in" in answer.text


def test_deactivated_user_cannot_sign_in(ada: Person, world: SandboxState) -> None:
    """Who is deactivated is not listed, not taken, and no longer signed in."""
    assert ada.authorize().status_code == 200
    world.config.users[0].active = False
    assert "ada@example.com" not in ada.browser.get("/signin").text
    assert ada.browser.post("/signin", data={"zuid": ada.zuid}).status_code == 400
    shown = ada.browser.get("/oauth/v2/auth", params=httpx2.QueryParams({"client_id": "x"}))
    assert shown.status_code == 400


def test_hostile_accounts_server(ada: Person, world: SandboxState) -> None:
    """With the switch on, the callback names a server of an attacker's."""
    world.config.hostile_accounts_server = "https://accounts.evil.test"
    assert callback_of(ada.decide(ada.authorize()))["accounts-server"] == "https://accounts.evil.test"


def test_client_of_home_only(sandbox: RunningSandbox, ada: Person) -> None:
    """A client that is not enabled in Europe is unknown at Europe's accounts server."""
    ada.client.locations = ["us"]
    fields = {"client_id": ada.client.client_id, "response_type": "code"}
    answer = httpx2.get(f"{sandbox.origins['eu']}/oauth/v2/auth", params=fields, verify=NO_TLS)
    assert "Invalid Client" in answer.text
