"""Custom fields of Desk's call records: which are there, and making the one for the recording."""

import logging
from collections.abc import Collection

from connector.errors import AlreadyThere, OutcomeUnknown, RecordNotFound, ZohoError, ZohoRefused
from connector.portals.obstacles import recording_field_in
from connector.zoho.client import Desk
from connector.zoho.layouts import DeskField

RECORDING_LABEL = "Recording"
"""What people call the field that is made."""

log = logging.getLogger(__name__)


async def unusable_fields(desk: Desk, names: Collection[str]) -> list[str]:
    """Return which of these custom fields of calls Desk does not have, or not for texts.

    They all are where Desk has no such list: it has refused them. Raises a ZohoError where it does not
    answer, or not to this agent: nothing is known then.
    """
    try:
        usable = {field.api_name for field in await desk.call_fields() if field.takes_text}
    except RecordNotFound:
        usable = set()
    return sorted(set(names) - usable)


async def listed_fields(desk: Desk) -> list[DeskField] | None:
    """Return the fields of calls; None where Desk cannot be asked, or does not list them."""
    try:
        return await desk.call_fields()
    except ZohoError:
        return None


async def make_recording_field(desk: Desk) -> DeskField:
    """Return the custom field of calls for the recording, which is made unless there is one.

    It is looked for before it is made, and after an answer that was lost: asked twice, there is one. Raises a
    ZohoError: ScopeMissing for a grant without Desk.fields.CREATE, OutcomeUnknown where nobody can tell.
    """
    if (found := recording_field_in(await _usable(desk))) is not None:
        return found
    try:
        return await desk.create_call_field(RECORDING_LABEL)
    except (OutcomeUnknown, AlreadyThere):
        if (found := recording_field_in(await _usable(desk))) is not None:
            return found
        raise


async def _usable(desk: Desk) -> list[DeskField]:
    try:
        return [field for field in await desk.call_fields() if field.takes_text]
    except RecordNotFound as problem:
        raise ZohoRefused(
            "This Zoho Desk does not list its fields, so none is made: it could be there already."
        ) from problem
