"""What is said of the machine: database, tables, keys, clock, disk, address."""

from collections import Counter
from pathlib import Path

import pytest

from connector.checks import Check, Report, State, Subject, worst
from connector.errors import StoreUnavailable
from connector.maintenance import installation_check as checks
from connector.maintenance.installation_check import FULL_DISK, GIGABYTE, LOW_DISK

UNAVAILABLE = StoreUnavailable("The disk is full.")


@pytest.mark.parametrize(
    ("check", "state", "why"),
    [
        (checks.database_check(is_postgresql=False), "ok", "It answers, and takes transactions."),
        (checks.database_check(is_postgresql=True, problem=UNAVAILABLE), "refused", "The disk is full."),
        (checks.tables_check(is_current=True), "ok", "They are those of this version"),
        (checks.tables_check(is_current=False), "refused", "They are of another version; this one has"),
        (checks.clock_check(0.2, is_shared=False), "ok", "One machine has one clock."),
        (checks.clock_check(-2, is_shared=True), "ok", "This machine and the database agree."),
        (checks.clock_check(90, is_shared=True), "refused", "is 90 seconds ahead of the database's"),
        (checks.clock_check(-90, is_shared=True), "refused", "is 90 seconds behind the database's"),
        (checks.room_check("/var", LOW_DISK, 9 * GIGABYTE), "ok", "1.0 of 9.0 GB are free at /var."),
        (checks.room_check("/var", LOW_DISK - 1, 9 * GIGABYTE), "warning", "1.0 of 9.0 GB are free"),
        (checks.room_check("/var", FULL_DISK - 1, GIGABYTE), "refused", "0.1 of 1.0 GB are free"),
        (checks.disk_check(Path("/no/such/folder")), "unknown", "/no/such/folder cannot be asked: No such"),
        (checks.address_check("http://127.0.0.1:8080"), "warning", "nobody elsewhere reaches it"),
        (checks.address_check("https://calls.example.com"), "ok", "shows with the first event"),
    ],
)
def test_each_thing_in_each_state(check: Check, state: State, why: str) -> None:
    """What is wrong says who mends it."""
    assert (check.state, why in check.why) == (state, True)
    assert bool(check.remedy) is (state in ("warning", "refused"))


@pytest.mark.parametrize(
    ("places", "keys", "state", "why"),
    [
        ({}, 1, "ok", "0 stored secrets can be decrypted with the first key."),
        ({0: 1}, 1, "ok", "1 stored secret can be decrypted with the first key."),
        ({0: 5}, 2, "ok", "No secret needs the former keys any more; sessions may, for a few days."),
        ({0: 5, 1: 1, 2: 1}, 3, "warning", "2 stored secrets of 7 are still encrypted with a former key."),
        ({0: 5, None: 2}, 1, "refused", "2 stored secrets of 7 cannot be decrypted"),
    ],
)
def test_keys(places: dict[int | None, int], keys: int, state: State, why: str) -> None:
    """A rotation is under way, over, or has lost a key."""
    check = checks.keys_check(Counter(places), keys)
    assert (check.state, why in check.why) == (state, True)


def test_the_whole_is_as_its_worst_part() -> None:
    """A refusal outweighs what is not known, and that a warning."""
    made = [Check(layer="disk", what=state, state=state) for state in ("ok", "refused", "warning", "unknown")]
    subjects = tuple(Subject(name=each.what, checks=(each,)) for each in made)
    assert Report(checked_at="", subjects=subjects).state == "refused"
    assert worst(["warning", "unknown", "ok"]) == "unknown"
    assert worst([]) == "ok"
    assert [title for title, _ in Subject(name="", checks=tuple(made)).layers()] == ["Disk space"]
