"""Calling, hanging up and handing over from the banner; tel: links where no phone system does it."""

import pytest
from playwright.sync_api import BrowserContext, expect

from .conftest import Open
from .env import Environment, problem
from .test_accessibility import BOTH, check
from .views import WITHHELD, call, ended, missed, named, shared, talking

pytestmark = pytest.mark.browser

CALLS = "/api/calls"
NUMBER = "+33123456789"
REFUSED = "The telephone 1001 was not picked up, so +33 1 23 45 67 89 has not been called."


def posted(env: Environment) -> list[tuple[str, object]]:
    """Return what was ordered."""
    return [(path, body) for path, body in env.asked if path.startswith(CALLS)]


def test_call_back(env: Environment, banner: Open) -> None:
    """A missed call is called back; each step is said, and the last one goes by itself."""
    env.dials = True
    env.show(missed())
    page = banner()
    page.get_by_role("button", name="Call back Ada Lovelace").click()
    status = page.locator("#order-status")
    expect(status).to_have_text("Asking the phone system…")
    env.answer(("waiting", "Asking the phone system…"), ("taken", "The telephone 1001 rings."))
    expect(status).to_have_text("The telephone 1001 rings.")
    env.answer(("done", "The telephone 1001 has been picked up."))
    expect(status).to_have_text("The telephone 1001 has been picked up.")
    expect(page.get_by_role("region", name="What the phone system does")).to_be_hidden(timeout=10_000)
    assert posted(env) == [(CALLS, {"number": NUMBER, "contact": "11"})]
    asked = [body for path, body in env.asked if path.startswith("/api/orders")]
    assert [body["state"] for body in asked] == ["waiting", "taken"]


def test_call_back_says_whom(env: Environment, banner: Open) -> None:
    """Whoever was chosen among several goes along; where nobody was, the number alone."""
    env.dials = True
    matches = shared()["contacts"]
    env.show(missed(contacts=matches, chosen="12"), missed(2, contacts=matches))
    page = banner()
    page.get_by_role("button", name="Call back Charles Babbage").press("Enter")
    env.answer(("done", "Picked up."))
    expect(page.locator("#order-status")).to_have_text("Picked up.")
    page.get_by_role("button", name=f"Call back {missed()['number']['display']}").press("Enter")
    env.answer(("done", "Picked up."))
    env.wait_for(lambda: len(posted(env)) == 2)
    assert posted(env) == [(CALLS, {"number": NUMBER, "contact": "12"}), (CALLS, {"number": NUMBER})]


def test_impatient_clicks_are_one(env: Environment, banner: Open) -> None:
    """However often the button is pressed, one order is given."""
    env.dials = True
    env.show(missed())
    page = banner()
    button = page.get_by_role("button", name="Call back")
    button.click(click_count=3)
    env.answer(("taken", "It rings."))
    expect(page.locator("#order-status")).to_have_text("It rings.")
    button.click()
    env.answer(("done", "Picked up."))
    expect(page.locator("#order-status")).to_have_text("Picked up.")
    assert len(posted(env)) == 1


def test_refusal_is_said_and_stays(env: Environment, banner: Open) -> None:
    """Why nothing was done, in the connector's words, with the way to do it oneself; until it is closed."""
    env.dials = True
    env.show(missed())
    page = banner()
    page.get_by_role("button", name="Call back").click()
    env.answer(("taken", "It rings."), ("refused", REFUSED))
    alert = page.get_by_role("alert").filter(has_text=REFUSED)
    expect(alert).to_be_visible()
    expect(alert.get_by_role("link")).to_have_attribute("href", f"tel:{NUMBER}")
    page.get_by_role("button", name="Close").click()
    expect(alert).to_be_hidden()
    expect(page.get_by_role("heading", name="Calls", level=1)).to_be_focused()


def test_refusal_is_dismissed_by_escape(env: Environment, banner: Open) -> None:
    """From wherever the focus is, which stays there; what else Escape closes is closed before."""
    env.dials = True
    env.show(missed())
    page = banner()
    button = page.get_by_role("button", name="Call back")
    button.press("Enter")
    env.answer(("refused", REFUSED))
    alert = page.get_by_role("alert").filter(has_text=REFUSED)
    expect(alert).to_be_visible()
    box = page.get_by_role("combobox")
    box.fill("ada")
    rows = page.get_by_role("search").get_by_role("listitem")
    expect(rows).to_have_count(2)
    box.press("Escape")
    expect(rows).to_have_count(0)
    expect(alert).to_be_visible()
    button.focus()
    page.keyboard.press("Escape")
    expect(alert).to_be_hidden()
    expect(button).to_be_focused()


def test_refusal_goes_with_its_card(env: Environment, banner: Open) -> None:
    """Dismissed with the call that was called back; other calls leave it where it is."""
    env.dials = True
    env.show(missed(), missed(2, contacts=[]))
    page = banner()
    page.get_by_role("button", name="Call back Ada Lovelace").click()
    env.answer(("refused", REFUSED))
    alert = page.get_by_role("alert").filter(has_text=REFUSED)
    expect(alert).to_be_visible()
    page.get_by_role("button", name="Dismiss call with +33").click()
    expect(page.get_by_role("article")).to_have_count(1)
    expect(alert).to_be_visible()
    page.get_by_role("button", name="Dismiss call with Ada Lovelace").click()
    expect(alert).to_be_hidden()


