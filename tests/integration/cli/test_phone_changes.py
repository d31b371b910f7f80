"""A phone system is corrected, and removed; what is bound to it is said first."""

import pytest
from click.testing import CliRunner

from connector.cli import main
from tests.integration.cli.conftest import Shell
from tests.integration.cli.test_forget import built

ADD = ("phones", "add", "paris", "--country", "FR")


def test_what_was_mistyped_is_corrected(shell: Shell, portal_id: int) -> None:
    """All at once; what is not given stays, and the audit knows what has changed."""
    shell.ok(*ADD, "--name", "Pari", "--line", "+33198765432")
    more = ("--name", "Paris", "--country", "be", "--time-zone", "Europe/Brussels", "--department", "402")
    result = shell.type("phones", "change", "paris", *more)
    assert (result.exit_code, result.stdout.split(";")[0]) == (0, "paris is changed")
    assert result.stderr.startswith("Bound to paris: lines: 1.\n")
    (phone,) = shell.json("phones", "list")
    assert [phone[name] for name in ("name", "country", "time_zone", "department", "lines")] == [
        *("Paris", "BE", "Europe/Brussels", "402"),
        ["+33198765432"],
    ]
    assert shell.json("phones", "change", "paris", "--department", "")["changed"] == ["department_id"]
    assert shell.json("phones", "list")[0]["department"] is None
    detail = shell.json("audit")[1]["detail"]
    assert "name: Paris" in detail
    assert "time_zone: Europe/Brussels" in detail


def test_another_address_is_shown_with_what_posts_to_it(shell: Shell, portal_id: int) -> None:
    """The former one is nobody's; the secret stays as it is, and is not shown again."""
    secret = shell.json(*ADD)["secret"]
    changed = shell.ok("phones", "change", "paris", "--slug", "lyon")
    assert "https://calls.example.com/hooks/lyon" in changed
    assert secret not in changed
    assert "paris" in shell.refused("phones", "guide", "paris")
    assert shell.json("phones", "list")[0]["secrets"] == 1


def test_another_dialect_has_another_secret(shell: Shell, portal_id: int) -> None:
    """It is shown once; the former one ends, and who cannot sign fetches no orders."""
    first = shell.json(*ADD)["secret"]
    shell.ok("phones", "control", "paris", "on")
    second = shell.json("phones", "change", "paris", "--dialect", "zammad")
    assert second["secret"] not in ("", first)
    (phone,) = shell.json("phones", "list")
    assert (phone["dialect"], phone["secrets"], phone["orders"]) == ("zammad", 1, False)
    given = ("--secret-file", __file__)
    assert "leave the secret out" in shell.refused_aloud(
        "phones", "change", "paris", "--dialect", "neutral", *given
    )
    assert "rotate the secret" in shell.refused_aloud("phones", "change", "paris", "--name", "P", *given)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (("--country", "XX"), "XX"),
        (("--time-zone", "Mars/Base"), "Mars/Base"),
        (("--slug", "Not Small"), "small letters"),
        (("--slug", "lyon"), "already"),
        (("--name", " "), "empty"),
        (("--portal", "77"), "77"),
        (("--department", "Nowhere"), "Nowhere"),
    ],
)
def test_what_cannot_be_changes_nothing(
    shell: Shell, portal_id: int, wrong: tuple[str, ...], named: str
) -> None:
    """Each is named, as where it is added."""
    shell.ok(*ADD)
    shell.ok("phones", "add", "lyon", "--country", "FR")
    before = shell.json("phones", "list")
    assert named in shell.refused_aloud("phones", "change", "paris", "--name", "New", *wrong)
    assert shell.json("phones", "list") == before


def test_records_stay_in_their_portal(shell: Shell) -> None:
    """Once calls were told of, another portal would write them a second time."""
    built(shell).store.close()
    result = shell.type("phones", "change", "paris", "--portal", "1", "--name", "P")
    assert result.exit_code == 0
    shell.type("phones", "change", "paris", "--portal", "2")
    assert shell.json("phones", "list")[0]["portal"] == 1


@pytest.mark.parametrize(("answer", "left"), [("n\n", 1), ("", 1), ("y\n", 0)])
def test_what_is_bound_is_said_before_it_is_removed(shell: Shell, answer: str, left: int) -> None:
    """Any other answer than yes, or none, removes nothing."""
    desk = built(shell)
    words = ["phones", "remove", "paris"]
    result = CliRunner().invoke(main, words, env=shell.environment, input=answer)
    assert result.stderr.startswith("Bound to paris: calls: 1")
    assert (result.exit_code, len(shell.json("phones", "list"))) == (left, left)
    desk.store.close()


