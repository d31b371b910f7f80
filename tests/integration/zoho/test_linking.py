"""Consent, tokens, refusals: OAuth against the sandbox."""

import httpx2
import pytest

from connector.errors import (
    BadIdentity,
    ClientRefused,
    CodeRefused,
    GrantLost,
    NoRefreshToken,
    NoToken,
    TokensThrottled,
    UntrustedServer,
)
from connector.sandbox.faults import Rule
from connector.sandbox.presets import DEMO_CLIENT_ID
from connector.sandbox.serve import RunningSandbox
from connector.zoho.data_centers import DataCenter, for_callback, with_added
from connector.zoho.oauth import OAuth
from connector.zoho.scopes import LINKING, SIGN_IN, missing, names
from connector.zoho.transport import trusted
from tests.integration.zoho.person import ADA, CALLBACK, VERIFIER, center, consent, link, linking_url

pytestmark = pytest.mark.anyio

ADA_IN_EUROPE = "675001001"


async def exchange(oauth: OAuth, sandbox: RunningSandbox, code: str, location: str = "us") -> None:
    """Exchange a code at a data centre."""
    await oauth.exchange(
        center(sandbox, location), code=code, redirect_uri=CALLBACK, verifier=VERIFIER, offline=True
    )


async def signed_in(oauth: OAuth, sandbox: RunningSandbox) -> tuple[DataCenter, str | None]:
    """Go through a sign-in with the nonce n-1 up to the id token."""
    dc = center(sandbox)
    url = oauth.authorize_url(
        dc, redirect_uri=CALLBACK, scopes=names(SIGN_IN), state="s", verifier=VERIFIER, nonce="n-1"
    )
    callback = await consent(url)
    tokens = await oauth.exchange(dc, code=callback["code"], redirect_uri=CALLBACK, verifier=VERIFIER)
    return dc, tokens.id_token


async def test_linking(oauth: OAuth, sandbox: RunningSandbox) -> None:
    """Consent, callback, exchange, refresh: every scope is granted, and the refresh token stays."""
    dc = center(sandbox)
    callback = await consent(linking_url(oauth, dc))
    assert callback["state"] == "state-1"
    table = with_added([dc])
    assert for_callback(table, callback["location"], callback["accounts-server"], dc) is dc
    tokens = await oauth.exchange(
        dc, code=callback["code"], redirect_uri=CALLBACK, verifier=VERIFIER, offline=True
    )
    assert missing(tokens.scope) == []
    assert tokens.refresh_token is not None
    assert tokens.expires_at == pytest.approx(sandbox.state.clock.now() + 3_600_000, abs=10_000)
    refreshed = await oauth.refresh(dc, tokens.refresh_token)
    assert refreshed.access_token != tokens.access_token
    assert refreshed.refresh_token is None


async def test_linking_from_home_to_another_data_centre(oauth: OAuth, sandbox: RunningSandbox) -> None:
    """A person of Europe is told by the callback, and the code goes there with Europe's secret."""
    table = with_added([center(sandbox, "us"), center(sandbox, "eu")])
    callback = await consent(linking_url(oauth, table["us"]), zuid=ADA_IN_EUROPE)
    dc = for_callback(table, callback["location"], callback["accounts-server"], table["us"])
    assert dc.location == "eu"
    with pytest.raises(ClientRefused):
        await exchange(oauth, sandbox, callback["code"], "us")
    await exchange(oauth, sandbox, callback["code"], "eu")


async def test_a_hostile_server_in_the_callback(oauth: OAuth, sandbox: RunningSandbox) -> None:
    """Nothing is sent anywhere: the check comes before any request."""
    sandbox.state.config.hostile_accounts_server = "http://127.0.0.1:9"
    dc = center(sandbox)
    callback = await consent(linking_url(oauth, dc))
    with pytest.raises(UntrustedServer):
        for_callback(with_added([dc]), callback["location"], callback["accounts-server"], dc)


async def test_denial_and_no_org(oauth: OAuth, sandbox: RunningSandbox) -> None:
    """The callback says who would not, and who has no seat."""
    url = linking_url(oauth, center(sandbox))
    assert (await consent(url, decision="deny"))["error"] == "access_denied"
    nils = next(user.zuid for user in sandbox.state.config.users if not user.orgs)
    async with httpx2.AsyncClient(verify=trusted(), trust_env=False) as browser:
        await browser.post(f"{sandbox.origin}/signin", data={"zuid": nils})
        assert "Back to app" in (await browser.get(url)).text


async def test_a_code_is_good_once_and_for_two_minutes(oauth: OAuth, sandbox: RunningSandbox) -> None:
    """Used, expired, made up, or with another verifier: refused, and the grant is not called lost."""
    dc = center(sandbox)
    code = (await consent(linking_url(oauth, dc)))["code"]
    await exchange(oauth, sandbox, code)
    late = (await consent(linking_url(oauth, dc)))["code"]
    sandbox.state.clock.advance(121)
    for bad in (code, late, "1000.made.up"):
        with pytest.raises(CodeRefused):
            await exchange(oauth, sandbox, bad)
    stolen = (await consent(linking_url(oauth, dc)))["code"]
    with pytest.raises(CodeRefused):
        await oauth.exchange(dc, code=stolen, redirect_uri=CALLBACK, verifier="w" * 43)


