"""Hold what the connector wants done, and what came of it; the wire is connector/dialects/neutral.md."""

from typing import Literal, Protocol

import msgspec


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to be done, once.

    `dial`: ring `agent`, then call `number`, showing `caller_id` where one is given; the call is told as
    `call`. `hang_up`: end the part of `agent` in `call`, or the whole call where none is named.
    `transfer`: send whoever talks with `agent` on to `number`.
    """

    id: str
    kind: Literal["dial", "hang_up", "transfer"]
    agent: str
    call: str
    number: str = ""
    caller_id: str | None = None


class Orders(msgspec.Struct, frozen=True):
    """What waits to be done."""

    orders: tuple[Order, ...]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of an order; the connector has words for each `reason`, `detail` is the PBX's own."""

    state: Literal["done", "refused", "unknown"]
    reason: str = ""
    detail: str = ""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What is told of an order: that it is taken, or what came of it."""

    state: Literal["taken", "done", "refused", "unknown"]
    by: str
    reason: str = ""
    detail: str = ""


class CarriesOut(Protocol):
    """Whoever can do things at a phone system."""

    async def carry_out(self, order: Order) -> Outcome:
        """Do it, once, and answer what came of it; never raises."""


def refused(reason: str, detail: str = "") -> Outcome:
    """Say that nothing was done."""
    return Outcome(state="refused", reason=reason, detail=detail)
