"""The retry decision, for every error and every number of attempts."""

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector import errors
from connector.delivery.retrying import (
    BAD_LUCK_BEFORE,
    CAP_SECONDS,
    HOLDING_CAP_SECONDS,
    SHORT_CAP_SECONDS,
    Fate,
    decide,
)
from connector.errors import ConnectorError, NoToken, ZohoBusy, ZohoRefused
from connector.store.outbox import WAIT_FOR_LINKING

NOW = 1_767_614_400_000
ATTEMPTS = st.integers(0, 10_000)
CHANCES = st.floats(0, 1)
FIXABLE = (errors.ScopeMissing, errors.OrgMismatch)


def _tree(root: type[ConnectorError]) -> Iterator[type[ConnectorError]]:
    yield root
    for child in root.__subclasses__():
        yield from _tree(child)


@pytest.mark.parametrize("kind", list(_tree(ZohoRefused)))
def test_our_fault_is_dead_unless_linking_helps(kind: type[ConnectorError]) -> None:
    """A refusal is for a person; one of the whole grant waits for the administrator."""
    decision = decide(kind("no"), 0, NOW, lambda: 0.5)
    assert decision.fate is (Fate.LATER if kind in FIXABLE else Fate.DEAD)
    assert decision.reason == kind.reason
    assert (decision.reason in WAIT_FOR_LINKING) is (kind in FIXABLE)


PASSING = (
    errors.ZohoDown,
    errors.ConcurrencyExceeded,
    errors.CreditsExhausted,
    errors.TokensThrottled,
    errors.NoToken,
    errors.ClientRefused,
    errors.GrantLost,
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
    holds_slot=st.booleans(),
)
def test_retry_after_is_heeded(
    kind: type[ZohoBusy], seconds: int, attempts: int, *, holds_slot: bool
) -> None:
    """Where Zoho says how long the portal is to rest, that is how long, though never over a day."""
    decision = decide(kind("busy", seconds), attempts, NOW, lambda: 0, holds_slot=holds_slot)
    assert decision.due_at == NOW + min(86_400, max(1, seconds)) * 1_000
    assert decision.rests_until == decision.due_at


@given(seconds=st.integers(0, 10**12), attempts=ATTEMPTS, holds_slot=st.booleans())
def test_one_row_does_not_rest_for_a_day(seconds: int, attempts: int, *, holds_slot: bool) -> None:
    """Too many at a time is over in seconds, and a slot may be held meanwhile."""
    busy = errors.ConcurrencyExceeded("busy", seconds)
    decision = decide(busy, attempts, NOW, lambda: 0, holds_slot=holds_slot)
    assert decision.due_at == NOW + min(HOLDING_CAP_SECONDS, max(1, seconds)) * 1_000


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
def test_who_holds_a_slot_comes_back_soon(attempts: int, chance: float) -> None:
    """What was sent and is still to be looked for takes a slot from the others meanwhile."""
    decision = decide(errors.ZohoDown("x"), attempts, NOW, lambda: chance, holds_slot=True)
    assert decision.due_at - NOW <= HOLDING_CAP_SECONDS * 1_000


@given(attempts=ATTEMPTS, chance=CHANCES)
def test_a_full_width_is_tried_again_soon(attempts: int, chance: float) -> None:
    """However unlucky a delivery was before, it is the narrowed width that spares Zoho, not its pause."""
    decision = decide(errors.ConcurrencyExceeded("full"), attempts, NOW, lambda: chance)
    assert decision.due_at - NOW <= HOLDING_CAP_SECONDS * 1_000


def test_bug_gets_some_tries() -> None:
    """What nobody has a name for is tried a few times before a person must look."""
    fates = [decide(KeyError("x"), attempts, NOW, lambda: 0).fate for attempts in range(7)]
    assert fates == [Fate.LATER] * 5 + [Fate.DEAD] * 2
    assert decide(KeyError(), 0, NOW, lambda: 0).detail == "KeyError"
    assert decide(ValueError("x" * 9_000), 0, NOW, lambda: 0).reason == "internal"
    assert len(decide(ValueError("x" * 9_000), 0, NOW, lambda: 0).detail) == 500


def _in_a_row(failures: Sequence[Exception]) -> list[Fate]:
    """Let failures befall one delivery, each as it stands after the one before."""
    fates, attempts, reason = [], 0, ""
    for failure in failures:
        decision = decide(failure, attempts, NOW, lambda: 0, last_reason=reason)
        fates.append(decision.fate)
        attempts, reason = decision.attempts, decision.reason
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
