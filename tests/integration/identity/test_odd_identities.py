"""Signing in while Zoho writes its id tokens and keys in each of its odd ways."""

import logging
from collections.abc import Awaitable, Callable

import pytest

from connector.sandbox.oddities import ODDITIES, named
from connector.sandbox.presets import DEMO_CLIENT_ID
from connector.zoho.oauth import OAuth
from tests.integration.identity.browser import Browser
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
    services.oauth = OAuth(
        services.http, DEMO_CLIENT_ID, lambda place: secrets[place], lambda: services.clock() + DAY
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
