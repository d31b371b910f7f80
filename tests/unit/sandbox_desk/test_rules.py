"""The rules of bodies."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.sandbox.desk.bodies import CALL_CREATE, CONTACT_CREATE, RECORDING_URL
from connector.sandbox.desk.refusals import Problem
from connector.sandbox.desk.rules import Flag, Many, Members, Named, Number, Rule, Text, join, read_id

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def found(rule: Rule, value: object) -> list[Problem]:
    """Return what a rule finds wrong."""
    return list(rule.check(value, ""))


@given(JSON)
def test_any_json_is_judged_without_error(value: object) -> None:
    """Whatever comes is either right or named."""
    for body in (CALL_CREATE, CONTACT_CREATE):
        for each in body.members.values():
            assert all(problem.kind in ("invalid", "missing") for problem in found(each, value))
        assert found(body, value)


@pytest.mark.parametrize(
    ("rule", "good", "bad"),
    [
        (Text(most=2), ["", "ab"], ["abc", None, 1, ["a"]]),
        (Text(pattern="[a-z]+"), ["abc"], ["", "abc1", "1abc", "abc\n"]),
        (Text(choices=("a",), nullable=True), ["a", None], ["b", "A"]),
        (Number(), ["0", 5, "007"], ["", "-1", -1, 1.0, True, None, "\uff11", "9" * 30, 2**63]),
        (Number(words=True), ["", "null", "undefined", "7"], ["none", None]),
        (Number(most=5), ["5"], ["6", 6]),
        (Flag(), [True, False], ["true", 1, None]),
        (Many(item=Number(), least=1, most=2), [["1"], ["1", 2]], [[], ["1", "2", "3"], "1", None]),
        (Many(item=Number(), unique=True), [[1, 2]], [[1, 1]]),
        (Named(names="cf_[a-z]+", value=Text()), [{}, {"cf_a": "x"}], [{"cf_1": "x"}, {"cf_a": 1}, [], None]),
        (Members(members={}, open=True), [{}, {"a": 1}], [None, []]),
    ],
)
def test_rule(rule: Rule, good: list[object], bad: list[object]) -> None:
    """Good values pass and bad ones do not."""
    assert [value for value in good if found(rule, value)] == []
    assert [value for value in bad if not found(rule, value)] == []


def test_problems_name_members_by_json_pointer() -> None:
    """Each wrong member is named, however deep."""
    inner = Members(members={"n": Number()}, required=("n",))
    rule = Members(members={"a": Many(item=inner), "b": Text()}, required=("b",))
    wrong = {"a": [{"n": 1}, {"n": "x"}, {}], "c/d": 1, "b": ""}
    assert {(each.pointer, each.kind) for each in found(rule, wrong)} == {
        ("/a/1/n", "invalid"),
        ("/a/2/n", "missing"),
        ("/c~1d", "invalid"),
        ("/b", "missing"),
    }


def test_pointer_escapes() -> None:
    """Tilde and slash are written as RFC 6901 says."""
    assert join("", "~/") == "/~0~1"


@pytest.mark.parametrize(
    ("given_id", "expected"), [(None, None), ("", None), ("null", None), (7, "7"), ("7", "7")]
)
def test_read_id(given_id: object, expected: str | None) -> None:
    """Words for nothing are nothing, and numbers become text."""
    assert read_id(given_id) == expected


@given(st.text(alphabet="ab.:/?=&%-_ é\n", max_size=30))
def test_recording_url_is_matched_as_a_whole(rest: str) -> None:
    """An address with anything unusual in it is refused, wherever it stands."""
    is_good = not set(rest) & set(" é\n")
    assert (not found(Text(pattern=RECORDING_URL), f"https://pbx.example/{rest}")) == is_good
