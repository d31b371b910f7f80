"""Keep what still has to reach Desk: one row a record wanted, from the commit that made it necessary.

The row holds the record as it shall be; each change of it raises the revision.
`connector.store.picks` hands rows out to be delivered; here they are wanted, listed and helped by hand.
"""

from collections.abc import Collection, Sequence
from typing import Literal

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    RowMapping,
    Update,
    and_,
    case,
    delete,
    func,
    or_,
    select,
    text,
    tuple_,
    update,
)

from connector.clock import MINUTE
from connector.store import calls
from connector.store.bulk import Bulk, Given
from connector.store.tables import calls as call_rows
from connector.store.tables import outbox

Kind = Literal["call", "contact", "ticket", "comment"]
"""What a row brings to Desk; a release before knows the first two, and leaves rows of others as they are."""

State = Literal["due", "sending", "unknown", "done", "dead", "dropped"]


# Written as the indexes are: SQLite uses a partial index only where it finds its very words.
IS_DUE = text("outbox.state = 'due'")
IS_UNDER_WAY = text("outbox.state IN ('sending', 'unknown')")
IS_WAITING = text("(outbox.state IN ('due', 'unknown')) IS TRUE")
IS_AT_STEP = text("(outbox.state = 'due' AND outbox.step <> '') IS TRUE")

RETRIED = ("due", "unknown", "dead", "dropped")
DROPPED = ("due", "unknown", "dead")
"""States in which a person may try a delivery again, or give it up: nobody is sending it."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A record that Desk shall hold: (portal, kind, key) says which, `record` what, `due_at` from when on."""

    portal_id: int
    kind: Kind
    key: str
    call_id: int | None
    record: bytes
    due_at: int


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One delivery as it stands.

    `sent` is what was last sent, and `sent_at` is there while that may have been applied or not.
    `owner` names the request that is being sent, `attempt` counts them all, `attempts` failures in a row.
    `reason` is a slug, `detail` words for people: what went wrong, or what was left out.
    `strikes` counts answers that may concern this record alone, the last of them at `struck_at`.
    """

    id: int
    portal_id: int
    kind: Kind
    key: str
    call_id: int | None
    wanted: bytes
    revision: int
    sent_revision: int
    state: State
    due_at: int
    attempts: int
    step: str
    sent: bytes | None
    sent_at: int | None
    desk_id: str | None
    desk_url: str | None
    reason: str
    detail: str
    created_at: int
    changed_at: int
    attempt: int = 0
    owner: str | None = None
    picked_until: int | None = None
    strikes: int = 0
    struck_at: int = 0


COLUMNS = tuple(outbox.c[name] for name in Row.__struct_fields__)


def want(connection: Connection, wanted: Sequence[Wanted], now: int) -> None:
    """Have records brought to Desk; one that is wanted already as it stands changes nothing.

    A change of a record that was delivered makes it due again. One that waits is due when the change is,
    unless it has failed and waits for that. Whatever is being sent, looked for or given up stays so.
    """
    # Of two for one row the last: PostgreSQL changes no row twice in one statement.
    last = {(each.portal_id, each.kind, each.key): each for each in wanted}
    if last:
        _want.execute(connection, [_new_row(last[which], now) for which in sorted(last)])


def _wanting(given: Given) -> Executable:
    adding = given.insert()
    old, new = outbox.c, adding.excluded
    is_fresh = or_(old.state == "done", (old.state == "due") & (old.attempts == 0))
    return adding.on_conflict_do_update(
        index_elements=[old.portal_id, old.kind, old.key],
        set_={
            "wanted": new.wanted,
            "revision": old.revision + 1,
            "state": case((old.state == "done", "due"), else_=old.state),
            "due_at": case((is_fresh, new.due_at), else_=old.due_at),
            "attempts": case((old.state == "done", 0), else_=old.attempts),
            "changed_at": new.changed_at,
        },
        # A row without a record was erased: nothing brings it back.
        where=(old.wanted != new.wanted) & (old.wanted != b""),
    )


def withdraw(connection: Connection, call_ids: Collection[int]) -> None:
    """Take back what these calls want and what has surely never left: another call's record tells it."""
    if not call_ids:
        return
    never_left = (outbox.c.sent_at.is_(None)) & (outbox.c.desk_id.is_(None))
    waits = outbox.c.state.in_(("due", "dead")) & never_left
    # The tickets that rules want have their calls' keys.
    keys = select(call_rows.c.key).where(call_rows.c.id.in_(call_ids))
    by_rule = (outbox.c.kind == "ticket") & outbox.c.key.in_(keys)
    of_calls = outbox.c.call_id.in_(call_ids) & or_(outbox.c.kind == "call", by_rule)
    connection.execute(delete(outbox).where(of_calls, waits))


