"""Links that are used once: one signs an administrator in, one adds the first administrator."""

import html
import re
from collections.abc import Callable
from urllib.parse import urljoin

import anyio
import httpx2
import pytest

from connector.accounts.links import LOGIN_MINUTES, SETUP_MINUTES
from connector.errors import NotFound, NotNow
from tests.integration.identity.browser import Browser
from tests.integration.identity.conftest import ADDRESS, Services

pytestmark = pytest.mark.anyio
NewBrowser = Callable[[], Browser]
GIVEN = {"name": "Ada Fontaine", "email": "ada@example.com"}


async def press(browser: Browser, path: str, **given: str) -> httpx2.Response:
    """Open a page with a form, fill it in and send it; answer the page itself where it has no form."""
    page = await browser.get(path)
    found = re.search(r'name="token"[^>]*value="([^"]*)"', page.text)
    if found is None:
        return page
    return await browser.post(path, data={"token": html.unescape(found[1]), **given})


async def login_path(services: Services) -> str:
    """Add an administrator and make a link for them."""
    await services.agents.add_agent("ada@example.com", "Ada Fontaine", "administrator", actor="test")
    return await services.links.make_login("Ada@Example.com", actor="cli:root")


LINKS = pytest.mark.parametrize("kind", ["login", "setup"])


async def link_of(services: Services, kind: str) -> str:
    """Make a link of either kind."""
    return await (login_path(services) if kind == "login" else services.links.make_setup(actor="cli:root"))


async def test_an_administrator_signs_in_without_zoho(services: Services, browser: Browser) -> None:
    """Nothing is asked of Zoho; both the making and the use are audited."""
    answer = await press(browser, await login_path(services))
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "Ada Fontaine" in (await browser.get("/banner")).text
    assert services.asked("/oauth/v2/token") == 0
    told = [(entry.actor, entry.action, entry.subject) for entry in await services.audited()]
    assert told[1:] == [
        ("cli:root", "login_link.made", "ada@example.com"),
        ("ada@example.com", "login_link.used", "ada@example.com"),
    ]


@pytest.mark.both_engines
async def test_the_first_administrator_adds_themselves(services: Services, browser: Browser) -> None:
    """They are signed in, and go on to set everything up."""
    answer = await press(browser, services.links.make_at_start(), **GIVEN)
    assert (answer.status_code, answer.headers["location"]) == (303, "/setup")
    (ada,) = await services.agents.list_agents()
    assert (ada.user.name, ada.user.email, ada.user.role) == (
        "Ada Fontaine",
        "ada@example.com",
        "administrator",
    )
    assert (await browser.get("/banner")).status_code == 200
    assert services.links.make_at_start() == ""
    with pytest.raises(NotNow):
        await services.links.make_setup(actor="test")


async def test_what_is_wrong_stands_beside_the_field(services: Services, browser: Browser) -> None:
    """The link is not used up by it."""
    path = await services.links.make_setup(actor="test")
    answer = await press(browser, path, name="Ada", email="nowhere")
    assert (answer.status_code, 'value="nowhere"' in answer.text) == (422, True)
    assert "is no e-mail address" in answer.text
    assert (await press(browser, path, **GIVEN)).status_code == 303


async def test_somebody_added_before_is_not_made_an_administrator(
    services: Services, browser: Browser
) -> None:
    """Whoever has the link alone decides nothing about others; the link can still be used."""
    await services.agents.add_agent("bo@example.com", "Bo Lind", actor="test")
    assert services.links.make_at_start() == ""
    path = await services.links.make_setup(actor="test")
    refused = await press(browser, path, name="Bo", email="Bo@example.com")
    assert (refused.status_code, "has been added before" in refused.text) == (422, True)
    assert (await press(browser, path, **GIVEN)).status_code == 303


@LINKS
async def test_a_link_holds_once(
    services: Services, browser: Browser, new_browser: NewBrowser, kind: str
) -> None:
    """Looking at it uses nothing up, whatever looks; the second press is refused."""
    path = await link_of(services, kind)
    for _ in range(2):
        assert (await new_browser().get(path)).status_code == 200
        assert (await new_browser().http.request("HEAD", urljoin(ADDRESS, path))).status_code == 200
    assert (await press(browser, path, **GIVEN)).status_code == 303
    again = await press(new_browser(), path, **GIVEN | {"email": "eve@example.com"})
    assert (again.status_code, "This link is over" in again.text) == (410, True)
    assert len(await services.agents.list_agents()) == 1


@pytest.mark.both_engines
@LINKS
async def test_of_many_at_once_one_gets_in(services: Services, new_browser: NewBrowser, kind: str) -> None:
    """Even by links of several processes, where they add the first administrator."""
    paths = [await link_of(services, kind)]
    paths += [await services.links.make_setup(actor="test")] if kind == "setup" else []
    statuses: list[int] = []

    async def come(path: str, number: int) -> None:
        email = f"eve{number}@example.com"
        statuses.append((await press(new_browser(), path, name="Eve", email=email)).status_code)

    async with anyio.create_task_group() as tabs:
        for number in range(4):
            tabs.start_soon(come, paths[number % len(paths)], number)
    assert sorted(statuses) == [303, 410, 410, 410]
    assert len(await services.agents.list_agents()) == 1


