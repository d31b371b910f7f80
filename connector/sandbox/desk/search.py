"""What a search of Desk finds: whole values or `*` at their ends, letter case aside, all else as typed."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, TypeVar

from connector.sandbox.desk.records import R, Record

T = TypeVar("T")
Columns = Mapping[str, Callable[[R], Iterable[str | None]]]
Key = Callable[[R], Any]

_EMPTY, _NOT_EMPTY = "${empty}", "${notempty}"


def matches(wanted: str, value: str | None) -> bool:
    """Compare one value with one term: exact, `term*`, `*term`, `*term*`, `${empty}` or `${notempty}`."""
    return _test(wanted)((value or "").lower())


def _test(wanted: str) -> Callable[[str], bool]:
    """Return the test of a term, for values in lower case."""
    term = wanted.lower()
    if term in (_EMPTY, _NOT_EMPTY):
        return lambda text: (term == _EMPTY) is (text == "")
    core = term.removeprefix("*").removesuffix("*")
    before, after = term.startswith("*"), len(term) > 1 and term.endswith("*")
    if before and after:
        return lambda text: core in text
    if before or after:
        return lambda text: text.endswith(core) if before else text.startswith(core)
    return lambda text: text == term


def any_match(terms: Iterable[str], values: Iterable[str | None]) -> bool:
    """Tell whether any value matches any term."""
    return bool(_matching(terms, [list(values)], lambda texts: texts))


def _matching(
    terms: Iterable[str], records: Iterable[T], values: Callable[[T], Iterable[str | None]]
) -> list[T]:
    """Return the records of which any value matches any term."""
    # Made once for all records: a search has up to thirty terms.
    tests = [_test(term) for term in terms]

    def is_found(record: T) -> bool:
        texts = [(value or "").lower() for value in values(record)]
        return any(test(text) for text in texts for test in tests)

    return [record for record in records if is_found(record)]


def find(
    records: Iterable[R],
    query: Mapping[str, Any],
    columns: Columns[R],
    fields: Callable[[R], Mapping[str, str | None]],
) -> list[R]:
    """Keep the records that meet every criterion of a query, as far as `columns` and `fields` know it."""
    kept = [record for record in records if _within(record, query)]
    for name, wanted in query.items():
        if name.startswith("customField"):
            field, terms = wanted
            kept = _matching(terms, kept, partial(_field, fields, field))
        elif name in columns:
            kept = _matching(wanted, kept, columns[name])
    return kept


def _field(fields: Callable[[R], Mapping[str, str | None]], name: str, record: R) -> list[str | None]:
    return [fields(record).get(name)]


def _within(record: Record, query: Mapping[str, Any]) -> bool:
    """Check the criteria that every module has: ids, and when a record was created and modified."""
    if "id" in query and record.id not in query["id"]:
        return False
    created, modified = query.get("createdTimeRange"), query.get("modifiedTimeRange")
    return in_range(record.created_at, created) and in_range(record.modified_at, modified)


def in_range(at: int, limits: tuple[int, int] | None) -> bool:
    """Tell whether a moment lies within two others, both included; no limits hold everything."""
    return limits is None or limits[0] <= at <= limits[1]


def ordered(records: Iterable[R], sort: tuple[str, bool] | None, keys: Mapping[str, Key[R]]) -> list[R]:
    """Sort records by a key and then by id; the first key is the default, and ascending."""
    name, descending = sort or (next(iter(keys)), False)
    key = keys[name]
    return sorted(records, key=lambda record: (_rank(key(record)), int(record.id)), reverse=descending)


def _rank(value: Any) -> tuple[bool, Any]:
    """Let nothing come first, and capital letters not matter."""
    if isinstance(value, str):
        value = value.lower()
    return (value is not None, 0 if value is None else value)


def cut(records: list[T], query: Mapping[str, Any], limit: int = 10) -> list[T]:
    """Cut the page out that a query asks for."""
    start = query.get("from", 0)
    return records[start : start + query.get("limit", limit)]
