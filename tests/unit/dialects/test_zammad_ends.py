"""How calls end that Zammad's generic CTI tells of: late answers, forwarding, answers that come again."""

import pytest

from connector.calls import CallRecord, CallStatus, Cause, record
from tests.unit.dialects.test_zammad import parse, said
from tests.unit.dialects.vendors import arrived, calls


def kept_of(*bodies: bytes) -> CallRecord:
    """Return the record of a call whose events arrive ten seconds apart."""
    kept = record("key", [calls(arrived(parse, bodies))["c"]])
    assert kept is not None
    return kept


@pytest.mark.parametrize("cause", ["cancel", "busy", "noAnswer", "congestion", "notFound"])
def test_an_answer_after_the_end_changes_nothing(cause: str) -> None:
    """Where that says that nobody answered: the call was missed, and stays so."""
    told = [said(user=["1001", "1002"]), said(event="hangup", cause=cause)]
    late = said(event="answer", user="1001")
    assert kept_of(*told, late) == kept_of(*told)
    kept = kept_of(*told, late)
    assert (kept.status, set(kept.agents)) == (CallStatus.MISSED, {"1001", "1002"})


def test_an_answer_that_was_late_on_its_way() -> None:
    """After an ordinary end it says who answered; the call stays over, and no talk is made up."""
    told = [said(user="1001"), said(event="hangup", cause="normalClearing")]
    kept = kept_of(*told, said(event="answer", user="1001"))
    assert (kept.status, kept.duration_seconds, kept.agents) == (CallStatus.COMPLETED, 0, ("1001",))


def test_a_forwarded_call_is_done() -> None:
    """It goes on under another id, which has a record of its own; this one says who was rung."""
    kept = kept_of(said(user=["1001"]), said(event="hangup", cause="forwarded"))
    assert (kept.status, kept.cause, kept.duration_seconds, kept.agents) == (
        CallStatus.COMPLETED, Cause.FORWARDED, 0, ("1001",),
    )  # fmt: skip
    talked = kept_of(
        said(user=["1001"]), said(event="answer", user="1001"), said(event="hangup", cause="forwarded")
    )
    assert (talked.status, talked.cause, talked.duration_seconds) == (
        CallStatus.COMPLETED, Cause.NORMAL, 10,
    )  # fmt: skip


def test_there_and_back_is_heard_once() -> None:
    """An answer that is said again is a repetition: nothing in it tells that it is another."""
    answers = [said(event="answer", user=user) for user in ("1001", "1002", "1001")]
    kept = kept_of(said(user="1001"), *answers, said(event="hangup", cause="normalClearing"))
    assert kept.agents == ("1001", "1002")
