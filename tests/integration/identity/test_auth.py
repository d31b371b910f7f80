"""Who may call what: sessions, keys, roles, origins, limits, and the headers of every answer."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest
from sqlalchemy import Connection
from starlette.applications import Starlette

from connector.accounts import Flows
from connector.accounts.keys import Wanted
from connector.crypto import Encryptor
from connector.errors import InvalidValue, NotFound
from connector.settings import Secret
from tests.integration.identity.browser import Browser, query_of
from tests.integration.identity.conftest import ADDRESS, Services

pytestmark = pytest.mark.anyio
AddAda = Callable[[], Awaitable[object]]


def bearer(key: str) -> dict[str, str]:
    """Return the header that brings a key."""
    return {"Authorization": f"Bearer {key}", "Accept": "application/json"}


@pytest.mark.both_engines
async def test_a_key_calls_the_api(services: Services, browser: Browser) -> None:
    """It is shown once, and only its hash is kept."""
    key = await services.keys.add_key("wallboard", "agent", actor="test")
    answer = await browser.get("/api/me", headers=bearer(key))
    assert answer.json()["name"] == "key wallboard"
    assert key not in repr(await services.keys.list_keys())


async def test_a_key_reaches_as_far_as_its_role(services: Services, browser: Browser) -> None:
    """Each role may do what those below it may."""
    statuses = []
    for role in ("agent", "supervisor", "administrator"):
        key = await services.keys.add_key(role, role, actor="test")
        statuses.append((await browser.get("/api/supervisor", headers=bearer(key))).status_code)
    assert statuses == [403, 200, 200]


@pytest.mark.both_engines
async def test_a_revoked_key_is_out_at_once(services: Services, browser: Browser) -> None:
    """The next call is refused, and both changes are audited."""
    made, key = await services.keys.add(Wanted(name="wallboard"), actor="test")
    await services.keys.revoke_key(made.id, actor="ada@example.com")
    answer = await browser.get("/api/me", headers=bearer(key))
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    told = [(entry.actor, entry.action, entry.subject) for entry in await services.audited()]
    assert told == [("test", "key.added", "wallboard"), ("ada@example.com", "key.revoked", "wallboard")]


async def test_a_keys_name_is_used_once(services: Services) -> None:
    """Not even a revoked key's name comes again, so that the audit stays clear."""
    made, _ = await services.keys.add(Wanted(name="wallboard"), actor="test")
    await services.keys.revoke_key(made.id, actor="test")
    for name, role in (("wallboard", "agent"), ("other", "boss"), (" ", "agent")):
        with pytest.raises(InvalidValue):
            await services.keys.add_key(name, role, actor="test")
    with pytest.raises(NotFound):
        await services.keys.revoke_key(made.id, actor="test")


@pytest.mark.parametrize("header", ["Bearer ", "Bearer ck_nonsense", "bearer x", "Bearer \xff"])
async def test_a_wrong_key_is_no_session(browser: Browser, add_ada: AddAda, header: str) -> None:
    """Whoever brings a key is judged by it, signed in or not."""
    await add_ada()
    await browser.sign_in()
    headers = {"Authorization": header.encode("latin-1")}
    answer = await browser.get("/api/me", headers=headers)
    assert answer.status_code == 401


async def test_keys_that_open_nothing_are_limited_by_address(services: Services, browser: Browser) -> None:
    """Beyond the burst nobody is asked about them any more; those that open something cost nothing."""
    keys = [await services.keys.add_key(f"k{number}", "agent", actor="test") for number in range(15)]
    for _ in range(4):
        for key in keys:
            assert (await browser.get("/api/me", headers=bearer(key))).status_code == 200
        services.sandbox.state.clock.advance(1)
    statuses = [(await browser.get("/api/me", headers=bearer("ck_no"))).status_code for _ in range(51)]
    assert statuses == 50 * [401] + [429]
    refused = await browser.get("/api/me", headers=bearer("ck_no"))
    assert (refused.headers["retry-after"], refused.json()["status"]) == ("1", 429)
    assert (await browser.get("/api/me", headers=bearer(keys[0]))).status_code == 200
    services.sandbox.state.clock.advance(1)
    assert (await browser.get("/api/me", headers=bearer("ck_no"))).status_code == 401


