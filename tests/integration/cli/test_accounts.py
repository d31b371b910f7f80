"""Agents, keys and the audit by command."""

import getpass
import re

import pytest

from connector.cli.serve import show_setup_link
from connector.services import Services
from connector.settings import load
from connector.store import Store
from tests.integration.cli.conftest import Shell

ADA = ("agents", "add", "Ada@example.com", "Ada Fontaine", "--role", "administrator")


def test_adds_somebody_with_what_phones_call_them(shell: Shell) -> None:
    """Extensions and queues may be repeated, and the list shows them."""
    words = ("--extension", "1001", "--extension", "ada.f", "--queue", "support")
    added = shell.json(*ADA, *words)
    assert added["email"] == "ada@example.com"
    assert (added["role"], added["extensions"], added["queues"]) == (
        "administrator",
        ["1001", "ada.f"],
        ["support"],
    )
    assert shell.json("agents", "list") == [added]
    assert "Ada Fontaine" in shell.ok("agents", "list")


def test_an_empty_list_says_how_to_begin(shell: Shell) -> None:
    """Who has just installed it reads what to type."""
    assert "connector agents add" in shell.ok("agents", "list")


def test_who_is_there_already(shell: Shell) -> None:
    """Whoever adds somebody again reads how to go on."""
    bruno = ("agents", "add", "Bruno@example.com", "Bruno")
    shell.ok(*bruno)
    assert "change them instead" in shell.refused(*bruno)
    shell.ok("agents", "deactivate", "bruno@example.com", "--yes")
    assert "reactivate them instead" in shell.refused(*bruno)


def test_an_extension_is_one_persons(shell: Shell) -> None:
    """Nobody takes somebody else's extension, and the refused one is not added."""
    shell.ok(*ADA, "--extension", "1001")
    refused = shell.refused("agents", "add", "bruno@example.com", "Bruno", "--extension", "1001")
    assert "1001" in refused
    assert len(shell.json("agents", "list")) == 1


def test_changes_what_is_given_and_nothing_else(shell: Shell) -> None:
    """What is given takes the place of what there was; the rest stays."""
    shell.ok(*ADA, "--extension", "1001", "--queue", "support")
    changed = shell.json("agents", "change", "ada@example.com", "--extension", "1002", "--no-queues")
    assert (changed["extensions"], changed["queues"], changed["role"]) == (["1002"], [], "administrator")
    shell.ok("agents", "add", "bo@example.com", "Bo", "--role", "administrator")
    renamed = shell.json("agents", "change", "ada@example.com", "--name", "Ada F.", "--role", "agent")
    assert (renamed["name"], renamed["extensions"], renamed["role"]) == ("Ada F.", ["1002"], "agent")


def test_extensions_of_one_phone_system(shell: Shell, portal_id: int) -> None:
    """A word may be one phone system's alone, which has to be there."""
    shell.ok("phones", "add", "paris", "--country", "FR", "--portal", str(portal_id))
    added = shell.json(*ADA, "--extension-at", "paris", "1001", "--queue-at", "paris", "support")
    assert (added["extensions"], added["queues"]) == (["1001 at paris"], ["support at paris"])
    assert "berlin" in shell.refused("agents", "change", "ada@example.com", "--queue-at", "berlin", "support")


def test_deactivates_and_brings_back(shell: Shell) -> None:
    """A deactivated user stays listed as such."""
    shell.ok("agents", "add", "bruno@example.com", "Bruno")
    assert "sessions ended: 0" in shell.ok("agents", "deactivate", "bruno@example.com")
    assert [each["active"] for each in shell.json("agents", "list")] == [False]
    shell.ok("agents", "reactivate", "bruno@example.com")
    shell.ok("agents", "release", "bruno@example.com")
    assert [each["active"] for each in shell.json("agents", "list")] == [True]


@pytest.mark.parametrize(
    "words", [("deactivate", "Ada@example.com"), ("change", "ada@example.com", "--role", "agent")]
)
def test_the_last_administrator_stays(shell: Shell, words: tuple[str, ...]) -> None:
    """It is said what to do first; beside another who is active, it is done."""
    shell.ok("agents", "add", "ada@example.com", "Ada", "--role", "administrator")
    shell.ok("agents", "add", "bo@example.com", "Bo", "--role", "administrator")
    shell.ok("agents", "deactivate", "bo@example.com")
    for more in ((), ("--yes",)):
        assert "is the last administrator" in shell.refused("agents", *words, *more)
    ada = shell.json("agents", "list")[0]
    assert (ada["role"], ada["active"]) == ("administrator", True)
    shell.ok("agents", "reactivate", "bo@example.com")
    shell.ok("agents", *words)


