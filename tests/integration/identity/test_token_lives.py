"""How long a token is used: a share of its life, and to its end while Zoho gives no newer one."""

import msgspec
import pytest

from connector.sandbox.faults import Rule
from connector.store import grants
from tests.integration.identity.browser import Browser
from tests.integration.identity.conftest import Services
from tests.integration.identity.test_renewal import HOUR, TOKEN, ask, at_once, grant_of

pytestmark = pytest.mark.anyio


@pytest.fixture
async def linked(services: Services, admin: Browser) -> int:
    """Link a portal, and count Zoho's requests from then on."""
    await admin.link()
    services.sandbox.state.requests.reset()
    return 1


@pytest.mark.parametrize("life", [36, 60, 300, 3_600])
async def test_a_token_is_renewed_at_a_share_of_its_life(services: Services, linked: int, life: int) -> None:
    """However short it lives, it is used for eleven twelfths of that, and five minutes are early enough."""
    services.sandbox.state.config.access_token_life_seconds = life
    services.sandbox.state.clock.advance(2 * HOUR)
    await at_once(5, lambda: ask(services.portals, linked))
    other = services.another_portals()
    services.sandbox.state.clock.advance(life - life / 12 - 1)
    await at_once(5, lambda: ask(services.portals, linked))
    await ask(other, linked)
    assert services.asked(TOKEN) == 1
    services.sandbox.state.clock.advance(1)
    await at_once(5, lambda: ask(services.portals, linked))
    await ask(other, linked)
    assert services.asked(TOKEN) == 2


TROUBLES: list[Rule] = [
    Rule(kind="token_error", error="server_error"),
    Rule(kind="token_error", error="invalid_client"),
    Rule(kind="token_error", error="access_denied", status=400),
    Rule(kind="token_error", error="general_error", status=500),
    Rule(kind="token_error", error="something_new"),
    Rule(kind="html"),
    Rule(kind="reset"),
    Rule(kind="drop"),
    Rule(kind="odd_member", member="access_token", value=None),
]


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda rule: f"{rule.kind} {rule.error}")
async def test_a_good_token_is_used_whatever_zoho_says(
    services: Services, linked: int, trouble: Rule
) -> None:
    """While it lives, each request goes with it, and Zoho is asked for a newer one now and then."""
    await ask(services.portals, linked)
    services.sandbox.state.clock.advance(HOUR - 290)
    struck = msgspec.structs.replace(trouble, path_prefix=TOKEN)
    services.sandbox.state.faults.add(struck)
    for _ in range(28):
        for portals in (services.portals, services.portals):
            assert await ask(portals, linked) == "ada@example.com"
        services.sandbox.state.clock.advance(10)
    assert 1 <= services.asked(TOKEN) <= 5
    services.sandbox.state.clock.advance(600)
    struck.times = 0
    assert await ask(services.portals, linked) == "ada@example.com"
    assert (await services.portals.get(linked)).state == "linked"


async def test_a_dead_refresher_holds_no_good_token_up(services: Services, linked: int) -> None:
    """While another process is at it, or has died over it, the token that has minutes left is used."""
    services.sandbox.state.clock.advance(HOUR - 200)
    grant, now = await grant_of(services), services.clock()
    await services.store.write(
        lambda connection: grants.take(connection, grant, "dead", grant.renewals, now, now + 30_000)
    )
    assert await ask(services.portals, linked) == "ada@example.com"
    assert services.asked(TOKEN) == 0


async def test_a_failed_refresh_is_logged(
    services: Services, linked: int, caplog: pytest.LogCaptureFixture
) -> None:
    """The log says what Zoho answers, long before the last token is over."""
    services.sandbox.state.clock.advance(HOUR - 200)
    services.sandbox.state.faults.add(Rule(kind="token_error", path_prefix=TOKEN, error="server_error"))
    await ask(services.portals, linked)
    assert any("server_error" in record.getMessage() for record in caplog.records)
