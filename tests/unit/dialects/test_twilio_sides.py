"""Which side of Twilio is ours: carriers and visitors that call by SIP or client, and agents rung outside."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.calls import CallEvent, CallRecord, CallStatus, Direction, record
from connector.clock import SECOND
from connector.dialects import DIALECTS, SystemConfig
from connector.dialects.base import agents_of
from connector.numbers import read
from tests.unit.dialects.posting import NOW
from tests.unit.dialects.test_twilio import BOSTON, parse, posted, said
from tests.unit.dialects.vendors import calls, shuffled

CALLER, CUSTOMER, MOBILE = "+14155552672", "+14155552688", "+14155550177"
LINE, SIP_LINE = "+18005550100", "sip:+18005550100@acme.sip.twilio.com"
CARRIER = f"sip:{CALLER}@203.0.113.5:5060"
NOBODY = "sip:anonymous@anonymous.invalid"
VISITOR = "client:website-visitor-77"
OUTSIDE = "+14155552699"


def staffed() -> SystemConfig:
    """Return Boston with two agents, one of whom has a mobile of their own."""
    agents = agents_of(frozenset({"1001", "1002", "ada", MOBILE}), "US")
    values = {name: getattr(BOSTON, name) for name in BOSTON.__struct_fields__}
    return SystemConfig(**values | {"agents": agents})


def heard(second: int, **fields: str) -> list[CallEvent]:
    """Read a callback that arrives so many seconds into the call."""
    return [*DIALECTS["twilio"].parse(staffed(), posted(said(**fields), NOW + second * SECOND)).events]


def kept_of(events: list[CallEvent]) -> CallRecord | None:
    """Return the record of all these calls together."""
    return record("key", [*calls(events).values()])


def incoming(caller: str, called: str, **leg: str) -> list[CallEvent]:
    """Tell a call that agent 1002 takes for 30 s."""
    own = {"From": caller, "To": called}
    part = {"CallSid": "CA2", "ParentCallSid": "CA1", "Direction": "outbound-dial", "To": "client:1002"}
    return [
        *heard(0, CallStatus="ringing", **own),
        *heard(35, CallStatus="completed", CallDuration="30", **{"From": caller} | part | leg),
        *heard(35, CallStatus="completed", CallDuration="35", **own),
    ]


@pytest.mark.parametrize("caller", [CARRIER, NOBODY, VISITOR, "sip:bob@pbx.example", CALLER])
@pytest.mark.parametrize("called", [SIP_LINE, LINE, "sip:support@acme.sip.twilio.com", "client:1002"])
@settings(max_examples=20)  # of each of twenty pairs
@given(data=st.data())
def test_what_comes_in_by_sip_or_client(caller: str, called: str, data: st.DataObject) -> None:
    """A carrier's number, a withheld one and a visitor are customers, whichever of our ends they call."""
    kept = kept_of(data.draw(shuffled(incoming(caller, called))))
    assert kept is not None
    assert (kept.direction, kept.status, kept.duration_seconds) == (
        Direction.INBOUND, CallStatus.COMPLETED, 30,
    )  # fmt: skip
    assert (kept.customer, kept.line, kept.agents) == (caller, called, ("1002",))
    if caller == CARRIER:
        assert read(kept.customer, "US").e164 == CALLER


@pytest.mark.parametrize("shown", [CALLER, LINE, "client:website-visitor-77", CARRIER])
def test_a_carriers_call_whatever_its_leg_shows(shown: str) -> None:
    """The leg to the agent may show the caller, our line, or what the carrier wrote."""
    kept = kept_of(incoming(CARRIER, SIP_LINE, From=shown))
    assert kept is not None
    assert (kept.direction, kept.customer, kept.agents) == (Direction.INBOUND, CARRIER, ("1002",))


@pytest.mark.parametrize("caller", ["client:1002", "sip:1002@acme.sip.twilio.com", "client:ada", "client:bob",
                                    "sip:2050@acme.sip.twilio.com"])  # fmt: skip
