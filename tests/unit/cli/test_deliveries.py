"""What a person is told to do about a delivery."""

import re

import pytest

from connector.cli.deliveries import remedy
from connector.dialects import DIALECTS
from connector.errors import ConnectorError, ZohoError
from connector.outbox.retrying import Past, decide
from connector.phone_systems.setup import first_call
from connector.store.outbox import Row


def row(reason: str, state: str = "dead") -> Row:
    """Make a delivery that stands where it does for a reason."""
    return Row(
        id=7,
        portal_id=1,
        kind="call",
        key="zpc1",
        call_id=1,
        wanted=b"",
        revision=1,
        sent_revision=0,
        state=state,  # type: ignore[arg-type]
        due_at=0,
        attempts=0,
        step="",
        sent=None,
        sent_at=None,
        desk_id=None,
        desk_url=None,
        reason=reason,
        detail="",
        created_at=0,
        changed_at=0,
    )


def below(kind: type[ConnectorError]) -> list[type[ConnectorError]]:
    """Return an exception's class and all that come of it."""
    return [kind, *(each for child in kind.__subclasses__() for each in below(child))]


@pytest.mark.parametrize("kind", below(ZohoError))
def test_every_dead_letter_has_a_remedy(kind: type[ConnectorError]) -> None:
    """Whatever Zoho says, a person who reads of it learns what to do."""
    reason = decide(kind("words"), Past(), 0, lambda: 0.5).reason
    assert remedy(row(reason))
    assert remedy(row(f"contact_{reason}"))


def test_the_remedy_names_the_delivery() -> None:
    """The command to type stands there whole."""
    assert "connector deliveries retry 7" in remedy(row("invalid_data"))
    assert "connector deliveries retry 7" in remedy(row("unheard_of"))


def test_a_delivery_that_is_well_needs_none() -> None:
    """Nothing is said of what goes on by itself."""
    assert remedy(row("", "due")) == ""


def test_the_first_call_is_ready_to_paste() -> None:
    """Address and secret stand in the script, and nothing is left to fill in."""
    script = first_call("https://calls.example.com/hooks/paris", "whsec_c2VjcmV0")
    assert "ADDRESS='https://calls.example.com/hooks/paris'" in script
    assert "SECRET='whsec_c2VjcmV0'" in script
    assert "..." not in script
    assert "curl" in script


@pytest.mark.parametrize(
    "name", [name for name in DIALECTS if first_call("https://x.example/hooks/y", "", DIALECTS[name])]
)
def test_a_first_call_is_another_each_time(name: str) -> None:
    """Its id and times are those of the moment, and whose secret only the vendor knows is asked for it."""
    dialect = DIALECTS[name]
    script = first_call("https://x.example/hooks/y", "", dialect)
    assert "$(date" in script or "date '+" in script
    assert not re.search(r"\b20\d\d[-/]\d\d|\b1[789]\d{8}\b|test-1", script)
    assert ("in here first'" in script) is (dialect.signing == "given")
