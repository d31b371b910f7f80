"""Signing in with Zoho, the whole way."""

import html
import re
from collections.abc import Awaitable, Callable

import anyio
import httpx2
import pytest

from connector.accounts import SESSION_SECONDS
from connector.accounts.sign_in import FLOW_SECONDS
from tests.integration.identity.browser import ADA_EU, ADA_UK, BRUNO, Browser, query_of
from tests.integration.identity.conftest import ADDRESS, Hostile, Services

pytestmark = pytest.mark.anyio
AddAda = Callable[[], Awaitable[object]]
NewBrowser = Callable[[], Browser]


async def test_an_added_person_signs_in(browser: Browser, add_ada: AddAda) -> None:
    """Ada signs in and lands at her banner."""
    await add_ada()
    answer = await browser.sign_in()
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert (await browser.get("/")).headers["location"] == "/banner"
    assert "Ada Fontaine" in (await browser.get("/banner")).text


async def test_signed_out_people_see_how_to_sign_in(browser: Browser) -> None:
    """The front door and the banner show the way to sign in."""
    answers = [await browser.get("/"), await browser.get("/banner")]
    assert [answer.status_code for answer in answers] == [200, 401]
    assert all("Sign in with Zoho" in answer.text for answer in answers)


async def test_the_identity_decides_once_it_is_bound(
    services: Services, browser: Browser, new_browser: NewBrowser, add_ada: AddAda
) -> None:
    """Ada is known by her Zoho identity even when her address has changed there."""
    await add_ada()
    await browser.sign_in()
    services.sandbox.state.config.users[0].email = "ada.married@example.com"
    answer = await new_browser().sign_in()
    assert answer.status_code == 303


async def test_binding_is_audited(services: Services, browser: Browser, add_ada: AddAda) -> None:
    """The audit says whose identity was bound to whom, once."""
    await add_ada()
    await browser.sign_in()
    await browser.sign_in()
    entries = [(entry.actor, entry.action, entry.subject) for entry in await services.audited()]
    assert entries == [
        ("test", "agent.added", "ada@example.com"),
        ("ada@example.com", "agent.bound", "ada@example.com"),
    ]


async def test_somebody_unknown_is_told_what_to_ask_for(services: Services, browser: Browser) -> None:
    """Nobody is added silently; the page names the address and who adds it where."""
    answer = await browser.sign_in()
    assert answer.status_code == 403
    assert "ada@example.com" in answer.text
    assert "on the page People" in answer.text
    assert await services.agents.list_agents() == []


async def test_another_zoho_account_can_be_used(
    services: Services, browser: Browser, add_ada: AddAda
) -> None:
    """Zoho answers with the account that it knows, until it is left; then it asks who one is."""
    await add_ada()
    refused = await browser.sign_in(BRUNO)
    [other] = re.findall(r'href="([^"]*)">Use another Zoho account', refused.text)
    again = await browser.get(await browser.begin())
    assert "code=" in again.headers["location"]
    left = await browser.get((await browser.get(html.unescape(other))).headers["location"])
    asked = await browser.get(left.headers["location"])
    assert "/signin" in asked.headers["location"]
    assert (await browser.get(await browser.consent(left.headers["location"]))).headers["location"] == "/"


@pytest.mark.parametrize("other", ["nowhere", "https://evil.example", "us@evil.example"])
async def test_nobody_is_sent_elsewhere_to_sign_out(services: Services, browser: Browser, other: str) -> None:
    """What is no data centre of ours changes nothing."""
    there = (await browser.get("/login", params={"other": other})).headers["location"]
    assert there.startswith(f"{services.sandbox.origins['us']}/oauth/v2/auth?")


async def test_an_unverified_address_is_refused(
    services: Services, browser: Browser, add_ada: AddAda
) -> None:
    """An address that Zoho has not verified proves nothing."""
    await add_ada()
    services.sandbox.state.config.users[0].email_verified = False
    answer = await browser.sign_in()
    assert (answer.status_code, "not verified" in answer.text) == (403, True)


async def test_another_zoho_user_with_the_address_is_refused(
    services: Services, browser: Browser, new_browser: NewBrowser, add_ada: AddAda
) -> None:
    """Whoever gets Ada's address later does not get her user."""
    await add_ada()
    await browser.sign_in()
    ada, bruno = services.sandbox.state.config.users[:2]
    ada.email, bruno.email = "gone@example.com", "ada@example.com"
    answer = await new_browser().sign_in(BRUNO)
    assert (answer.status_code, "another Zoho user" in answer.text) == (403, True)


