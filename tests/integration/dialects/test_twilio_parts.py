"""Callbacks of Twilio's that name a part of a call, all the way to Desk."""

import pytest

from tests.integration.dialects.vendors import OWN_LINE, Vendors

pytestmark = pytest.mark.anyio

LEG = {"CallSid": "CA2", "ParentCallSid": "CA1", "Direction": "outbound-dial", "To": "client:1001"}
RECORDING = {"CallSid": "CA2", "CallStatus": "", "RecordingSid": "RE1", "RecordingStatus": "completed",
             "RecordingUrl": "https://api.example/RE1"}  # fmt: skip


@pytest.mark.parametrize("first", ["leg", "recording"])
async def test_a_recording_that_names_the_leg(vendors: Vendors, first: str) -> None:
    """Stands on the call's one record, and the leg rings for nobody who is not rung."""
    public = vendors.services.settings.public_url
    over = {"CallStatus": "completed", "Timestamp": "Mon, 05 Jan 2026 09:01:00 +0000"}
    ended = [LEG | over | {"CallDuration": "50"}, over | {"CallDuration": "60", "To": OWN_LINE}]
    told = [*ended, RECORDING] if first == "leg" else [RECORDING, *ended]
    async with vendors.place.banner("bruno@example.com") as banner:
        for fields in told:
            assert (await vendors.twilio(public, **fields)).status_code == 200
        await vendors.zammad(callId="last", user=["1002"])
        shown = await banner.next("call")
    assert (shown["state"], shown["number"]["e164"]) == ("ringing", "+33123456789")
    while await vendors.services.deliverer.once():
        pass
    (record,) = vendors.place.sandbox.state.desk.dump_calls()
    assert (record["direction"], record["status"], record["duration"]) == ("inbound", "Completed", "50")
    assert record["startTime"] == "2026-01-05T09:00:00.000Z"
    assert record["recordingUrl"]
