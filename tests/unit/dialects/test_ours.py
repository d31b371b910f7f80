"""Who is ours: lines, agents' extensions and telephones, and nobody else's number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.calls import CallStatus, Direction
from connector.dialects import SystemConfig
from connector.dialects.base import agents_of
from connector.dialects.fields import direction_of
from tests.unit.dialects.telling import DIALECTS_TOLD, LINE, MOBILE, TOLD_IN_AND_OUT, system, told
from tests.unit.dialects.vendors import Story

SHORT = "735797"
STRANGER = "+4915123456789"


@pytest.mark.parametrize("dialect", DIALECTS_TOLD)
@pytest.mark.parametrize("caller", [SHORT, "57575", "2050", "0", "000000", "0000000000"])
@pytest.mark.parametrize("agent", ["1001", None])
def test_a_short_public_number_calls_a_line(dialect: str, caller: str, agent: str | None) -> None:
    """It is no agent's extension: the call comes in and stands on a record, answered or not."""
    kept = told(dialect, Story(direction="in", caller=caller, called=LINE, rung=("1001",), answered_by=agent))
    assert kept is not None
    status = CallStatus.MISSED if agent is None else CallStatus.COMPLETED
    assert (kept.direction, kept.status) == (Direction.INBOUND, status)
    assert kept.customer is not None
    assert kept.customer.removeprefix("+") == caller


@pytest.mark.parametrize("dialect", DIALECTS_TOLD)
@pytest.mark.parametrize("caller", ["1001", MOBILE])
def test_an_agent_calls_a_line(dialect: str, caller: str) -> None:
    """Both ends are surely ours, by the agent's extension or by a telephone of theirs outside."""
    assert told(dialect, Story(direction="in", caller=caller, called=LINE)) is None


@pytest.mark.parametrize("dialect", TOLD_IN_AND_OUT)
@pytest.mark.parametrize("ends", [("2050", "1001"), ("2050", "2051"), (SHORT, "1001")])
def test_short_numbers_among_themselves(dialect: str, ends: tuple[str, str]) -> None:
    """Are extensions, of agents or of the warehouse."""
    assert told(dialect, Story(direction="in", caller=ends[0], called=ends[1])) is None
    assert told(dialect, Story(direction="out", caller=ends[1], called=ends[0])) is None


@pytest.mark.parametrize("dialect", TOLD_IN_AND_OUT)
def test_the_emergency_services_are_no_extension(dialect: str) -> None:
    """Whoever calls them talks to somebody outside."""
    kept = told(dialect, Story(direction="out", caller="1001", called="112"))
    assert kept is not None
    assert (kept.direction, kept.customer) == (Direction.OUTBOUND, "112")


@pytest.mark.parametrize(
    ("called", "country", "direction"),
    [("000", "AU", Direction.OUTBOUND), ("000", "DE", Direction.INTERNAL), ("0", "AU", Direction.INTERNAL)],
)
def test_zeros_that_call_for_help(called: str, country: str, direction: Direction) -> None:
    """Are the operator's only where they are not the emergency services'."""
    home = SystemConfig(uid="u", slug="s", country=country, time_zone="UTC", secrets=())
    assert direction_of(Direction.OUTBOUND, "101", called, home) is direction


@pytest.mark.parametrize("dialect", TOLD_IN_AND_OUT)
def test_a_line_calls_a_short_number(dialect: str) -> None:
    """Which is a public service unless an agent has it."""
    kept = told(dialect, Story(direction="out", caller=LINE, called="3631"))
    assert kept is not None
    assert kept.direction is Direction.OUTBOUND
    # At Twilio that is the ring of an agent's own telephone, to call somebody else.
    cause = "no_answer" if dialect == "twilio" else "normal"
    assert told(dialect, Story(direction="out", caller=LINE, called="1001", cause=cause)) is None


ANY_END = st.sampled_from([SHORT, "1001", LINE, MOBILE, STRANGER, "0", None])


@given(told_so=st.sampled_from(Direction), caller=ANY_END, called=ANY_END)
def test_a_direction_stands_unless_both_ends_are_ours(
    told_so: Direction, caller: str | None, called: str | None
) -> None:
    """It becomes internal or stays; it stays where an end is outside, or is nobody's short number."""
    said = direction_of(told_so, caller, called, system("zammad"))
    assert said in (told_so, Direction.INTERNAL)
    if STRANGER in (caller, called) or None in (caller, called):
        assert said is told_so
    if told_so is Direction.INBOUND and called == LINE and caller in (SHORT, "0"):
        assert said is Direction.INBOUND


def test_agents_are_known_however_their_numbers_are_written() -> None:
    """A word that is a number is found in every form of it; one that is none as it stands."""
    agents = agents_of(frozenset({"1001", "ada", "030 123456"}), "DE")
    berlin = SystemConfig(uid="u", slug="s", country="DE", time_zone="UTC", secrets=(), agents=agents)
    meant = {
        "1001": "1001", "ada": "ada", "+4930123456": "030 123456", "0049 30 123456": "030 123456",
        "sip:1001@pbx.example": "1001", "1002": None, "bob": None, "+4930123457": None, "": None,
    }  # fmt: skip
    assert {end: berlin.agent(end) for end in meant} == meant


@pytest.mark.parametrize("dialect", [name for name in DIALECTS_TOLD if name != "ringcentral"])
def test_an_answer_that_names_nobody(dialect: str) -> None:
    """Three are rung and one answers: it came to something, and nobody is said to have answered.

    At RingCentral every party that answers has an extension.
    """
    rung = ("1001", "1002", "1003")
    kept = told(dialect, Story(direction="in", caller=STRANGER, called=LINE, rung=rung, answered_by=""))
    assert kept is not None
    assert (kept.status, kept.duration_seconds) == (CallStatus.COMPLETED, 25)
    assert kept.is_nameless
    assert set(kept.agents) == (set(rung) if dialect not in ("import", "placetel") else set())


@pytest.mark.parametrize("dialect", DIALECTS_TOLD)
def test_whoever_calls_is_known(dialect: str) -> None:
    """Of a call that goes out the customer answers: the one agent who made it is no less known for that."""
    out = Story(direction="out", caller=LINE, called=STRANGER, rung=("1001",), answered_by="")
    kept = told(dialect, out)
    assert kept is not None
    assert (kept.status, kept.direction) == (CallStatus.COMPLETED, Direction.OUTBOUND)
    assert not kept.is_nameless