async def test_no_refresh_token(oauth: OAuth, sandbox: RunningSandbox) -> None:
    """Consent that was not asked to be offline links nothing."""
    url = oauth.authorize_url(
        center(sandbox), redirect_uri=CALLBACK, scopes=names(LINKING), state="s", verifier=VERIFIER
    )
    code = (await consent(url))["code"]
    with pytest.raises(NoRefreshToken):
        await exchange(oauth, sandbox, code)


async def test_a_wrong_secret_and_a_wrong_client(http: httpx2.AsyncClient, sandbox: RunningSandbox) -> None:
    """Both are the client's fault, and say which."""
    for client_id, hint in ((DEMO_CLIENT_ID, "secret"), ("1000.NOBODY", "unknown")):
        stranger = OAuth(http, client_id, lambda _: "wrong", lambda: 0)
        with pytest.raises(ClientRefused, match=hint):
            await stranger.refresh(center(sandbox), "1000.r")


@pytest.mark.parametrize("status", [200, 400])
async def test_throttling(oauth: OAuth, sandbox: RunningSandbox, status: int) -> None:
    """The eleventh token in ten minutes is refused for ten minutes, under either status."""
    sandbox.state.config.access_denied_status = status  # type: ignore[assignment]
    dc = center(sandbox)
    refresh_token = (await link(oauth, dc)).refresh_token or ""
    for _ in range(10):
        await oauth.refresh(dc, refresh_token)
    with pytest.raises(TokensThrottled) as caught:
        await oauth.refresh(dc, refresh_token)
    assert caught.value.retry_after_seconds == 600
    sandbox.state.clock.advance(600)
    await oauth.refresh(dc, refresh_token)


async def test_revoking(oauth: OAuth, sandbox: RunningSandbox) -> None:
    """A revoked grant is lost, for us and for whoever revokes it again."""
    dc = center(sandbox)
    refresh_token = (await link(oauth, dc)).refresh_token or ""
    await oauth.revoke(dc, refresh_token)
    with pytest.raises(GrantLost):
        await oauth.refresh(dc, refresh_token)
    with pytest.raises(GrantLost):
        await oauth.revoke(dc, refresh_token)


async def test_a_grant_revoked_by_the_person(oauth: OAuth, sandbox: RunningSandbox) -> None:
    """Who removes the connector from their account loses us the grant."""
    dc = center(sandbox)
    refresh_token = (await link(oauth, dc)).refresh_token or ""
    sandbox.state.revoke_all_grants()
    with pytest.raises(GrantLost):
        await oauth.refresh(dc, refresh_token)


@pytest.mark.parametrize("kind", ["server_error", "html", "reset", "drop"])
async def test_accounts_is_down(oauth: OAuth, sandbox: RunningSandbox, kind: str) -> None:
    """Pages, errors and broken connections are outages, and the grant lives."""
    dc = center(sandbox)
    refresh_token = (await link(oauth, dc)).refresh_token or ""
    sandbox.state.faults.add(Rule(kind=kind, path_prefix="/oauth/", times=1))  # type: ignore[arg-type]
    with pytest.raises(NoToken):
        await oauth.refresh(dc, refresh_token)
    await oauth.refresh(dc, refresh_token)


@pytest.mark.parametrize("member", ["scope", "expires_in", "api_domain", "token_type", "error", "id_token"])
@pytest.mark.parametrize("value", [None, "", 7, ["x"], {}])
async def test_odd_members_of_a_token_answer(
    oauth: OAuth, sandbox: RunningSandbox, member: str, value: object
) -> None:
    """Whatever else Zoho writes into it, a token is a token."""
    dc = center(sandbox)
    sandbox.state.faults.add(
        Rule(kind="odd_member", path_prefix="/oauth/v2/token", member=member, value=value)
    )
    refresh_token = (await link(oauth, dc)).refresh_token or ""
    assert (await oauth.refresh(dc, refresh_token)).access_token


@pytest.mark.parametrize("echoed", [True, False])
async def test_signing_in(oauth: OAuth, sandbox: RunningSandbox, echoed: object) -> None:
    """The id token tells who it is, with Zoho echoing the nonce or not."""
    sandbox.state.config.nonce_echoed = bool(echoed)
    identity = await oauth.verify_id_token(*await signed_in(oauth, sandbox), "n-1")
    assert (identity.issuer, identity.sub) == (sandbox.origin, ADA)
    assert (identity.email, identity.email_verified) == ("ada@example.com", True)
    assert identity.name == "Ada Fontaine"


async def test_another_nonce(oauth: OAuth, sandbox: RunningSandbox) -> None:
    """Where Zoho echoes the nonce, it must be ours."""
    sandbox.state.config.nonce_echoed = True
    with pytest.raises(BadIdentity, match="nonce"):
        await oauth.verify_id_token(*await signed_in(oauth, sandbox), "n-2")


async def test_the_header_of_old(oauth: OAuth, sandbox: RunningSandbox) -> None:
    """A token in the form of old proves as much as a new one."""
    sandbox.state.config.jwt_key_named, sandbox.state.config.jwt_padded = "key_id", True
    assert (await oauth.verify_id_token(*await signed_in(oauth, sandbox), "n-1")).sub == ADA


async def test_nothing_secret_stands_in_an_address(oauth: OAuth, sandbox: RunningSandbox) -> None:
    """Zoho's log of addresses holds neither secret nor token."""
    dc = center(sandbox)
    refresh_token = (await link(oauth, dc)).refresh_token or ""
    await oauth.refresh(dc, refresh_token)
    await oauth.revoke(dc, refresh_token)
    listed = str(sandbox.state.requests.listing())
    assert "/oauth/v2/token" in listed
    assert "1000." not in listed