def want_once(connection: Connection, wanted: Wanted, now: int) -> None:
    """Have a record brought to Desk unless there is a row for it, whatever that one says."""
    _want_once.execute(connection, [_new_row(wanted, now)])


def _new_row(each: Wanted, now: int) -> tuple[object, ...]:
    return each.portal_id, each.kind, each.key, each.call_id, each.record, each.due_at, "due", now, now


_NEW = (
    *("portal_id", "kind", "key", "call_id", "wanted"),
    *("due_at", "state", "created_at", "changed_at"),
)
_want = Bulk(outbox, _NEW, _wanting)
_want_once = Bulk(outbox, _NEW, lambda given: given.insert().on_conflict_do_nothing())


def want_instead(connection: Connection, row: Row, record: bytes, now: int) -> None:
    """Want another record of a dead row of which nothing has left, and let it go at once."""
    dead = (outbox.c.id == row.id) & (outbox.c.state == "dead") & (outbox.c.attempt == row.attempt)
    never_there = outbox.c.sent_at.is_(None) & outbox.c.desk_id.is_(None)
    fresh = {"state": "due", "due_at": now, "attempts": 0, "reason": "", "detail": "", "changed_at": now}
    changing = update(outbox).where(dead, never_there)
    connection.execute(changing.values(wanted=record, revision=outbox.c.revision + 1, **fresh))


def retouch(connection: Connection, call_id: int, now: int) -> None:
    """Have a call's records brought into line once more: something beside the record changed.

    Such is the contact that an agent chose; the records of the calls that came out of it follow.
    """
    related = select(call_rows.c.id).where(or_(call_rows.c.id == call_id, call_rows.c.root_id == call_id))
    # Nothing brings a record back that was erased.
    its_own = (outbox.c.call_id.in_(related), outbox.c.kind == "call", outbox.c.wanted != b"")
    changing = update(outbox).where(*its_own)
    connection.execute(_again(changing, now).values(revision=outbox.c.revision + 1))


def _again(changing: Update, now: int) -> Update:
    is_done = outbox.c.state == "done"
    return changing.values(
        state=case((is_done, "due"), else_=outbox.c.state),
        due_at=case((is_done, now), else_=outbox.c.due_at),
        attempts=case((is_done, 0), else_=outbox.c.attempts),
        changed_at=now,
    )


def get(connection: Connection, row_id: int, *, lock: bool = False) -> Row | None:
    """Return the row with this id; a locked one stays as it is until the commit."""
    return _one(connection, outbox.c.id == row_id, lock=lock)


def find(connection: Connection, portal_id: int, kind: Kind, key: str, *, lock: bool = False) -> Row | None:
    """Return the row of a record; a locked one stays as it is until the commit."""
    same = (outbox.c.portal_id == portal_id) & (outbox.c.kind == kind) & (outbox.c.key == key)
    return _one(connection, same, lock=lock)


def of_calls(connection: Connection, call_ids: Collection[int]) -> list[Row]:
    """Return the deliveries of calls' records."""
    asked = select(*COLUMNS).where(outbox.c.call_id.in_(call_ids)).order_by(outbox.c.id)
    return [row_of(found) for found in connection.execute(asked).mappings()]


class _Sent(msgspec.Struct, frozen=True):
    contact_key: str = ""


_sent = msgspec.json.Decoder(_Sent).decode


def contact_of(connection: Connection, row: Row) -> Row | None:
    """Return the delivery of the contact that a call's record waits for or stands on, if there is one."""
    key = contact_key_of(row.step) or (_sent(row.sent).contact_key if row.sent else "")
    return find(connection, row.portal_id, "contact", key) if key else None


class Siblings(msgspec.Struct, frozen=True):
    """What the contacts beside a row tell of those that were found: which are `taken` by other rows.

    `before` counts rows of the same number that may have made one, and to which the first ones found go.
    """

    taken: frozenset[str]
    before: int


