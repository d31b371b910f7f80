"""The pages of a CRM: rows changed, moved and taken away without scripts, by whom it is allowed."""

import re
from collections.abc import AsyncIterator
from functools import partial
from html import unescape
from typing import Any

import httpx2
import pytest
from starlette.responses import Response

from connector.app import create_app
from connector.crm import defaults
from connector.crm.wanted import Parts, read
from connector.phone_systems.setup import NewPhoneSystem
from connector.services import Services
from connector.settings import load
from connector.store import Store, portals
from connector.store import crm as crm_table
from connector.web.auth import ASKED_WITH, Cookies
from tests.integration.databases import Databases
from tests.integration.three_ways.ways import ADDRESS, ENVIRONMENT, PORTAL

pytestmark = pytest.mark.anyio

OURS = {"sec-fetch-site": "same-origin", "x-requested-with": ASKED_WITH}
HOURS = (
    b'{"hours": [{"name": "Office", "open": [{"day": 0, "since": 540, "until": 600}]}, {"name": "Night"}]}'
)


class Browser:
    """The application with two portals, and somebody who is signed in."""

    def __init__(self, services: Services, client: httpx2.AsyncClient) -> None:
        self.services = services
        self.client = client

    async def sign_in(self, role: Any) -> int:
        """Add somebody of a role, and be them; return their id."""
        person = await self.services.agents.add_agent(f"{role}@example.com", role, role, actor="test")
        cookie, session = Response(), await self.services.sessions.open(person.user)
        Cookies(self.services.encryptor, https=True).set_session(cookie, session)
        self.client.headers["cookie"] = cookie.headers["set-cookie"].partition(";")[0]
        return person.user.id

    async def shown(self, path: str) -> str:
        """Return a page."""
        answer = await self.client.get(path)
        assert answer.status_code == 200, answer.text
        return unescape(answer.text)

    async def send(self, path: str, **fields: Any) -> httpx2.Response:
        """Open a page, and send its form as it stands with some fields filled in."""
        page = (await self.client.get(path)).text
        (token, *_) = re.findall(r'name="token"[^>]*value="([0-9a-f]{64})"', page)
        (revision, *_) = re.findall(r'name="revision" value="(\d+)"', page)
        sent = {"token": token, "revision": revision} | fields
        return await self.client.post(path.partition("?")[0], data=sent)


@pytest.fixture
async def browser(sqlite_databases: Databases) -> AsyncIterator[Browser]:
    """Make the application."""
    with sqlite_databases.fresh() as url:
        services = Services(load(ENVIRONMENT | {"DATABASE_URL": url}), Store(url))
        for org_id in ("600000001", "600000002"):
            await services.store.write(partial(portals.put, **{**PORTAL, "org_id": org_id}))
        transport = httpx2.ASGITransport(create_app(services), client=("127.0.0.1", 1))
        async with httpx2.AsyncClient(transport=transport, base_url=ADDRESS, headers=OURS) as client:
            yield Browser(services, client)
        await services.close()


async def test_rows_are_changed_moved_and_taken_away(browser: Browser) -> None:
    """Each by a link or a button of its own; the order of fields is that in which they are shown."""
    await browser.sign_in("administrator")
    crms = browser.services.crms
    page = await browser.shown("/crm/1/fields?object=contacts&field=email")
    assert 'value="email"' in page
    assert re.search(r'<option selected value="email">', page)
    key = {"object": "contacts", "field": "email"}
    for do in ("up", "up", "down"):
        assert (await browser.send("/crm/1/fields", do=do, **key)).status_code == 303
    names = [each.name for each in (await crms.get(1)).rules.objects[0].fields]
    assert names == ["firstName", "lastName", "phone", "email", "mobile"]
    assert (await browser.send("/crm/1/fields", do="remove", **key)).status_code == 303
    assert len((await crms.get(1)).rules.objects[0].fields) == 4
    gone = await browser.send("/crm/1/fields", do="remove", **key)
    assert (gone.status_code, "There is no email any more" in gone.text) == (422, True)
    kept = await browser.send("/crm/1/fields", do="remove", object="contacts", field="lastName")
    assert (kept.status_code, "lastName of contacts stays" in kept.text) == (422, True)


