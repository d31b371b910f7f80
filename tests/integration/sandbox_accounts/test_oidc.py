"""OpenID Connect: discovery, keys, id tokens, who a token is."""

import base64
import json
from typing import Any

import httpx2
import pytest
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from connector.sandbox.serve import RunningSandbox
from connector.sandbox.state import SandboxState
from tests.integration.sandbox_accounts.conftest import NO_TLS, Person


def get(address: str, token: str | None = None, scheme: str = "Bearer") -> httpx2.Response:
    """Get an address, with a token if there is one."""
    headers = {} if token is None else {"Authorization": f"{scheme} {token}"}
    return httpx2.get(address, headers=headers, verify=NO_TLS)


def verified(person: Person, token: str) -> jwt.Token:
    """Check an id token against the keys of the person's data centre."""
    origin = person.sandbox.origins[person.location]
    keys = KeySet.import_key_set(get(f"{origin}/oauth/v2/keys").json())
    return jwt.decode(token, keys, algorithms=["RS256"])


def test_discovery_per_data_center(sandbox: RunningSandbox) -> None:
    """Each data centre is its own issuer; what Zoho's document lacks is lacking."""
    for location, origin in sandbox.origins.items():
        document = get(f"{origin}/.well-known/openid-configuration").json()
        assert document["issuer"] == origin == document["dc_info"][location]
        assert document["token_endpoint"] == f"{origin}/oauth/v2/token"
        assert not document.keys() & {"end_session_endpoint", "prompt_values_supported"}
        assert "nonce" not in document["claims_supported"]
    assert get(f"{sandbox.origin}/.well-known/oauth-authorization-server").status_code == 404


def test_id_token(ada: Person, world: SandboxState) -> None:
    """It is signed RS256 with a kid; names are first_name and last_name; the nonce is not echoed."""
    token = verified(ada, ada.tokens(scope="openid,email,profile", nonce="n-1")["id_token"])
    assert token.header == {"alg": "RS256", "typ": "JWT", "kid": "sandbox-us"}
    now = world.clock.now() // 1000
    assert token.claims.pop("at_hash")
    assert token.claims == {
        "iss": ada.sandbox.origin,
        "sub": ada.zuid,
        "aud": ada.client.client_id,
        "iat": now,
        "exp": now + 3600,
        "email": "ada@example.com",
        "email_verified": True,
        "first_name": "Ada",
        "last_name": "Fontaine",
        "name": "Ada Fontaine",
    }


def test_nonce_echoed(ada: Person, world: SandboxState) -> None:
    """With the switch on, the nonce comes back."""
    world.config.nonce_echoed = True
    token = verified(ada, ada.tokens(scope="openid", nonce="n-1")["id_token"])
    assert token.claims["nonce"] == "n-1"
    assert "nonce" not in verified(ada, ada.tokens(scope="openid")["id_token"]).claims


@pytest.mark.parametrize(
    ("scope", "said"),
    [
        ("openid", set()),
        ("email", {"email", "email_verified"}),
        ("profile", {"first_name", "last_name", "name"}),
    ],
)
def test_claims_by_scope(ada: Person, scope: str, said: set[str]) -> None:
    """Any one of the three scopes gives an id token with what it allows."""
    claims = verified(ada, ada.tokens(scope=scope)["id_token"]).claims
    assert claims.keys() - {"iss", "sub", "aud", "iat", "exp", "at_hash"} == said


def test_no_id_token_without_openid_scopes(ada: Person) -> None:
    """Desk scopes alone say nothing about the person, and neither does a refresh."""
    assert "id_token" not in ada.tokens()
    both = ada.tokens(scope="openid,Desk.basic.READ", access_type="offline", prompt="consent")
    assert "id_token" in both
    assert "id_token" not in ada.refresh(both["refresh_token"])


def test_unverified_email(ada: Person, world: SandboxState) -> None:
    """An address that is not verified is said to be so."""
    world.config.users[0].email_verified = False
    assert verified(ada, ada.tokens(scope="email")["id_token"]).claims["email_verified"] is False


def test_issuer_is_the_users_data_center(ada_eu: Person) -> None:
    """A European's id token is Europe's, and home's keys do not fit it."""
    token = ada_eu.tokens(scope="openid")["id_token"]
    assert verified(ada_eu, token).claims["iss"] == ada_eu.sandbox.origins["eu"]
    ada_eu.location = "us"
    with pytest.raises((JoseError, ValueError)):
        verified(ada_eu, token)


def decoded(part: str) -> dict[str, Any]:
    """Read one padded part of a token."""
    content: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part))
    return content


def test_the_header_of_old(ada: Person, world: SandboxState) -> None:
    """With both switches the header is that of old, padding included, and nothing standard reads it."""
    world.config.jwt_key_named, world.config.jwt_padded = "key_id", True
    token = ada.tokens(scope="openid")["id_token"]
    header, claims, _ = token.split(".")
    assert decoded(header) == {"key_id": "sandbox-us", "typ": "JWS", "alg": "RS256"}
    assert decoded(claims)["sub"] == ada.zuid
    assert "=" in token
    with pytest.raises((JoseError, ValueError)):
        verified(ada, token)


def test_a_number_as_sub_and_odd_keys(ada: Person, world: SandboxState) -> None:
    """Each switch changes one thing alone."""
    world.config.jwt_sub_number = world.config.odd_keys = True
    world.config.jwt_key_named = "neither"
    header, claims, _ = ada.tokens(scope="openid")["id_token"].split(".")
    assert decoded(header + "==") == {"typ": "JWT", "alg": "RS256"}
    assert decoded(claims + "==")["sub"] == int(ada.zuid)
    listed = get(f"{ada.sandbox.origin}/oauth/v2/keys").json()["keys"]
    assert [key.get("kid") for key in listed].count("sandbox-us") == 1
    assert {key.get("kty") for key in listed} == {"AKP", "RSA", None}


def test_userinfo(ada: Person) -> None:
    """With the scope email it answers; without, HTTP 400 and a page; a wrong token is refused."""
    address = f"{ada.sandbox.origin}/oauth/v2/userinfo"
    token = ada.tokens(scope="openid,email")["access_token"]
    assert get(address, token).json() == {
        "sub": ada.zuid,
        "email": "ada@example.com",
        "email_verified": True,
    }
    refused = get(address, ada.tokens(scope="profile")["access_token"])
    assert refused.status_code == 400
    assert "Zoho Accounts" in refused.text
    assert get(address, "1000.no.such").status_code == get(address).status_code == 401


def test_older_user_info(ada: Person) -> None:
    """It wants its own scope, in any case, and says so under HTTP 200."""
    address = f"{ada.sandbox.origin}/oauth/user/info"
    token = ada.tokens(scope="AaaServer.profile.READ")["access_token"]
    for scheme in ("Bearer", "Zoho-oauthtoken"):
        assert get(address, token, scheme).json() == {
            "First_Name": "Ada",
            "Last_Name": "Fontaine",
            "Email": "ada@example.com",
            "Display_Name": "Ada Fontaine",
            "ZUID": int(ada.zuid),
        }
    without = get(address, ada.tokens()["access_token"])
    assert (without.status_code, without.json()) == (200, {"status_code": 405})
    assert get(address, "1000.no.such").status_code == 401


def test_serverinfo(sandbox: RunningSandbox) -> None:
    """It maps locations to accounts servers."""
    answer = get(f"{sandbox.origin}/oauth/serverinfo").json()
    assert answer == {"result": "success", "locations": sandbox.origins}