def siblings(connection: Connection, row: Row, found: Collection[str]) -> Siblings:
    """Return what is known of the other contacts of a portal; a row's key is its number and its call."""
    others = (outbox.c.portal_id == row.portal_id) & (outbox.c.kind == "contact") & (outbox.c.id != row.id)
    taken = connection.execute(select(outbox.c.desk_id).where(others, outbox.c.desk_id.in_(found))).scalars()
    number = row.key.partition(" ")[0]
    same = outbox.c.key.startswith(f"{number} ", autoescape=True)
    first = or_(outbox.c.state == "sending", outbox.c.id < row.id)
    is_open = outbox.c.sent_at.is_not(None) & outbox.c.desk_id.is_(None)
    asked = select(func.count()).where(others, same, is_open, first)
    return Siblings(frozenset(each for each in taken if each), connection.execute(asked).scalar_one())


def list_rows(connection: Connection, state: State, limit: int = 100) -> list[Row]:
    """Return the rows in a state, those that changed last first."""
    newest_first = select(*COLUMNS).where(outbox.c.state == state).order_by(outbox.c.changed_at.desc())
    return [row_of(found) for found in connection.execute(newest_first.limit(limit)).mappings()]


class Which(msgspec.Struct, frozen=True, kw_only=True):
    """Which rows are asked for; `before` is the position of the last one of the page before."""

    state: State
    portal_id: int | None = None
    reason: str = ""
    before: tuple[int, int] | None = None


_LISTED: dict[State, tuple[ColumnElement[bool], ColumnElement[int]]] = {
    "due": (and_(IS_WAITING, outbox.c.state == "due"), outbox.c.due_at),
    "unknown": (and_(IS_WAITING, outbox.c.state == "unknown"), outbox.c.due_at),
    "sending": (and_(IS_UNDER_WAY, outbox.c.state == "sending"), outbox.c.id),
    "dead": (text("outbox.state = 'dead'"), outbox.c.changed_at),  # type: ignore[dict-item]
    "dropped": (text("outbox.state = 'dropped'"), outbox.c.changed_at),  # type: ignore[dict-item]
    "done": (outbox.c.state == "done", outbox.c.id),
}
"""How the rows in each state are found, and in which order, by one index, however many others there are."""


def page(connection: Connection, which: Which, at_most: int) -> list[tuple[tuple[int, int], Row]]:
    """Return rows in a state, each with its position, the latest first."""
    condition, order = _LISTED[which.state]
    asked = select(order.label("position"), *COLUMNS).where(condition)
    if which.portal_id is not None:
        asked = asked.where(outbox.c.portal_id == which.portal_id)
    if which.reason:
        asked = asked.where(outbox.c.reason == which.reason)
    if which.before is not None:
        asked = asked.where(order <= which.before[0], tuple_(order, outbox.c.id) < which.before)
    asked = asked.order_by(order.desc(), outbox.c.id.desc()).limit(at_most)
    rows = connection.execute(asked).mappings()
    return [
        ((found["position"], found["id"]), Row(**{name: found[name] for name in Row.__struct_fields__}))
        for found in rows
    ]


class Counted(msgspec.Struct, frozen=True):
    """How many deliveries of a portal stand in a state for a reason."""

    state: State
    portal_id: int
    reason: str
    count: int


def count_open(connection: Connection) -> list[Counted]:
    """Count what is not in Desk by state, portal and reason; reads nothing of what is done."""
    found = []
    for state, (condition, _) in _LISTED.items():
        if state != "done":
            asked = select(outbox.c.portal_id, outbox.c.reason, func.count()).where(condition)
            rows = connection.execute(asked.group_by(outbox.c.portal_id, outbox.c.reason))
            found += [Counted(state, *row) for row in rows]
    return found


def count_by_state(connection: Connection) -> dict[State, int]:
    """Return how many rows are in each state; states without a row are left out."""
    counted = select(outbox.c.state, func.count()).group_by(outbox.c.state)
    return {row[0]: row[1] for row in connection.execute(counted)}


def retry(connection: Connection, row_id: int, now: int, *, absent: bool = False) -> list[int]:
    """Try a delivery again, by hand, whatever it waits for; return the calls whose record is waited for.

    What may have been applied is looked for once more when Desk has had its time, unless the person has
    looked after that and found it `absent`. A call that waits for, or died with, its contact or ticket takes
    that one along. What is being sent, or is in Desk, is left alone.
    """
    row = get(connection, row_id)
    if row is None or row.state not in RETRIED:
        return []
    kind, key = waited_for(row.step)
    along = (outbox.c.kind == kind) & (outbox.c.portal_id == row.portal_id) & (outbox.c.key == key)
    # Of the row alone, not of the one that it takes along; nor of what may have arrived since the look.
    late = (2 if row.due_at <= now else 10) * MINUTE
    absent = absent and now - (row.sent_at or 0) >= late
    is_absent = (outbox.c.id == row_id) & absent
    is_open = outbox.c.sent_at.is_not(None) & ~is_absent
    connection.execute(
        update(outbox)
        .where(or_(outbox.c.id == row_id, along), outbox.c.state.in_(RETRIED))
        .values(state=case((is_open, "unknown"), else_="due"), attempts=0, strikes=0, changed_at=now)
        .values(due_at=case((outbox.c.sent_at.is_not(None), outbox.c.due_at), else_=now))
        .values(reason="", detail="", sent_at=case((is_absent, None), else_=outbox.c.sent_at))
        .values(sent=case((is_absent & outbox.c.desk_id.is_(None), None), else_=outbox.c.sent))
    )
    return changed_calls(connection, [row.call_id], now)


