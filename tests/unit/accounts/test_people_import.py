"""Look over a file of people: what it costs grows with its lines and no faster."""

import sys
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any

import pytest

from connector.accounts.people_files import read_lines
from connector.accounts.people_import import WORDS_CHANGED_AT_MOST, Planned, _check_size, _Planning
from connector.errors import InvalidValue
from connector.store.people import Person
from connector.store.users import User, Word


def test_a_long_file_costs_by_its_lines() -> None:
    """Four times the lines are about four times the steps: it is done where events wait to be written."""
    few, many = (_steps(partial(_plan, count)) for count in (50, 200))
    assert many < 6 * few


def test_what_would_hold_the_writer_for_long_is_refused() -> None:
    """Everybody's extension may be another one at once; a dozen of everybody's may not."""
    user = User(id=1, email="ada@example.com", name="Ada", role="agent", active=True)
    words = tuple(Word(0, str(number)) for number in range(WORDS_CHANGED_AT_MOST + 1))
    fits, more = (
        Planned(
            line=2,
            email=user.email,
            step="change",
            before=Person(user=user),
            after=Person(user=user, extensions=words[:count]),
        )
        for count in (WORDS_CHANGED_AT_MOST, WORDS_CHANGED_AT_MOST + 1)
    )
    _check_size([fits])
    with pytest.raises(InvalidValue, match="10001 changes"):
        _check_size([more])


def _plan(count: int) -> None:
    text = "email,name,extensions\n"
    text += "".join(f"u{each}@example.com,Ada,{each}0 | {each}1 | {each}2\n" for each in range(count))
    lines = read_lines(text)
    planning = _Planning([], {}, lines)
    assert {planning.plan(line).step for line in lines} == {"add"}


def _steps(work: Callable[[], object]) -> int:
    """Count the lines of code that are carried out."""
    counted = 0

    def trace(_frame: FrameType, event: str, _value: object) -> Any:
        nonlocal counted
        counted += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return counted
