"""Let programs check the installation and the portals, and make what a check has missed."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from connector.web.api.operation import Call, operation


class Checked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is checked: one portal, or everything."""

    portal: Annotated[int, Meta(ge=1, le=10**18 - 1)] | None = None


class CheckReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was found at a moment; `state` is the worst of all, each subject has its checks by layer."""

    state: str
    checked_at: str
    subjects: list[dict[str, Any]]


class RecordingField(msgspec.Struct, frozen=True, kw_only=True):
    """The custom field of calls that recordings' addresses are written to."""

    portal: int
    recording_field: str | None


@operation("GET", "/api/v1/check", role="administrator")
async def show_check(call: Call, query: Checked) -> CheckReport:
    """Check the installation and each portal, layer by layer, at this very moment.

    Reads only, at Zoho too; it costs each portal some credits.
    """
    return CheckReport(**(await call.services.self_check.run(query.portal)).told())


@operation("POST", "/api/v1/portals/{portal_id:id}/recording-field", role="administrator", portal="portal_id")
async def make_recording_field(call: Call) -> RecordingField:
    """Make the custom field of calls that recordings are written to, unless there is one."""
    portal = await call.services.portals.make_recording_field(call.path("portal_id"), actor=call.actor)
    return RecordingField(portal=portal.id, recording_field=portal.recording_field)