@pytest.mark.parametrize("called", [OUTSIDE, f"sip:{OUTSIDE}@acme.sip.twilio.com"])
def test_ours_who_call_outside(caller: str, called: str) -> None:
    """Go out, whether we know their extension or not: nobody outside calls out through us."""
    events = [*heard(0, From=caller, To=called), *heard(9, From=caller, To=called, CallStatus="completed")]
    kept = kept_of(events)
    assert kept is not None
    assert (kept.direction, kept.customer) == (Direction.OUTBOUND, called)
    assert kept.agents == (caller.partition(":")[2].partition("@")[0],)


@pytest.mark.parametrize("caller", ["client:1002", "sip:1002@acme.sip.twilio.com", MOBILE])
@pytest.mark.parametrize("called", [LINE, SIP_LINE, "client:ada", "sip:1001@acme.sip.twilio.com"])
def test_colleagues(caller: str, called: str) -> None:
    """Who are known at both ends leave no record."""
    (event,) = heard(0, From=caller, To=called)
    assert event.direction is Direction.INTERNAL


@pytest.mark.parametrize("caller", ["57575", "sip:57575@203.0.113.5"])
def test_a_short_public_number(caller: str) -> None:
    """Calls a line, and is no extension of ours."""
    kept = kept_of(incoming(caller, LINE))
    assert kept is not None
    assert (kept.direction, kept.customer) == (Direction.INBOUND, caller)


AGENT_FIRST = {"Direction": "outbound-api", "From": LINE, "To": MOBILE}
THEN = {"CallSid": "CA2", "ParentCallSid": "CA1", "Direction": "outbound-dial", "From": LINE, "To": CUSTOMER}


@pytest.mark.parametrize("telephone", [MOBILE, "client:ada", "sip:1001@acme.sip.twilio.com",
                                       f"sip:{MOBILE}@203.0.113.5"])  # fmt: skip
@given(data=st.data())
def test_the_agents_own_telephone_is_rung_first(telephone: str, data: st.DataObject) -> None:
    """The customer is whom the second leg reaches, and the agent owns what they talked."""
    first = AGENT_FIRST | {"To": telephone}
    events = [
        *heard(0, CallStatus="ringing", **first), *heard(4, CallStatus="in-progress", **first),
        *heard(5, CallStatus="ringing", **THEN),
        *heard(30, CallStatus="completed", CallDuration="20", **THEN),
        *heard(30, CallStatus="completed", CallDuration="26", **first),
    ]  # fmt: skip
    kept = kept_of(data.draw(shuffled(events)))
    assert kept is not None
    assert (kept.direction, kept.status, kept.customer) == (
        Direction.OUTBOUND, CallStatus.COMPLETED, CUSTOMER,
    )  # fmt: skip
    assert (kept.duration_seconds, kept.line) == (20, LINE)
    assert kept.agents == (
        {"client:ada": "ada", "sip:1001@acme.sip.twilio.com": "1001"}.get(telephone, MOBILE),
    )
    assert not kept.is_nameless


@pytest.mark.parametrize("status", ["busy", "no-answer", "failed", "canceled"])
@pytest.mark.parametrize("telephone", [MOBILE, "client:ada"])
def test_a_ring_of_the_agents_own_telephone_that_nobody_takes(status: str, telephone: str) -> None:
    """Nobody outside was called, so no record comes of it."""
    first = AGENT_FIRST | {"To": telephone}
    assert kept_of([*heard(0, **first), *heard(30, CallStatus=status, **first)]) is None


def test_an_agent_who_took_the_ring() -> None:
    """May have talked to somebody of whom nothing is told: that stands on the withheld number's contact."""
    kept = kept_of(
        [*heard(0, **AGENT_FIRST), *heard(60, CallStatus="completed", CallDuration="55", **AGENT_FIRST)]
    )
    assert kept is not None
    assert (kept.direction, kept.customer, kept.agents) == (Direction.OUTBOUND, None, (MOBILE,))


