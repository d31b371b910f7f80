"""Each row of the table, by page, by command and by program."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest

from tests.integration.databases import Databases
from tests.integration.three_ways.ways import Row, by_command, by_page, by_program, outcome_of

ROWS: list[Row] = [
    row
    for module in iter_modules([str(Path(__file__).parent / "rows")])
    for row in import_module(f"tests.integration.three_ways.rows.{module.name}").ROWS
]


@pytest.fixture
def urls(sqlite_databases: Databases) -> Iterator[list[str]]:
    """Have three empty databases."""
    with sqlite_databases.fresh() as one, sqlite_databases.fresh() as two, sqlite_databases.fresh() as three:
        yield [one, two, three]


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_a_row(row: Row, urls: list[str]) -> None:
    """All three ways have the same effect, refuse with the same sentence, and write the same audit."""
    outcomes = [
        outcome_of(url, row, way) for url, way in zip(urls, (by_command, by_page, by_program), strict=True)
    ]
    first = outcomes[0]
    for other in outcomes[1:]:
        assert other.effect == first.effect
        assert other.audit == first.audit
    if row.refused:
        assert all(row.refused in each.said for each in outcomes), [each.said for each in outcomes]
        assert not first.audit
    else:
        assert [each.said for each in outcomes] == ["", "", ""]
        assert first.audit
