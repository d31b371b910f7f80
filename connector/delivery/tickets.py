"""Bring tickets and comments to Desk, once each: a rule wants them for a call, or an agent asks for them.

Each carries the key of its row, in the last line of what it says: so it is found again where the answer to
its request is lost, among the contact's tickets or the ticket's comments.
"""

import html
import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection

from connector.clock import Clock
from connector.contacts import ContactLookup
from connector.delivery.after_restore import Restored
from connector.delivery.compose import with_key
from connector.delivery.contacts import is_gone
from connector.delivery.drift import Drift
from connector.delivery.reconcile import SKEW
from connector.errors import InvalidData, RecordNotFound, ZohoRefused
from connector.outbox.send_once import Body, Delivery
from connector.settings import Settings
from connector.store import Store, assignments, outbox
from connector.store.outcomes import Stands
from connector.zoho.client import Desk
from connector.zoho.fields import COMMENT_LENGTH, DESCRIPTION_LENGTH
from connector.zoho.models import Ticket, TicketComment

LOOKED_AT = 100
"""A contact's newest tickets, or a ticket's comments, among which one is looked for: what Desk lists."""

CONTACT_GONE = "contact_gone"
"""The reason of a ticket whose contact Desk no longer has."""

OURS = ("departmentId", "contactId", "subject")
"""What a ticket cannot be without."""

_KEY = re.compile(r"(?m)(?:^|>)[ \t]*(?:Call key|Key):(?:\s|&nbsp;)*([0-9A-Za-z_-]+)")

_ANY_LABEL = re.compile(r"(?:Call key|Key):+")


class TicketRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The ticket that shall be made; `fields` are the others by Desk's API names, custom ones among them.

    `call_key` is that of the call which it is about. A rule's ticket has that for the key of its row, an
    agent's the key of the click. `started_at` is when a rule's call began, 0 for an agent's ticket. `notes`
    say which of its fields were cut or left out.
    """

    department_id: str
    contact_id: str
    subject: str
    fields: dict[str, Any] = {}
    call_key: str = ""
    started_at: int = 0
    notes: str = ""


class CommentRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The comment that shall be added to a ticket; the contact sees a public one."""

    ticket_id: str
    content: str
    is_public: bool = False


encode = msgspec.json.Encoder(order="deterministic").encode
"""Writes a record of either kind for the outbox."""

read_ticket = msgspec.json.Decoder(TicketRecord).decode
read_comment = msgspec.json.Decoder(CommentRecord).decode


def ticket_body(record: TicketRecord, key: str) -> Body:
    """Return the body that makes a ticket; its description ends with its row's key, which is never cut."""
    plain = {name: value for name, value in sorted(record.fields.items()) if not name.startswith("cf_")}
    cf = {name: value for name, value in sorted(record.fields.items()) if name.startswith("cf_")}
    ours = dict(zip(OURS, (record.department_id, record.contact_id, record.subject), strict=True))
    line = f"{'Call key' if key == record.call_key else 'Key'}: {key}"
    text = str(plain.pop("description", None) or "")
    body = ours | plain | {"description": _as_markup(text, line)}
    return body | ({"cf": cf} if cf else {})


