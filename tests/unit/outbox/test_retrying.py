"""The retry decision, for every error and every number of attempts."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector import errors
from connector.errors import ConnectorError, NoToken, ZohoBusy, ZohoError, ZohoRefused
from connector.outbox.retrying import (
    BAD_LUCK_BEFORE,
    CAP_SECONDS,
    FORBIDDEN_AT_MOST,
    FULL_CAP_SECONDS,
    PAGES_AT_MOST,
    SHORT_CAP_SECONDS,
    Decision,
    Fate,
    Past,
    is_page,
)
from connector.outbox.retrying import decide as decide_by_past
from connector.store.outbox import WAIT_FOR_LINKING

NOW = 1_767_614_400_000
ATTEMPTS = st.integers(0, 10_000)
CHANCES = st.floats(0, 1)
FIXABLE = (errors.ScopeMissing, errors.OrgMismatch)
FORBIDDEN = (errors.Forbidden, errors.LicenseLimited)


def decide(error: Exception, attempts: int, now: int, chance: Callable[[], float], **past: Any) -> Decision:
    """Decide about a delivery of which little but its attempts is known."""
    return decide_by_past(error, Past(attempts=attempts, **past), now, chance)


def _tree(root: type[ConnectorError]) -> Iterator[type[ConnectorError]]:
    yield root
    for child in root.__subclasses__():
        yield from _tree(child)


@pytest.mark.parametrize("kind", list(_tree(ZohoRefused)))
def test_our_fault_is_dead_unless_linking_helps(kind: type[ConnectorError]) -> None:
    """A refusal is tried once more and is for a person then; one of all waits for the administrator."""
    first, *others = _in_a_row([kind("no")] * 4)
    waits = kind in (*FIXABLE, *FORBIDDEN)
    assert first is Fate.LATER
    assert others == [Fate.LATER if waits else Fate.DEAD] * 3
    assert (kind.reason in WAIT_FOR_LINKING) is waits


@given(other=st.sampled_from([errors.ZohoDown("x"), errors.OutcomeUnknown("x"), errors.ZohoRefused("x")]))
def test_refused_twice_in_a_row(other: ZohoError) -> None:
    """What Desk refuses now and then is refused a minute later again, or it is not the record's fault."""
    decision = decide(errors.InvalidData("no"), 0, NOW, lambda: 0.5, last_reason="")
    assert (decision.fate, decision.due_at) == (Fate.LATER, NOW + 60_000)
    assert _in_a_row([errors.InvalidData("no"), other, errors.InvalidData("no")])[-1] is Fate.LATER


PAGES = tuple(
    kind("a page", status)
    for kind in (errors.ZohoDown, errors.OutcomeUnknown)
    for status in (400, 403, 404, 405, 410, 413, 422)
)
OTHERS = (errors.ZohoDown("x", 500), errors.ZohoDown("x"), errors.OutcomeUnknown("x", 408), TimeoutError())
MAY_CONCERN_ONE = (*PAGES, *(kind("no") for kind in FORBIDDEN))


@given(answers=st.lists(st.sampled_from((*MAY_CONCERN_ONE, *OTHERS)), max_size=60))
def test_nothing_dies_while_nobody_is_taken(answers: list[Exception]) -> None:
    """A page for everybody, or rights that are gone, are an outage, however long they last."""
    assert Fate.DEAD not in _in_a_row(answers)


@given(answers=st.lists(st.tuples(st.sampled_from((*PAGES, *OTHERS)), st.booleans()), max_size=60))
def test_a_record_dies_of_pages_that_it_alone_gets(answers: list[tuple[Exception, bool]]) -> None:
    """It dies at the fifth that was given while others were taken, the very first one counted anyhow."""
    counted, expected = 0, []
    for error, taken in answers:
        counts = is_page(error) and (taken or counted == 0)
        counted += counts
        dies = is_page(error) and taken and counted >= PAGES_AT_MOST
        expected.append(dies)
    fates = _in_a_row([error for error, _ in answers], [taken for _, taken in answers])
    assert [fate is Fate.DEAD for fate in fates] == expected