def test_a_customer_who_did_not_answer() -> None:
    """Is a call all the same: the agent's telephone was taken, and theirs was rung."""
    events = [
        *heard(0, **AGENT_FIRST), *heard(20, CallStatus="no-answer", **THEN),
        *heard(21, CallStatus="completed", CallDuration="18", **AGENT_FIRST),
    ]  # fmt: skip
    kept = kept_of(events)
    assert kept is not None
    assert (kept.status, kept.customer) == (CallStatus.CANCELED, CUSTOMER)


@pytest.mark.parametrize("shown", [LINE, CALLER])
def test_an_agents_outside_telephone_answers(shown: str) -> None:
    """It is an agent's part of a call that comes in, whatever number it is shown."""
    kept = kept_of(incoming(CALLER, LINE, From=shown, To=MOBILE))
    assert kept is not None
    assert (kept.direction, kept.agents, kept.is_nameless) == (Direction.INBOUND, (MOBILE,), False)


def test_somebody_elses_telephone_answers() -> None:
    """Ada was rung, and an outside telephone of a ring group took the call: nobody is named."""
    ring: dict[str, Any] = {"ParentCallSid": "CA1", "Direction": "outbound-dial", "To": "client:ada"}
    events = [
        *heard(1, CallSid="CA3", From=CALLER, **ring),
        *heard(9, CallSid="CA3", From=CALLER, CallStatus="canceled", **ring),
        *incoming(CALLER, LINE, From=LINE, To=OUTSIDE),
    ]
    kept = kept_of(events)
    assert kept is not None
    assert (kept.status, kept.agents, kept.is_nameless) == (CallStatus.COMPLETED, ("ada",), True)


def test_where_nobody_is_known() -> None:
    """Without agents' extensions, clients are colleagues among themselves, as they always were."""
    (event,) = parse(said(From="client:ada", To="client:bob")).events
    assert (event.direction, event.agent) == (Direction.INTERNAL, "ada")


@pytest.mark.parametrize("status", ["no-answer", "completed"])
@given(data=st.data())
def test_a_visitor_who_calls_a_page_of_ours(status: str, data: st.DataObject) -> None:
    """Its client names nobody: whom the leg of its call rings says that it comes in."""
    own = {"From": VISITOR, "To": ""}
    leg = {"CallSid": "CA2", "ParentCallSid": "CA1", "Direction": "outbound-dial", "To": "client:ada"}
    lasted = "30" if status == "completed" else "0"
    events = [
        *heard(0, CallStatus="ringing", **own),
        *heard(40, CallStatus=status, CallDuration=lasted, **{"From": VISITOR} | leg),
        *heard(40, CallStatus="completed", CallDuration="40", **own),
    ]
    kept = kept_of(data.draw(shuffled(events)))
    assert kept is not None
    assert (kept.direction, kept.customer, kept.agents) == (Direction.INBOUND, VISITOR, ("ada",))
    assert kept.status is (CallStatus.COMPLETED if status == "completed" else CallStatus.MISSED)


@pytest.mark.parametrize(
    ("own", "shown"),
    [({"From": MOBILE, "To": LINE}, LINE), ({"From": MOBILE, "To": LINE}, MOBILE),
     ({"From": "client:1002", "To": "client:ada"}, "client:1002")],
)  # fmt: skip
@given(data=st.data())
def test_a_call_among_ours_that_goes_outside(own: dict[str, str], shown: str, data: st.DataObject) -> None:
    """Through a line of ours, or forwarded by a colleague: whom it reaches is a customer."""
    events = [
        *heard(0, CallStatus="ringing", **own),
        *heard(40, CallStatus="completed", CallDuration="30", **THEN | {"From": shown}),
        *heard(40, CallStatus="completed", CallDuration="40", **own),
    ]
    kept = kept_of(data.draw(shuffled(events)))
    assert kept is not None
    assert (kept.direction, kept.customer, kept.status) == (
        Direction.OUTBOUND, CUSTOMER, CallStatus.COMPLETED,
    )  # fmt: skip
