"""What agents are told of an order."""

import re
from itertools import product
from typing import get_args

import msgspec
import pytest

from connector.orders.messages import REFUSED, message
from connector.store.orders import Order, OrderKind, OrderState

ORDER = Order(
    uid="c1", phone_system_id=1, asker="ada@example.com", key="k", kind="dial", agent="1001", call_id="x",
    number="1002", created_at=0, ends_at=0,
)  # fmt: skip


@pytest.mark.parametrize(("kind", "state"), list(product(get_args(OrderKind), get_args(OrderState))))
def test_each_state_has_words(kind: OrderKind, state: OrderState) -> None:
    """Whole sentences, with everything filled in."""
    said = message(msgspec.structs.replace(ORDER, kind=kind, state=state))
    assert re.fullmatch(r"[A-Z][^{}]+[.…]", said)


@pytest.mark.parametrize("reason", [*REFUSED, "new", ""])
def test_each_refusal_says_what_to_do(reason: str) -> None:
    """What happened and what to do; a reason of a newer program is told as a refusal."""
    refused = msgspec.structs.replace(ORDER, state="refused", reason=reason, number="+33123456789")
    said = message(refused, lambda number: f"<{number}>")
    assert "{" not in said
    assert ("<+33123456789>" in said) is ("has not been called" in said)
