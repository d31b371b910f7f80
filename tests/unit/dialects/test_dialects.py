"""The table of dialects, and what stands beside each."""

import json
import re

import pytest

from connector.calls import CallEvent, CallState, Cause, fold
from connector.dialects import (
    DIALECTS,
    UNSHOWN,
    Dialect,
    Posted,
    SystemConfig,
    guide,
    known_time_zone,
    turned_away,
)
from connector.errors import BadSignature
from tests.unit.dialects.posting import NOW, PARIS, neutral, parse


def test_each_stands_under_its_name() -> None:
    """One row a dialect."""
    assert {name: dialect.name for name, dialect in DIALECTS.items()} == {name: name for name in DIALECTS}
    assert "neutral" in DIALECTS


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)
def test_guides(dialect: Dialect) -> None:
    """Each has a guide, with the phone system's own address in it."""
    page = guide(dialect, "https://connector.example/hooks/paris")
    behind = f"/{UNSHOWN}" if dialect.secret_in_address else ""
    assert page.startswith("# ")
    assert f"    https://connector.example/hooks/paris{behind}\n" in page
    assert "{address}" not in page


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)
def test_nobody_posts_without_proof(dialect: Dialect) -> None:
    """A signature, a secret in the address, or both; without them everything is refused."""
    assert dialect.signing != "none" or dialect.secret_in_address
    assert (dialect.signing == "given") is bool(dialect.given)
    system = SystemConfig(uid="u", slug="s", country="FR", time_zone="UTC", secrets=())
    for content_type in ("application/json", "application/x-www-form-urlencoded", ""):
        nothing = Posted(headers={}, content_type=content_type, body=b"", received_at=NOW, url="https://x/y")
        with pytest.raises(BadSignature):
            dialect.parse(system, nothing)


def written(template: str, **variables: str) -> str:
    """Return what a shell makes of a text between double quotes."""
    for name, value in variables.items():
        template = template.replace(f"${name.removeprefix('_')}", value)
    return template.replace('\\"', '"')


def test_the_call_of_zammads_guide() -> None:
    """What the guide posts can be read as it stands: it rings, is answered and ends."""
    page = guide(DIALECTS["zammad"], "https://connector.example/hooks/p")
    [template] = re.findall(r'--data-binary "(.*)"$', page, re.MULTILINE)
    system = SystemConfig(
        uid="u", slug="s", country="FR", time_zone="UTC", secrets=(), address_secrets=(UNSHOWN,)
    )
    events = list[CallEvent]()
    for kind, more in re.findall(r"post (\w+) '(.*?)'", page):
        body = written(template, CALLER="33123456789", CALL="c", _1=kind, _2=more).encode()
        posted = Posted(headers={}, content_type="", body=body, received_at=NOW, token=UNSHOWN)
        events += DIALECTS["zammad"].parse(system, posted).events
    call = fold(events)
    assert (call.state, [leg.agent for leg in call.legs if leg.answered_at]) == (CallState.ENDED, ["1001"])


def test_a_call_that_is_turned_away() -> None:
    """It is over as soon as it begins, and said twice it is the same end."""
    ringing = parse(neutral({"direction": "inbound", "from": "+33123456789"}))
    call = fold(turned_away(ringing).events)
    assert (call.state, call.cause, call.ended_at) == (CallState.ENDED, Cause.REJECTED, call.started_at)
    assert turned_away(ringing) == turned_away(ringing)


def test_the_events_of_the_neutral_guide() -> None:
    """What the guide shows can be sent as it stands, and its call rings, is answered and ends."""
    page = guide(DIALECTS["neutral"], "https://connector.example/hooks/paris")
    shown = re.search(r"```json\n(.*?)```", page, re.DOTALL)
    assert shown
    assert json.loads(shown[1])["subject"] == parse(shown[1].encode()).events[0].call_id == "call-42"
    [template] = re.findall(r'^  BODY="(.*)"$', page, re.MULTILINE)
    kinds = re.findall(r"post (\w+)", page)
    bodies = [written(template, CALLER="+33123456789", CALL="c", _1=kind).encode() for kind in kinds]
    call = fold([event for body in bodies for event in parse(body).events])
    assert (call.state, [leg.agent for leg in call.legs if leg.answered_at]) == (CallState.ENDED, ["1001"])


def test_time_zones() -> None:
    """Names of the IANA database, and nothing that only looks like a path."""
    assert known_time_zone("Europe/Paris")
    assert not any(map(known_time_zone, ("", "Paris", "../etc/passwd", "/etc/localtime", "Europe", "\x00")))
    assert isinstance(PARIS, SystemConfig)
    assert PARIS.zone.key == "Europe/Paris"
