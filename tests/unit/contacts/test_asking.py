"""Two searches at one time, of which neither outlives the other's failure."""

import asyncio

import pytest

from connector.contacts.asking import in_both_fields
from connector.errors import ZohoDown
from connector.zoho import models
from connector.zoho.operations import SearchField

pytestmark = pytest.mark.anyio


class HalfADesk:
    """A Desk that fails when asked for one field, and never answers when asked for the other."""

    def __init__(self, failing: SearchField | None) -> None:
        self.failing = failing
        self.begun: list[SearchField] = []
        self.ended: list[SearchField] = []
        self.both_have_begun = asyncio.Event()

    async def search_contacts(
        self, field: SearchField, *_values: object, **_how: object
    ) -> list[models.Contact]:
        """Begin, and fail or wait."""
        self.begun.append(field)
        if len(self.begun) == 2:
            self.both_have_begun.set()
        try:
            await asyncio.sleep(0)
            if field == self.failing:
                raise ZohoDown("down")
            await asyncio.Event().wait()
        finally:
            self.ended.append(field)
        return []

    async def search_contacts_text(self, *_text: object, **_how: object) -> list[models.Contact]:
        """Find nobody."""
        return []

    async def contact_tickets(self, *_contact: object, **_how: object) -> list[models.Ticket]:
        """Find nothing."""
        return []


@pytest.mark.parametrize("failing", ["phone", "mobile"])
async def test_a_failure_ends_the_other_search(failing: SearchField) -> None:
    """The problem itself is told, and no task is left behind that would ask on."""
    desk = HalfADesk(failing)
    before = asyncio.all_tasks()
    with pytest.raises(ZohoDown):
        await in_both_fields(desk, ["1"], live=True)
    assert sorted(desk.begun) == sorted(desk.ended) == ["mobile", "phone"]
    assert asyncio.all_tasks() == before


async def test_who_gives_up_ends_both() -> None:
    """Patience that ends leaves no task behind either."""
    desk, before = HalfADesk(None), asyncio.all_tasks()
    asking = asyncio.create_task(in_both_fields(desk, ["1"], live=True))
    await desk.both_have_begun.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert sorted(desk.ended) == ["mobile", "phone"]
    assert asyncio.all_tasks() == before
