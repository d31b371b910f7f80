"""What a deliverer does with what is under way."""

import asyncio
from typing import Any

import pytest

from connector.limits import Limits
from connector.outbox import Deliverer
from connector.outbox.send_once import Delivery
from connector.settings import Secret, Settings
from connector.store.outbox import Row
from connector.zoho.client import Desk

pytestmark = pytest.mark.anyio
PORTALS = 300


def row(number: int) -> Row:
    """Make a portal's only row."""
    times: dict[str, Any] = dict.fromkeys(
        ("due_at", "created_at", "changed_at", "attempts", "sent_revision"), 0
    )
    nothing: dict[str, Any] = dict.fromkeys(("call_id", "sent", "sent_at", "desk_id", "desk_url"))
    words: dict[str, Any] = dict.fromkeys(("step", "reason", "detail"), "")
    which: dict[str, Any] = {"id": number, "portal_id": number, "kind": "call", "key": f"{number}"}
    return Row(**which, wanted=b"1", revision=1, state="due", **times, **nothing, **words)


class Nobody:
    """No Desk at all."""

    async def desk(self, portal_id: int) -> Desk:
        """Fail."""
        raise AssertionError(portal_id)


async def at_once(delivery: Delivery) -> None:
    """Be done with a row."""
    delivery.is_settled = True


async def test_whoever_ends_is_counted_with_its_own_portal(monkeypatch: pytest.MonkeyPatch) -> None:
    """What many portals have under way costs each that ends nothing."""
    asked = 0

    def is_waiting(_: Delivery) -> bool:
        nonlocal asked
        asked += 1
        return True

    monkeypatch.setattr(Delivery, "is_waiting", property(is_waiting))
    store: Any = None
    settings = Settings(secret_key=[Secret("k")])
    deliverer = Deliverer(store, Nobody(), Limits(store, int, int), {"call": at_once}, settings, int)
    for number in range(PORTALS):
        deliverer._start(row(number))
    workloads = deliverer._workloads()
    assert {each.waiting for each in workloads.values()} == {1}
    assert len(workloads) == PORTALS
    asked = 0
    while deliverer._under_way:
        await asyncio.wait(deliverer._under_way)
    assert asked <= PORTALS
    assert deliverer._workloads() == {}
