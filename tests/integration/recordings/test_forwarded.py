"""What the page of recordings says of a call that went on elsewhere."""

import pytest

from tests.integration.recordings.listeners import LOOPBACK, Listeners
from tests.integration.recordings.upstream import Upstream

pytestmark = pytest.mark.anyio


async def test_a_forwarded_call(listeners: Listeners, upstream: Upstream) -> None:
    """Its page says that nobody answered it here, and that it was not missed."""
    await listeners.source(origins=[upstream.origin], networks=[LOOPBACK])
    place, url = listeners.place, f"{upstream.origin}/1.wav"
    told = [place.event("ringing", "f-1", agent="1001"), place.event("recorded", "f-1", recording_url=url)]
    await place.post(*told, place.event("ended", "f-1", cause="forwarded"))
    page = await listeners.page("ada@example.com", await listeners.key("f-1"))
    assert "Inbound, forwarded before anybody answered" in page.text
    assert ("Rang at" in page.text, "Answered by" in page.text) == (True, False)
