"""What a phone system is told must be told at once, or not at all."""

import pytest

from connector.calls import Direction
from connector.dialects import NO_HINTS, Question
from connector.phone_systems import HintReader
from connector.store import Store
from connector.store.phones import PhoneSystem

pytestmark = pytest.mark.anyio

PHONE = PhoneSystem(
    id=1, uid="u", slug="p", name="P", portal_id=1, dialect="zammad", country="FR", time_zone="UTC",
    tells_names=True, routes_to_owners=True,
)  # fmt: skip
CALLER = Question(direction=Direction.INBOUND, number="+33123456789")


async def test_nothing_is_known(store: Store) -> None:
    """Of a caller whom no table has, and of withheld numbers."""
    reader = HintReader(store, timeout_seconds=10)
    assert await reader.hints(PHONE, CALLER) == NO_HINTS
    assert await reader.hints(PHONE, Question(direction=Direction.OUTBOUND, number="anonymous")) == NO_HINTS
    assert await reader.hints(PHONE, None) == NO_HINTS


async def test_too_late_is_not_told(store: Store) -> None:
    """The phone rings without."""
    assert await HintReader(store, timeout_seconds=0).hints(PHONE, CALLER) == NO_HINTS


async def test_a_store_that_fails_is_not_told(store: Store) -> None:
    """Nor is what cannot be read."""
    store.close()
    assert await HintReader(store).hints(PHONE, CALLER) == NO_HINTS
