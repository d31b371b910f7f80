"""What is sent to the connector, and what its answers mean."""

from email.utils import formatdate
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook

from connector.bridge.sender import (
    LONGEST_WAIT_SECONDS,
    Delivered,
    Retry,
    TooBig,
    clock_difference_seconds,
    decide,
    request,
    wait_seconds,
)
from connector.bridge.spool import SpooledEvent
from connector.clock import system_clock
from connector.dialects.signing import new_secret
from connector.settings import Secret

BATCH = [SpooledEvent(1, "a", b'{"id":"a"}'), SpooledEvent(2, "b", b'{"id":"b"}')]
NOW = 1_795_340_000_000


def test_a_batch_is_signed_for_this_attempt() -> None:
    """The same batch has the same id, and a signature of its own each time."""
    secret, now = Secret(new_secret()), system_clock()
    body, headers = request(BATCH, secret, now)
    assert Webhook(secret.reveal()).verify(body, headers) == [{"id": "a"}, {"id": "b"}]
    _, later = request(BATCH, secret, now + 60_000)
    assert later["webhook-id"] == headers["webhook-id"]
    assert later["webhook-signature"] != headers["webhook-signature"]


def test_what_is_rejected_is_put_aside() -> None:
    """The others are delivered."""
    body = b'{"accepted":1,"duplicate":0,"ignored":0,"rejected":[{"index":1,"error":"/id: no"}]}'
    assert decide(202, {}, body, 2, NOW) == Delivered({1: "/id: no"})


def test_nothing_could_be_taken() -> None:
    """A 422 means that each of them was refused."""
    assert decide(422, {}, b'{"detail":"no"}', 2, NOW) == Delivered({0: "no", 1: "no"})


def test_a_batch_that_is_too_large_is_cut() -> None:
    """413."""
    assert decide(413, {}, b"", 2, NOW) == TooBig()


@pytest.mark.parametrize(
    ("status", "reason"),
    [(500, "connector_busy"), (503, "connector_busy"), (429, "connector_busy"), (404, "bad_address"),
     (302, "bad_address"), (415, "bad_address"), (200, "bad_address"), (401, "bad_signature")],
)  # fmt: skip
def test_all_else_is_sent_again(status: int, reason: str) -> None:
    """Whatever it is, no event is dropped."""
    outcome = decide(status, {}, b"", 2, NOW)
    assert isinstance(outcome, Retry)
    assert outcome.reason == reason


def test_a_202_of_somebody_else_is_none() -> None:
    """A captive portal takes nothing."""
    assert isinstance(decide(202, {}, b"<html>", 2, NOW), Retry)


def test_retry_after_is_heard() -> None:
    """The connector may say when to come again."""
    outcome = decide(503, {"retry-after": "7"}, b"", 2, NOW)
    assert isinstance(outcome, Retry)
    assert outcome.after_seconds == 7


def test_a_refused_signature_compares_the_clocks() -> None:
    """Either the clocks differ, or the secret is another."""
    off = decide(401, {"date": formatdate(NOW // 1_000 + 400)}, b"", 2, NOW)
    same = decide(401, {"date": formatdate(NOW // 1_000)}, b"", 2, NOW)
    assert isinstance(off, Retry)
    assert isinstance(same, Retry)
    assert "400 s ahead" in off.message
    assert "BRIDGE_SECRET" in same.message
    assert clock_difference_seconds({}, NOW) is None


@given(st.integers(0, 10_000), st.randoms(use_true_random=False))
def test_waiting_is_bounded_and_out_of_step(attempt: int, random: Random) -> None:
    """It doubles up to a minute."""
    assert 0 < wait_seconds(attempt, random) <= LONGEST_WAIT_SECONDS
