"""An administrator adds a phone system on pages, sees its first event arrive, and gives it what it needs."""

import pytest
from playwright.async_api import Page, expect

from connector.demo.environment import Environment
from connector.demo.phone import Phone
from tests.acceptance.pipeline.conftest import keep_picture
from tests.acceptance.pipeline.test_accessibility import check, violations
from tests.acceptance.pipeline.test_day import be_signed_in, event

pytestmark = [pytest.mark.anyio, pytest.mark.browser]


async def test_from_nothing_to_the_first_event(page: Page, env: Environment) -> None:
    """Address and secret are shown once; the page turns green by itself when the phone system is heard."""
    await be_signed_in(page, env, env.team.agents[0].email)
    await page.get_by_role("link", name="Phone systems").click()
    await page.get_by_role("link", name="Add a phone system").click()
    await check(page, page.url, "phone-system-new")
    await page.get_by_role("textbox", name="Name").fill("Lyon office")
    await page.get_by_role("textbox", name="Address").fill("lyon")
    await page.get_by_label("Country").fill("Atlantis")
    await page.get_by_role("button", name="Add it").click()
    await expect(page.get_by_text("Atlantis is no country")).to_be_visible()
    await page.get_by_label("Country").fill("France")
    await page.get_by_label("Time zone").fill("Paris")
    await page.get_by_role("button", name="Add it").click()
    secret = await page.get_by_label("Secret", exact=True).input_value()
    address = await page.get_by_label("Address to which it posts").input_value()
    assert (secret[:6], address) == ("whsec_", f"{env.origin}/hooks/lyon")
    await expect(page.get_by_text("Waiting for the first event")).to_be_visible()
    await keep_picture(page, "phone-system-ready")
    phone = Phone(address, secret)
    await phone.post([event(env, "lyon-1", "ringing", "+442079460999")])
    await phone.post([event(env, "lyon-1", "ended", "+442079460999")])
    await phone.close()
    await expect(page.get_by_text("Heard. It works.")).to_be_visible()
    assert await violations(page) == []


async def test_each_part_has_its_form(page: Page, env: Environment) -> None:
    """What was saved stands there, what is refused is said beside its field, and a yes is asked first."""
    await be_signed_in(page, env, env.team.agents[0].email)
    await page.goto(f"{env.origin}/phone-systems/lyon")
    await page.get_by_text("Own numbers", exact=True).click()
    await page.locator("#lines-number").fill("0198765432")
    await page.locator("#lines").get_by_role("button", name="Add or change").click()
    await expect(page.locator("#lines .field.wrong .error")).to_have_text(
        "0198765432 is no whole number; write it as +33123456789."
    )
    await page.locator("#lines-number").fill("+33198765432")
    await page.locator("#lines-called").fill("Front desk")
    await page.locator("#lines-department").fill("Sales")
    await page.locator("#lines").get_by_role("button", name="Add or change").click()
    await expect(page.get_by_role("status")).to_contain_text("Saved.")
    await page.get_by_text("Own numbers", exact=True).click()
    await expect(page.locator("#lines tbody")).to_contain_text("Front desk")
    await expect(page.locator("#lines tbody")).to_contain_text("Sales")
    await page.set_viewport_size({"width": 320, "height": 900})
    await page.evaluate("() => document.querySelectorAll('.part').forEach((each) => { each.open = true; })")
    assert await violations(page) == []
    assert await page.evaluate("() => document.documentElement.scrollWidth") <= 320
    await keep_picture(page, "phone-system-parts")
    await check(page, f"{env.origin}/phone-systems", "phone-systems")
    await page.goto(f"{env.origin}/phone-systems/lyon/remove")
    await expect(page.get_by_text("Bound to it: calls: 1, own numbers: 1")).to_be_visible()
    await page.get_by_role("button", name="Remove lyon").click()
    await expect(page.get_by_role("status")).to_have_text("lyon is removed.")
