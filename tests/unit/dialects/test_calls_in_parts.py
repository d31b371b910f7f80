"""Calls of which several records or legs tell, each a part: in any order, and together, the same."""

from itertools import permutations
from typing import Any

import pytest

from connector.calls import CallEvent, CallRecord, record
from connector.clock import SECOND, to_iso
from connector.dialects import DIALECTS
from connector.dialects.threecx import FIELDS
from tests.unit.dialects.posting import NOW
from tests.unit.dialects.test_each_vendor import line, over
from tests.unit.dialects.vendor_posts import berlin, epochs, leg, posted, said, session
from tests.unit.dialects.vendors import calls

CUSTOMER, LINE = "+4915112345678", "+493012345600"
ADA, BEN, QUEUE = "70010001016", "70010002016", "70010009016"


def heard(vendor: str, *bodies: bytes) -> list[CallEvent]:
    """Read bodies that arrive a minute after the call."""
    read = [DIALECTS[vendor].parse(berlin(vendor), posted(vendor, one, NOW + 600 * SECOND)) for one in bodies]
    assert not any(parsed.rejected for parsed in read)
    return [event for parsed in read for event in parsed.events]


def kept(events: list[CallEvent]) -> CallRecord | None:
    """Return the record of the one call that these events tell of, once the watchdog has looked at it."""
    (call,) = calls(events).values()
    return record("key", [over(call, events)])


def lines(vendor: str, *bodies: bytes) -> set[str]:
    """Say what comes of bodies in each order, so that one line is left where none matters."""
    return {line(kept(heard(vendor, *each))) for each in permutations(bodies)}


# RingCentral.


def logged(name: str, result: str, began: int, length: int) -> dict[str, Any]:
    """Write a record of the call log."""
    return {
        "id": name, "telephonySessionId": "s-1", "startTime": to_iso(NOW + began * SECOND),
        "duration": length, "type": "Voice", "direction": "Inbound", "result": result,
        "from": {"phoneNumber": CUSTOMER}, "to": {"phoneNumber": LINE},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("records", "comes"),
    [
        ([("Accepted", 0, 50), ("Missed", 0, 5)], "Completed {} 50+0 ? normal"),
        ([("Accepted", 0, 50), ("Missed", 40, 30)], "Completed {} 50+0 ? normal"),
        ([("Accepted", 0, 50), ("Missed", 0, 50)], "Completed {} 50+0 ? normal"),
        ([("Missed", 0, 5), ("Missed", 5, 20), ("Call connected", 5, 60)], "Completed {} 65+0 ? normal"),
        ([("Missed", 0, 5), ("Voicemail", 5, 20)], "Missed {} 25+0 voicemail"),
        ([("Missed", 0, 5), ("Missed", 5, 20)], "Missed {} 25+0 no_answer"),
    ],
)
def test_records_of_one_session(records: list[tuple[str, int, int]], comes: str) -> None:
    """One that was missed ends its own part; together in one request or one by one, in any order."""
    told = [logged(f"L{place}", *each) for place, each in enumerate(records)]
    comes = "inbound " + comes.format(CUSTOMER)
    assert lines("ringcentral", *(said({"records": [each]}) for each in told)) == {comes}
    for each in permutations(told):
        assert lines("ringcentral", said({"records": each})) == {comes}


def party(extension: str, code: str, second: int, reason: str | None = None) -> bytes:
    """Write a notification of one party."""
    place = {QUEUE: 2, ADA: 3, BEN: 4}[extension]
    told = {
        "id": f"p-1-{place}", "extensionId": extension, "direction": "Inbound",
        "from": {"phoneNumber": CUSTOMER}, "to": {"phoneNumber": LINE},
        "status": {"code": code} | ({"reason": reason} if reason else {}),
    }  # fmt: skip
    return session("s-1", told, second)


