"""Conditions in Desk's shape: what may be asked, what each row says, and how a pattern combines them."""

import re
import time
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.crm import conditions
from connector.crm.model import Condition, Conditions, Operator
from connector.errors import InvalidValue
from tests.unit.crm import samples
from tests.unit.crm.samples import PATHS, RULES

MONDAY_TEN = 1_796_029_200_000
"""2026-11-30, 10:00 in Paris: the office is open."""

SUNDAY = MONDAY_TEN - 24 * 3_600_000


def asked(name: str, condition: Operator, *value: str) -> Condition:
    """Return one row."""
    return Condition(field_name=name, condition=condition, value=value)


def of(*rows: Condition, pattern: str = "") -> Conditions:
    """Return conditions."""
    return Conditions(field_conditions=rows, pattern=pattern)


HOLDS: list[tuple[Condition, object, bool]] = [
    (asked("queue.name", "is", "Sales"), " sales ", True),
    (asked("queue.name", "is", "Sales"), "Sales 2", False),
    (asked("queue.name", "is", "Sales"), None, False),
    (asked("queue.name", "is not", "Sales"), "Support", True),
    (asked("queue.name", "is not", "Sales"), "SALES", False),
    (asked("queue.name", "is not", "Sales"), None, True),
    (asked("queue.name", "is", "K"), "\u212a", False),
    (asked("queue.name", "is empty"), None, True),
    (asked("queue.name", "is empty"), " ", True),
    (asked("call.duration", "is empty"), 0, False),
    (asked("caller.withheld", "is not empty"), False, True),
    (asked("caller.name", "contains", "rant"), "Noor BRANTLEY", True),
    (asked("caller.name", "contains", "x"), None, False),
    (asked("caller.name", "starts with", "noor"), "Noor Brantley", True),
    (asked("caller.name", "starts with", "brant"), "Noor Brantley", False),
    (asked("call.flow", "one of", "direct", "queue"), "queue", True),
    (asked("call.flow", "one of", "direct", "queue"), "outbound", False),
    (asked("call.flow", "none of", "direct", "queue"), "outbound", True),
    (asked("call.flow", "none of", "direct", "queue"), "queue", False),
    (asked("call.matched", "is", "accounts"), "accounts", True),
    (asked("call.matched", "is empty"), None, True),
    (asked("call.duration", "greater than", "60"), 61, True),
    (asked("call.duration", "greater than", "60"), 60, False),
    (asked("call.duration", "greater than", "60"), "60.5", True),
    (asked("call.duration", "less than", "60"), None, False),
    (asked("call.duration", "less than", "60"), 59, True),
    (asked("call.duration", "is", "60.0"), 60, True),
    (asked("contact.cf_seats", "is", "3"), "3.0", True),
    (asked("contact.cf_seats", "none of", "3", "4"), "3.5", True),
    (asked("contact.cf_seats", "is", "3"), "many", False),
    (asked("agent.extension", "is", "1.10"), "1.1", False),
    (asked("caller.withheld", "is", "TRUE"), True, True),
    (asked("caller.withheld", "is", "true"), False, False),
    (asked("caller.number", "is", "+33 1 99 00 12 34"), "+33199001234", True),
    (asked("caller.number", "matches number", "+33*"), "+33199001234", True),
    (asked("caller.number", "matches number", "0033 1*"), "+33199001234", True),
    (asked("caller.number", "matches number", "+44*", "*34"), "+33199001234", True),
    (asked("caller.number", "matches number", "+33"), "+33199001234", False),
    (asked("caller.number", "matches number", "+44*"), "+33199001234", False),
    (asked("caller.number", "matches number", "*"), None, False),
    (asked("call.start", "within hours", "Office"), MONDAY_TEN, True),
    (asked("call.start", "within hours", "Office"), SUNDAY, False),
    (asked("call.start", "outside hours", "Office"), SUNDAY, True),
    (asked("call.start", "within hours", "Office"), None, True),
    (asked("call.start", "outside hours", "Office"), True, False),
]