@pytest.mark.parametrize("kind", FORBIDDEN)
def test_a_record_that_alone_is_forbidden(kind: type[ConnectorError]) -> None:
    """Others go on meanwhile; forbidden thrice, with others taken between, it is for a person."""
    fates = _in_a_row([kind("no")] * FORBIDDEN_AT_MOST, [True] * FORBIDDEN_AT_MOST)
    assert fates == [Fate.LATER] * (FORBIDDEN_AT_MOST - 1) + [Fate.DEAD]
    alone = decide(kind("no"), 0, NOW, lambda: 0, others_taken=True)
    assert (alone.rests_until, alone.concerns_all) == (None, False)
    everybody = decide(kind("no"), 0, NOW, lambda: 0)
    assert (everybody.rests_until, everybody.concerns_all) == (everybody.due_at, True)
    assert decide(kind("no"), 0, NOW, lambda: 0, all_wait=False).rests_until is None


def test_a_scope_that_contacts_lack() -> None:
    """Their rows wait, and the portal's calls go on; a scope that calls lack lets all of them wait."""
    of_contact = decide(errors.ScopeMissing("no"), 0, NOW, lambda: 0, all_wait=False)
    assert (of_contact.rests_until, of_contact.concerns_all) == (None, True)
    of_call = decide(errors.ScopeMissing("no"), 0, NOW, lambda: 0)
    assert of_call.rests_until == of_call.due_at == of_contact.due_at == NOW + 300_000


@given(times=st.integers(1, 100), attempts=ATTEMPTS)
def test_what_ends_unknown_over_and_over_waits_longer(times: int, attempts: int) -> None:
    """The first ones wait for Desk alone; then each waits longer, a quarter of an hour at most."""
    pauses = [
        decide(errors.OutcomeUnknown("x", 500), attempts, NOW, lambda: 0, times_sent=each).due_at - NOW
        for each in (times, times + 1)
    ]
    assert 0 <= pauses[0] <= pauses[1] <= CAP_SECONDS * 1_000
    assert (pauses[0] == 0) is (times < 6)


PASSING = (
    errors.ZohoDown,
    errors.ConcurrencyExceeded,
    errors.CreditsExhausted,
    errors.TokensThrottled,
    errors.NoToken,
    errors.ClientRefused,
    errors.GrantLost,
    *FIXABLE,
    *FORBIDDEN,
    errors.StoreBusy,
    errors.StoreUnavailable,
    errors.SettingsError,
    TimeoutError,
)


@given(kind=st.sampled_from(PASSING), attempts=ATTEMPTS, chance=CHANCES)
def test_nothing_dies_of_an_outage(kind: type[Exception], attempts: int, chance: float) -> None:
    """Whatever goes by of itself is tried again, after a second at least and a quarter of an hour at most."""
    decision = decide(kind("away"), attempts, NOW, lambda: chance)
    assert decision.fate is Fate.LATER
    assert 1_000 <= decision.due_at - NOW <= CAP_SECONDS * 1_000


@given(attempts=st.integers(0, 80), chance=CHANCES)
def test_pauses_grow(attempts: int, chance: float) -> None:
    """Each pause may be twice as long as the one before, and chance spreads those who failed together."""
    decision = decide(errors.ZohoDown("away"), attempts, NOW, lambda: chance)
    at_most = SHORT_CAP_SECONDS if attempts < BAD_LUCK_BEFORE else CAP_SECONDS
    assert decision.due_at - NOW == max(1_000, round(min(at_most, 2 ** (attempts + 1)) * chance * 1_000))
    assert decision.attempts == attempts + 1
    assert decision.rests_until is None


@given(
    kind=st.sampled_from([errors.CreditsExhausted, errors.TokensThrottled]),
    seconds=st.integers(0, 10**12),
    attempts=ATTEMPTS,
)
def test_retry_after_is_heeded(kind: type[ZohoBusy], seconds: int, attempts: int) -> None:
    """Where Zoho says how long the portal is to rest, that is how long, though never over a day."""
    decision = decide(kind("busy", seconds), attempts, NOW, lambda: 0)
    assert decision.due_at == NOW + min(86_400, max(1, seconds)) * 1_000
    assert decision.rests_until == decision.due_at


@given(seconds=st.integers(0, 10**12), attempts=ATTEMPTS)
def test_one_row_does_not_rest_for_a_day(seconds: int, attempts: int) -> None:
    """Too many at a time is over in seconds."""
    decision = decide(errors.ConcurrencyExceeded("busy", seconds), attempts, NOW, lambda: 0)
    assert decision.due_at == NOW + min(FULL_CAP_SECONDS, max(1, seconds)) * 1_000


