"""How programs beside a phone system stand, by what they reported and when."""

import msgspec

from connector.phone_systems.programs import SILENT_AFTER, statuses_of
from connector.store.phones import Program

NOW = 1_800_000_000_000
FIRST = Program(source="/asterisk", id="a", program="bridge 1", problems=("no rights",), reported_at=NOW)


def problems(*programs: Program) -> list[tuple[str, ...]]:
    """Return what is shown of each."""
    return [one.problems for one in statuses_of(programs, NOW)]


def test_what_it_says_itself() -> None:
    """No more, while it reports."""
    assert problems(FIRST) == [("no rights",)]


def test_one_that_reports_no_more() -> None:
    """It is not there, or cannot be heard; what it lacked is still said."""
    silent = msgspec.structs.replace(FIRST, reported_at=NOW - SILENT_AFTER - 1)
    [(first, second)] = problems(silent)
    assert ("Nothing was reported" in first, second) == (True, "no rights")


def test_one_that_was_set_up_anew() -> None:
    """Its spool is new, and so is its id: the one before it is not shown, and is no second one."""
    former = msgspec.structs.replace(FIRST, id="b", reported_at=NOW - SILENT_AFTER - 1)
    assert problems(FIRST, former) == [("no rights",)]


def test_two_of_one_source() -> None:
    """Each is told that there is another one; two sources are well."""
    second = msgspec.structs.replace(FIRST, id="b", problems=())
    assert [len(one) for one in problems(FIRST, second)] == [2, 1]
    assert problems(FIRST, msgspec.structs.replace(second, source="/pbx/lyon")) == [("no rights",), ()]
