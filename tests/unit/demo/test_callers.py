"""Whose number it is, told without the connector's own reading."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.demo.callers import RANGES, Callers, is_plain, number_of, seeded_random
from connector.numbers import read
from connector.sandbox.desk.numbers import FORMS, type_number
from tests.unit.demo.desk import contact


@given(seed=st.integers(), place=st.integers(0, len(RANGES) - 1), form=st.integers(0, len(FORMS) - 1))
def test_every_typed_form_is_recognised(seed: int, place: int, form: int) -> None:
    """However the sandbox types a number, it is the number that was invented."""
    line = RANGES[place].pick(seeded_random(seed))
    assert number_of(type_number(line, form)) == line.e164


@pytest.mark.parametrize("text", [None, "", "+33123456789", "7946 0001", "hello", "1099"])
def test_other_texts_are_no_number_of_ours(text: str | None) -> None:
    """What is not of the invented ranges is nobody's."""
    assert number_of(text) is None
    assert not is_plain(text)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("+44 20 7946 0001", True),
        ("0033 1 99 00 00 01", True),
        ("020 7946 0001", True),
        ("01 99 00 00 01", False),
        ("30 23125 000", False),
        ("+1 ()212 555 0101", False),
    ],
)
def test_plain_is_what_reads_in_one_way(*, text: str, plain: bool) -> None:
    """A national form of another country may mean somebody at home."""
    assert is_plain(text) is plain


def test_a_shared_number_belongs_to_who_was_changed_last() -> None:
    """The expected contact follows the policy, the older id where both were changed at once."""
    older = contact("9", "+442079460001", modifiedTime="2026-01-01T00:00:00.000Z")
    newer = contact("11", "020 7946 0001", modifiedTime="2026-02-01T00:00:00.000Z")
    twin = contact("12", None, "+44 20 7946 0001", modifiedTime="2026-02-01T00:00:00.000Z")
    callers = Callers([older, twin, newer], seeded_random(1))
    assert callers.known() == ("+442079460001", "11")


def test_numbers_that_read_in_two_ways_do_not_call() -> None:
    """Nobody can say whose call it is when one of the contacts is typed ambiguously."""
    callers = Callers([contact("9", "01 99 00 00 01"), contact("10", "+442079460001")], seeded_random(1))
    assert {callers.known() for _ in range(5)} == {("+442079460001", "10")}


@given(seed=st.integers())
def test_a_stranger_is_known_to_nobody(seed: int) -> None:
    """Strangers are not in Desk, and never the same."""
    known = [contact(str(number), f"+4420794600{number:02}") for number in range(100)]
    callers = Callers(known, seeded_random(seed))
    strangers = [callers.stranger() for _ in range(20)]
    assert len(set(strangers)) == 20
    assert not {number_of(each["phone"]) for each in known} & set(strangers)


@given(seed=st.integers())
def test_each_way_to_write_a_number_can_be_read(seed: int) -> None:
    """What the simulated networks write is that number at home."""
    callers = Callers([], seeded_random(seed))
    number = callers.stranger()
    assert read(callers.written(number), "GB").e164 == number
    assert read(callers.withheld(), "GB").e164 is None
