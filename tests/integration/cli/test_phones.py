"""Phone systems and portals by command."""

import pytest

from connector.clock import system_clock
from connector.store import Store, events, phones
from tests.integration.cli.conftest import Shell

PARIS = ("phones", "add", "paris", "--country", "fr", "--time-zone", "Europe/Paris")


def test_shows_address_and_secret_once(shell: Shell, portal_id: int) -> None:
    """What is printed is ready to paste; the list never shows the secret again."""
    added = shell.json(
        *PARIS, "--line", "+33198765432=402", "--line", "+33198765433", "--queue", "support=401"
    )
    assert added["address"] == "https://calls.example.com/hooks/paris"
    assert added["secret"].startswith("whsec_")
    assert added["secret"] in added["test"]
    listed = shell.ok("phones", "list", "--json")
    assert added["secret"] not in listed
    (phone,) = shell.json("phones", "list")
    assert (phone["portal"], phone["country"], phone["secrets"]) == (portal_id, "FR", 1)
    assert phone["lines"] == ["+33198765432=402", "+33198765433"]
    assert phone["queues"] == ["support=401"]


def test_for_people_it_prints_a_script(shell: Shell, portal_id: int) -> None:
    """The script is the guide's, filled in."""
    printed = shell.ok(*PARIS)
    assert "ADDRESS='https://calls.example.com/hooks/paris'" in printed
    assert "whsec_..." not in printed
    assert "https://calls.example.com/hooks/paris" in shell.ok("phones", "guide", "paris")


def test_rotates_with_overlap(shell: Shell, portal_id: int) -> None:
    """Both secrets are valid for a while, or only the new one."""
    first = shell.json(*PARIS)["secret"]
    second = shell.json("phones", "rotate", "paris")["secret"]
    assert first != second
    assert shell.json("phones", "list")[0]["secrets"] == 2
    shell.ok("phones", "rotate", "paris", "--overlap-hours", "0")
    assert shell.json("phones", "list")[0]["secrets"] == 1


def test_lines_and_queues_can_come_later(shell: Shell, portal_id: int) -> None:
    """A line or queue is added, or its department changed, and the audit knows."""
    shell.ok(*PARIS)
    shell.ok("phones", "line", "paris", "+33198765432", "--department", "402")
    shell.ok("phones", "queue", "paris", "support", "--department", "401")
    shell.ok("phones", "queue", "paris", "support")
    (phone,) = shell.json("phones", "list")
    assert (phone["lines"], phone["queues"]) == (["+33198765432=402"], ["support"])
    assert [entry["action"] for entry in shell.json("audit")][:3] == [
        "phone_system.queue",
        "phone_system.queue",
        "phone_system.line",
    ]
    assert "+33123456789" in shell.refused("phones", "line", "paris", "0198765432")


@pytest.mark.parametrize(
    ("more", "named"),
    [
        (("--country", "XX"), "XX"),
        (("--country", "FR", "--time-zone", "Mars/Base"), "Mars/Base"),
        (("--country", "FR", "--line", "0198765432"), "0198765432"),
        (("--country", "FR", "--portal", "77"), "77"),
    ],
)
def test_refuses_what_could_not_work(shell: Shell, portal_id: int, more: tuple[str, ...], named: str) -> None:
    """A wrong country, time zone, line or portal is named."""
    assert named in shell.refused("phones", "add", "paris", *more)


def test_lines_and_queues_are_written_as_at_first(shell: Shell, portal_id: int) -> None:
    """NAME=DEPARTMENT says what --department does; a name that has a = itself can still be told."""
    shell.ok(*PARIS)
    assert "is a line of paris; department: 403" in shell.ok("phones", "line", "paris", "+33198765499=403")
    assert "nights is a queue" in shell.ok("phones", "queue", "paris", "nights=404")
    assert {"+33198765499=403"} <= set(shell.json("phones", "list")[0]["lines"])
    assert {"nights=404"} <= set(shell.json("phones", "list")[0]["queues"])
    assert "in front of the =" in shell.type("phones", "queue", "paris", "=404").stderr
    shell.ok("phones", "queue", "paris", "a=b", "--department", "")
    assert "a=b" in shell.json("phones", "list")[0]["queues"]
    for words in (("line", "paris", "+33198765499"), ("queue", "paris", "nights"), ("queue", "paris", "a=b")):
        shell.ok("phones", *words, "--remove")


def test_needs_a_portal(shell: Shell) -> None:
    """Without a linked portal it says how to link one."""
    assert "https://calls.example.com/connect" in shell.refused(*PARIS)
    assert "connector phones add" in shell.ok("phones", "list")


def test_nothing_at_that_address(shell: Shell) -> None:
    """Each command about a phone system says so in one sentence."""
    for words in (("rotate", "rome"), ("guide", "rome"), ("unread", "rome"), ("queue", "rome", "x")):
        refused = shell.refused("phones", *words)
        assert "rome" in refused
        assert "connector phones list" in refused