async def test_steps_and_hours_are_rows_too(browser: Browser) -> None:
    """A step of the search is named by its place; the last assign rule has neither Up nor Take away."""
    await browser.sign_in("administrator")
    crms = browser.services.crms
    await crms.save(1, read(HOURS), actor="test")
    assert (await browser.send("/crm/1/search", do="down", step="0")).status_code == 303
    assert [row.object for row in (await crms.get(1)).rules.search] == ["accounts", "contacts", "tickets"]
    assert (await browser.send("/crm/1/search", do="remove", step="9")).status_code == 422
    changed = {"object": "contacts", "match": "number", "fields": "mobile", "enabled": "y"}
    assert (await browser.send("/crm/1/search?step=1", step="1", **changed)).status_code == 303
    assert (await crms.get(1)).rules.search[1].fields == ("mobile",)
    page = await browser.shown("/crm/1/hours?called=Office")
    assert "Mon 09:00-10:00" in page
    wrong = await browser.send("/crm/1/hours", called="Office", open="Monday morning")
    assert (wrong.status_code, "Monday morning is not written as" in wrong.text) == (422, True)
    assert (await browser.send("/crm/1/hours", do="remove", called="Night")).status_code == 303
    assert [each.name for each in (await crms.get(1)).rules.hours] == ["Office"]
    page = await browser.shown("/crm/1/assign")
    assert 'aria-label="Change: Otherwise"' in page
    assert 'aria-label="Take away: Otherwise"' not in page


async def test_a_wrong_row_of_a_rule_is_told_beside_it(browser: Browser) -> None:
    """The rows keep what was filled in, and their errors stand at their fields."""
    await browser.sign_in("administrator")
    rule = {"called": "Long", "target": "contact", "account_contact": "only",
            "conditions-0-field": "", "conditions-0-condition": "is",
            "conditions-1-field": "call.duration", "conditions-1-condition": "greater than",
            "conditions-1-value": "soon"}  # fmt: skip
    refused = await browser.send("/crm/1/assign", **rule)
    assert refused.status_code == 422
    assert re.search(r'id="conditions-1-value"[^>]*aria-invalid="true"', refused.text) or re.search(
        r'aria-invalid="true"[^>]*id="conditions-1-value"', refused.text
    )
    assert "'soon' is no number." in unescape(refused.text)
    assert (await browser.send("/crm/1/assign", **rule | {"conditions-1-value": "60"})).status_code == 303
    page = await browser.shown("/crm/1/assign?called=Long")
    assert "1. call.duration is greater than 60" in page


async def test_whoever_is_second_is_told(browser: Browser) -> None:
    """Their form comes back as they filled it in, with who was first and what they saved."""
    await browser.sign_in("administrator")
    path = "/crm/1/general"
    page = (await browser.client.get(path)).text
    (token, *_) = re.findall(r'name="token"[^>]*value="([0-9a-f]{64})"', page)
    await browser.services.crms.save(1, Parts(name="Desk of Bo"), actor="bo@example.com")
    sent = {"token": token, "revision": "0", "called": "Desk of Ada", "enabled": "y"}
    refused = await browser.client.post(path, data=sent)
    assert refused.status_code == 422
    assert "bo@example.com has saved it" in refused.text
    assert 'value="Desk of Ada"' in refused.text
    assert (await browser.services.crms.get(1)).name == "Desk of Bo"