@pytest.mark.parametrize(
    "kind", [errors.GrantLost, errors.CreditsExhausted, errors.TokensThrottled, *_tree(NoToken), *FIXABLE]
)
def test_whole_portal_rests(kind: type[ConnectorError]) -> None:
    """What is no single record's trouble holds all of the portal, and counts as nobody's failure."""
    decision = decide(kind("all"), 3, NOW, lambda: 1)
    assert decision.rests_until == decision.due_at
    assert decision.attempts == 3


@given(attempts=ATTEMPTS)
def test_unknown_stays_unknown(attempts: int) -> None:
    """A lost answer is never a reason to send again."""
    assert decide(errors.OutcomeUnknown("lost"), attempts, NOW, lambda: 0).fate is Fate.UNKNOWN


@given(attempts=ATTEMPTS, chance=CHANCES)
def test_a_full_width_is_tried_again_soon(attempts: int, chance: float) -> None:
    """However unlucky a delivery was before, it is the narrowed width that spares Zoho, not its pause."""
    decision = decide(errors.ConcurrencyExceeded("full"), attempts, NOW, lambda: chance)
    assert decision.due_at - NOW <= FULL_CAP_SECONDS * 1_000


def test_bug_gets_some_tries() -> None:
    """What nobody has a name for is tried a few times before a person must look."""
    fates = [decide(KeyError("x"), attempts, NOW, lambda: 0).fate for attempts in range(7)]
    assert fates == [Fate.LATER] * 5 + [Fate.DEAD] * 2
    assert decide(KeyError(), 0, NOW, lambda: 0).detail == "KeyError"
    assert decide(ValueError("x" * 9_000), 0, NOW, lambda: 0).reason == "internal"
    assert len(decide(ValueError("x" * 9_000), 0, NOW, lambda: 0).detail) == 500


def _in_a_row(failures: Sequence[Exception], others_taken: Sequence[bool] = ()) -> list[Fate]:
    """Let failures befall one delivery, each as it stands after the one before."""
    fates, past = [], Past(last_reason="")
    for failure, taken in zip(failures, [*others_taken] or [False] * len(failures), strict=True):
        past = msgspec.structs.replace(past, others_taken=taken)
        decision = decide_by_past(failure, past, NOW, lambda: 0)
        fates.append(decision.fate)
        past = Past(attempts=decision.attempts, last_reason=decision.reason, strikes=decision.strikes)
    return fates


OUTAGES = (errors.ZohoDown("away"), errors.StoreBusy("full"), errors.GrantLost("gone"), TimeoutError())


@given(outage=st.lists(st.sampled_from(OUTAGES), min_size=1, max_size=80))
def test_what_has_no_name_is_counted_apart(outage: list[Exception]) -> None:
    """After an outage, however long, a bug has as many tries as before one."""
    nameless = [KeyError("x")] * 6
    fates = _in_a_row([*outage, *nameless])
    assert fates == [Fate.LATER] * (len(outage) + 5) + [Fate.DEAD]
    assert _in_a_row(nameless) == [Fate.LATER] * 5 + [Fate.DEAD]
    assert Fate.DEAD not in _in_a_row([*nameless[:5], *outage, *nameless[:5]])


@pytest.mark.parametrize("error", [errors.Forbidden("no"), errors.ZohoDown("page", 403)])
@given(attempts=ATTEMPTS, chance=CHANCES, others_taken=st.booleans(), strikes=st.integers(0, 9))
def test_refused_read(
    error: ZohoError, attempts: int, chance: float, *, others_taken: bool, strikes: int
) -> None:
    """A read that is refused is not counted against the record, and nobody waits who goes on without it."""
    past: dict[str, Any] = {"is_write": False, "others_taken": others_taken, "strikes": strikes}
    decision = decide(error, attempts, NOW, lambda: chance, **past)
    assert (decision.fate, decision.strikes) == (Fate.LATER, strikes)
    if others_taken:
        assert decision.rests_until is None
        assert decision.due_at <= NOW + 300_000
        assert decision.attempts == attempts + 1
