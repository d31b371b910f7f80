"""The table of dialects, and what stands beside each."""

import json
import re

import pytest

from connector.phones import DIALECTS, Dialect, PhoneSystem, guide, known_time_zone
from tests.unit.phones.posting import PARIS, parse


def test_each_stands_under_its_name() -> None:
    """One row a dialect."""
    assert {name: dialect.name for name, dialect in DIALECTS.items()} == {name: name for name in DIALECTS}
    assert "neutral" in DIALECTS


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)
def test_guides(dialect: Dialect) -> None:
    """Each has a guide, with the phone system's own address in it."""
    page = guide(dialect, "https://connector.example/hooks/paris")
    assert page.startswith("# ")
    assert "https://connector.example/hooks/paris" in page
    assert "{address}" not in page


def test_the_events_of_the_neutral_guide() -> None:
    """What the guide shows can be sent as it stands."""
    page = guide(DIALECTS["neutral"], "https://connector.example/hooks/paris")
    shown = re.search(r"```json\n(.*?)```", page, re.DOTALL)
    typed = re.search(r"^BODY='(.*)'$", page, re.MULTILINE)
    assert shown
    assert typed
    for text in (shown[1], typed[1]):
        assert json.loads(text)["subject"] == parse(text.encode()).events[0].call_id == "call-42"


def test_time_zones() -> None:
    """Names of the IANA database, and nothing that only looks like a path."""
    assert known_time_zone("Europe/Paris")
    assert not any(map(known_time_zone, ("", "Paris", "../etc/passwd", "/etc/localtime", "Europe", "\x00")))
    assert isinstance(PARIS, PhoneSystem)
    assert PARIS.zone.key == "Europe/Paris"