@pytest.mark.both_engines
async def test_a_released_user_is_bound_anew(
    services: Services, browser: Browser, new_browser: NewBrowser, add_ada: AddAda
) -> None:
    """An administrator can let the address decide once more."""
    await add_ada()
    await browser.sign_in()
    await services.agents.release("ada@example.com", actor="test")
    ada, bruno = services.sandbox.state.config.users[:2]
    ada.email, bruno.email = "gone@example.com", "ada@example.com"
    assert (await new_browser().sign_in(BRUNO)).status_code == 303
    assert (await browser.get("/banner")).status_code == 401


async def test_a_deactivated_user_is_out_at_once(
    services: Services, browser: Browser, add_ada: AddAda
) -> None:
    """The next request of an open session is refused, and so is a new sign-in."""
    await add_ada()
    await browser.sign_in()
    session = (await browser.get("/api/me")).json()["session"]
    assert await services.sessions.living([session]) == {session}
    assert await services.agents.deactivate("ada@example.com", actor="test") == 1
    assert await services.sessions.living([session]) == set()
    assert (await browser.get("/banner")).status_code == 401
    answer = await browser.sign_in()
    assert (answer.status_code, "deactivated" in answer.text) == (403, True)


async def test_who_was_deactivated_before_ever_signing_in_stays_out(
    services: Services, browser: Browser, add_ada: AddAda
) -> None:
    """And is not bound either."""
    await add_ada()
    await services.agents.deactivate("ada@example.com", actor="test")
    answer = await browser.sign_in()
    assert (answer.status_code, "deactivated" in answer.text) == (403, True)
    (ada,) = await services.agents.list_agents()
    assert ada.user.subject is None


async def test_a_reactivated_user_signs_in_anew(
    services: Services, browser: Browser, add_ada: AddAda
) -> None:
    """The sessions of before stay over, a new one begins."""
    await add_ada()
    await browser.sign_in()
    await services.agents.deactivate("ada@example.com", actor="test")
    await services.agents.reactivate("ada@example.com", actor="test")
    assert (await browser.get("/banner")).status_code == 401
    assert (await browser.sign_in()).status_code == 303
    assert (await browser.get("/banner")).status_code == 200


async def test_a_session_ends_after_half_a_day(services: Services, browser: Browser, add_ada: AddAda) -> None:
    """It lasts to its last second, used or not."""
    await add_ada()
    await browser.sign_in()
    services.sandbox.state.clock.advance(SESSION_SECONDS - 1)
    assert (await browser.get("/banner")).status_code == 200
    services.sandbox.state.clock.advance(1)
    assert (await browser.get("/banner")).status_code == 401


async def test_signing_out_ends_the_session(browser: Browser, add_ada: AddAda) -> None:
    """A copy of the cookie is worth nothing afterwards."""
    await add_ada()
    await browser.sign_in()
    copied = dict(browser.http.cookies)
    answer = await browser.post("/logout")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert (await browser.get("/banner")).status_code == 401
    browser.http.cookies.update(copied)
    assert (await browser.get("/banner")).status_code == 401


async def test_another_site_cannot_sign_anybody_out(browser: Browser, add_ada: AddAda) -> None:
    """A POST from elsewhere is refused, and the session goes on."""
    await add_ada()
    await browser.sign_in()
    assert (await browser.post("/logout", origin="https://evil.example")).status_code == 403
    assert (await browser.get("/banner")).status_code == 200


async def test_two_tabs_at_once_both_succeed(browser: Browser, add_ada: AddAda) -> None:
    """Two tabs of a browser without any cookie begin at once, and end in the other order."""
    await add_ada()
    begun: list[str] = []

    async def begin() -> None:
        begun.append(await browser.begin())

    async with anyio.create_task_group() as tabs:
        tabs.start_soon(begin)
        tabs.start_soon(begin)
    back = [await browser.consent(url) for url in begun]
    answers = [await browser.get(url) for url in reversed(back)]
    assert [answer.status_code for answer in answers] == [303, 303]


async def test_a_callback_holds_once(browser: Browser, add_ada: AddAda) -> None:
    """A replayed callback is told, and Zoho is not asked again."""
    await add_ada()
    url = await browser.consent(await browser.begin())
    assert (await browser.get(url)).status_code == 303
    answer = await browser.get(url)
    assert (answer.status_code, "This attempt is over" in answer.text) == (400, True)


async def test_two_at_once_with_one_state_get_one_session(
    services: Services, browser: Browser, add_ada: AddAda
) -> None:
    """Of ten callbacks with the same state at the same time, one succeeds."""
    await add_ada()
    url = await browser.consent(await browser.begin())
    statuses: list[int] = []

    async def call() -> None:
        statuses.append((await browser.get(url)).status_code)

    async with anyio.create_task_group() as tabs:
        for _ in range(10):
            tabs.start_soon(call)
    assert sorted(statuses) == [303] + 9 * [400]
    assert services.asked("/oauth/v2/token") == 1