@pytest.mark.parametrize(("row", "value", "holds"), HOLDS)
def test_what_a_row_says(row: Condition, value: object, *, holds: bool) -> None:
    """Texts whatever their case, numbers however written, and what is missing is nothing at all."""
    conditions.check(of(row), RULES, pointer="/c")
    found = conditions.evaluate(of(row), {row.field_name: value}, RULES, MONDAY_TEN)
    assert found == conditions.Verdict(holds, (holds,))


REFUSED: list[tuple[Conditions, str]] = [
    (of(asked("call.nosuch", "is", "a")), "/fieldConditions/0/fieldName"),
    (of(asked("queue.name", "is")), "/fieldConditions/0/value"),
    (of(asked("queue.name", "is", "a", "b")), "/fieldConditions/0/value"),
    (of(asked("queue.name", "is", " ")), "/fieldConditions/0/value/0"),
    (of(asked("queue.name", "is", "x" * 256)), "/fieldConditions/0/value/0"),
    (of(asked("queue.name", "is empty", "a")), "/fieldConditions/0/value"),
    (of(asked("queue.name", "one of", *map(str, range(101)))), "/fieldConditions/0/value"),
    (of(asked("queue.name", "greater than", "1")), "/fieldConditions/0/condition"),
    (of(asked("queue.name", "matches number", "1*")), "/fieldConditions/0/condition"),
    (of(asked("queue.name", "within hours", "Office")), "/fieldConditions/0/condition"),
    (of(asked("contact.cf_since", "within hours", "Office")), "/fieldConditions/0/condition"),
    (of(asked("call.start", "is", "2026-11-30")), "/fieldConditions/0/condition"),
    (of(asked("call.duration", "contains", "1")), "/fieldConditions/0/condition"),
    (of(asked("call.duration", "greater than", "long")), "/fieldConditions/0/value/0"),
    (of(asked("call.start", "within hours", "Nowhere")), "/fieldConditions/0/value/0"),
    (of(asked("call.flow", "is", "fax")), "/fieldConditions/0/value/0"),
    (of(asked("call.direction", "none of", "inbound", "sideways")), "/fieldConditions/0/value/1"),
    (of(asked("call.matched", "is", "calls")), "/fieldConditions/0/value/0"),
    (of(asked("caller.withheld", "is", "perhaps")), "/fieldConditions/0/value/0"),
    (of(asked("caller.number", "matches number", "+33[0-9]+")), "/fieldConditions/0/value/0"),
    (of(asked("caller.number", "matches number", "(a+)+$")), "/fieldConditions/0/value/0"),
    (of(asked("caller.number", "matches number", "*1*2*3*4")), "/fieldConditions/0/value/0"),
    (of(*[asked("call.id", "is empty")] * 31), "/fieldConditions"),
]


@pytest.mark.parametrize(("told", "pointer"), REFUSED)
def test_what_may_not_be_asked(told: Conditions, pointer: str) -> None:
    """Each refusal names its place as Desk's own shape has it."""
    with pytest.raises(InvalidValue) as refused:
        conditions.check(told, RULES, pointer="/c")
    assert refused.value.pointer == f"/c{pointer}"


ROWS = tuple(asked(f"contact.{name}", "is empty") for name in ("id", "firstName", "lastName"))

UNREADABLE = [
    *("1 and", "and", "(1", "1)", "()", "1 2", "1 or or 2", "0", "4", "1 and 4", "1000", "-1", "1.5"),
    *("1 xor 2", "not 1", "1 & 2", "1;2", "one", "1 and (2 or 3", "\u0661 and 2", "1\x00", "((1) and 2 or 3"),
    *("(" * 9 + "1" + ")" * 9, "(" * 400, "1 and " * 100 + "1", "1" * 501, "__import__('os')"),
]


@pytest.mark.parametrize("pattern", UNREADABLE, ids=lambda pattern: ascii(pattern)[:30])
def test_patterns_that_cannot_be_read(pattern: str) -> None:
    """They are refused when they are saved; where one is kept all the same, it holds for no call."""
    told = of(*ROWS, pattern=pattern)
    with pytest.raises(InvalidValue) as refused:
        conditions.check(told, RULES, pointer="/c")
    assert refused.value.pointer == "/c/pattern"
    assert not conditions.evaluate(told, {}, RULES, 0).matches


