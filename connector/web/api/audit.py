"""Tell programs who changed what."""

from functools import partial
from typing import Annotated

import msgspec
from msgspec import Meta

from connector.clock import to_iso
from connector.services import Services
from connector.store import audit
from connector.web.api.operation import Call, Page, Paging, operation, row_cursor

Text = Annotated[str, Meta(max_length=320)]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One change: who (`actor`) did what (`action`) to what (`subject`), and when."""

    at: str
    actor: str
    action: str
    subject: str
    detail: str


class Changes(Paging, frozen=True, kw_only=True):
    """Which changes: `action` may be the beginning of several, such as "agent."; "" is any."""

    actor: Text = ""
    action: Text = ""
    subject: Text = ""


@operation("GET", "/api/v1/audit", role="administrator")
async def list_changes(call: Call, query: Changes) -> Page[Change]:
    """List who changed what, the latest first."""
    return await changes(call.services, query)


async def changes(services: Services, asked: Changes) -> Page[Change]:
    """Return a part of the audit."""
    wanted = audit.Wanted(
        actor=asked.actor, action=asked.action, subject=asked.subject, before_id=row_cursor(asked.cursor)
    )
    entries = await services.store.read(partial(audit.newest, limit=asked.limit + 1, wanted=wanted))
    shown = entries[: asked.limit]
    return Page(
        items=[_change(each) for each in shown], next=str(shown[-1].id) if len(entries) > len(shown) else None
    )


def _change(entry: audit.Entry) -> Change:
    return Change(
        at=to_iso(entry.at),
        actor=entry.actor,
        action=entry.action,
        subject=entry.subject,
        detail=entry.detail,
    )