async def test_another_browsers_state_is_refused(
    services: Services, browser: Browser, new_browser: NewBrowser, add_ada: AddAda
) -> None:
    """A callback brought to another browser signs nobody in there, and still works at home."""
    await add_ada()
    url = await browser.consent(await browser.begin())
    foreign = await new_browser().get(url)
    assert (foreign.status_code, "set-cookie" in foreign.headers) == (400, False)
    assert services.asked("/oauth/v2/token") == 0
    assert (await browser.get(url)).status_code == 303


async def test_a_state_ends_after_ten_minutes(services: Services, browser: Browser, add_ada: AddAda) -> None:
    """Who takes too long begins again."""
    await add_ada()
    url = await browser.begin()
    services.sandbox.state.clock.advance(FLOW_SECONDS)
    answer = await browser.get(await browser.consent(url))
    assert (answer.status_code, "This attempt is over" in answer.text) == (400, True)


@pytest.mark.parametrize("query", ["", "code=x", "state=x", "code=x&state=x", "code=x&state=%00%ff"])
async def test_a_made_up_callback_is_refused(services: Services, browser: Browser, query: str) -> None:
    """Nothing is sent for a callback that nobody began."""
    answer = await browser.get(f"/login/callback?{query}")
    assert answer.status_code == 400
    assert services.asked("/oauth/v2/token") == 0


async def test_a_refusal_is_told(browser: Browser) -> None:
    """Rejecting at Zoho is a page of its own."""
    answer = await browser.get(await browser.consent(await browser.begin(), decision="deny"))
    assert (answer.status_code, "Access was declined at Zoho" in answer.text) == (403, True)


async def test_a_refusal_without_state_is_told(services: Services, browser: Browser) -> None:
    """Zoho may leave the state out with an error."""
    services.sandbox.state.config.denial_with_state = False
    answer = await browser.get(await browser.consent(await browser.begin(), decision="deny"))
    assert "Access was declined at Zoho" in answer.text


async def test_an_error_of_another_kind_is_told(browser: Browser) -> None:
    """An error that Zoho documents nowhere is not shown as it came."""
    answer = await browser.get("/login/callback?error=<script>")
    assert (answer.status_code, "script&gt;" in answer.text, "<script>" in answer.text) == (400, False, False)


async def test_a_person_of_another_data_center_signs_in(services: Services, browser: Browser) -> None:
    """The code is exchanged at the person's own data centre, whose keys prove the identity."""
    await services.agents.add_agent("ada.eu@example.com", "Ada", actor="test")
    assert (await browser.sign_in(ADA_EU)).status_code == 303
    (ada,) = await services.agents.list_agents()
    assert ada.user.issuer == services.sandbox.origins["eu"]


async def test_signing_in_needs_no_desk(services: Services, browser: Browser) -> None:
    """A data centre without Desk is good enough to say who somebody is."""
    await services.agents.add_agent("ada.uk@example.com", "Ada", actor="test")
    assert (await browser.sign_in(ADA_UK)).status_code == 303


@pytest.mark.parametrize("path", ["/login/callback", "/oauth/callback"])
async def test_a_hostile_accounts_server_gets_nothing(
    services: Services, admin: Browser, hostile: Hostile, path: str
) -> None:
    """Nothing is sent to the server that a forged callback names, nor anywhere else."""
    services.sandbox.state.config.hostile_accounts_server = hostile.origin
    services.sandbox.state.requests.reset()
    begun = await (admin.begin() if path == "/login/callback" else admin.begin_linking())
    url = await admin.consent(begun)
    assert query_of(url)["accounts-server"] == hostile.origin
    answer = await admin.get(url)
    assert (answer.status_code, "may not come from Zoho" in answer.text) == (400, True)
    assert hostile.origin not in answer.text
    assert hostile.connections == 0
    assert services.asked("/oauth/v2/token") == 0
    assert await services.portals.list_portals() == []


async def test_an_unknown_data_center_gets_nothing(services: Services, browser: Browser) -> None:
    """A location that is not known is refused before anything is sent."""
    url = await browser.consent(await browser.begin())
    answer = await browser.get(re.sub("location=us", "location=xx", url))
    assert (answer.status_code, "An unknown data centre" in answer.text) == (400, True)
    assert services.asked("/oauth/v2/token") == 0