async def test_a_new_key_passes_a_failing_neighbour(
    services: Services, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that no process has seen yet is none of what others try; those cost the store a look a second."""
    key = await services.keys.add_key("new", "agent", actor="test")
    looks, read = list[object](), services.store.read

    async def counted(what: Callable[[Connection], Any]) -> Any:
        looks.append(what)
        return await read(what)

    monkeypatch.setattr(services.store, "read", counted)
    guesses = ["ck_no", "no", *(f"ck_{number:043}" for number in range(58))]
    statuses = [(await browser.get("/api/me", headers=bearer(guess))).status_code for guess in guesses]
    assert statuses == 50 * [401] + 10 * [429]
    assert (await browser.get("/api/me", headers=bearer(key))).status_code == 200
    assert len(looks) == 48 + 1 + 1


async def test_a_problem_is_json_for_programs(browser: Browser) -> None:
    """It says type, title, status and detail (RFC 9457)."""
    problem = (await browser.get("/api/me")).json()
    assert problem == {
        "type": "urn:connector:not_signed_in",
        "title": "Sign in first",
        "status": 401,
        "detail": "You are not signed in, or your session is over.",
    }


async def test_posts_of_our_own_pages_are_taken(browser: Browser, add_ada: AddAda) -> None:
    """Same origin and X-Requested-With together, as our scripts send them."""
    await add_ada()
    await browser.sign_in()
    asked = {"X-Requested-With": "connector"}
    assert (await browser.post("/api/me", headers=asked)).status_code == 200
    assert (
        await browser.post("/api/me", headers=asked | {"Sec-Fetch-Site": "same-origin"})
    ).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Requested-With": "connector", "Sec-Fetch-Site": "cross-site"},
        {"X-Requested-With": "connector", "Sec-Fetch-Site": "same-site"},
        {"X-Requested-With": "connector", "Origin": "https://evil.example"},
        {"X-Requested-With": "connector", "Origin": "null"},
        {"X-Requested-With": "connector", "Origin": "http://127.0.0.1:8081"},
    ],
)
async def test_posts_of_other_sites_are_refused(
    browser: Browser, add_ada: AddAda, headers: dict[str, str]
) -> None:
    """A session cookie alone moves nothing."""
    await add_ada()
    await browser.sign_in()
    assert (await browser.post("/api/me", headers=headers)).status_code == 403


async def test_a_key_needs_no_origin(services: Services, browser: Browser) -> None:
    """No browser sends a key by itself."""
    key = await services.keys.add_key("wallboard", "agent", actor="test")
    answer = await browser.http.post(f"{browser.address}/api/me", headers=bearer(key))
    assert answer.status_code == 200


async def test_callers_are_limited_each_by_themselves(services: Services, browser: Browser) -> None:
    """Beyond the burst a caller waits, the next one does not."""
    one = bearer(await services.keys.add_key("one", "agent", actor="test"))
    two = bearer(await services.keys.add_key("two", "agent", actor="test"))
    statuses = [(await browser.get("/api/me", headers=one)).status_code for _ in range(6)]
    assert statuses == 5 * [200] + [429]
    refused = await browser.get("/api/me", headers=one)
    assert refused.headers["retry-after"] == "1"
    assert (await browser.get("/api/me", headers=two)).status_code == 200
    services.sandbox.state.clock.advance(1)
    assert (await browser.get("/api/me", headers=one)).status_code == 200


async def test_a_forged_cookie_is_nobodys(services: Services, browser: Browser, add_ada: AddAda) -> None:
    """An unsigned or altered session cookie is as good as none."""
    await add_ada()
    await browser.sign_in()
    (name,) = [name for name in browser.http.cookies if "session" in name]
    signed = browser.http.cookies[name]
    for forged in (signed[:-1], "x" + signed, signed.rpartition(".")[0], "\u00ff.x"[1:], "."):
        browser.http.cookies.set(name, forged, domain="127.0.0.1")
        assert (await browser.get("/banner")).status_code == 401


async def test_every_page_is_guarded_by_headers(browser: Browser) -> None:
    """Pages, redirects and problems alike."""
    for path in ("/", "/login", "/nothing", "/api/me"):
        answer = await browser.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "strict-transport-security" not in answer.headers
    assert (await browser.get("/")).headers["cache-control"] == "no-store"


async def test_an_unknown_address_is_a_page_or_a_problem(browser: Browser) -> None:
    """As is a method that an address does not take."""
    page = await browser.get("/nothing")
    assert (page.status_code, "There is nothing here" in page.text) == (404, True)
    program = await browser.get("/nothing", headers={"Accept": "application/json"})
    assert program.json() == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "Not Found",
    }
    assert (await browser.get("/logout")).status_code == 405


async def test_a_program_is_told_what_it_missed(browser: Browser) -> None:
    """What happened, who can put it right and how; nothing of what was asked is repeated."""
    for accept in ("application/json", "text/html", "*/*"):
        missed = await browser.get("/api/nothing<b>", headers={"Accept": accept})
        assert missed.headers["content-type"] == "application/problem+json"
        assert (missed.status_code, missed.json()["type"]) == (404, "urn:connector:not_found")
        assert re.search(
            r"no such address\. You can put this right yourself\. Compare .* /help/addresses\.$",
            missed.json()["detail"],
        )
        assert "nothing" not in missed.text.replace("There is nothing here", "")
    wrong = await browser.http.put(f"{ADDRESS}/api/me", headers={"Origin": ADDRESS})
    assert (wrong.status_code, wrong.json()["type"]) == (405, "urn:connector:method_not_allowed")
    assert "GET" in wrong.headers["allow"].split(", ")
    assert wrong.headers["allow"] in wrong.json()["detail"]


async def test_what_nobody_foresaw_is_told_without_details(app: Starlette) -> None:
    """A bug of ours is a page as well, and its details stay in the log."""
    transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
    headers = {"Accept": "text/html"}
    async with httpx2.AsyncClient(transport=transport, base_url=ADDRESS, headers=headers) as client:
        answer = await client.get("/broken")
    assert (answer.status_code, "Something went wrong" in answer.text) == (500, True)
    assert "a detail" not in answer.text


async def test_a_setting_that_fits_no_more_is_logged(
    services: Services, browser: Browser, add_ada: AddAda, caplog: pytest.LogCaptureFixture
) -> None:
    """The page says who has to act, the log says on what; neither holds state or code."""
    await add_ada()
    url = await browser.consent(await browser.begin())
    services.flows = Flows(services.store, Encryptor([Secret("another key")]), services.clock)
    answer = await browser.get(url)
    assert (answer.status_code, "A setting of the connector is wrong" in answer.text) == (500, True)
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("connector")]
    assert any("SECRET_KEY" in line for line in ours)
    assert not any(value in line for line in ours for value in query_of(url).values() if len(value) > 10)
