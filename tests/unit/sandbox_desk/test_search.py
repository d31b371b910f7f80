"""What a search finds, and in which order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.sandbox.desk.records import Contact, RecordTable
from connector.sandbox.desk.search import cut, matches, ordered

PLAIN = st.text(alphabet="ab+ -1", min_size=1)


def make_contact(number: int, last_name: str = "x") -> Contact:
    """Make a contact with an id."""
    return Contact(id=str(number), created_at=number, modified_at=number, last_name=last_name)


@pytest.mark.parametrize(
    ("term", "value", "expected"),
    [
        ("ab", "AB", True),
        ("ab", "abc", False),
        ("ab*", "abc", True),
        ("*bc", "abc", True),
        ("*b*", "abc", True),
        ("a*c", "abc", False),
        ("*", "", True),
        ("*", "x", True),
        ("**", "x", True),
        ("", "", True),
        ("", "x", False),
        ("x", None, False),
        ("${empty}", None, True),
        ("${Empty}", "", True),
        ("${empty}", "x", False),
        ("${notempty}", "x", True),
        ("${notempty}", None, False),
    ],
)
def test_matches(term: str, value: str | None, expected: object) -> None:
    """Stars count at the ends only."""
    assert matches(term, value) is expected


@given(PLAIN, PLAIN, PLAIN)
def test_stars_mean_anything(before: str, core: str, after: str) -> None:
    """With a star on each side any part is found, without one only the whole."""
    value = before + core + after
    assert matches(f"*{core}*", value)
    assert matches(f"{before}*", value)
    assert matches(f"*{after}", value)
    assert matches(value, value)
    assert not matches(core, value)


@given(st.permutations(range(1, 9)))
def test_order_is_total(numbers: list[int]) -> None:
    """Equal keys are ordered by id, nothing comes first, letter case does not matter."""
    names = [None, "b", "A", "a", "B", None, "c", "C"]
    contacts = [
        Contact(id=str(n), created_at=0, modified_at=0, last_name="x", first_name=names[n - 1])
        for n in numbers
    ]
    keys = {"firstName": lambda contact: contact.first_name}
    ids = [int(contact.id) for contact in ordered(contacts, None, keys)]
    assert ids == [1, 6, 3, 4, 2, 5, 7, 8]
    assert [int(c.id) for c in ordered(contacts, ("firstName", True), keys)] == ids[::-1]


def test_cut() -> None:
    """A page begins at an offset and has ten records unless said otherwise."""
    numbers = list(range(30))
    assert cut(numbers, {}) == numbers[:10]
    assert cut(numbers, {}, 25) == numbers[:25]
    assert cut(numbers, {"from": 28, "limit": 5}) == [28, 29]


def test_index_lags_behind() -> None:
    """The index knows versions by the moment they were written, and forgets trashed records late."""
    table: RecordTable[Contact] = RecordTable()
    contact = table.put(make_contact(1, last_name="old"), 100)
    table.put(make_contact(1, last_name="new"), 200)
    assert [record.last_name for record in table.indexed(99)] == []
    assert [record.last_name for record in table.indexed(100)] == ["old"]
    assert [record.last_name for record in table.indexed(200)] == ["new"]
    table.put(Contact(id="1", created_at=1, modified_at=1, last_name="new", is_trashed=True), 300)
    assert [record.last_name for record in table.indexed(299)] == ["new"]
    assert list(table.indexed(300)) == list(table.present()) == []
    assert len(table) == len(list(table.everything())) == 1
    assert table.find(contact.id) != contact
    assert table.find("2") is None
