"""Fill the contact index by command, look at it, and turn Desk's webhooks on."""

from connector.sandbox.serve import RunningSandbox
from tests.integration.cli.conftest import Shell


def test_filling(linked: Shell) -> None:
    """It is filled with progress shown, and then said to be complete."""
    (before,) = linked.json("directory", "status")
    assert (before["state"], before["contacts"]) == ("not begun: the portal has no phone system", 0)
    assert linked.ok("directory", "sync") == "The index of Zylker is complete: 200 contacts.\n"
    (after,) = linked.json("directory", "status")
    assert (after["state"], after["contacts"], after["webhooks"]) == ("complete", 200, False)
    assert after["credits_today"] == 3 * 5
    assert "complete" in linked.ok("directory", "status")
    again = linked.json("directory", "sync", "--again")
    assert again["progress"].startswith("200 of 200, 100 %")


def test_no_credits(linked: Shell) -> None:
    """Without a share of the day's credits nothing is read, and it says why."""
    linked.environment["SYNC_CREDITS_PERCENT"] = "0"
    assert "SYNC_CREDITS_PERCENT is 0" in linked.ok("directory", "sync")
    assert linked.json("directory", "status")[0]["contacts"] == 0


def test_no_portal(shell: Shell) -> None:
    """Without a portal there is nothing to show, and nothing to fill."""
    assert "No portal is linked" in shell.ok("directory", "status")
    assert "no such portal" in shell.refused("directory", "sync")


def test_webhooks_that_desk_cannot_reach(linked: Shell) -> None:
    """Desk's refusal is one sentence, and nothing is left that looks subscribed."""
    assert "/url invalid" in linked.refused("directory", "webhooks", "on")
    assert linked.json("directory", "status")[0]["webhooks"] is False
    assert "no webhook of ours" in linked.refused("directory", "webhooks", "off")


def in_the_way(linked: Shell) -> list[dict[str, str]]:
    """Return what is certain to stand in the way of the portal."""
    return [each for each in linked.json("portals", "show", "1")["in_the_way"] if each["state"] == "refused"]


def test_fields_that_desk_has_not(linked: Shell, running: RunningSandbox) -> None:
    """A custom field is compared with Desk's when it is set; it is kept, for it may be there tomorrow."""
    setting = ("portals", "set", "1", "--key-field")
    told = linked.type(*setting, "cf_nonsense").stderr
    assert "no custom field of calls cf_nonsense" in told
    there = "Call key (cf_callkey), Outcome (cf_outcome), Recording URL (cf_recordingurl)"
    assert f"there is {there}. Kept as typed." in told
    (missing,) = in_the_way(linked)
    assert missing["what"] == "Filling the field cf_nonsense"
    assert "connector portals set 1 --key-field cf_nonsense" in missing["remedy"]
    running.state.config.call_field_types = {"cf_callkey": "Number"}
    assert "cf_callkey is for a Number" in linked.type(*setting, "cf_callkey").stderr
    assert len(in_the_way(linked)) == 1
    running.state.config.call_field_types = {}
    for name in ("cf_callkey", ""):
        assert "Warning" not in linked.type(*setting, name).stderr
    assert in_the_way(linked) == []
    running.state.config.lists_fields = False
    assert "could not be asked" in linked.type("portals", "set", "1", "--recording-field", "cf_x").stderr
    running.state.config.lists_fields = True
