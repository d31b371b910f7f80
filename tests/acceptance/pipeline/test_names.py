"""The caller's name: late, chosen, made and missing, as an agent sees it in a real browser."""

import asyncio
import re
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from playwright.async_api import Locator, Page, expect
from sqlalchemy import update

from connector import numbers
from connector.clock import system_clock
from connector.demo.environment import Environment
from connector.demo.phone import Phone
from connector.demo.simulator import PhoneSimulator
from connector.sandbox.presets import DEMO_ORG_ID
from connector.store.tables import portals
from connector.zoho.transport import trusted
from tests.acceptance.pipeline.conftest import keep_picture
from tests.acceptance.pipeline.test_day import be_signed_in, caller, event
from tests.acceptance.pipeline.test_doing import short

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

SEARCHES = "/api/v1/contacts/search"


async def fail(env: Environment, **rule: Any) -> None:
    """Put a fault in force at the sandbox."""
    async with httpx2.AsyncClient(verify=trusted(), trust_env=False) as http:
        answer = await http.post(f"{env.sandbox_admin.origin}/_sandbox/faults", json={"rules": [rule]})
        assert answer.is_success, answer.text


def card_of(page: Page, text: str) -> Locator:
    """Return the card of a call."""
    return page.locator("article[data-call]").filter(has_text=text)


async def test_a_late_name(page: Page, env: Environment, phone: Phone) -> None:
    """Desk fails: the number rings, with what is being done; then the name comes while it still rings."""
    agent, (name, number) = env.team.agents[0], await caller(env)
    call = f"late-{uuid.uuid4()}"
    await be_signed_in(page, env, agent.email)
    await env.services.contact_lookup.forget(1, number=re.sub(r"[^+\d]", "", number))
    await fail(env, kind="server_error", path_prefix=SEARCHES, times=4)
    await phone.post([event(env, call, "ringing", number, agent=agent.extension)])
    await expect(page.get_by_text("Desk did not answer; it is being asked again").first).to_be_visible()
    await keep_picture(page, "banner-asked-again")
    # The caller may have called before, and stand among the ended calls.
    ringing = page.locator("article[data-call][data-phase=ringing]").filter(has_text=name)
    await expect(ringing).to_be_visible()
    await phone.post([event(env, call, "ended", number, 9, cause="cancelled")])


async def test_a_made_contact(page: Page, env: Environment, phone: Phone) -> None:
    """Nobody has the number; once the record is written, the card leads to the contact made for it."""
    agent, number = env.team.agents[1], "+442079460644"
    call = f"made-{uuid.uuid4()}"
    await be_signed_in(page, env, agent.email)
    await phone.post([event(env, call, "ringing", number, agent=agent.extension)])
    card = card_of(page, "+44 20 7946 0644")
    await expect(card).to_contain_text("No contact in Desk has this number")
    await phone.post([event(env, call, "answered", number, agent=agent.extension)])
    await phone.post([event(env, call, "ended", number, 9, cause="normal")])
    link = card.get_by_role("link", name=re.compile("^Contact"))
    await expect(link).to_be_visible(timeout=20_000)
    await expect(card).not_to_contain_text("No contact in Desk has this number")
    await keep_picture(page, "banner-made")
    contacts = await env.sandbox_admin.contacts(DEMO_ORG_ID)
    (made,) = [each["id"] for each in contacts if each["phone"] == number]
    assert made in (await link.get_attribute("href") or "")


def shared(contacts: Sequence[Mapping[str, Any]]) -> tuple[str, list[str]]:
    """Return a British number that several contacts have, and their ids."""
    having = defaultdict[str, list[str]](list)
    for one in contacts:
        for e164 in {numbers.read(one[field], "GB").e164 for field in ("phone", "mobile")} - {None}:
            having[str(e164)].append(one["id"])
    return next(each for each in having.items() if len(each[1]) > 1 and each[0].startswith("+4420"))


async def test_calling_back_whom_one_chose(page: Page, env: Environment, phone: Phone) -> None:
    """By keyboard: choose, call back, and it is them; the record is on their contact."""
    agent = env.team.agents[2]
    number, (_, chosen, *_) = shared(await env.sandbox_admin.contacts(DEMO_ORG_ID))
    call = f"back-{uuid.uuid4()}"
    simulator = asyncio.create_task(PhoneSimulator(phone, system_clock, short).run())
    await be_signed_in(page, env, agent.email)
    await phone.post([event(env, call, "ringing", number, agent=agent.extension)])
    await page.locator(f"button[data-contact='{chosen}']").first.press("Enter")
    # Who calls back sees first that it is them.
    await expect(page.locator(f"button[data-contact='{chosen}'][aria-pressed=true]").first).to_be_visible()
    await phone.post([event(env, call, "ended", number, 9, cause="no_answer")])
    await page.get_by_role("button", name=re.compile("^Call back")).first.press("Enter")
    # Other calls of this agent may go on.
    its_own = page.locator(f"button[data-contact='{chosen}']")
    card = page.locator("article[data-call][data-phase=talking]").filter(has=its_own)
    await expect(card.get_by_role("group", name="It is")).to_be_visible(timeout=20_000)
    pressed = card.locator(f"button[data-contact='{chosen}']")
    await expect(pressed).to_have_attribute("aria-pressed", "true")
    await keep_picture(page, "banner-called-back")
    await card.get_by_role("button", name=re.compile("^Hang up")).press("Enter")
    ended = page.locator("article[data-call][data-phase=over]").first
    await expect(ended.get_by_role("link", name=re.compile("^Call record"))).to_be_visible(timeout=20_000)
    records = [each for each in await env.sandbox_admin.calls() if each["contactId"] == chosen]
    assert "outbound" in {each["direction"] for each in records}
    simulator.cancel()
    await asyncio.gather(simulator, return_exceptions=True)


@asynccontextmanager
async def grant_lost(env: Environment) -> AsyncIterator[None]:
    """Lose the grant, and have it back."""
    await env.services.store.write(lambda c: c.execute(update(portals).values(state="grant_lost")))
    yield
    await env.services.store.write(lambda c: c.execute(update(portals).values(state="linked")))


@pytest.mark.parametrize(("which", "move"), [(0, "Link it again"), (1, "An administrator does that")])
async def test_a_lost_grant(page: Page, env: Environment, phone: Phone, which: int, move: str) -> None:
    """The administrator is led there, the agent reads whom to ask; it goes when Desk is linked again."""
    agent, number = env.team.agents[which], f"+44207946064{which}"
    await be_signed_in(page, env, agent.email)
    alert = page.get_by_role("alert").filter(has_text="Zoho Desk has to be linked again")
    async with grant_lost(env):
        await expect(alert).to_contain_text(move, timeout=10_000)
        await phone.post([event(env, f"lost-{uuid.uuid4()}", "ringing", number, agent=agent.extension)])
        await expect(card_of(page, f"064{which}")).to_contain_text("Zoho Desk has to be linked again")
        await keep_picture(page, f"banner-grant-lost-{which}")
    await expect(alert).to_be_hidden(timeout=10_000)