@pytest.mark.parametrize(
    ("parties", "comes"),
    [
        (
            [(QUEUE, "Setup", 0), (QUEUE, "VoiceMail", 20), (QUEUE, "Disconnected", 40, "CallFinished")],
            "Missed {} 20+0 voicemail",
        ),
        (
            [(ADA, "Setup", 0), (ADA, "VoiceMail", 20), (QUEUE, "Disconnected", 40, "CallDropped")],
            "Missed {} 20+0 {ada} voicemail",
        ),
        (
            [(QUEUE, "Setup", 0), (ADA, "Answered", 9), (QUEUE, "Disconnected", 9, "CallFinished"),
             (ADA, "Disconnected", 69)],
            "Completed {} 9+60 {ada}",
        ),
        (
            [(QUEUE, "Setup", 0), (QUEUE, "Disconnected", 8, "CallFinished"), (ADA, "Answered", 9),
             (ADA, "Disconnected", 69)],
            "Completed {} 9+60 {ada}",
        ),
        (
            [(ADA, "Answered", 9), (QUEUE, "Disconnected", 12, "Cancelled"), (ADA, "Disconnected", 69)],
            "Completed {} 0+60 {ada}",
        ),
        (
            [(ADA, "Answered", 9), (ADA, "Disconnected", 30, "BlindTransfer"), (QUEUE, "Setup", 30),
             (QUEUE, "Disconnected", 45, "CallFinished")],
            "Completed {} 0+36 {ada} normal",
        ),
    ],
)  # fmt: skip
def test_queues_that_leave(parties: list[tuple[Any, ...]], comes: str) -> None:
    """A message is final; who hands over to an agent ends nothing; after the agent the caller gave up."""
    comes = "inbound " + comes.format(CUSTOMER, ada=ADA)
    assert lines("ringcentral", *(party(*each) for each in parties)) == {comes}


# 3CX.


def row(name: int, moments: tuple[int, int | None, int], to: str, final: str = "", **more: str) -> bytes:
    """Write a record of one call: what it began with, was answered by, ended."""
    began, answered, ended = ("" if second is None else f"2026/01/05 10:05:{second:02}" for second in moments)
    values = {
        "historyid": f"Call {name}", "callid": "C_1", "time-start": began, "time-answered": answered,
        "time-end": ended, "from-no": CUSTOMER, "to-no": to, "dial-no": LINE, "final-number": final,
        "from-type": "Line", "to-type": "Extension" if to.startswith("Ext") else "",
        "final-type": "Extension" if final.startswith("Ext") else "",
    }  # fmt: skip
    whole = values | {key.replace("_", "-"): value for key, value in more.items()}
    return ",".join(whole.get(field, "") for field in FIELDS).encode()


HANDED = row(1, (0, 6, 36), "Ext.101", "Ext.102", reason_changed="ReplacedDst")


@pytest.mark.parametrize(
    ("rows", "comes"),
    [
        ([row(1, (0, 6, 56), "Ext.101", "+14155552671", final_type="Line")], "Completed {} 6+50 ? normal"),
        ([row(1, (0, 6, 56), "Ext.101", "+14155552671")], "Completed {} 6+50 ? normal"),
        ([row(1, (0, 6, 56), "+14155552671", to_type="External")], "Completed {} 6+50 ? normal"),
        ([row(1, (0, 6, 56), "801", "801", to_type="IVR", final_type="IVR")], "Missed {} 56+0"),
        ([HANDED, row(2, (36, 40, 56), "Ext.102", "Ext.102")], "Completed {} 6+50 101+102 normal"),
        ([HANDED, row(2, (36, None, 56), "Ext.102")], "Completed {} 6+30 101 normal"),
        (
            [row(1, (0, 6, 36), "Ext.101", "Ext.102", reason_terminated="ReplacedDst"),
             row(2, (36, 36, 56), "Ext.102", "Ext.102")],
            "Completed {} 6+50 101+102 normal",
        ),
        (
            [row(1, (0, None, 58), "Ext.101", reason_terminated="NoAnswer"),
             row(2, (0, 6, 56), "Ext.102", "Ext.102")],
            "Completed {} 6+50 102 normal",
        ),
        (
            [row(1, (0, None, 20), "Ext.101", reason_terminated="NoAnswer"),
             row(2, (1, None, 20), "Ext.102", reason_terminated="NoAnswer")],
            "Missed {} 20+0 101+102 no_answer",
        ),
    ],
)  # fmt: skip
def test_rows_of_one_call(rows: list[bytes], comes: str) -> None:
    """Who handed over talked too; of those who were rung at once the one who answered decides."""
    comes = "inbound " + comes.format(CUSTOMER).replace("101 ? ", "? ")
    found = lines("3cx", *rows) | {line(kept(heard("3cx", b"\n".join(rows))))}
    assert {each.replace("101? ", "? ") for each in found} == {comes}


def test_each_agent_has_their_own_time() -> None:
    """The first until the call is handed over, the second from their own answer on."""
    (call,) = calls(heard("3cx", row(2, (36, 40, 56), "Ext.102", "Ext.102"), HANDED)).values()
    told = {leg.agent: (leg.answered_at, leg.over_at) for leg in call.legs}
    assert told == {
        "101": (NOW + 6 * SECOND, NOW + 36 * SECOND),
        "102": (NOW + 40 * SECOND, NOW + 56 * SECOND),
    }