async def test_a_right_for_one_portal_opens_that_one(browser: Browser) -> None:
    """To see is not to change; the list of programs is for those who may see all of them."""
    user_id = await browser.sign_in("supervisor")
    agents, client = browser.services.agents, browser.client
    assert (await client.get("/crm")).status_code == 403
    await agents.give_rights(user_id, [("crm", "access")], portal_id=1, actor="test")
    page = await browser.shown("/crm")
    assert ('href="/crm/1"' in page, 'href="/crm/2"' in page) == (True, False)
    assert (await client.get("/crm/2")).status_code == 403
    assert (await client.get("/crm/1/fields")).status_code == 200
    assert (await browser.send("/crm/1/general", called="Mine")).status_code == 403
    statuses = [
        (await client.get(path)).status_code for path in ("/api/v1/crms/1", "/api/v1/crms/2", "/api/v1/crms")
    ]
    assert statuses == [200, 403, 403]
    assert (await client.patch("/api/v1/crms/1", content='{"name": "Mine"}')).status_code == 403
    await agents.give_rights(user_id, [("crm", "modify")], portal_id=1, actor="test")
    assert (await client.patch("/api/v1/crms/1", content='{"name": "Mine"}')).json()["name"] == "Mine"
    assert (await client.patch("/api/v1/crms/2", content='{"name": "Mine"}')).status_code == 403
    await agents.give_rights(user_id, [("crm", "access")], actor="test")
    assert len((await client.get("/api/v1/crms")).json()["items"]) == 2


async def test_what_is_off_is_shown_with_its_reason(browser: Browser) -> None:
    """On the overview, beside the field, and for programs."""
    await browser.sign_in("administrator")
    await browser.services.store.write(
        lambda c: crm_table.switch_off(c, 1, ("contacts", "email"), "Desk has it no more.", 1)
    )
    assert "1 field is not used" in await browser.shown("/crm")
    overview = await browser.shown("/crm/1")
    assert "Desk has it no more." in overview
    assert [title in overview for title in ("Editing cards.", "Making tickets.")] == [True, True]
    assert "not used: Desk has it no more." in await browser.shown("/crm/1/fields")
    told = (await browser.client.get("/api/v1/crms/1")).json()
    assert told["off"] == [{"object": "contacts", "name": "email", "reason": "Desk has it no more."}]
    assert [each["name"] for each in told["rules"]["objects"]] == [
        each.name for each in defaults.RULES.objects
    ]


async def test_values_and_filters_are_listed(browser: Browser) -> None:
    """With types, examples, and when each is known."""
    await browser.sign_in("administrator")
    page = await browser.shown("/crm/1/values")
    assert "<code>recording.url</code>" in page
    assert "<code>{{ call.start | date.utc }}</code>" in page
    told = (await browser.client.get("/api/v1/crms/1/values")).json()["items"]
    (duration,) = [each for each in told if each["path"] == "call.duration"]
    assert (duration["type"], duration["known_at"], duration["example"]) == ("number", "end", "252")


async def test_a_call_is_tried_before_it_comes(browser: Browser) -> None:
    """The page and programs show the very request; rules that were not saved can be tried, and stay so."""
    await browser.sign_in("administrator")
    services, path = browser.services, "/api/v1/crms/1/preview"
    page = await browser.shown("/crm/1/preview?direction=inbound&customer=%2B33199001234&result=missed")
    assert "This portal has no such phone system" in page
    phone = NewPhoneSystem(slug="office", dialect="neutral", country="FR", portal_id=1)
    await services.phone_setup.add(phone, "test")
    page = await browser.shown("/crm/1/preview?direction=inbound&customer=%2B33199001234&result=missed")
    assert "<code>POST /api/v1/calls</code>" in page
    assert "<td>Otherwise</td>" in page
    told = (await browser.client.post(path, content=b'{"sample": {"result": "missed"}}')).json()
    assert [each["path"] for each in told["requests"]][-1] == "/api/v1/calls"
    assert told["rules"] == [{"name": "Otherwise", "target": "contact", "rows": [], "matches": True}]
    changed = b'{"changes": {"assign": [{"name": "Ours", "target": "new_ticket"}]}}'
    told = (await browser.client.post(path, content=changed)).json()
    assert [each["path"] for each in told["requests"]][-2:] == ["/api/v1/tickets", "/api/v1/calls"]
    wrong = await browser.client.post(path, content=b'{"changes": {"assign": []}}')
    assert (wrong.status_code, wrong.json()["pointer"]) == (422, "/assign")
    assert (await services.crms.get(1)).revision == 0
    wrong = await browser.client.get("/crm/1/preview?direction=sideways&customer=x&result=missed&call=none")
    assert wrong.status_code == 422
