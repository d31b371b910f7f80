"""An agent's day: sign in, a call rings, the page is loaded again, the call ends and stands in Desk."""

import re
import uuid
from typing import Any

import pytest
from playwright.async_api import Page, expect
from starlette.responses import Response

from connector.clock import to_iso
from connector.demo.environment import Environment
from connector.demo.phone import Phone
from connector.sandbox.presets import DEMO_ORG_ID
from connector.web.auth import Cookies
from tests.acceptance.pipeline.conftest import keep_picture

pytestmark = [pytest.mark.anyio, pytest.mark.browser]


def event(
    env: Environment, call: str, kind: str, number: str, second: int = 0, **data: Any
) -> dict[str, Any]:
    """Make an event of an inbound call."""
    facts = {"direction": "inbound", "from": number, "to": "+442079460700"}
    return {
        "specversion": "1.0",
        "id": f"{call}/{kind}/{data.get('agent')}",
        "source": "/acceptance",
        "type": f"call.{kind}",
        "subject": call,
        "time": to_iso(env.services.clock() + second * 1_000),
        "data": facts | data,
    }


async def sign_in(page: Page, env: Environment, email: str) -> None:
    """Sign in as a person does: our page, Zoho's two pages, the banner."""
    await page.goto(env.origin)
    await keep_picture(page, "signed-out")
    await page.get_by_role("link", name=re.compile("Sign in with Zoho")).click()
    await page.get_by_text(email).click()
    await keep_picture(page, "zoho-sign-in")
    await page.get_by_role("button", name="Sign in").click()
    accept, inside = page.get_by_role("button", name="Accept"), page.get_by_role("button", name="Sign out")
    await expect(accept.or_(inside)).to_be_visible()
    # Zoho asks for consent the first time only.
    if await accept.is_visible():
        await keep_picture(page, "zoho-consent")
        await accept.click()
    await expect(inside).to_be_visible()
    if not page.url.endswith("/banner"):
        # Administrators are led to the set-up first.
        await page.get_by_role("navigation").get_by_role("link", name="Calls", exact=True).click()
    await expect(page.locator("body")).to_have_attribute("data-connection", "live")


async def be_signed_in(page: Page, env: Environment, email: str) -> None:
    """Open the banner with a session that is there already, where signing in is not what is shown.

    Zoho lets nobody sign in more than ten times in ten minutes.
    """
    user = (await env.services.agents.find(email)).user
    answer = Response()
    Cookies(env.services.encryptor, https=False).set_session(answer, await env.services.sessions.open(user))
    name, _, rest = answer.headers["set-cookie"].partition("=")
    await page.context.add_cookies([{"name": name, "value": rest.partition(";")[0], "url": env.origin}])
    await page.goto(f"{env.origin}/banner")
    await expect(page.locator("body")).to_have_attribute("data-connection", "live")


async def caller(env: Environment) -> tuple[str, str]:
    """Choose a contact of Desk whose number nobody shares: name and number."""
    contacts = await env.sandbox_admin.contacts(DEMO_ORG_ID)
    numbers = [contact["phone"] for contact in contacts if contact["phone"]]
    alone = next(
        each
        for each in contacts
        if re.fullmatch(r"\+44 20 7946 0\d{3}", each["phone"] or "") and numbers.count(each["phone"]) == 1
    )
    return f"{alone['firstName'] or ''} {alone['lastName']}".strip(), alone["phone"]


async def test_a_call_from_ring_to_record(page: Page, env: Environment, phone: Phone) -> None:
    """Ring, name, answer, reload, end, record: all in a real browser against the real programs."""
    agent = env.team.agents[0]
    name, number = await caller(env)
    call = f"day-{uuid.uuid4()}"
    await sign_in(page, env, agent.email)
    await keep_picture(page, "banner-empty")

    await phone.post([event(env, call, "ringing", number, agent=agent.extension, queue="support")])
    card = page.locator("article[data-call]").filter(has_text=name)
    await expect(card).to_have_attribute("data-phase", "ringing")
    await keep_picture(page, "banner-ringing")

    await phone.post([event(env, call, "answered", number, agent=agent.extension)])
    await expect(card).to_have_attribute("data-phase", "talking")
    await page.reload()
    await expect(card).to_have_attribute("data-phase", "talking")
    await keep_picture(page, "banner-talking")

    await phone.post([event(env, call, "ended", number, 61, cause="normal")])
    await expect(card).to_have_attribute("data-phase", "over")
    record = card.get_by_role("link", name=re.compile("record", re.IGNORECASE))
    await expect(record).to_be_visible(timeout=20_000)
    await keep_picture(page, "banner-over")
    address = await record.get_attribute("href")
    assert address is not None
    await page.goto(address)
    await expect(page.locator("body")).to_contain_text(name)
    await expect(page.locator("body")).to_contain_text("Completed")
    await keep_picture(page, "desk-record")


async def test_only_the_one_who_answers_keeps_the_call(page: Page, env: Environment, phone: Phone) -> None:
    """An agent whose colleague answers sees the call go."""
    one, other = env.team.agents[:2]
    call, number = f"day-{uuid.uuid4()}", "+442079460633"
    await sign_in(page, env, other.email)
    rung = [event(env, call, "ringing", number, agent=agent.extension) for agent in (one, other)]
    await phone.post(rung)
    card = page.locator("article[data-call]").filter(has_text="+44 20 7946 0633")
    await expect(card).to_be_visible()
    await phone.post([event(env, call, "answered", number, agent=one.extension)])
    await expect(card).to_have_count(0)
    await phone.post([event(env, call, "ended", number, 5)])


async def test_deactivated_agent_is_out_at_once(page: Page, env: Environment) -> None:
    """Deactivating a user ends an open banner within seconds."""
    agent = env.team.agents[3]
    await sign_in(page, env, agent.email)
    await env.services.agents.deactivate(agent.email, actor="test")
    await expect(page.locator("body")).to_have_attribute("data-connection", "signed_out", timeout=5_000)
    await keep_picture(page, "banner-signed-out")
    await env.services.agents.reactivate(agent.email, actor="test")
