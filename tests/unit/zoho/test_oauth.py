"""What is sent to Zoho Accounts, and what is not."""

import base64
import hashlib
import logging
from urllib.parse import parse_qs, urlsplit

import pytest

from connector.errors import ClientRefused, GrantLost, NoRefreshToken, NoToken, TokensThrottled, ZohoDown
from connector.zoho.data_centers import TABLE
from connector.zoho.oauth import OAuth
from connector.zoho.transport import http_client
from tests.unit.zoho.samples import sample
from tests.unit.zoho.test_tokens import Answers

pytestmark = pytest.mark.anyio

EU = TABLE["eu"]
NOW = 1_767_603_600_000
CALLBACK = "https://calls.example.com/oauth/callback"


def oauth(answers: Answers) -> OAuth:
    """Make the client whose answers are laid ready; each data centre has a secret of its own."""
    return OAuth(http_client(answers), "1000.CLIENT", lambda place: f"secret-of-{place}", lambda: NOW)


def sent(answers: Answers, number: int = 0) -> dict[str, str]:
    """Read the form of a request."""
    return {name: values[0] for name, values in parse_qs(answers.asked[number].content.decode()).items()}


def test_the_address_of_a_consent_for_linking() -> None:
    """Commas between scopes, PKCE, offline access, consent each time."""
    url = oauth(Answers()).authorize_url(
        EU,
        redirect_uri=CALLBACK,
        scopes=["Desk.calls.READ", "Desk.basic.READ"],
        state="s",
        verifier="v" * 43,
        offline=True,
    )
    challenge = base64.urlsafe_b64encode(hashlib.sha256(b"v" * 43).digest()).rstrip(b"=").decode()
    assert url.startswith("https://accounts.zoho.eu/oauth/v2/auth?")
    assert {name: values for name, (values,) in parse_qs(urlsplit(url).query).items()} == {
        "response_type": "code",
        "client_id": "1000.CLIENT",
        "redirect_uri": CALLBACK,
        "scope": "Desk.calls.READ,Desk.basic.READ",
        "state": "s",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        "access_type": "offline",
        "prompt": "consent",
    }


def test_the_address_of_a_sign_in() -> None:
    """A nonce, and no refresh token asked for."""
    url = oauth(Answers()).authorize_url(
        EU, redirect_uri=CALLBACK, scopes=["openid", "email"], state="s", verifier="v", nonce="n"
    )
    query = parse_qs(urlsplit(url).query)
    assert (query["nonce"], query["scope"]) == (["n"], ["openid,email"])
    assert "access_type" not in query


async def test_an_exchange() -> None:
    """The credentials go in the form, to the user's own data centre, with its own secret."""
    answers = Answers((200, sample("token.json")))
    tokens = await oauth(answers).exchange(
        EU, code="1000.c", redirect_uri=CALLBACK, verifier="v", offline=True
    )
    assert str(answers.asked[0].url) == "https://accounts.zoho.eu/oauth/v2/token"
    assert sent(answers) == {
        "grant_type": "authorization_code",
        "code": "1000.c",
        "redirect_uri": CALLBACK,
        "code_verifier": "v",
        "client_id": "1000.CLIENT",
        "client_secret": "secret-of-eu",
    }
    assert "authorization" not in answers.asked[0].headers
    assert tokens.refresh_token is not None
    assert tokens.expires_at == NOW + 3_600_000


async def test_an_offline_exchange_without_a_refresh_token() -> None:
    """An access token alone does not link a portal; for a sign-in it is enough."""
    answers = Answers((200, sample("token_of_old.json")), (200, sample("token_of_old.json")))
    client = oauth(answers)
    with pytest.raises(NoRefreshToken):
        await client.exchange(EU, code="c", redirect_uri=CALLBACK, verifier="v", offline=True)
    await client.exchange(EU, code="c", redirect_uri=CALLBACK, verifier="v")


async def test_a_refresh() -> None:
    """No scope is asked for, and the old refresh token is not passed off as a new one."""
    answers = Answers((200, sample("token_of_old.json")))
    tokens = await oauth(answers).refresh(EU, "1000.r")
    assert sent(answers) == {
        "grant_type": "refresh_token",
        "refresh_token": "1000.r",
        "client_id": "1000.CLIENT",
        "client_secret": "secret-of-eu",
    }
    assert tokens.refresh_token is None


@pytest.mark.parametrize("status", [200, 400])
async def test_refusals_come_through_authlib(status: int) -> None:
    """What the body means is raised, not what Authlib would make of it."""
    answers = Answers(
        (status, b'{"error":"invalid_code"}'),
        (status, b'{"error":"invalid_client"}'),
        (status, sample("token_throttled.json")),
        (status, sample("token_error.html")),
    )
    client = oauth(answers)
    for kind in (GrantLost, ClientRefused, TokensThrottled, NoToken):
        with pytest.raises(kind):
            await client.refresh(EU, "1000.r")


async def test_revoking() -> None:
    """The newer path, the token in the form; nothing secret in the address."""
    answers = Answers((200, b'{"status":"success"}'))
    await oauth(answers).revoke(EU, "1000.r")
    assert str(answers.asked[0].url) == "https://accounts.zoho.eu/oauth/v2/revoke/token"
    assert sent(answers) == {"token": "1000.r", "token_type": "refresh_token"}


async def test_revoking_where_only_the_older_path_is() -> None:
    """The path of the discovery document is the second choice."""
    answers = Answers((404, sample("token_error.html")), (200, b'{"status":"success"}'))
    await oauth(answers).revoke(EU, "1000.r")
    assert str(answers.asked[1].url) == "https://accounts.zoho.eu/oauth/v2/token/revoke"


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, b"", GrantLost),
        (200, b'{"error":"invalid_code"}', GrantLost),
        (400, b'{"error":"invalid_client"}', ClientRefused),
        (503, sample("token_error.html"), ZohoDown),
    ],
)
async def test_revoking_in_vain(status: int, body: bytes, kind: type[Exception]) -> None:
    """A grant that is gone already, a client that Zoho does not know, an outage."""
    with pytest.raises(kind):
        await oauth(Answers((status, body))).revoke(EU, "1000.r")


async def test_nothing_secret_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Not even at DEBUG does a secret, a code or a verifier reach a log."""
    caplog.set_level(logging.DEBUG)
    answers = Answers((200, sample("token.json")))
    client = oauth(answers)
    client.authorize_url(EU, redirect_uri=CALLBACK, scopes=["a"], state="s", verifier="the-verifier")
    await client.exchange(EU, code="the-code", redirect_uri=CALLBACK, verifier="the-verifier")
    for secret in ("the-code", "the-verifier", "secret-of-eu", "1000.aaaa", "1000.cccc"):
        assert secret not in caplog.text
