"""Several ways to sign in: by which, as whom, and what happens where two are mixed up."""

import html
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import anyio
import httpx2
import pytest

from connector.accounts.sign_in import AGENT_FOR
from connector.accounts.sign_in_connectors import Wanted
from connector.clock import SECOND
from connector.errors import InvalidValue, NotFound
from connector.sandbox.config import Client
from connector.sandbox.faults import Rule
from tests.integration.identity.browser import ADA, BRUNO, NILS, Browser, query_of
from tests.integration.identity.conftest import CALLBACKS, Services

pytestmark = pytest.mark.anyio
NewBrowser = Callable[[], Browser]
OTHER_CLIENT = "1000.ANOTHERCLIENTOFTHESECONDMETHOD0"


async def add(services: Services, reference: str, **wanted: Any) -> None:
    """Add a sign-in connector."""
    given = Wanted(**{"reference": reference, "name": reference.title()} | wanted)
    await services.sign_in_connectors.add(given, actor="test")


async def change(services: Services, reference: str, **wanted: Any) -> None:
    """Change one."""
    await services.sign_in_connectors.change(reference, Wanted(**wanted), actor="test")


async def begin(browser: Browser, path: str) -> str:
    """Go to an address that leads to Zoho; answer the address there."""
    answer = await browser.get(path)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def come(browser: Browser, path: str, zuid: str = ADA) -> httpx2.Response:
    """Sign in by an address the whole way; answer what the callback says."""
    return await browser.get(await browser.consent(await begin(browser, path), zuid))


async def second_method(services: Services) -> int:
    """Register another client at Zoho and keep it as an authentication method."""
    home = services.sandbox.state.config.data_centers[0].location
    registered = Client(client_id=OTHER_CLIENT, secret="the-other-secret", redirect_uris=CALLBACKS)
    services.sandbox.state.config.clients.append(registered)
    made = await services.methods.add(
        name="Second", location=home, client_id=OTHER_CLIENT, secret="the-other-secret", actor="test"
    )
    assert made.id is not None
    await services.methods.enable(made.id, environment="production", actor="test")
    return made.id


@pytest.fixture
async def ada(services: Services) -> None:
    """Add Ada as an administrator and Bruno as an agent."""
    await services.agents.add_agent("ada@example.com", "Ada Fontaine", "administrator", actor="test")
    await services.agents.add_agent("bruno@example.com", "Bruno Weber", actor="test")


@pytest.mark.both_engines
@pytest.mark.usefixtures("ada")
async def test_the_only_one_is_taken(services: Services, browser: Browser) -> None:
    """By the usual address as well as by its own."""
    await add(services, "office")
    assert (await browser.sign_in()).status_code == 303
    answer = await come(browser, "/login/office")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


@pytest.mark.usefixtures("ada")
async def test_several_are_offered_and_the_default_is_taken(services: Services, browser: Browser) -> None:
    """Where somebody wants to go, and that another account is wanted, goes along to the one they choose."""
    await add(services, "office")
    await add(services, "night", name="<Night> & day")
    await add(services, "old", enabled=False)
    page = await browser.get("/login", params={"next": "/calls?x=1", "other": "us"})
    assert page.status_code == 200
    assert re.findall(r'href="(/login/[^"]*)"', html.unescape(page.text)) == [
        f"/login/{each}?{urlencode({'next': '/calls?x=1', 'other': 'us'})}" for each in ("night", "office")
    ]
    assert "&lt;Night&gt; &amp; day" in page.text
    assert "/oauth/v2/auth" not in page.text
    await change(services, "night", is_default=True)
    await change(services, "office", is_default=True)
    assert [each.is_default for each in await services.sign_in_connectors.list_all()] == [False, True, False]
    assert (await browser.sign_in()).status_code == 303


async def test_one_that_is_off_or_unknown_leads_nowhere(services: Services, browser: Browser) -> None:
    """And where all are off nobody signs in by the client of the settings instead."""
    await add(services, "office", enabled=False)
    answers = [await browser.get(path) for path in ("/login/office", "/login", "/login/nowhere")]
    assert [answer.status_code for answer in answers] == [409, 409, 404]
    assert "switched off" in answers[0].text


