"""Signing in while Zoho writes its id tokens and keys in each of its odd ways."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from connector.portals import Methods, SettingsClient
from connector.sandbox.oddities import ODDITIES, named
from connector.sandbox.presets import DEMO_CLIENT_ID
from tests.integration.identity.browser import ADA_EU, Browser
from tests.integration.identity.conftest import Services

pytestmark = pytest.mark.anyio
DAY = 24 * 3_600_000
AddAda = Callable[[], Awaitable[object]]


@pytest.mark.parametrize(
    "oddities",
    [
        *([oddity.name] for oddity in ODDITIES if oddity.place != "desk"),
        ["key-id", "padded-token"],
        ["odd-keys", "key-unnamed"],
    ],
    ids="+".join,
)
async def test_everybody_gets_in(
    services: Services, browser: Browser, add_ada: AddAda, oddities: list[str]
) -> None:
    """However Zoho writes it, it is the same person, and the one who has signed in before."""
    await add_ada()
    assert (await browser.sign_in()).status_code == 303
    for oddity in named(oddities):
        oddity.begin(services.sandbox.state)
    assert (await browser.sign_in()).status_code == 303
    assert (await browser.get("/api/me")).json()["name"] == "ada@example.com"


async def test_the_log_names_why_an_identity_does_not_hold(
    services: Services, browser: Browser, add_ada: AddAda, caplog: pytest.LogCaptureFixture
) -> None:
    """Page and log say what is wrong with the id token, for it is the administrator who mends it."""
    caplog.set_level(logging.INFO)
    await add_ada()
    url = await browser.consent(await browser.begin())
    secrets = services.secrets
    services.methods = Methods(
        services.store,
        lambda: services.clock() + DAY,
        services.encryptor,
        services.http,
        services.data_centers,
        SettingsClient(DEMO_CLIENT_ID, "us", lambda place: secrets[place]),
    )
    answer = await browser.get(url)
    assert (answer.status_code, "is not valid: expired_token" in answer.text) == (400, True)
    (line,) = [record.getMessage() for record in caplog.records if "bad_identity" in record.getMessage()]
    assert "expired_token" in line


async def test_the_log_names_an_error_that_we_do_not_know(
    browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    """What Zoho calls it stands in the log and on no page, for anybody can write an address."""
    caplog.set_level(logging.INFO)
    answer = await browser.get("/login/callback?error=other_dc%0Afoo")
    assert (answer.status_code, "other_dc" in answer.text) == (400, False)
    assert any("other_dc\\nfoo" in record.getMessage() for record in caplog.records)


HOSTILE: list[dict[str, Any]] = [
    {"key_set": "packed"},
    {"key_set": "nested"},
    {"key_set": "short"},
    {"jwt_claims": {"sub": "\ud800"}},
    {"jwt_claims": {"sub": "675000001\0"}},
    {"jwt_claims": {"email": "ada@example.com\0"}},
    {"jwt_claims": {"email": "\udfff"}},
    {"jwt_claims": {"sub": 10**400}},
    {"jwt_claims": {"aud": [DEMO_CLIENT_ID, "1000.OTHER"]}},
    {"jwt_claims": {"aud": [DEMO_CLIENT_ID, "1000.OTHER"], "azp": "1000.OTHER"}},
    {"jwt_claims": {"azp": "1000.OTHER"}},
    {"jwt_claims": {"nonce": ["n"]}},
]


@pytest.mark.both_engines
@pytest.mark.parametrize("switches", HOSTILE)
async def test_what_an_attacker_would_send(
    services: Services, browser: Browser, add_ada: AddAda, switches: dict[str, Any]
) -> None:
    """Nobody gets in, and the page says why: it is never our own mistake."""
    await add_ada()
    for name, value in switches.items():
        setattr(services.sandbox.state.config, name, value)
    answer = await browser.sign_in()
    assert answer.status_code in (400, 403, 502, 503), answer.text
    assert "A mistake in the connector" not in answer.text
    assert (await browser.get("/api/me")).status_code == 401


async def test_several_audiences(services: Services, browser: Browser, add_ada: AddAda) -> None:
    """A token that others may read too is ours where it says that it was made for us."""
    await add_ada()
    shared = {"aud": ["1000.OTHER", DEMO_CLIENT_ID], "azp": DEMO_CLIENT_ID}
    services.sandbox.state.config.jwt_claims = shared
    assert (await browser.sign_in()).status_code == 303


def without_nonce(url: str) -> str:
    """Take the nonce out of Zoho's address, as somebody on the way would."""
    parts = urlsplit(url)
    kept = [each for each in parts.query.split("&") if not each.startswith("nonce=")]
    assert len(kept) < len(parts.query.split("&"))
    return parts._replace(query="&".join(kept)).geturl()


@pytest.mark.both_engines
async def test_a_nonce_that_is_taken_away(
    services: Services, browser: Browser, add_ada: AddAda, new_browser: Callable[[], Browser]
) -> None:
    """Once a data centre has sent one back, an id token without is somebody else's; the others go on."""
    await add_ada()
    services.sandbox.state.config.nonce_echoed = True
    assert (await browser.get(await browser.consent(without_nonce(await browser.begin())))).status_code == 303
    assert (await browser.sign_in()).status_code == 303
    other = new_browser()
    answer = await other.get(await other.consent(without_nonce(await other.begin())))
    assert (answer.status_code, "lacks the nonce" in answer.text) == (400, True)
    assert (await other.get("/api/me")).status_code == 401
    await services.agents.add_agent("ada.eu@example.com", "Ada", "agent", actor="test")
    services.sandbox.state.config.nonce_echoed = False
    assert (await other.sign_in(ADA_EU)).status_code == 303


async def test_zoho_stops_sending_nonces(services: Services, browser: Browser, add_ada: AddAda) -> None:
    """Nobody is shut out for good: an administrator says so by a command, and the audit keeps it."""
    await add_ada()
    services.sandbox.state.config.nonce_echoed = True
    await browser.sign_in()
    services.sandbox.state.config.nonce_echoed = False
    assert "connector agents forget-nonces" in (await browser.sign_in()).text
    assert await services.sessions.forget_nonces(actor="test") == [services.sandbox.origin]
    assert (await services.audited())[-1].action == "nonces.forgotten"
    for is_echoed, status in ((False, 303), (True, 303), (False, 400)):
        services.sandbox.state.config.nonce_echoed = is_echoed
        assert (await browser.sign_in()).status_code == status