def test_shows_what_could_not_be_read(shell: Shell, portal_id: int) -> None:
    """Binary garbage can be looked at, too."""
    shell.ok(*PARIS)
    assert shell.json("phones", "unread", "paris") == []
    store = Store.open(shell.database_url)
    phone = store.read_now(lambda connection: phones.find(connection, "paris", system_clock()))
    assert phone is not None
    store.write_now(lambda connection: events.keep_unread(connection, phone.id, b"\xff{", "no JSON", 1))
    store.close()
    (kept,) = shell.json("phones", "unread", "paris")
    assert (kept["reason"], kept["times"], kept["body"]) == ("no JSON", 1, "\N{REPLACEMENT CHARACTER}{")


def test_portals_tell_state_and_scopes(shell: Shell, portal_id: int) -> None:
    """Which scopes are missing, and why each is needed, stands there."""
    (listed,) = shell.json("portals", "list")
    assert (listed["state"], "Desk.contacts.CREATE" in listed["missing_scopes"]) == ("linked", True)
    assert "Making contacts" in listed["in_the_way"]
    assert "Not known: Permissions of the agent" in listed["in_the_way"]
    shown = shell.json("portals", "show", str(portal_id))
    granted = {each["scope"]: each["granted"] for each in shown["scopes"]}
    assert (granted["Desk.contacts.READ"], granted["Desk.calls.UPDATE"], granted["Desk.contacts.CREATE"]) == (
        True,
        True,
        False,
    )
    assert all(each["why"] for each in shown["scopes"])
    assert "to write the call record" in shell.ok("portals", "show", str(portal_id))


def test_sets_and_takes_away(shell: Shell, portal_id: int) -> None:
    """What is given is set, an empty text takes it away, and what is not given stays."""
    words = (
        "--default-department-id",
        "402",
        "--recording-field",
        "cf_recordingurl",
        "--key-field",
        "cf_callkey",
    )
    assert shell.json("portals", "set", str(portal_id), *words)["recording_field"] == "cf_recordingurl"
    changed = shell.json(
        "portals", "set", str(portal_id), "--recording-field", "", "--default-owner-id", "301"
    )
    assert (changed["recording_field"], changed["default_owner_id"]) == (None, "301")
    assert (changed["default_department_id"], changed["key_field"]) == ("402", "cf_callkey")
    assert shell.json("portals", "set", str(portal_id), "--concurrency", "40")["concurrency"] == 40
    assert shell.json("portals", "set", str(portal_id), "--concurrency", "0")["concurrency"] is None


def test_portals_that_are_not_there(shell: Shell) -> None:
    """No portal is said in words, in the list and by number."""
    assert "/connect" in shell.ok("portals", "list")
    assert "connector portals list" in shell.refused("portals", "show", "7")
    assert "7" in shell.refused("portals", "set", "7", "--key-field", "cf_x")


def test_a_portal_that_cannot_be_asked(shell: Shell, portal_id: int) -> None:
    """Asking a Desk whose grant is not there shows that, and the rest all the same."""
    shown = shell.json("portals", "show", str(portal_id), "--live")
    (told,) = (check for check in shown["checks"] if check["what"] == "Zoho Desk")
    assert (told["state"], told["layer"]) == ("refused", "grant")
    assert "departments" not in shown


def test_takes_orders(shell: Shell, portal_id: int) -> None:
    """A phone system takes orders when somebody says so, and only where it can sign."""
    shell.ok(*PARIS)
    assert shell.json("phones", "list")[0]["orders"] is False
    assert shell.ok("phones", "control", "paris", "on") == "paris takes orders.\n"
    assert shell.json("phones", "list")[0]["orders"] is True
    shell.ok("phones", "control", "paris", "off")
    assert shell.json("phones", "list")[0]["orders"] is False
    shell.ok("phones", "add", "z", "--country", "fr", "--dialect", "zammad")
    assert "cannot fetch orders" in shell.refused("phones", "control", "z", "on")


def test_internal_calls(shell: Shell, portal_id: int) -> None:
    """Calls among colleagues are recorded when somebody says so, and the audit knows who did."""
    shell.ok(*PARIS)
    assert shell.json("phones", "list")[0]["internal"] is False
    assert "are logged in Desk" in shell.ok("phones", "internal", "paris", "on")
    assert shell.json("phones", "list")[0]["internal"] is True
    assert "phone_system.internal" in shell.ok("audit")
    assert "not logged" in shell.ok("phones", "internal", "paris", "off")
    assert shell.json("phones", "list")[0]["internal"] is False


