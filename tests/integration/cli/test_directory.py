"""Fill the contact index by command, look at it, and turn Desk's webhooks on."""

from collections.abc import Iterator

import pytest

from connector.clock import system_clock
from connector.crypto import Encryptor
from connector.sandbox.presets import DEMO_CLIENT_ID, DEMO_ORG_ID, client_secret
from connector.sandbox.serve import RunningSandbox
from connector.sandbox.tokens import Grant
from connector.settings import Secret
from connector.store import Store, grants, portals
from connector.zoho.scopes import linking, names
from tests.integration.cli.conftest import Shell

KEY = "tests-only-and-no-secret-0123456789-abcdefgh"


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    """Run a Zoho with 200 contacts."""
    with RunningSandbox(index_delay_seconds=0) as sandbox:
        yield sandbox


@pytest.fixture
def linked(shell: Shell, running: RunningSandbox) -> Shell:
    """Link the sandbox's portal, and say where it is."""
    shell.environment |= {
        "ZOHO_DATA_CENTERS": f"us={running.origin}|{running.origin}",
        "ZOHO_CLIENT_ID": DEMO_CLIENT_ID,
        "ZOHO_CLIENT_SECRET": client_secret(DEMO_CLIENT_ID, "us"),
        "PUBLIC_URL": "http://127.0.0.1:9",
        "SECRET_KEY": KEY,
    }
    world, encryptor = running.state, Encryptor([Secret(KEY)])
    scopes = " ".join(names(linking(webhooks=True)))
    grant = Grant(
        client_id=DEMO_CLIENT_ID,
        zuid=world.config.users[0].zuid,
        location="us",
        scopes=frozenset(scopes.lower().split()),
        scope_text=scopes,
        org_id=DEMO_ORG_ID,
    )
    refresh = world.tokens.add_refresh_token(grant)
    encrypted = [
        encryptor.encrypt(each.token) for each in (refresh, world.tokens.add_access_token(grant, refresh))
    ]
    values = {"location": "us", "org_id": DEMO_ORG_ID, "name": "Zylker", "client_id": DEMO_CLIENT_ID}
    values |= {"state": "linked", "scopes": scopes, "linked_by": "test", "edition": "Enterprise"}
    now = system_clock()
    store = Store.open(shell.database_url)
    portal = store.write_now(lambda c: portals.put(c, **values, linked_at=now))
    store.write_now(lambda c: grants.put(c, portal.id, encrypted[0], encrypted[1], now + 3_000_000, now))
    store.close()
    return shell


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
    assert "there is Call key (cf_callkey), Recording URL (cf_recordingurl). Kept as typed." in told
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
