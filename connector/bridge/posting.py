"""Write batches for the connector, and decide what its answers mean; no I/O."""

from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from hashlib import sha256
from random import Random

import msgspec

from connector.bridge.spool import Waiting
from connector.clock import SECOND
from connector.dialects import signing
from connector.settings import Secret

MAX_EVENTS = 500
MAX_BYTES = 1024 * 1024 - 1024
BATCH = "application/cloudevents-batch+json"
LONGEST_WAIT_SECONDS = 60.0
_FIRST_WAIT_SECONDS = 0.5
_CLOCKS_DIFFER_SECONDS = 60


class Taken(msgspec.Struct, frozen=True):
    """The connector has the batch, but for the members rejected: why, by their place."""

    rejected: Mapping[int, str] = {}


class TooBig(msgspec.Struct, frozen=True):
    """The batch must be cut; one event alone that is too big is put aside."""


class Again(msgspec.Struct, frozen=True):
    """The batch stays and is sent again. `reason` is a slug, `message` says whose move it is."""

    reason: str
    message: str
    after_seconds: float | None = None


Outcome = Taken | TooBig | Again


class _Rejected(msgspec.Struct, frozen=True):
    index: int
    error: str = ""


class _Receipt(msgspec.Struct, frozen=True):
    accepted: int
    duplicate: int = 0
    ignored: int = 0
    rejected: tuple[_Rejected, ...] = ()


def request(batch: Sequence[Waiting], secret: Secret, now: int) -> tuple[bytes, dict[str, str]]:
    """Write an attempt: body and headers, signed for this moment.

    The same batch has the same webhook-id at each attempt.
    """
    body = b"[" + b",".join(one.body for one in batch) + b"]"
    message_id = "batch-" + sha256("\0".join(one.id for one in batch).encode()).hexdigest()[:32]
    return body, {"content-type": BATCH} | signed(message_id, body, secret, now)


def signed(message_id: str, body: bytes, secret: Secret, now: int) -> dict[str, str]:
    """Sign an attempt for this moment; answers its headers."""
    timestamp = now // SECOND
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signing.sign(secret.reveal(), message_id, timestamp, body),
    }


def decide(status: int, headers: Mapping[str, str], body: bytes, events: int, now: int) -> Outcome:
    """Say what an answer to a batch of so many events means; header names are in lower case."""
    if status == 202:
        return _taken(body)
    if status == 413:
        return TooBig()
    if status == 422:
        return Taken(dict.fromkeys(range(events), detail(body)))
    if status == 401:
        return Again("bad_signature", signature_refused(headers, now))
    if status == 429 or status >= 500:
        return Again("connector_busy", f"the connector answers {status}", _retry_after(headers))
    return Again(
        "bad_address", f"the connector answers {status}: is BRIDGE_ADDRESS the one that was shown to you?"
    )


def wait_seconds(attempt: int, random: Random) -> float:
    """Return how long to wait after so many attempts in vain: doubling, capped, and never in step."""
    longest = min(LONGEST_WAIT_SECONDS, _FIRST_WAIT_SECONDS * 2.0 ** min(attempt, 10))
    return random.uniform(longest / 2, longest)


def clock_difference_seconds(headers: Mapping[str, str], now: int) -> int | None:
    """Return how far the connector's clock is ahead of ours, by the Date of its answer."""
    try:
        theirs = parsedate_to_datetime(headers.get("date", ""))
    except ValueError:
        return None
    return round(theirs.timestamp()) - now // SECOND


def _taken(body: bytes) -> Outcome:
    try:
        receipt = msgspec.json.decode(body, type=_Receipt)
    except msgspec.MsgspecError:
        return Again("no_receipt", "something answered 202, but it was not the connector")
    return Taken({one.index: one.error for one in receipt.rejected})


def detail(body: bytes) -> str:
    """Return what the connector says of its refusal."""
    try:
        problem = msgspec.json.decode(body, type=dict[str, object])
    except msgspec.MsgspecError:
        return "refused"
    return str(problem.get("detail") or problem.get("title") or "refused")


def signature_refused(headers: Mapping[str, str], now: int) -> str:
    """Say why a signature is refused, and whose move it is."""
    difference = clock_difference_seconds(headers, now)
    if difference is not None and abs(difference) > _CLOCKS_DIFFER_SECONDS:
        return f"the connector's clock is {difference} s ahead of this machine's: set the clocks"
    return "the connector does not take the signature: is BRIDGE_SECRET the one of this phone system?"


def _retry_after(headers: Mapping[str, str]) -> float | None:
    text = headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdigit() and len(text) < 6 else None
