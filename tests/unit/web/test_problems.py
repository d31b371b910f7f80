"""The table of problems has a row for every reason, and every row says what to do."""

from collections.abc import Iterator

import pytest

from connector import errors
from connector.errors import ConnectorError
from connector.web.problems import row_of
from connector.web.rows import ROWS


def everything(kind: type[ConnectorError] = ConnectorError) -> Iterator[type[ConnectorError]]:
    """Return every exception of the tree."""
    yield kind
    for child in kind.__subclasses__():
        yield from everything(child)


OURS = [kind for kind in everything() if kind.__module__ == errors.__name__]


@pytest.mark.parametrize("kind", OURS, ids=lambda kind: kind.__name__)
def test_every_exception_has_a_row(kind: type[ConnectorError]) -> None:
    """Its own or its parent's, and not the last resort, but for what no request can meet."""
    row = row_of(kind("message"))
    assert row.title
    assert row.whose
    assert row.todo
    assert row is not ROWS["error"] or kind in (ConnectorError, errors.CommandError)


@pytest.mark.parametrize("kind", OURS, ids=lambda kind: kind.__name__)
def test_statuses_agree_with_the_exceptions(kind: type[ConnectorError]) -> None:
    """Where an exception knows its status, the row has the same."""
    status = getattr(kind, "status", None)
    assert status is None or row_of(kind("message")).status == status


def test_signing_in_has_a_page_for_each_reason() -> None:
    """A refusal, a mismatch and an outage are never one page."""
    sign_in = {kind.reason for kind in everything(errors.SignInError)}
    assert sign_in <= ROWS.keys()
    assert len({ROWS[reason].title for reason in sign_in}) == len(sign_in)


def test_every_row_belongs_to_an_exception() -> None:
    """No row is left over."""
    assert ROWS.keys() <= {kind.reason for kind in OURS}
