"""Taking tokens back, and asking about them."""

import httpx2
import pytest

from connector.sandbox.state import SandboxState
from tests.integration.sandbox_accounts.conftest import Person


def test_older_address_asks_for_no_client(ada: Person) -> None:
    """The token alone, in the query, is enough; its access tokens die with it."""
    tokens = ada.offline()
    address = "/oauth/v2/token/revoke"
    answer = ada.browser.post(address, params={"token": tokens["refresh_token"]})
    assert (answer.status_code, answer.json()) == (200, {"status": "success"})
    assert ada.refresh(tokens["refresh_token"]) == {"error": "invalid_code"}
    assert ada.browser.post(address, params={"token": tokens["access_token"]}).status_code == 400
    assert ada.browser.post(address).status_code == 400


def newer(person: Person, token: str, auth: tuple[str, str]) -> httpx2.Response:
    """Use the newer address."""
    return person.browser.post("/oauth/v2/revoke/token", data={"token": token}, auth=auth)


def test_newer_address_asks_for_the_client(ada: Person, world: SandboxState) -> None:
    """Only the client to which the token was given may revoke it."""
    token, right = ada.offline()["refresh_token"], (ada.client.client_id, ada.client.secret)
    other = type(ada.client)(client_id="1000.OTHER", secret="x", redirect_uris=[])
    world.config.clients.append(other)
    for wrong in (("1000.OTHER", "x"), (ada.client.client_id, "x"), ("", "")):
        assert newer(ada, token, wrong).status_code == 400
    assert newer(ada, "1000.no.such", right).status_code == 400
    assert newer(ada, token, right).json() == {"status": "success"}
    assert newer(ada, token, right).status_code == 400


def test_revoke_all_forgets_consent(ada: Person, world: SandboxState) -> None:
    """Removing the app brings the consent page back, and with it a refresh token."""
    first = ada.offline()
    world.revoke_all_grants()
    assert world.tokens.resolve(first["access_token"]) is None
    assert ada.refresh(first["refresh_token"]) == {"error": "invalid_code"}
    assert "refresh_token" in ada.tokens(access_type="offline")


@pytest.mark.parametrize("seconds", [0, 3600])
def test_introspection(ada: Person, world: SandboxState, seconds: int) -> None:
    """A client is told about its own tokens while they live."""
    token, auth = ada.tokens()["access_token"], (ada.client.client_id, ada.client.secret)
    ends_at = world.clock.now() // 1000 + 3600
    world.clock.advance(seconds)
    answer = ada.browser.post("/oauth/v2/introspect", data={"token": token}, auth=auth).json()
    expected = {
        "active": True,
        "scope": "Desk.contacts.READ Desk.calls.CREATE",
        "client_id": ada.client.client_id,
        "sub": ada.zuid,
        "exp": ends_at,
    }
    assert answer == (expected if seconds == 0 else {"active": False})
