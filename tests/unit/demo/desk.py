"""Records of Desk as the sandbox dumps them, and what a run wants of them."""

from typing import Any

from connector.clock import to_iso
from connector.demo.scenarios import ExpectedContact, ExpectedRecord, KnownContact
from connector.demo.verification import Desk, ExpectedDeskRecord

STARTED_AT = 1_790_000_000_123
LINK = "http://127.0.0.1:8080/recordings/zpc1"


def wanted(
    key: str = "zpc1", contact: ExpectedContact | None = None, link: str | None = LINK
) -> ExpectedDeskRecord:
    """Want the record of an answered call of 63 seconds."""
    due = ExpectedRecord(
        call=f"call-{key}",
        direction="inbound",
        status="Completed",
        starts_ms=0,
        duration_seconds=63,
        contact=contact or KnownContact("501"),
        owner="ada@example.com",
        department=None,
        recording_url=link and "https://recordings.example.com/1.wav",
    )
    return ExpectedDeskRecord(
        key=key, expected=due, started_at=STARTED_AT, owner_id="301", department_id="401", recordings_at=link
    )


def record(key: str = "zpc1", **changes: Any) -> dict[str, Any]:
    """Make the record that `wanted` wants, with changes."""
    return {
        "id": f"9-{key}",
        "direction": "inbound",
        "status": "Completed",
        "duration": "63",
        "startTime": to_iso(STARTED_AT),
        "ownerId": "301",
        "departmentId": "401",
        "contactId": "501",
        "recordingUrl": LINK,
        "description": f"Answered by: Ada\nCall key: {key}",
        "cf": {"cf_key": key, "cf_recording": LINK},
        "isTrashed": False,
        **changes,
    }


def contact(
    contact_id: str, phone: str | None = None, mobile: str | None = None, **more: Any
) -> dict[str, Any]:
    """Make a contact."""
    base = {"id": contact_id, "phone": phone, "mobile": mobile, "modifiedTime": "2026-01-01T00:00:00.000Z"}
    return base | more


def desk(*calls: dict[str, Any], made: tuple[dict[str, Any], ...] = ()) -> Desk:
    """Make a Desk with one contact from before the run, and those that were made in it."""
    return Desk(
        calls=calls,
        contacts=(contact("501", "020 7946 0001"), *made),
        known_ids={"501"},
        key_field="cf_key",
        recording_field="cf_recording",
    )
