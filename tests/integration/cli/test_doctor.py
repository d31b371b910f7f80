"""The check by command: what it says, what it exits with, and that it writes nothing."""

import json

import pytest

from connector.sandbox.faults import Rule
from connector.sandbox.presets import DEMO_ORG_ID
from connector.sandbox.serve import RunningSandbox
from connector.store import Store
from tests.integration.cli.conftest import Shell


@pytest.fixture
def world(running: RunningSandbox) -> RunningSandbox:
    """Have a Zoho as it was before any test."""
    running.renew(index_delay_seconds=0)
    return running


@pytest.fixture
def checked(world: RunningSandbox, linked: Shell) -> Shell:
    """Have a linked portal in that Zoho, with a department for its records."""
    portal = world.state.desk.portal(DEMO_ORG_ID)
    assert portal is not None
    department = next(iter(portal.departments))
    linked.ok("portals", "set", "1", "--default-department-id", department)
    return linked


def test_all_is_well(checked: Shell, world: RunningSandbox) -> None:
    """It exits with 0, names what it looked at, and has written nothing to Desk."""
    told = checked.ok("doctor")
    assert "This installation: look at this" in told
    assert "look at this: PUBLIC_URL (Address)" in told
    assert "Zylker: works" in told
    assert "Writing call records" in told
    report = checked.json("doctor", "--portal", "1")
    assert (report["state"], [each["portal"] for each in report["subjects"]]) == ("ok", [1])
    sent = world.state.requests.listing()
    assert {each.method for each in sent if each.path.startswith("/api/")} == {"GET"}


@pytest.mark.parametrize(
    ("switch", "said"),
    [
        (
            {"denied_permissions": ["calls.create"]},
            "does not work: Writing call records (Profile of",
        ),
        ({"data_sharing": {"contacts": "private"}}, "does not work: Sharing of contacts (Data sharing)"),
        ({"data_sharing": {"calls": "public read only"}}, "needed: Public Read/Write/Delete"),
        ({"credits_override": 0}, "does not work: Credits of today (Credits and requests at a time)"),
    ],
)
def test_what_is_refused(checked: Shell, world: RunningSandbox, switch: dict[str, object], said: str) -> None:
    """It exits with 1, and says which layer it is, where it is mended, and what is needed."""
    for name, value in switch.items():
        setattr(world.state.config, name, value)
    result = checked.type("doctor", "--portal", "1")
    assert (result.exit_code, said in result.stdout, "where: Setup > " in result.stdout) == (1, True, True)
    assert result.stdout.count("does not work: ") == 1
    assert json.loads(checked.type("doctor", "--json").stdout)["state"] == "refused"


def test_zoho_that_is_down(checked: Shell, world: RunningSandbox) -> None:
    """Who does not answer has refused nothing: it exits with 0, and what Zoho said last stands there."""
    assert checked.json("doctor", "--portal", "1")["state"] == "ok"
    world.state.faults.add(Rule(kind="server_error", path_prefix="/api/"))
    told = checked.ok("doctor", "--portal", "1")
    assert "Zylker: not known" in told
    assert "not known: Zoho Desk (Zoho)" in told
    assert "What follows is what Zoho said last." in told
    assert "Sharing of contacts" in told


def test_a_token_without_a_scope(checked: Shell) -> None:
    """A feature that needs another scope says so, and where to consent to it."""
    store = Store.open(checked.database_url)
    store.write_now(
        lambda c: c.exec_driver_sql("UPDATE portals SET scopes = 'Desk.contacts.ALL Desk.basic.ALL'")
    )
    store.close()
    result = checked.type("doctor", "--portal", "1")
    assert result.exit_code == 1
    assert "The grant lacks the scope Desk.calls.CREATE." in result.stdout
    assert "where: /connect" in result.stdout


def test_tables_are_looked_at_and_left_alone(checked: Shell) -> None:
    """Whoever looks brings nothing up to date."""
    store = Store(checked.database_url)
    store.write_now(lambda c: c.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'"))
    store.close()
    for _ in range(2):
        result = checked.type("doctor")
        assert (result.exit_code, "connector migrate" in result.stdout) == (1, True)


def test_no_database_and_no_portal(shell: Shell) -> None:
    """Without a portal there is nothing to be refused; without a database it says where it looked."""
    assert [each["name"] for each in shell.json("doctor")["subjects"]] == ["This installation"]
    shell.refused("doctor", "--portal", "7")
    shell.environment["DATABASE_URL"] += ".gone"
    assert "There is no database" in shell.refused("doctor")


def test_making_a_field(checked: Shell, world: RunningSandbox) -> None:
    """What there is is taken, and what is not there is made."""
    assert checked.json("portals", "make-field", "1")["recording_field"] == "cf_recordingurl"
    world.state.config.call_custom_fields = []
    assert checked.json("portals", "make-field", "1")["recording_field"] == "cf_recording"
    told = checked.json("doctor", "--portal", "1")["subjects"][0]["checks"]
    assert ("Filling the field cf_recording", "ok") in [(each["what"], each["state"]) for each in told]
