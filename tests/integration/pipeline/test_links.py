"""A lost grant is told to open banners and to new ones, with the names of those who can link again."""

import pytest
from sqlalchemy import Connection, update

from connector.banner.portal_status import PortalStatus, Status
from connector.store.tables import portals
from tests.integration.pipeline.place import Place

pytestmark = pytest.mark.anyio


def become(connection: Connection, state: str) -> None:
    """Let the portal be in a state."""
    connection.execute(update(portals).values(state=state))


async def test_a_lost_grant_reaches_the_banners(place: Place) -> None:
    """Only administrators who can sign in are named; once linked again the banner hears it."""
    for email, name in (("dora@example.com", "Dora"), ("eve@example.com", "Eve")):
        await place.services.agents.add_agent(email, name, "administrator", actor="test")
    await place.services.agents.deactivate("eve@example.com", actor="test")
    async with place.banner("ada@example.com") as banner:
        await place.services.store.write(lambda c: become(c, "grant_lost"))
        told = await banner.next("links")
        assert (told["lost"], told["linkers"]) == (["Zylker"], ["Dora"])
        opened = await PortalStatus(place.services.store, place.services.hub).read()
        assert opened == Status(lost=("Zylker",), linkers=("Dora",))
        await place.services.store.write(lambda c: become(c, "linked"))
        assert (await banner.next("links"))["lost"] == []


@pytest.mark.both_engines
async def test_what_was_unlinked_on_purpose_is_not_lost(place: Place) -> None:
    """An administrator did that; it has to be set up again."""
    await place.services.store.write(lambda c: become(c, "unlinked"))
    assert await place.services.portal_status.read() == Status(missing=("portal",))


async def test_what_was_never_set_up_reaches_the_banners(place: Place) -> None:
    """Each of the two, with who can do it, until it is done."""
    await place.services.agents.add_agent("dora@example.com", "Dora", "administrator", actor="test")
    async with place.banner("ada@example.com") as banner:
        await place.services.phone_systems.remove("pbx", "test")
        told = await banner.next("links")
        assert (told["missing"], told["linkers"], told["lost"]) == (["phone_system"], ["Dora"], [])
        await place.services.store.write(lambda c: become(c, "unlinked"))
        assert (await banner.next("links"))["missing"] == ["portal", "phone_system"]
