"""What Desk refuses a portal stands on its page, until it is over or the portal is linked anew."""

import html

import pytest

from connector.store import refusals
from connector.store.refusals import Refusal
from tests.integration.identity.browser import Browser
from tests.integration.identity.conftest import Services

pytestmark = pytest.mark.anyio


@pytest.mark.both_engines
async def test_a_portal_that_can_write_nothing_does_not_look_well(services: Services, admin: Browser) -> None:
    """The page names what is refused, since when, and the remedy of that very kind."""
    address = (await admin.link()).headers["location"]
    refusal = Refusal(
        portal_id=1, work="call", reason="license_limited", detail="POST /calls: 403 LICENSE", refused_at=0
    )
    assert await services.store.write(lambda c: refusals.refused(c, refusal))
    assert not await services.store.write(lambda c: refusals.refused(c, refusal))
    page = html.unescape((await admin.get(address)).text)
    assert "Desk refuses writing call records since 1970-01-01T00:00:00" in page
    assert "as a full agent" in page
    assert 'data-tone="bad"' in page
    assert "connector phones add" not in page
    await services.store.write(lambda c: refusals.taken(c, 1, "call", 1))
    assert "Desk refuses" not in (await admin.get(address)).text


async def test_linked_anew_nothing_is_refused_yet(services: Services, admin: Browser) -> None:
    """Another agent may do what the former one could not."""
    address = (await admin.link()).headers["location"]
    refusal = Refusal(portal_id=1, work="contact", reason="forbidden", detail="", refused_at=0)
    await services.store.write(lambda c: refusals.refused(c, refusal))
    assert "create contacts" in (await admin.get(address)).text
    await admin.link()
    assert "create contacts" not in (await admin.get(address)).text