def test_refusal_goes_when_the_call_ends(env: Environment, banner: Open) -> None:
    """That a call could not be hung up interests nobody once it is over."""
    env.show(talking(can=BOTH))
    page = banner()
    page.get_by_role("button", name="Hang up Ada Lovelace").click()
    env.answer(("refused", "The phone system refused: nothing has been done."))
    alert = page.get_by_role("alert").filter(has_text="nothing has been done")
    expect(alert).to_be_visible()
    env.show(talking(revision=4, can=BOTH))
    expect(alert).to_be_visible()
    env.show(ended(revision=5))
    expect(alert).to_be_hidden()


def test_what_may_not_be_called(env: Environment, banner: Open) -> None:
    """The connector's reason is what is shown."""
    env.dials = True
    env.show(missed())
    env.answer(problem(403, "Calls to +33 are not allowed from here."))
    page = banner()
    page.get_by_role("button", name="Call back").click()
    expect(page.get_by_text("Calls to +33 are not allowed from here.")).to_be_visible()


def test_lost_answers_are_asked_for_again(env: Environment, banner: Open, page_clock: BrowserContext) -> None:
    """An order whose answer was lost is told again under its key; if none comes, that is said."""
    env.dials = True
    env.show(missed())
    env.answer(problem(503), problem(503))
    page = banner()
    page.get_by_role("button", name="Call back").click()
    for _ in range(200):
        page_clock.clock.run_for(500)
        if len(env.keys) == 3:
            break
    env.answer(("done", "Picked up."))
    expect(page.locator("#order-status")).to_have_text("Picked up.")
    assert len(env.keys) == 3
    assert len(set(env.keys)) == 1


def test_hang_up(env: Environment, banner: Open) -> None:
    """A call that rings is declined, one that goes on is hung up."""
    env.show(named(can=["hang_up"]))
    page = banner()
    page.get_by_role("button", name="Decline Ada Lovelace").click()
    env.answer(("done", "Hung up."))
    expect(page.locator("#order-status")).to_have_text("Hung up.")
    env.show(talking(can=BOTH))
    page.get_by_role("button", name="Hang up Ada Lovelace").click()
    env.answer(("refused", "There was nothing left to do."))
    expect(page.get_by_role("alert").filter(has_text="nothing left")).to_be_visible()
    env.show(ended())
    expect(page.get_by_role("button", name="Hang up")).to_have_count(0)
    assert posted(env) == [(f"{CALLS}/1/hangup", {})] * 2


ROOM_FOR_FOCUS = """() => {
  const one = document.activeElement.getBoundingClientRect();
  const all = document.activeElement.closest(".colleagues").getBoundingClientRect();
  return Math.min(one.left - all.left, one.top - all.top);
}"""


def test_hand_over_by_keyboard(env: Environment, banner: Open) -> None:
    """The colleagues are asked for when they are wanted; one is chosen, or none."""
    env.show(talking(can=BOTH))
    page = banner()
    toggle = page.get_by_role("button", name="Hand over the call with Ada Lovelace")
    toggle.focus()
    page.keyboard.press("Enter")
    expect(toggle).to_have_attribute("aria-expanded", "true")
    group = page.get_by_role("group", name="Hand over to")
    expect(group.get_by_role("button")).to_have_text(["Alan Agent 1002", "Joan Clarke 1003 in a call"])
    expect(group.get_by_role("button", name="Alan Agent")).to_be_focused()
    assert page.evaluate(ROOM_FOR_FOCUS) >= 5, "what scrolls cuts off the ring around what has the focus"
    page.keyboard.press("Tab")
    expect(group.get_by_role("button", name="Joan Clarke")).to_be_focused()
    page.keyboard.press("Escape")
    expect(group).to_be_hidden()
    expect(toggle).to_be_focused()
    page.keyboard.press("Enter")
    group.get_by_role("button", name="Joan Clarke").press("Enter")
    env.answer(("done", "Handed over to 1003."))
    expect(page.locator("#order-status")).to_have_text("Handed over to 1003.")
    expect(toggle).to_be_focused()
    assert posted(env) == [(f"{CALLS}/1/transfer", {"to": "1003"})]


def test_many_colleagues_are_found_by_typing(env: Environment, banner: Open) -> None:
    """By name or extension."""
    env.colleagues = [
        {"name": f"Agent {chr(65 + number)}", "telephone": str(1002 + number), "busy": False}
        for number in range(12)
    ]
    env.show(talking(can=BOTH))
    page = banner()
    page.get_by_role("button", name="Hand over").click()
    group = page.get_by_role("group", name="Hand over to")
    expect(group.get_by_role("button")).to_have_count(12)
    expect(group.get_by_role("searchbox")).to_be_focused()
    group.get_by_role("searchbox").fill("1007")
    expect(group.get_by_role("button")).to_have_text(["Agent F 1007"])
    group.get_by_role("searchbox").fill("nobody")
    expect(group.get_by_role("status")).to_have_text("Nobody is called so.")