def drop(connection: Connection, row_id: int, now: int) -> list[int]:
    """Give a delivery up for good, by hand; return the calls whose banner shows something else now.

    What comes of its call later changes nothing; whoever thinks better of it can still retry it. What is
    being sent, or is in Desk, is left alone. Calls that wait for a dropped row learn of it at once.
    """
    row = get(connection, row_id)
    if row is None or row.state not in DROPPED:
        return []
    dropping = update(outbox).where(outbox.c.id == row_id, outbox.c.state.in_(DROPPED))
    connection.execute(dropping.values(state="dropped", changed_at=now))
    wake_callers(connection, row, now)
    return changed_calls(connection, [row.call_id], now)


def wake_callers(connection: Connection, awaited: Row, now: int) -> None:
    """Let the calls that wait for a contact, or for their ticket, go on at once."""
    if awaited.kind not in AWAITED:
        return
    asleep = and_(
        outbox.c.portal_id == awaited.portal_id,
        outbox.c.due_at > now,
        outbox.c.step == waits_for(awaited.key, awaited.kind),
    )
    connection.execute(update(outbox).where(IS_AT_STEP, asleep).values(due_at=now))


WAIT_FOR_LINKING = (
    *("grant_lost", "scope_missing", "org_mismatch", "client_refused", "no_token"),
    *("forbidden", "license_limited"),
)
"""Reasons that only an administrator who links the portal anew does away with."""

WAIT_FOR_ZOHO = ("zoho_down", "grant_lost", "client_refused", "no_token")
"""Reasons that are gone for all once Zoho has taken one delivery."""


def resume(
    connection: Connection, portal_id: int, now: int, reasons: Sequence[str] = WAIT_FOR_LINKING
) -> None:
    """Let everything of a portal go at once that waits for some reasons; by default, for its grant."""
    for state in (IS_DUE, and_(IS_UNDER_WAY, outbox.c.state == "unknown")):
        waiting = select(outbox.c.id).where(state, outbox.c.portal_id == portal_id, outbox.c.due_at > now)
        waiting = waiting.where(outbox.c.reason.in_(reasons)).with_for_update(skip_locked=True)
        ids = connection.execute(waiting).scalars().all()
        connection.execute(update(outbox).where(outbox.c.id.in_(ids)).values(due_at=now))


AWAITED: tuple[Kind, ...] = ("contact", "ticket")
"""Kinds of rows that calls' records wait for."""


def waits_for(key: str, kind: Kind = "contact") -> str:
    """Name the step of a call that waits until its contact, or its ticket, is there."""
    return f"{kind} {key}"


def waited_for(step: str) -> tuple[Kind, str] | tuple[None, None]:
    """Return the kind and the key of the row that a step waits for; nothing where it waits for none."""
    word, _, key = step.partition(" ")
    return next(((kind, key) for kind in AWAITED if kind == word), (None, None))


def contact_key_of(step: str) -> str | None:
    """Return the contact that a step waits for."""
    kind, key = waited_for(step)
    return key if kind == "contact" else None


def changed_calls(connection: Connection, call_ids: Sequence[int | None], now: int) -> list[int]:
    """Raise the revision of calls whose banners show something else now, and answer their ids."""
    changed = sorted({call_id for call_id in call_ids if call_id is not None})
    if changed:
        calls.touch(connection, changed, now)
    return changed


def row_of(found: RowMapping) -> Row:
    """Read a row of `COLUMNS`."""
    return Row(**found)


def _one(connection: Connection, which: ColumnElement[bool], *, lock: bool = False) -> Row | None:
    asked = select(*COLUMNS).where(which)
    found = connection.execute(asked.with_for_update() if lock else asked).mappings().one_or_none()
    return None if found is None else row_of(found)