@LINKS
async def test_a_link_ends_by_itself(services: Services, browser: Browser, kind: str) -> None:
    """A page that was opened in time is of no use afterwards either."""
    path = await link_of(services, kind)
    token = re.search(r'name="token"[^>]*value="([^"]*)"', (await browser.get(path)).text)
    services.sandbox.state.clock.advance(60 * (LOGIN_MINUTES if kind == "login" else SETUP_MINUTES))
    assert token is not None
    assert (await browser.get(path)).status_code == 410
    assert (await browser.post(path, data={"token": token[1], **GIVEN})).status_code == 410
    assert (await browser.get("/banner")).status_code == 401


@LINKS
@pytest.mark.parametrize(
    "host", ["calls.example.com", "127.0.0.1", "127.0.0.1:9", "[::1", "", "127.0.0.1:8080.x"]
)
async def test_another_host_opens_nothing(services: Services, browser: Browser, kind: str, host: str) -> None:
    """A name that leads here from elsewhere is refused, to look and to press; the link stays good."""
    path = await link_of(services, kind)
    headers = {"Host": host}
    assert (await browser.get(path, headers=headers)).status_code == 403
    assert (await browser.post(path, headers=headers, data=GIVEN)).status_code == 403
    assert (await browser.get(path)).status_code == 200


@LINKS
async def test_another_machine_opens_nothing_in_the_clear(
    services: Services, browser: Browser, kind: str
) -> None:
    """Plain http is for this very machine, whatever address a request names."""
    path = await link_of(services, kind)
    transport = httpx2.ASGITransport(browser.app, client=("192.0.2.7", 5))
    async with httpx2.AsyncClient(transport=transport, base_url=ADDRESS) as client:
        assert (await client.get(path)).status_code == 403


@LINKS
async def test_other_methods_and_other_sites_are_refused(
    services: Services, browser: Browser, kind: str
) -> None:
    """Nothing but a press on our own page, with its token, gets in."""
    path = await link_of(services, kind)
    for method in ("PUT", "DELETE", "PATCH"):
        assert (await browser.http.request(method, urljoin(ADDRESS, path))).status_code == 405
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        assert (await browser.post(path, headers=headers, data=GIVEN)).status_code == 403
    assert (await browser.post(path, data=GIVEN | {"token": "0" * 64})).status_code == 422
    assert (await browser.get("/banner")).status_code == 401
    assert (await browser.get(path)).status_code == 200


@LINKS
async def test_a_link_of_the_other_kind_is_none(services: Services, browser: Browser, kind: str) -> None:
    """Nor is a made-up one."""
    token = (await link_of(services, kind)).rpartition("/")[2]
    elsewhere = "/setup/first/" if kind == "login" else "/login-link/"
    for path in (elsewhere + token, "/login-link/x", "/setup/first/%00"):
        assert (await browser.get(path)).status_code == 410


async def test_links_are_tried_so_often_and_no_oftener(browser: Browser) -> None:
    """Whoever guesses is counted by address."""
    statuses = {(await browser.get("/login-link/guess")).status_code for _ in range(51)}
    assert statuses == {410, 429}


async def test_only_administrators_get_a_link(services: Services, browser: Browser) -> None:
    """And only while they are that: whoever is deactivated meanwhile stays out."""
    path = await login_path(services)
    await services.agents.add_agent("bo@example.com", "Bo Lind", "supervisor", actor="test")
    with pytest.raises(NotNow):
        await services.links.make_login("bo@example.com", actor="test")
    with pytest.raises(NotFound):
        await services.links.make_login("nobody@example.com", actor="test")
    await services.agents.add_agent("eve@example.com", "Eve Roy", "administrator", actor="test")
    await services.agents.deactivate("ada@example.com", actor="test")
    with pytest.raises(NotNow):
        await services.links.make_login("ada@example.com", actor="test")
    assert (await press(browser, path)).status_code == 410


async def test_a_link_begins_a_session_of_its_own(
    services: Services, browser: Browser, new_browser: NewBrowser
) -> None:
    """Whoever was signed in here before is signed out; a session id put into a browser is not kept."""
    path = await login_path(services)
    await services.agents.add_agent("bruno@example.com", "Bruno Weber", actor="test")
    assert (await browser.sign_in("675000002")).status_code == 303
    copied = dict(browser.http.cookies)
    assert (await press(browser, path)).status_code == 303
    assert "Ada Fontaine" in (await browser.get("/banner")).text
    stale = new_browser()
    stale.http.cookies.update(copied)
    assert (await stale.get("/banner")).status_code == 401


async def test_no_token_is_in_the_log(
    services: Services, browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither of a link that holds nor of one that is over, in any spelling of its address."""
    caplog.set_level("DEBUG", "connector")
    paths = [await login_path(services), "/setup/first/SECRET-of-nobody", "/Login-Link/SECRET-of-nobody/more"]
    for path in paths:
        await press(browser, path)
        await browser.get(path)
    lines = " ".join(record.getMessage() + repr(record.__dict__) for record in caplog.records
                     if record.name.startswith("connector"))  # fmt: skip
    assert "link_over" in lines
    assert "SECRET" not in lines
    assert paths[0].rpartition("/")[2] not in lines