def test_who_may_call_whom(shell: Shell, portal_id: int) -> None:
    """Rules by pattern and role, shown, replaced and taken back; the audit knows."""
    shell.ok(*PARIS)
    assert "own country" in shell.ok("phones", "may-call", "paris")
    shell.ok("phones", "may-call", "paris", "+44*", "--role", "agent")
    shell.ok("phones", "may-call", "paris", "+44*", "--role", "supervisor")
    shell.ok("phones", "may-call", "paris", "0899 12 34 56", "--role", "nobody")
    assert shell.json("phones", "may-call", "paris") == [
        {"number": "+33899123456", "role": "nobody"},
        {"number": "+44*", "role": "supervisor"},
    ]
    shell.ok("phones", "may-call", "paris", "+44*", "--remove")
    assert len(shell.json("phones", "may-call", "paris")) == 1
    assert shell.json("audit")[0]["action"] == "phone_system.may_call"
    assert "There is no rule" in shell.refused("phones", "may-call", "paris", "+44*", "--remove")
    for wrong in (("+44*",), ("+44*", "--role", "agent", "--remove"), ("withheld", "--role", "agent")):
        shell.refused("phones", "may-call", "paris", *wrong)


@pytest.mark.parametrize("number", ["112", "15", "1 1 2"])
def test_no_rule_for_emergencies(shell: Shell, portal_id: int, number: str) -> None:
    """It is said that no rule could ever allow them, whatever is typed beside."""
    shell.ok(*PARIS)
    for more in (("--role", "agent"), ("--remove",)):
        assert "never called by click" in shell.refused("phones", "may-call", "paris", number, *more)
    assert shell.json("phones", "may-call", "paris") == []


def test_what_begins_like_an_emergency(shell: Shell, portal_id: int) -> None:
    """Numbers abroad, and patterns, are none."""
    shell.ok(*PARIS)
    for number in ("112*", "+112*", "0112 345 678"):
        shell.ok("phones", "may-call", "paris", number, "--role", "agent")


def test_how_numbers_are_written(shell: Shell, portal_id: int) -> None:
    """What is dialled before a number, and whether a plus is missing, can be said and taken back."""
    shell.ok(*PARIS, "--prefix", "0", "--line", "+33\u202f1\u200b98 76 54 32")
    (phone,) = shell.json("phones", "list")
    assert (phone["prefixes"], phone["without_plus"]) == (["0"], False)
    assert phone["lines"] == ["+33198765432"]
    assert "9, *67, L0#" in shell.ok("phones", "prefixes", "paris", "9", "*67", "L0#")
    shell.ok("phones", "numbers", "paris", "without-plus")
    (phone,) = shell.json("phones", "list")
    assert (phone["prefixes"], phone["without_plus"]) == (["9", "*67", "L0#"], True)
    shell.ok("phones", "prefixes", "paris", "--none")
    shell.ok("phones", "numbers", "paris", "with-plus")
    (phone,) = shell.json("phones", "list")
    assert (phone["prefixes"], phone["without_plus"]) == ([], False)
    actions = [entry["action"] for entry in shell.json("audit")]
    assert actions[:4].count("phone_system.prefixes") == 2


@pytest.mark.parametrize("prefix", ["+33", "9 0", "", "123456789", "9,0"])
def test_what_is_no_prefix(shell: Shell, portal_id: int, prefix: str) -> None:
    """It is refused, and it is said what can be one."""
    shell.ok(*PARIS)
    assert "no prefix" in shell.refused("phones", "prefixes", "paris", prefix)
    assert "--none" in shell.refused("phones", "prefixes", "paris")


def test_a_line_with_what_nobody_sees(shell: Shell, portal_id: int) -> None:
    """It is the line that it looks like."""
    shell.ok(*PARIS)
    shell.ok("phones", "line", "paris", "\u202a+33\u00a01 98 76 54 32\u202c")
    assert shell.json("phones", "list")[0]["lines"] == ["+33198765432"]


def test_a_number_is_unblocked_under_any_spelling(shell: Shell, portal_id: int) -> None:
    """It was blocked as somebody typed it then."""
    shell.ok(*PARIS)
    shell.ok("phones", "block", "paris", "+5491155554321")
    shell.ok("phones", "unblock", "paris", "+54 11 5555-4321")
    assert shell.json("phones", "blocked", "paris") == []


def test_status_shows_what_a_bridge_lacks(shell: Shell, portal_id: int) -> None:
    """Below the table for people, in the row for machines; texts cannot write lines of their own."""
    shell.ok(*PARIS)
    program = phones.Program(
        source="/pbx/paris",
        id="b-1",
        program="bridge 1, Asterisk 22",
        problems=("no\n  rights",),
        reported_at=system_clock(),
    )
    store = Store.open(shell.database_url)
    store.write_now(lambda c: phones.note_program(c, 1, program))
    store.close()
    assert "/pbx/paris: bridge 1, Asterisk 22" in shell.ok("phones", "status")
    assert "  - no rights\n" in shell.ok("phones", "status")
    [row] = shell.json("phones", "status")
    assert [one["problems"] for one in row["programs"]] == [["no\n  rights"]]
