"""Tell programs who opened, heard, kept or was refused which recording."""

from typing import Annotated

import msgspec
from msgspec import Meta

from connector.clock import to_iso
from connector.services import Services
from connector.store import recordings
from connector.store.recordings import AccessKind
from connector.web.api.deliveries import cursor_of, position_of
from connector.web.api.operation import Call, Page, Paging, operation

CallKey = Annotated[str, Meta(max_length=40)]


class RecordingAccess(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody did with a recording, from `at` to `last_at`, in so many requests.

    `call` is the key of the call, `piece` which of its recordings, "" for their page.
    """

    at: str
    last_at: str
    times: int
    what: AccessKind
    user: str
    phone_system: str
    call: str
    piece: str


class RecordingAccesses(Paging, frozen=True, kw_only=True):
    """Which accesses: of one call (its key), or all."""

    call: CallKey = ""


@operation("GET", "/api/v1/recording-accesses", role="administrator")
async def list_recording_accesses(call: Call, query: RecordingAccesses) -> Page[RecordingAccess]:
    """List who opened, heard, kept or was refused recordings, the latest first."""
    return await accesses(call.services, query)


async def accesses(services: Services, asked: RecordingAccesses) -> Page[RecordingAccess]:
    """Return a part of the list."""
    before = position_of(asked.cursor)
    found = await services.store.read(
        lambda c: recordings.accesses_before(c, asked.call or None, asked.limit + 1, before)
    )
    shown = found[: asked.limit]
    items = []
    for _, each in shown:
        values = msgspec.structs.asdict(each) | {"at": to_iso(each.at), "last_at": to_iso(each.last_at)}
        items.append(RecordingAccess(**values))
    return Page(items=items, next=cursor_of(shown[-1][0]) if len(found) > len(shown) else None)


OPERATIONS = (list_recording_accesses,)