@pytest.mark.parametrize("far", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:x"])
@pytest.mark.usefixtures("ada")
async def test_nobody_is_sent_elsewhere(services: Services, browser: Browser, far: str) -> None:
    """What leads to another site is forgotten, on the page that offers the ways and in each way."""
    await add(services, "office")
    url = await begin(browser, "/login/office?" + urlencode({"next": far, "other": far}))
    assert (await browser.get(await browser.consent(url))).headers["location"] == "/"
    await add(services, "night")
    page = await browser.get("/login", params={"next": far, "other": far})
    assert "evil" not in page.text
    assert "javascript:" not in page.text


@pytest.mark.usefixtures("ada")
async def test_two_tabs_by_two_ways_both_succeed(services: Services, browser: Browser) -> None:
    """Each comes back by the client that it began with, in whichever order they end."""
    await add(services, "office")
    await add(services, "night", method_id=await second_method(services))
    begun: list[str] = []

    async def tab(path: str) -> None:
        begun.append(await begin(browser, path))

    async with anyio.create_task_group() as tabs:
        tabs.start_soon(tab, "/login/office")
        tabs.start_soon(tab, "/login/night")
    assert len({query_of(url)["client_id"] for url in begun}) == 2
    back = [await browser.consent(url) for url in begun]
    assert [(await browser.get(url)).status_code for url in reversed(back)] == [303, 303]


@pytest.mark.usefixtures("ada")
async def test_a_code_of_another_method_is_worth_nothing(services: Services, browser: Browser) -> None:
    """A code that one client was given is never exchanged by another one, whoever swaps them."""
    await add(services, "office")
    await add(services, "night", method_id=await second_method(services))
    one, two = [
        await browser.consent(await begin(browser, path)) for path in ("/login/office", "/login/night")
    ]
    swapped = [_with_code(one, query_of(two)["code"]), _with_code(two, query_of(one)["code"])]
    answers = [await browser.get(url) for url in swapped]
    assert [answer.status_code for answer in answers] == [400, 400]
    assert all("no longer valid" in answer.text for answer in answers)
    assert (await browser.get("/banner")).status_code == 401


def _with_code(url: str, code: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(query=urlencode(query_of(url) | {"code": code})))


@pytest.mark.usefixtures("ada")
async def test_a_way_that_is_removed_meanwhile_ends_the_attempt(services: Services, browser: Browser) -> None:
    """So does one that is switched off; Zoho is not asked."""
    await add(services, "office")
    one, two = [await browser.consent(await begin(browser, "/login/office")) for _ in range(2)]
    await change(services, "office", enabled=False)
    assert (await browser.get(one)).status_code == 409
    await services.sign_in_connectors.remove("office", actor="test")
    assert (await browser.get(two)).status_code == 409
    assert services.asked("/oauth/v2/token") == 0


async def test_the_user_name_may_be_what_is_compared(
    services: Services, browser: Browser, new_browser: NewBrowser
) -> None:
    """Then the e-mail address here may be another one than Zoho's, and Zoho's alone opens nothing."""
    await services.agents.add_agent("a.fontaine@office.example", "Ada Fontaine", actor="test")
    await services.agents.add_agent("bruno@example.com", "Bruno Weber", actor="test")
    await services.sign_in_connectors.set_user_name(
        "A.Fontaine@office.example", "Ada@example.com", actor="test"
    )
    await add(services, "office", match_by="user_name")
    assert (await browser.sign_in()).status_code == 303
    assert "Ada Fontaine" in (await browser.get("/banner")).text
    refused = await new_browser().sign_in(BRUNO)
    assert (refused.status_code, "Nobody has added you" in refused.text) == (403, True)


@pytest.mark.usefixtures("ada")
async def test_who_has_ways_of_their_own_comes_by_no_other(
    services: Services, browser: Browser, new_browser: NewBrowser
) -> None:
    """Whoever has none comes by any; a page offers the same way with another account."""
    await add(services, "office")
    await add(services, "night", users=["Bruno@example.com", " bruno@example.com"])
    refused = await come(browser, "/login/office", BRUNO)
    assert (refused.status_code, "You sign in another way" in refused.text) == (403, True)
    assert '"/login/office?other=us">Use another Zoho account' in refused.text
    known = await services.agents.list_agents()
    assert [each.user.subject for each in known] == [None, None], "whoever is refused is not bound"
    assert (await come(browser, "/login/night", BRUNO)).status_code == 303
    assert (await come(new_browser(), "/login/office")).status_code == 303
    assert (await come(new_browser(), "/login/night")).status_code == 303
    await services.sign_in_connectors.remove("night", actor="test")
    assert (await come(browser, "/login", BRUNO)).status_code == 303


@pytest.mark.usefixtures("ada")
async def test_agents_of_a_portal_alone_come_in(
    services: Services, browser: Browser, new_browser: NewBrowser
) -> None:
    """Whom Desk knows is kept for an hour; whom it does not know is told, and Zoho down is told apart."""
    await services.agents.add_agent("nils@example.com", "Nils Seatless", actor="test")
    assert (await browser.sign_in()).status_code == 303
    assert (await browser.link()).status_code == 303
    (portal,) = await services.portals.list_portals()
    await add(services, "office", portals=[portal.id])
    stranger = await new_browser().sign_in(NILS)
    assert (stranger.status_code, "You are no agent of these portals" in stranger.text) == (403, True)
    services.sandbox.state.faults.add(Rule(kind="html", path_prefix="/api/v1/agents/"))
    down = await new_browser().sign_in(BRUNO)
    assert (down.status_code, "Zoho does not answer" in down.text) == (502, True)
    services.sandbox.state.faults.rules.clear()
    assert (await new_browser().sign_in(BRUNO)).status_code == 303
    services.sandbox.state.faults.add(Rule(kind="html", path_prefix="/api/v1/agents/"))
    assert (await new_browser().sign_in(BRUNO)).status_code == 303, "Desk has said so before"
    services.sandbox.state.clock.advance(AGENT_FOR / SECOND)
    assert (await new_browser().sign_in(BRUNO)).status_code == 502


async def test_nobody_whom_we_do_not_know_costs_desk_a_request(services: Services, admin: Browser) -> None:
    """Desk is asked about users alone."""
    assert (await admin.link()).status_code == 303
    (portal,) = await services.portals.list_portals()
    await add(services, "office", portals=[portal.id])
    assert (await admin.sign_in(BRUNO)).status_code == 403
    assert not services.asked("/api/v1/agents/email/bruno@example.com")


@pytest.mark.both_engines
async def test_what_cannot_be_is_refused(services: Services) -> None:
    """Each with the field that it is about; nothing is kept of it."""
    await add(services, "office")
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"reference": "new"}, "/reference"),
        ({"reference": "callback"}, "/reference"),
        ({"reference": "Night"}, "/reference"),
        ({"reference": "office"}, "/reference"),
        ({"name": " "}, "/name"),
        ({"name": "Office"}, "/name"),
        ({"match_by": "zuid"}, "/match_by"),
        ({"method_id": 7}, "/method_id"),
        ({"users": ["nobody@example.com"], "is_default": True}, "/users"),
        ({"portals": [7], "is_default": True}, "/portals"),
    ]
    for given, pointer in wrong:
        with pytest.raises(InvalidValue) as refused:
            await add(services, **{"reference": "night"} | given)
        assert refused.value.pointer == pointer
    await add(services, "night", is_default=True)
    with pytest.raises(InvalidValue):
        await change(services, "night", name="Office")
    with pytest.raises(NotFound):
        await change(services, "nowhere", name="Office")
    assert [each.action for each in await services.audited()] == 2 * ["sign_in_connector.added"]