def test_nobody_by_that_address(shell: Shell) -> None:
    """Each command about somebody says so in one sentence."""
    for command in ("change", "deactivate", "reactivate", "release"):
        assert "nobody@example.com" in shell.refused("agents", command, "nobody@example.com")


def test_a_key_is_shown_once(shell: Shell) -> None:
    """The list has names and roles, and never a key."""
    made = shell.json("keys", "add", "crm", "--role", "supervisor")
    listed = shell.ok("keys", "list", "--json")
    assert made["key"] not in listed
    assert [(each["name"], each["role"], each["revoked_at"]) for each in shell.json("keys", "list")] == [
        ("crm", "supervisor", None)
    ]
    assert "crm" in shell.refused("keys", "add", "crm")
    shell.ok("keys", "revoke", "crm")
    assert shell.json("keys", "list")[0]["revoked_at"]
    assert "crm" in shell.refused("keys", "revoke", "crm")
    assert shell.ok("keys", "add", "other").startswith("ck_")


def test_the_audit_names_who_it_was(shell: Shell) -> None:
    """Every change is written down with the user of the operating system, the latest first."""
    assert shell.json("audit") == []
    shell.ok(*ADA)
    shell.ok("keys", "add", "crm")
    entries = shell.json("audit")
    assert [entry["action"] for entry in entries] == ["key.added", "agent.added"]
    assert {entry["actor"] for entry in entries} == {f"cli:{getpass.getuser()}"}
    assert len(shell.json("audit", "--limit", "1")) == 1
    assert "agent.added" in shell.ok("audit")


def test_a_key_has_limits(shell: Shell) -> None:
    """They are listed with it; one that cannot be is refused in one sentence."""
    given = ("--action", "call_*", "--action", "list_contacts", "--expires", "2999-01-31T09:00")
    shell.ok("keys", "add", "crm", *given)
    (listed,) = shell.json("keys", "list")
    assert (listed["actions"], listed["expires_at"]) == (
        ["call_*", "list_contacts"],
        "2999-01-31T09:00:00.000Z",
    )
    assert (listed["portals"], listed["last_used_at"]) == ([], None)
    assert "There is no portal 7" in shell.refused("keys", "add", "other", "--portal", "7")
    assert "such as 2027-01-31" in shell.refused("keys", "add", "other", "--expires", "soon")


def test_links_are_printed_for_whom_they_are(shell: Shell) -> None:
    """One for the first administrator while there is none, one for an administrator there is."""
    first = shell.ok("setup-link")
    assert re.fullmatch(r"https://calls\.example\.com/setup/first/[\w-]{43}\n", first)
    shell.ok("agents", "add", "bo@example.com", "Bo Lind")
    assert shell.ok("setup-link") != first
    shell.ok(*ADA)
    assert "There is an administrator already" in shell.refused("setup-link")
    assert "no active administrator" in shell.refused("login-link", "bo@example.com")
    assert "cleo@example.com" in shell.refused("login-link", "cleo@example.com")
    link = shell.ok("login-link", "ada@example.com")
    assert re.fullmatch(r"https://calls\.example\.com/login-link/[\w-]{43}\n", link)
    assert not any(link.split("/")[-1].strip() in repr(entry) for entry in shell.json("audit"))


def test_ways_to_sign_in_are_set_up(shell: Shell) -> None:
    """Added, shown with their address, changed in what is given, removed."""
    shell.ok(*ADA)
    shell.ok("sign-in-connectors", "add", "office", "Office", "--user", "ada@example.com", "--default")
    (listed,) = shell.json("sign-in-connectors", "list")
    assert (listed["address"], listed["users"]) == ("https://calls.example.com/login/office", 1)
    shell.ok("sign-in-connectors", "change", "office", "--name", "Night", "--no-default")
    shown = shell.json("sign-in-connectors", "show", "office")
    assert (shown["name"], shown["default"], shown["users"]) == ("Night", False, ["ada@example.com"])
    assert "give --yes" in shell.refused_aloud("sign-in-connectors", "remove", "office")
    shell.ok("sign-in-connectors", "remove", "office", "--yes")
    assert "office" in shell.refused("sign-in-connectors", "show", "office")


def test_the_first_start_prints_how_to_begin(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    """Each process has a link of its own, and none once anybody has been added."""
    services = Services(load(shell.environment), Store(shell.database_url))
    try:
        show_setup_link(services)
        show_setup_link(services)
        printed = re.findall(r"https://calls\.example\.com/setup/first/[\w-]{43}\n", capsys.readouterr().err)
        assert len(set(printed)) == 2
        shell.ok(*ADA)
        show_setup_link(services)
        assert capsys.readouterr().err == ""
    finally:
        services.store.close()
