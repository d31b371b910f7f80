"""The query parameters."""

import pytest

from connector.sandbox.desk import params
from connector.sandbox.desk.params import Param


@pytest.mark.parametrize(
    ("param", "text", "expected"),
    [
        (params.Id(), "104", "104"),
        (params.Ids(), "1, 2,1", frozenset({"1", "2"})),
        (params.Limit(), "100", 100),
        (params.Limit(most=200, least=0), "0", 0),
        (params.From(), "5", 5),
        (params.From(first=1), "5", 4),
        (params.From(first=1), "0", 0),
        (params.Flag(), "false", False),
        (params.Choice(words=("a", "b")), "a", "a"),
        (params.Choices(words=("a", "b")), "a,b", frozenset({"a", "b"})),
        (params.Sort(keys=("x",)), "-x", ("x", True)),
        (params.Sort(keys=("x",)), "x", ("x", False)),
        (params.Words(), "a, b", ("a", "b")),
        (params.Range(), "1970-01-01T00:00:00.000Z,1970-01-01T00:00:01.000Z", (0, 1_000)),
        (params.CustomField(), "cf_callkey:a:b,c", ("cf_callkey", ("a:b", "c"))),
    ],
)
def test_read(param: Param, text: str, expected: object) -> None:
    """A good value is read."""
    assert param.read(text) == expected


@pytest.mark.parametrize(
    ("param", "text"),
    [
        (params.Id(), "x"),
        (params.Ids(most=1), "1,2"),
        (params.Ids(), "1,,2"),
        (params.Limit(), "101"),
        (params.Limit(), "0"),
        (params.From(most=999), "1000"),
        (params.Flag(), "True"),
        (params.Choice(words=("a",)), "a,a"),
        (params.Choices(words=("a",)), "b"),
        (params.Sort(keys=("x",)), "--x"),
        (params.Words(shortest=3), "ab"),
        (params.Words(longest=3), "abcd"),
        (params.Range(), "1970-01-01T00:00:00.000Z"),
        (params.CustomField(), "cf_callkey"),
        (params.CustomField(), "cf_callkey:" + "x" * 1_000),
        (params.NotHere(), "1"),
    ],
)
def test_refuse(param: Param, text: str) -> None:
    """A bad value is no value."""
    with pytest.raises(params.BadValue):
        param.read(text)