def report(**fields: str) -> bytes:
    """Write a report of an inbound call that talked for 50 seconds."""
    return said({
        "event": "report", "type": "Inbound", "number": CUSTOMER, "agent": "101", "duration": "50", **fields
    })  # fmt: skip


@pytest.mark.parametrize(
    "started",
    [
        "5/1/2026 9:00:00 AM", "1/5/2026 9:00:00 AM", "30.11.2026 09:00:00", "2026-11-30 09:00",
        "2026-13-45T09:00:00Z", "2026-01-05 09:00:00+0100", "soon", "0",
    ],
)  # fmt: skip
def test_reports_whose_times_cannot_be_read(started: str) -> None:
    """The call ends when it arrives, talked for its seconds, and is no second one when it is told again."""
    first = heard("3cx", report(started=started))
    assert line(kept(first)) == f"inbound Completed {CUSTOMER} 0+50 101 normal"
    assert max(event.at for event in first) == NOW + 600 * SECOND
    again = DIALECTS["3cx"].parse(berlin("3cx"), posted("3cx", report(started=started), NOW + 900 * SECOND))
    assert [event.id for event in again.events] == [event.id for event in first]


@pytest.mark.parametrize(
    ("told", "is_known"),
    [
        ({"ended": "5/1/2026 9:00:00 AM"}, True),
        ({"started": "1/1/0001 12:00:00 AM", "answered": "2026-01-05T09:05:00Z"}, True),
        ({"started": "[CallStartTimeUTC]", "recording": "https://pbx.example.com/1.wav"}, True),
        ({"started": "1/1/0001 12:00:00 AM"}, False),
        ({"started": "01.01.0001 00:00:00"}, False),
        ({}, False),
    ],
)
def test_reports_without_a_start(told: dict[str, str], is_known: bool) -> None:  # noqa: FBT001 - a column
    """Anything else that is told of the time names the call; two of which nothing is told are two."""
    one, other = (
        DIALECTS["3cx"].parse(berlin("3cx"), posted("3cx", report(**told), NOW + second * SECOND)).events
        for second in (600, 900)
    )
    assert (one[0].call_id == other[0].call_id) is is_known


# FreeSWITCH.


def own_leg(answered: int | None, cause: str = "NORMAL_CLEARING") -> bytes:
    """Write the record of the leg from an agent's telephone."""
    variables = {"direction": "inbound", "user_name": "101", "hangup_cause": cause, **epochs(0, answered, 60)}
    return leg("fx", "101", CUSTOMER, **variables)


def outside(name: str, moments: tuple[int, int | None, int], cause: str = "NORMAL_CLEARING") -> bytes:
    """Write the record of a leg that was dialled to the customer."""
    variables = {"direction": "outbound", "call_uuid": "fx", "hangup_cause": cause, **epochs(*moments)}
    return leg(name, LINE, CUSTOMER, **variables)


COLLEAGUE = leg("fx-9", "101", "102", direction="outbound", call_uuid="fx", **epochs(2, 20, 60))


@pytest.mark.parametrize(
    ("legs", "comes"),
    [
        (
            [own_leg(1, "NO_ANSWER"), outside("a", (2, None, 58), "NO_ANSWER")],
            "Canceled {} 60+0 101 no_answer",
        ),
        ([own_leg(1), outside("a", (2, 9, 60))], "Completed {} 9+51 101 normal"),
        (
            [own_leg(1), outside("a", (2, None, 4), "GATEWAY_DOWN"), outside("b", (4, 12, 60))],
            "Completed {} 12+48 101 normal",
        ),
        (
            [own_leg(1), outside("a", (2, None, 20), "CALL_REJECTED"), COLLEAGUE],
            "Completed {} 20+40 102 normal",
        ),
        ([own_leg(1)], "Completed {} 1+59 101 normal"),
        ([own_leg(None, "USER_BUSY"), outside("a", (2, None, 5), "USER_BUSY")], "Canceled {} 60+0 101 busy"),
    ],
)  # fmt: skip
def test_an_agents_telephone_that_hears_something_first(legs: list[bytes], comes: str) -> None:
    """Whether the customer answered, and when, is told by their own leg, where that is told."""
    assert lines("freeswitch", *legs) == {"outbound " + comes.format(CUSTOMER)}
