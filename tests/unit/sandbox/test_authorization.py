"""Checks of an authorization request, and the addresses that lead back."""

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from connector.sandbox.authorization import (
    Authorization,
    BadRequest,
    error_address,
    read_authorization,
    success_address,
)
from connector.sandbox.config import Config
from connector.sandbox.presets import DEMO_CLIENT_ID, default_config

CALLBACK = "http://127.0.0.1:8000/oauth/callback"


@pytest.fixture
def config() -> Config:
    """Have one data centre and one client."""
    return default_config("http://zoho.test", redirect_uris=[CALLBACK, f"{CALLBACK}?tab=1", "custom:/cb"])


def read(config: Config, **changes: str | None) -> Authorization:
    """Read a request that holds but for `changes`; None leaves a parameter out."""
    fields: dict[str, str | None] = {
        "client_id": DEMO_CLIENT_ID,
        "response_type": "code",
        "redirect_uri": CALLBACK,
        "scope": "openid,email",
        "state": "a b&c=ü",
        **changes,
    }
    query = urlencode({name: value for name, value in fields.items() if value is not None})
    return read_authorization(config, config.data_centers[0], query)


def test_what_a_request_says(config: Config) -> None:
    """Every parameter arrives; online without consent is the default."""
    asked = read(config)
    assert asked.scopes.names == {"openid", "email"}
    assert (asked.offline, asked.prompt_consent, asked.state) == (False, False, "a b&c=ü")
    asked = read(config, access_type="offline", prompt="consent", nonce="n", code_challenge="c")
    assert (asked.offline, asked.prompt_consent, asked.nonce) == (True, True, "n")
    assert (asked.challenge, asked.challenge_method) == ("c", "plain")


@pytest.mark.parametrize(
    ("changes", "title", "status"),
    [
        ({"client_id": "1000.NOBODY"}, "Invalid Client", 400),
        ({"client_id": None}, "Invalid Client", 400),
        ({"response_type": None}, "Invalid Response Type", 400),
        ({"response_type": "token id_token"}, "An Error Occurred", 500),
        ({"redirect_uri": None}, "Invalid Redirect Uri", 400),
        ({"redirect_uri": f"{CALLBACK}/"}, "Invalid Redirect Uri", 400),
        ({"redirect_uri": CALLBACK.upper()}, "Invalid Redirect Uri", 400),
        ({"redirect_uri": "custom:/cb"}, "Invalid Redirect Uri", 400),
        ({"scope": None}, "Invalid OAuth Scope", 400),
        ({"scope": "openid Desk.nonsense.READ"}, "Invalid OAuth Scope", 400),
        ({"code_challenge": "c", "code_challenge_method": "S512"}, "Invalid Request", 400),
    ],
)
def test_what_is_refused(config: Config, changes: dict[str, str | None], title: str, status: int) -> None:
    """Each mistake has its page."""
    with pytest.raises(BadRequest) as refused:
        read(config, **changes)
    assert (refused.value.title, refused.value.status) == (title, status)


def test_client_not_enabled_in_a_data_center(config: Config) -> None:
    """A client that is not of this data centre is unknown there."""
    config.clients[0].locations = ["eu"]
    with pytest.raises(BadRequest, match="Invalid Client"):
        read(config)


def test_way_back_with_a_code(config: Config) -> None:
    """State comes back untouched, the accounts server is percent-encoded, and a stray & ends it all."""
    address = success_address(config, read(config), config.users[0], "1000.a.b")
    assert address.endswith("&accounts-server=http%3A%2F%2Fzoho.test&")
    assert parse_qs(urlsplit(address).query) == {
        "state": ["a b&c=ü"],
        "code": ["1000.a.b"],
        "location": ["us"],
        "accounts-server": ["http://zoho.test"],
    }


def test_way_back_switches(config: Config) -> None:
    """The stray & can be off, the accounts server hostile, the state absent, the address have a query."""
    config.stray_ampersand = False
    config.hostile_accounts_server = "https://accounts.evil.test"
    address = success_address(
        config, read(config, state=None, redirect_uri=f"{CALLBACK}?tab=1"), config.users[0], "c"
    )
    assert address == f"{CALLBACK}?tab=1&code=c&location=us&accounts-server=https%3A%2F%2Faccounts.evil.test"


def test_way_back_without_a_code(config: Config) -> None:
    """An error carries the state unless switched off, and neither location nor server."""
    assert (
        error_address(config, read(config, state="s"), "access_denied")
        == f"{CALLBACK}?error=access_denied&state=s"
    )
    config.denial_with_state = False
    assert error_address(config, read(config, state="s"), "no_org") == f"{CALLBACK}?error=no_org"