async def test_a_wrong_secret_is_the_administrators_move(services: Services, browser: Browser) -> None:
    """The page names the setting, and shows no secret."""
    services.secrets["us"] = "wrong-secret"
    answer = await browser.sign_in()
    assert answer.status_code == 502
    assert "Zoho does not accept the client" in answer.text
    assert "ZOHO_CLIENT_SECRET_" in answer.text
    assert "wrong-secret" not in answer.text


async def test_an_old_code_is_told(services: Services, browser: Browser) -> None:
    """Zoho's codes live two minutes, our states longer."""
    url = await browser.consent(await browser.begin())
    services.sandbox.state.clock.advance(121)
    answer = await browser.get(url)
    assert (answer.status_code, "no longer valid" in answer.text) == (400, True)


async def test_a_nonce_that_comes_back_is_verified(
    services: Services, browser: Browser, add_ada: AddAda
) -> None:
    """Where Zoho echoes the nonce it is ours."""
    services.sandbox.state.config.nonce_echoed = True
    await add_ada()
    assert (await browser.sign_in()).status_code == 303


async def test_signing_in_goes_on_to_where_one_wanted_to(browser: Browser, add_ada: AddAda) -> None:
    """A path of ours is gone on to, anything else is the front door."""
    await add_ada()
    assert (await browser.sign_in(next_path="/connect?x=1")).headers["location"] == "/connect?x=1"
    assert (await browser.sign_in(next_path="//evil.example")).headers["location"] == "/"


async def test_the_host_header_decides_nothing(browser: Browser) -> None:
    """Zoho sends people back to PUBLIC_URL, whatever Host a request names."""
    answer = await browser.get("/login", headers={"Host": "evil.example"})
    assert query_of(answer.headers["location"])["redirect_uri"] == f"{ADDRESS}/login/callback"


async def test_the_consent_address_is_guarded(browser: Browser) -> None:
    """It carries state, nonce and an S256 challenge, and asks for no refresh token."""
    query = query_of(await browser.begin())
    assert query["code_challenge_method"] == "S256"
    assert {"state", "nonce", "code_challenge"} <= query.keys()
    assert {"access_type", "prompt"}.isdisjoint(query)
    assert query["scope"].split(",") == ["openid", "email", "profile"]


@pytest.mark.both_engines
async def test_somebody_else_in_the_same_browser_ends_the_session_before(
    services: Services, browser: Browser, add_ada: AddAda
) -> None:
    """At a shared desk, what Ada's other tabs still show ends when Bruno signs in."""
    await add_ada()
    await services.agents.add_agent("bruno@example.com", "Bruno", actor="test")
    await browser.sign_in()
    of_ada = (await browser.get("/api/me")).json()["session"]
    await browser.sign_in(BRUNO)
    of_bruno = (await browser.get("/api/me")).json()["session"]
    assert await services.sessions.living([of_ada, of_bruno]) == {of_bruno}


async def test_signing_in_again_ends_the_session_before(
    browser: Browser, add_ada: AddAda, services: Services
) -> None:
    """Its cookie is gone, so nobody could sign out of it any more."""
    await add_ada()
    await browser.sign_in()
    before = (await browser.get("/api/me")).json()["session"]
    await browser.sign_in()
    after = (await browser.get("/api/me")).json()["session"]
    assert await services.sessions.living([before, after]) == {after}


async def test_attempts_are_limited_by_address(services: Services, browser: Browser) -> None:
    """Each one is kept for ten minutes: beyond fifty at once they wait, and are told so on a page."""
    for _ in range(50):
        await browser.begin()
    refused = await browser.get("/login")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    assert "more requests than are allowed" in refused.text
    services.sandbox.state.clock.advance(1)
    await browser.begin()


async def test_many_abandoned_attempts_leave_few_cookies(browser: Browser) -> None:
    """The request's headers do not grow without end."""
    for _ in range(45):
        await browser.begin()
    assert len(browser.http.cookies) <= 25


async def test_no_secret_is_in_any_page(services: Services, browser: Browser) -> None:
    """A page about a failure shows neither code nor state."""
    url = await browser.consent(await browser.begin())
    services.secrets["us"] = "wrong-secret"
    told = query_of(url)
    answer: httpx2.Response = await browser.get(url)
    assert told["code"] not in answer.text
    assert told["state"] not in answer.text


@pytest.mark.parametrize("path", ["/login", "/login/callback", "/login/callback?state=x&code=y"])
async def test_strangers_may_not_try_for_ever(browser: Browser, path: str) -> None:
    """Neither the way to Zoho nor the way back is open to an address without end."""
    statuses = {(await browser.get(path)).status_code for _ in range(60)}
    assert 429 in statuses
    assert len(statuses) == 2