@pytest.mark.parametrize("pattern", ["(" * 8 + "1" + ")" * 8, "1 or (2 and (3 or 1))", "1and2OR3", "01"])
def test_patterns_that_can_be_read(pattern: str) -> None:
    """Brackets within brackets, with or without spaces, in any case."""
    conditions.check(
        of(*ROWS[: max(map(int, re.findall("[0-9]+", pattern)))], pattern=pattern), RULES, pointer=""
    )


def test_every_row_is_in_the_pattern() -> None:
    """A row that says nothing is a mistake."""
    with pytest.raises(InvalidValue, match="Condition 2 is not in the pattern"):
        conditions.check(of(*ROWS, pattern="1 or 3"), RULES, pointer="/c")


def test_no_pattern_is_all_rows_and_no_row_always_holds() -> None:
    """As Desk has it, and as the last rule needs it."""
    assert conditions.evaluate(of(*ROWS), {}, RULES, 0).matches
    assert not conditions.evaluate(of(*ROWS), {"contact.id": "1"}, RULES, 0).matches
    assert conditions.evaluate(of(), {}, RULES, 0) == conditions.Verdict(True, ())


def test_the_shape_is_desks() -> None:
    """Administrators know it from Desk's own rules."""
    told = msgspec.json.decode(
        b'{"fieldConditions": [{"fieldName": "call.flow", "condition": "is", "value": ["queue"]}],'
        b' "pattern": "1"}',
        type=Conditions,
    )
    assert told == of(asked("call.flow", "is", "queue"), pattern="1")


_WORDS = st.sampled_from([" and ", " or ", "and", "or", "\tAND\n", " Or "])


def _joined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    more = st.lists(st.tuples(_WORDS, inner).map("".join), min_size=1, max_size=3).map("".join)
    return st.tuples(inner, more).map("".join)


_places = st.integers(1, 6).map(str)
_inner = _joined(_places | _joined(_places).map(lambda each: f" ( {each} ) "))
patterns = _joined(_places | _inner.map(lambda each: f"({each})"))


@given(patterns, st.tuples(*[st.booleans()] * 6))
def test_a_pattern_means_what_it_says(pattern: str, truths: tuple[bool, ...]) -> None:
    """Patterns mean what Python makes of the same words, where "and" goes before "or" as well."""
    told = of(*[asked(f"queue.{'name' if truth else 'key'}", "is", "x") for truth in truths], pattern=pattern)
    words = re.sub("(?i)and|or", lambda found: found[0].lower(), " ".join(pattern.split()))
    words = re.sub(r"\d", lambda found: f" {truths[int(found[0]) - 1]} ", words)
    expected = eval(words.strip())  # noqa: S307 - digits, words and brackets of ours
    found = conditions.evaluate(told, {"queue.name": "x", "queue.key": "y"}, RULES, 0)
    assert found.rows == truths
    assert found.matches == expected


rows = st.builds(
    Condition,
    field_name=st.sampled_from(PATHS) | st.text(),
    condition=st.sampled_from(get_args(Operator)),
    value=st.lists(st.text() | st.sampled_from(["Office", "+33*", "60", "true", "\x00"])).map(tuple),
)
any_conditions = st.builds(
    Conditions,
    field_conditions=st.lists(rows, max_size=4).map(tuple),
    pattern=st.sampled_from(["", "1", "1 or 2", "1 and (2 or 3)", "("]) | st.text(),
)


@given(any_conditions, samples.values, st.integers())
def test_evaluating_never_fails(told: Conditions, values: dict[str, object], at: int) -> None:
    """Whatever was kept, and whatever a call has: each row is true or false."""
    found = conditions.evaluate(told, values, RULES, at)
    assert len(found.rows) == len(told.field_conditions)


def test_long_patterns_of_numbers_take_no_time() -> None:
    """Stars are few, so that no text makes them slow."""
    row = asked("caller.number", "matches number", "*1*1*")
    conditions.check(of(row), RULES, pointer="/c")
    began = time.process_time()
    conditions.evaluate(of(row), {"caller.number": "1" * 1_000_000 + "x"}, RULES, 0)
    assert time.process_time() - began < 0.2