def test_no_colleagues(env: Environment, banner: Open) -> None:
    """Nobody there, and no answer, are two sentences."""
    env.colleagues = []
    env.show(talking(can=BOTH))
    page = banner()
    toggle = page.get_by_role("button", name="Hand over")
    toggle.click()
    expect(page.get_by_text("No colleague has a telephone")).to_be_visible()
    toggle.click()
    env.colleagues = problem(500)
    toggle.click()
    expect(page.get_by_text("The connector did not answer. Close this")).to_be_visible()


def test_call_what_is_typed_or_found(env: Environment, banner: Open) -> None:
    """The search is the dial field too: a number that is typed, and each number that is found."""
    env.dials = True
    page = banner()
    page.get_by_role("combobox").fill("01 23 45 67 89")
    page.get_by_role("combobox").press("Enter")
    page.get_by_role("button", name="Call 01 23 45 67 89").click()
    env.answer(("done", "Picked up."))
    expect(page.locator("#order-status")).to_have_text("Picked up.")
    expect(page.get_by_role("search").get_by_role("listitem")).to_have_count(0)
    page.get_by_role("combobox").fill("ada")
    page.get_by_role("button", name="Call +33 1 23 45 67 89 Ada Lovelace").click()
    env.answer(("done", "Picked up."))
    env.wait_for(lambda: len(posted(env)) == 2)
    assert [body for _, body in posted(env)] == [
        {"number": "01 23 45 67 89"},
        {"number": "+33 1 23 45 67 89", "contact": "11"},
    ]


def test_tel_links_where_nothing_dials(env: Environment, banner: Open) -> None:
    """Without such a phone system numbers are links, and nothing is offered that it would have to do."""
    env.show(missed(), missed(2, number=WITHHELD, contacts=[]), talking(3))
    page = banner()
    expect(page.get_by_role("link", name="Call back")).to_have_count(1)
    expect(page.get_by_role("link", name="Call back")).to_have_attribute("href", f"tel:{NUMBER}")
    for name in ("Hang up", "Hand over", "Call back"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)


def test_what_was_done_goes_when_the_next_call_comes(env: Environment, banner: Open) -> None:
    """It goes with another call, not with a change of its own; commands in a reason are marked up."""
    env.show(talking(can=BOTH))
    page = banner()
    page.get_by_role("button", name="Hang up Ada Lovelace").click()
    env.answer(("done", "Hung up."))
    status = page.locator("#order-status")
    expect(status).to_have_text("Hung up.")
    env.show(ended(revision=5))
    expect(page.get_by_role("heading", name="Ada Lovelace", level=3)).to_be_visible()
    expect(status).to_have_text("Hung up.")
    env.show(call(2, can=["hang_up"]))
    expect(status).to_have_text("")
    page.get_by_role("button", name="Decline").click()
    env.answer(("refused", "Ask for `connector phones control`, please."))
    alert = page.locator("#order-problem")
    expect(alert).to_have_text("Ask for connector phones control, please.")
    expect(alert.locator("code")).to_have_text("connector phones control")


def test_nothing_is_offered_that_nobody_does(env: Environment, banner: Open) -> None:
    """Where no program ever came, the reason stands there instead of buttons."""
    env.show(talking(cannot="no_program"), talking(2))
    page = banner()
    expect(page.get_by_text("no program has ever come from the phone system")).to_have_count(1)
    expect(page.get_by_role("button", name="Hang up")).to_have_count(0)
    check(page)


def test_axe_finds_nothing(env: Environment, banner: Open) -> None:
    """Neither with a refusal in sight, nor while a colleague is chosen or a number dialled."""
    env.dials = True
    env.show(talking(can=BOTH), missed(2))
    page = banner()
    page.get_by_role("button", name="Call back").click()
    env.answer(("refused", REFUSED))
    expect(page.get_by_role("alert").filter(has_text=REFUSED)).to_be_visible()
    page.get_by_role("button", name="Hand over").click()
    expect(page.get_by_role("group", name="Hand over to").get_by_role("button")).to_have_count(2)
    check(page)
    page.get_by_role("combobox").fill("+33 1")
    page.keyboard.press("Enter")
    expect(page.get_by_role("search").get_by_role("listitem")).to_have_count(3)
    check(page)


def test_signed_out_says_nothing_of_it(env: Environment, banner: Open) -> None:
    """What was said of an order goes with the session."""
    env.dials = True
    env.show(missed())
    page = banner()
    page.get_by_role("button", name="Call back").click()
    env.answer(("refused", REFUSED))
    expect(page.get_by_text(REFUSED)).to_be_visible()
    env.send("signed_out", {})
    expect(page.get_by_text(REFUSED)).to_be_hidden()
