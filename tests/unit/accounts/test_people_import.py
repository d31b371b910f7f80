"""Look over a file of people: what it costs grows with its lines and no faster."""

import sys
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any

from connector.accounts.people_files import read_lines
from connector.accounts.people_import import _Planning


def test_a_long_file_costs_by_its_lines() -> None:
    """Four times the lines are about four times the steps: it is done where events wait to be written."""
    few, many = (_steps(partial(_plan, count)) for count in (50, 200))
    assert many < 6 * few


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