def _as_markup(text: str, line: str) -> str:
    """Return a text with our line below it as HTML, which is how Desk reads the description of a ticket.

    What a caller may write, such as the name that the phone system tells, is text there and no markup.
    """
    text, room = _ANY_LABEL.sub(lambda found: found[0].rstrip(":"), text), DESCRIPTION_LENGTH
    while len(written := _escaped(with_key(text, line, room)).encode("utf-16-le", "surrogatepass")) > (
        2 * DESCRIPTION_LENGTH
    ):
        # Escaped it is longer: so much less of the text has room.
        room = max(len(line) + 1, min(room - 1, room * 2 * DESCRIPTION_LENGTH // len(written)))
    return written.decode("utf-16-le", "surrogatepass")


def _escaped(text: str) -> str:
    return "<br>".join(html.escape(text, quote=False).split("\n"))


def comment_content(record: CommentRecord, key: str) -> str:
    """Return what a comment says, with the key of its row in the last line."""
    return with_key(record.content, f"Key: {key}", COMMENT_LENGTH)


def keys_in(text: str | None) -> set[str]:
    """Find the keys in a description or comment, plain or made HTML by Desk."""
    return set(_KEY.findall(text or ""))


class Tickets:
    """Deliver the tickets and comments that rows want."""

    def __init__(
        self,
        store: Store,
        contact_lookup: ContactLookup,
        restored: Restored,
        drift: Drift,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._store = store
        self._contact_lookup = contact_lookup
        self._restored = restored
        self._drift = drift
        self._index_delay_seconds = settings.index_delay_seconds
        self._clock = clock

    async def deliver(self, delivery: Delivery) -> None:
        """Make the ticket that a row wants, unless it is there by now; one that is there stays as it is."""
        row, record = delivery.row, read_ticket(delivery.row.wanted)
        if row.desk_id is not None:
            return await delivery.done("unchanged", ticket_body(record, row.key), _as_it_is(delivery))
        desk = await delivery.desk()
        if await self._is_absent(
            delivery, record.started_at, lambda since: _find(desk, record, row.key, since)
        ):
            await self._make(delivery, desk, record)
        return None

    async def deliver_comment(self, delivery: Delivery) -> None:
        """Add the comment that a row wants, unless it is there by now."""
        row, record = delivery.row, read_comment(delivery.row.wanted)
        body: Body = {"content": comment_content(record, row.key)}
        if row.desk_id is not None:
            return await delivery.done("unchanged", body, _as_it_is(delivery))
        desk = await delivery.desk()

        async def find(_since: int) -> "Found":
            return _among(await desk.ticket_comments(record.ticket_id), row.key)

        async def create(to: Desk, sent: Body) -> TicketComment:
            return await to.create_ticket_comment(
                record.ticket_id, sent["content"], is_public=record.is_public
            )

        if await self._is_absent(delivery, 0, find):
            made = await delivery.post(body, create)
            await delivery.done(
                "made", body, Stands(desk_id=str(made.id), desk_url=None, revision=row.revision)
            )
        return None

    async def _is_absent(self, delivery: Delivery, started_at: int, find: "Find") -> bool:
        """Look for what may have been made: by us, or before a restore; what is not sure settles the row."""
        row = delivery.row
        since, unsure_for = row.sent_at or 0, delivery.unsure_for(self._index_delay_seconds)
        if not delivery.open:
            since, unsure_for = started_at, await self._restored.unsure_for(started_at) if started_at else 0
            if not await self._restored.is_before(started_at):
                return True
        found = await find(since - SKEW)
        if found.desk_id is not None:
            stands = Stands(desk_id=found.desk_id, desk_url=found.url, revision=row.revision)
            await self._done(delivery, "found", {}, stands)
        elif unsure_for:
            await delivery.not_found_yet(unsure_for)
        elif not found.is_sure:
            await delivery.dead("undecidable", "It may be in Desk, which does not show as many as it has.")
        else:
            delivery.assume_absent()
        return not delivery.is_settled

    async def _make(self, delivery: Delivery, desk: Desk, record: TicketRecord) -> None:
        row, body, left_out = delivery.row, ticket_body(record, delivery.row.key), dict[str, str]()
        while True:
            try:
                made = await delivery.post(body, _create)
                break
            except (InvalidData, RecordNotFound) as problem:
                if await _contact_is_gone(desk, record, problem):
                    await self._contact_lookup.forget(row.portal_id, contact_id=record.contact_id)
                    return await delivery.dead(CONTACT_GONE, "Desk no longer has the contact of this ticket.")
                rest = _without(body, problem.fields if isinstance(problem, InvalidData) else {})
                if rest is None:
                    raise
            await self._drift.learn(desk, row.portal_id, "tickets", _names(body) - _names(rest[0]))
            body, left_out = rest[0], left_out | rest[1]
        notes = [record.notes, *(f"{name}: {why}" for name, why in left_out.items())]
        detail = "; ".join(filter(None, notes))
        reason = "left_out" if detail else ""
        stands = Stands(
            desk_id=str(made.id), desk_url=made.url, revision=row.revision, reason=reason, detail=detail
        )
        return await self._done(delivery, "made", body, stands)

    async def _done(self, delivery: Delivery, outcome: str, body: Body, stands: Stands) -> None:
        row = delivery.row
        is_of_call = row.kind == "ticket" and row.call_id is not None

        def assign(connection: Connection) -> None:
            # In the same commit, so that the record that is woken by it, or stands already, names it.
            if row.call_id is not None:
                put_on_ticket(connection, row.call_id, stands.desk_id, self._clock())

        await delivery.done(outcome, body, stands, assign if is_of_call else None)


def put_on_ticket(
    connection: Connection, call_id: int, ticket_id: str, now: int, chosen_by: str = ""
) -> None:
    """Note the ticket of a call, and have its record name it; a rule's replaces none that a person chose."""
    assignments.set_ticket(connection, call_id, ticket_id, now, chosen_by=chosen_by)
    outbox.retouch(connection, call_id, now)


class Found(msgspec.Struct, frozen=True):
    """What was found; without an id nothing was, which `is_sure` where all was seen that could be it."""

    desk_id: str | None = None
    url: str | None = None
    is_sure: bool = True


Find = Callable[[int], Any]


async def _find(desk: Desk, record: TicketRecord, key: str, since: int) -> Found:
    """Look for a ticket among the contact's newest, which are read whole: lists tell no descriptions."""
    listed = await desk.contact_tickets(record.contact_id, LOOKED_AT)
    for each in listed:
        if each.created_at is not None and each.created_at < since:
            continue
        ticket = await _whole(desk, str(each.id))
        if ticket is not None and key in keys_in(ticket.description):
            return Found(str(ticket.id), ticket.url)
    oldest = min((each.created_at or 0 for each in listed), default=0)
    # Where Desk sorts no other way, it lists the oldest ones.
    is_sure = len(listed) < LOOKED_AT or (oldest < since and await desk.lists_newest_tickets())
    return Found(is_sure=is_sure)


def _among(listed: list[TicketComment], key: str) -> Found:
    """Look for a comment in those that Desk shows, the oldest ones."""
    ours = next((each for each in listed if key in keys_in(each.content)), None)
    return Found(is_sure=len(listed) < LOOKED_AT) if ours is None else Found(str(ours.id))


async def _whole(desk: Desk, ticket_id: str) -> Ticket | None:
    try:
        return await desk.get_ticket(ticket_id)
    except RecordNotFound:
        return None


async def _create(desk: Desk, body: Body) -> Ticket:
    return await desk.create_ticket(body)


async def _contact_is_gone(desk: Desk, record: TicketRecord, problem: InvalidData | RecordNotFound) -> bool:
    try:
        return await is_gone(desk, record.contact_id, problem)
    except ZohoRefused:
        return False


def _without(body: Body, refused: Mapping[str, str]) -> tuple[Body, dict[str, str]] | None:
    """Return the body without the optional fields that Desk refused; None where it cannot be without one."""
    left, reasons = dict(body), dict[str, str]()
    for pointer, kind in refused.items():
        name, _, inner = pointer.strip("/").partition("/")
        field = inner or name
        cf = left.get("cf", {})
        if field in cf:
            left["cf"] = {each: value for each, value in cf.items() if each != field}
        elif name in left and name not in (*OURS, "description", "cf"):
            del left[name]
        else:
            return None
        reasons[pointer.strip("/")] = f"Desk refused it as {kind}"
    return (left, reasons) if reasons else None


def _names(body: Body) -> set[str]:
    return {*body, *body.get("cf", {})}


def _as_it_is(delivery: Delivery) -> Stands:
    row = delivery.row
    return Stands(desk_id=row.desk_id or "", desk_url=row.desk_url, revision=row.revision)
