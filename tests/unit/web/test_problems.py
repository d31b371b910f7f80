"""The table of problems has a text for every reason, and every text says what to do."""

from collections.abc import Iterator

import pytest
from starlette.requests import Request

from connector import errors
from connector.errors import ConcurrencyExceeded, ConnectorError, CreditsExhausted
from connector.web.problem_texts import TEXTS
from connector.web.problems import log_problem, text_of


def everything(kind: type[ConnectorError] = ConnectorError) -> Iterator[type[ConnectorError]]:
    """Return every exception of the tree."""
    yield kind
    for child in kind.__subclasses__():
        yield from everything(child)


OURS = [kind for kind in everything() if kind.__module__ == errors.__name__]


@pytest.mark.parametrize("kind", OURS, ids=lambda kind: kind.__name__)
def test_every_exception_has_a_row(kind: type[ConnectorError]) -> None:
    """Its own or its parent's, and not the last resort, but for what no request can meet."""
    text = text_of(kind("message"))
    assert text.title
    assert text.who
    assert text.todo
    unmet = (ConnectorError, errors.CommandError, *everything(errors.MailError))
    assert text is not TEXTS["error"] or kind in unmet


@pytest.mark.parametrize("kind", OURS, ids=lambda kind: kind.__name__)
def test_statuses_agree_with_the_exceptions(kind: type[ConnectorError]) -> None:
    """Where an exception knows its status, the text has the same."""
    status = getattr(kind, "status", None)
    assert status is None or text_of(kind("message")).status == status


def test_signing_in_has_a_page_for_each_reason() -> None:
    """A refusal, a mismatch and an outage are never one page."""
    sign_in = {kind.reason for kind in everything(errors.SignInError)}
    assert sign_in <= TEXTS.keys()
    assert len({TEXTS[reason].title for reason in sign_in}) == len(sign_in)


def test_every_row_belongs_to_an_exception() -> None:
    """No text is left over."""
    assert TEXTS.keys() <= {kind.reason for kind in OURS}


def test_used_up_credits_are_no_crowd() -> None:
    """Waiting a little helps against too many requests at a time, and not where a day's credits are gone."""
    spent, busy = text_of(CreditsExhausted("", 11_520)), text_of(ConcurrencyExceeded("", None))
    assert (spent.status, spent.shows_message, "credits of today are used up" in spent.title) == (
        503,
        True,
        True,
    )
    assert not set(spent.todo) & set(busy.todo)


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/hooks/paris", "/hooks/paris"),
        ("/hooks/paris/whsec-abc", "/hooks/paris/***"),
        ("/hooks/paris/calls/12025550123", "/hooks/paris/***"),
        ("//hooks//paris//whsec-abc", "/hooks/paris/***"),
        ("/Hooks/paris/whsec-abc", "/Hooks/paris/***"),
        ("/hooks/12025550123", "/hooks/***"),
        ("/api/v1/calls/12025550123", "/api/v1/calls/***"),
        ("/calls/+33 1 23 45 67 89/x", "/calls/+***/x"),
        ("/calls/12345", "/calls/12345"),
        ("/", "/"),
    ],
)
def test_a_path_in_the_log_tells_no_secret_and_no_number(
    path: str, shown: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever stands in it, where nothing of ours is at that address too."""
    request = Request({"type": "http", "method": "PUT", "path": path, "headers": []})
    with caplog.at_level("INFO"):
        log_problem(request, errors.InvalidRequest("x"))
    assert caplog.messages[-1].startswith(f"PUT {shown}: ")