def test_a_removed_one_leaves_its_calls(shell: Shell) -> None:
    """Its address is free for another one, nobody can post as it, and its calls are still shown."""
    desk = built(shell)
    calls = shell.json("calls", "list")
    shell.ok("agents", "add", "bo@example.com", "Bo", "--extension-at", "paris", "77", "--extension", "78")
    shell.ok("phones", "remove", "paris", "--yes")
    assert shell.json("phones", "list") == shell.json("phones", "status") == []
    assert desk.column("phone_secrets.id") == []
    assert [each["call"] for each in shell.json("calls", "list")] == [each["call"] for each in calls]
    assert shell.json("agents", "list")[-1]["extensions"] == ["78"]
    assert shell.json("audit")[0]["action"] == "phone_system.removed"
    for words in (("remove", "paris", "--yes"), ("change", "paris", "--name", "P"), ("guide", "paris")):
        assert "paris" in shell.refused("phones", *words)
    shell.ok(*ADD)
    assert [each["slug"] for each in shell.json("phones", "list")] == ["paris"]
    assert shell.json("phones", "status")[0]["state"] == "never"
    desk.store.close()


def test_lines_and_queues_are_taken_away(shell: Shell, portal_id: int) -> None:
    """One that is not there is said to be none."""
    shell.ok(*ADD, "--line", "+33198765432", "--queue", "support=402")
    assert "is no line" in shell.ok("phones", "line", "paris", "+33198765432", "--remove")
    assert "is no queue" in shell.ok("phones", "queue", "paris", "support", "--remove")
    (phone,) = shell.json("phones", "list")
    assert (phone["lines"], phone["queues"]) == ([], [])
    for words in (("line", "paris", "+33198765432"), ("queue", "paris", "support")):
        assert "phones list" in shell.refused("phones", *words, "--remove")
    wrong = ("phones", "line", "paris", "+33198765432", "--remove", "--department", "402")
    assert shell.type(*wrong).exit_code == 2


def test_departments_by_name(linked: Shell) -> None:
    """Wherever one is set and wherever people read it; programs go on reading ids."""
    shown = linked.json("portals", "show", "1", "--live")
    sales = {each["name"]: each["id"] for each in shown["departments"]}["Sales"]
    linked.ok(*ADD, "--department", "sales", "--line", "+33198765432=Billing", "--queue", "support=Sales")
    assert linked.json("phones", "list")[0]["department"] == sales
    linked.ok("phones", "queue", "paris", "nights", "--department", "Sales")
    linked.ok("phones", "change", "paris", "--department", "SALES")
    table = linked.ok("phones", "list")
    assert [word in table for word in ("+33198765432=Billing", "nights=Sales", sales)] == [True, True, False]
    assert (
        linked.json("portals", "set", "1", "--default-department-id", "Sales")["default_department"]
        == "Sales"
    )
    refused = linked.refused("phones", "line", "paris", "+33198765432", "--department", "Nowhere")
    assert "Customer Support" in refused


def test_owner_and_fields_are_compared_with_desk(linked: Shell, running: object) -> None:
    """By e-mail address and label too; what looks like an id and is not there is kept, and doubted."""
    agent = linked.json("portals", "show", "1", "--live")["agents"][1]
    words = (
        "--default-owner-id",
        agent["email"],
        "--recording-field",
        "recording url",
        "--key-field",
        "cf_callkey",
    )
    result = linked.type("portals", "set", "1", *words, "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    shown = linked.json("portals", "show", "1")
    assert [shown[name] for name in ("default_owner_id", "recording_field", "key_field")] == [
        *(agent["id"], "cf_recordingurl", "cf_callkey"),
    ]
    for field in ("--recording-field", "--key-field"):
        doubted = linked.type("portals", "set", "1", field, "cf_nonsense")
        assert (doubted.exit_code, "cf_nonsense" in doubted.stderr, "cf_callkey" in doubted.stderr) == (
            0,
            True,
            True,
        )
    assert "nobody@example.com" in linked.refused(
        "portals", "set", "1", "--default-owner-id", "nobody@example.com"
    )
