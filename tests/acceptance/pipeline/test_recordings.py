"""From a call record in Desk to its recording: sign in, read the facts, press play, hear it."""

import asyncio
import re
import uuid

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from connector.calls import call_key
from connector.demo.company import RECORDINGS
from connector.demo.environment import Environment
from connector.demo.phone import Phone, Recorder
from connector.demo.sandbox_admin import Record
from tests.acceptance.pipeline.conftest import keep_picture
from tests.acceptance.pipeline.test_accessibility import check, violations
from tests.acceptance.pipeline.test_day import be_signed_in, caller, event

pytestmark = [pytest.mark.anyio, pytest.mark.browser]


async def recorded_call(env: Environment, phone: Phone, *names: str) -> Record:
    """Ring, answer, end and record a call, and answer its record in Desk once it is there.

    A recording whose name begins with "lost" is told of and never made.
    """
    agent, call = env.team.agents[1], f"recorded-{uuid.uuid4()}"
    _, number = await caller(env)
    told = [
        event(env, call, "ringing", number, agent=agent.extension, queue="support"),
        event(env, call, "answered", number, agent=agent.extension),
        event(env, call, "ended", number, 61, cause="normal"),
    ]
    for place, name in enumerate(names):
        data = {"recording_url": f"{RECORDINGS}{call}-{name}", "recording_seconds": 5 + place}
        recorded = event(env, call, "recorded", number, 61, **data) | {"id": f"{call}/{place}"}
        told.append(recorded)
        if not name.startswith("lost"):
            Recorder(env.recordings).record([recorded])
    await phone.post(told)
    return await record_of(env, call_key(env.setup.phone.uid, call))


async def record_of(env: Environment, key: str) -> Record:
    """Wait until Desk has a record with a recording."""
    async with asyncio.timeout(30):
        while True:
            for one in await env.sandbox_admin.calls():
                if key in (one["description"] or "") and one["recordingUrl"]:
                    return one
            await asyncio.sleep(0.2)


async def click_in_desk(page: Page, env: Environment, record: Record) -> None:
    """Open the record in the sandbox's Desk and follow its recording."""
    await page.goto(f"{env.sandbox_admin.origin}/desk/calls/{record['id']}")
    link = page.get_by_role("link", name="Recording")
    assert await link.get_attribute("href") == record["recordingUrl"]
    await page.goto(record["recordingUrl"])


async def test_from_desk_to_the_sound(page: Page, env: Environment, phone: Phone) -> None:
    """A stranger who follows Desk's link signs in, comes back to the page, plays it, and is written down."""
    record = await recorded_call(env, phone, "1.wav")
    agent = env.team.agents[1]
    await click_in_desk(page, env, record)
    await expect(page.get_by_role("heading", name="Sign in first")).to_be_visible()
    await page.get_by_role("link", name=re.compile("Sign in with Zoho")).click()
    await page.get_by_text(agent.email).click()
    await page.get_by_role("button", name="Sign in").click()
    accept, player = page.get_by_role("button", name="Accept"), page.locator("audio")
    await expect(accept.or_(player)).to_be_visible()
    if await accept.is_visible():
        await accept.click()
    await expect(player).to_be_visible()
    assert page.url == record["recordingUrl"]
    name, _ = await caller(env)
    for fact in (name, agent.name, "Inbound, answered", "1 min", "(Europe/London)"):
        await expect(page.locator(".facts")).to_contain_text(fact)
    await keep_picture(page, "recording")
    await press_play(page, player)
    await expect(page.get_by_role("alert")).to_have_count(0)
    # Another stretch of it, as when somebody drags the slider.
    await player.evaluate("audio => { audio.currentTime = 3 }")
    await page.wait_for_function("() => document.querySelector('audio').currentTime > 3.2")
    assert await player.evaluate("audio => audio.duration") == 5


async def press_play(page: Page, player: Locator) -> None:
    """Play by the keyboard alone."""
    await player.focus()
    await page.keyboard.press("Space")
    await page.wait_for_function(
        "() => { const a = document.querySelector('audio'); return a.currentTime > 0 && !a.paused }"
    )


async def test_colleagues_are_told_why_not(page: Page, env: Environment, phone: Phone) -> None:
    """Who took no part reads whose recording it is, and hears nothing."""
    record = await recorded_call(env, phone, "1.wav")
    await be_signed_in(page, env, env.team.agents[2].email)
    answer = await page.goto(record["recordingUrl"])
    assert answer is not None
    assert answer.status == 403
    await expect(page.get_by_text("those who took part in the call")).to_be_visible()
    assert await page.locator("audio").count() == 0


@pytest.mark.parametrize(
    ("name", "recordings"),
    [("one", ("1.wav",)), ("several", ("1.wav", "lost.wav", "2.wav")), ("lost", ("lost.wav",))],
)
async def test_pages_of_recordings(
    page: Page, env: Environment, phone: Phone, name: str, recordings: tuple[str, ...]
) -> None:
    """One recording, several, one that is lost: light and dark, wide and narrow, without a fault of axe's."""
    await be_signed_in(page, env, env.team.agents[0].email)
    record = await recorded_call(env, phone, *recordings)
    await check(page, record["recordingUrl"], f"recording-{name}")


async def test_pages_without_and_with_a_copy(page: Page, env: Environment, phone: Phone) -> None:
    """No recording at all, and one that may be kept: without a fault of axe's, and the copy is named."""
    await be_signed_in(page, env, env.team.agents[0].email)
    await check(page, f"{env.origin}/recordings/zpcaaaaaaaaaaaaaaaaaaaaaaaa", "recording-unknown")
    await env.services.portals.configure(env.setup.portal.id, recording_downloads="listeners", actor="test")
    record = await recorded_call(env, phone, "1.wav")
    await check(page, record["recordingUrl"], "recording-download")
    async with page.expect_download() as downloading:
        await page.get_by_role("link", name="Download recording").click()
    download = await downloading.value
    assert re.fullmatch(r"call-\d{8}T\d{6}Z\.wav", download.suggested_filename)
    await env.services.portals.configure(env.setup.portal.id, recording_downloads="nobody", actor="test")


async def test_recording_that_goes_while_its_page_is_open(page: Page, env: Environment, phone: Phone) -> None:
    """A player that meets nothing says so in words, for those too who cannot see that it is grey."""
    await be_signed_in(page, env, env.team.agents[0].email)
    record = await recorded_call(env, phone, "1.wav")
    await page.goto(record["recordingUrl"])
    for file in env.recordings.iterdir():
        file.unlink()
    await page.locator("audio").focus()
    await page.keyboard.press("Space")
    await expect(page.get_by_role("alert")).to_contain_text("cannot be played")
    assert await violations(page) == []


async def test_session_is_over_while_its_page_is_open(
    chromium: Browser, env: Environment, phone: Phone
) -> None:
    """Playing needs a session at that moment, not only when the page was opened."""
    context = await chromium.new_context()
    page = await context.new_page()
    await be_signed_in(page, env, env.team.agents[0].email)
    record = await recorded_call(env, phone, "1.wav")
    await page.goto(record["recordingUrl"])
    source = await page.locator("audio").get_attribute("src")
    assert (await page.request.get(f"{env.origin}{source}")).status == 200
    await context.clear_cookies()
    assert (await page.request.get(f"{env.origin}{source}")).status == 401
    await context.close()
