"""Click to call, hand over and hang up: a real browser, the connector, and the simulated phone."""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, expect

from connector.clock import system_clock
from connector.demo.environment import Environment
from connector.demo.phone import Phone
from connector.demo.simulator import PhoneSimulator
from connector.sandbox.presets import DEMO_ORG_ID
from connector.store import audit
from tests.acceptance.pipeline.conftest import keep_picture
from tests.acceptance.pipeline.test_day import caller, sign_in

pytestmark = [pytest.mark.anyio, pytest.mark.browser]


async def short(seconds: float) -> None:
    """Ring and answer soon, and talk until somebody hangs up."""
    await asyncio.sleep(0.3 if seconds < 10 else 600)


@pytest.fixture
async def simulator(phone: Phone) -> AsyncIterator[None]:
    """Have the simulated phone do what is clicked."""
    task = asyncio.create_task(PhoneSimulator(phone, system_clock, short).run())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_call_by_click(page: Page, env: Environment, simulator: None) -> None:
    """Find the contact, click its number, talk, hang up; one outbound record stands on the contact."""
    agent, (name, number) = env.team.agents[1], await caller(env)
    await sign_in(page, env, agent.email)
    await page.get_by_role("combobox").fill(name)
    await page.get_by_role("button", name=f"Call {number} {name}").click()
    card = page.locator("article[data-call]").filter(has_text=name)
    await expect(card).to_have_attribute("data-phase", "talking")
    await keep_picture(page, "banner-clicked")
    await card.get_by_role("button", name="Hang up").click()
    await expect(card).to_have_attribute("data-phase", "over")
    await expect(card.get_by_role("link", name="Call record")).to_be_visible(timeout=20_000)
    contacts = await env.sandbox_admin.contacts(DEMO_ORG_ID)
    (contact,) = [each["id"] for each in contacts if each["phone"] == number]
    records = [each for each in await env.sandbox_admin.calls() if each["contactId"] == contact]
    (record,) = [each for each in records if each["direction"] == "outbound"]
    assert record["status"] == "Completed"
    assert record["ownerId"] == env.setup.agents[agent.email]
    said = [entry for entry in await env.services.store.read(audit.newest) if "order." in entry.action]
    assert [entry.action for entry in reversed(said)] == ["order.given", "order.done"] * 2
    assert {entry.actor for entry in said} == {agent.email, "phone system demo"}


async def test_a_call_is_handed_over(page: Page, env: Environment, simulator: None) -> None:
    """The colleague has the call, and the agent's own part is over."""
    agent, colleague = env.team.agents[1:3]
    await sign_in(page, env, agent.email)
    await page.get_by_role("combobox").fill("020 7946 0655")
    await page.get_by_role("button", name="Call 020 7946 0655").click()
    card = page.locator("article[data-call]").filter(has_text="+44 20 7946 0655")
    await expect(card).to_have_attribute("data-phase", "talking")
    await card.get_by_role("button", name=re.compile("Hand over")).click()
    group = card.get_by_role("group", name="Hand over to")
    await group.get_by_role("button", name=re.compile(colleague.name)).click()
    await expect(
        page.get_by_text(f"Handed over to {colleague.name} ({colleague.extension}).")
    ).to_be_visible()
    await expect(card.locator(".call-phase")).to_have_text(f"Handed over, now with {colleague.name}")
    await expect(card.get_by_role("button", name="Hang up")).to_have_count(0)


async def test_emergencies_are_refused(page: Page, env: Environment, simulator: None) -> None:
    """Such a call must not hang on a page: that is said, and nothing rings."""
    await sign_in(page, env, env.team.agents[2].email)
    await page.get_by_role("combobox").fill("999")
    await page.get_by_role("button", name="Call 999").click()
    await expect(page.get_by_role("alert").filter(has_text="999 is an emergency number")).to_be_visible()
    await keep_picture(page, "banner-refused")
