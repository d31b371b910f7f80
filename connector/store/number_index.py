"""Keep an index of Desk's records by number: their rows, and the numbers that lead to each of them.

Contacts and accounts have one each. Both say, while the phone waits, who is calling.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Generic, TypeVar

import msgspec
from sqlalchemy import Connection, Table, and_, bindparam, delete, func, select, update

from connector.store.bulk import Prepared
from connector.store.engine import insert


class Numbered(msgspec.Struct, frozen=True, kw_only=True):
    """A record of an index; `numbers` (E.164) are those that lead to it."""

    modified_at: int = 0
    numbers: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """Return Desk's id of it."""
        raise NotImplementedError


R = TypeVar("R", bound=Numbered)


class NumberIndex(Generic[R]):
    """The index of one kind of records, each row a `kind`, whose id is in the column `key` of both tables.

    In the columns `untold`, None is what nobody has told: it replaces nothing.
    """

    def __init__(
        self, kind: type[R], records: Table, numbers: Table, key: str, untold: tuple[str, ...] = ()
    ) -> None:
        self._kind = kind
        self._records = records
        self._numbers = numbers
        self._key = key
        self._untold = untold
        self._names = kind.__struct_fields__
        self.columns = [records.c[name] for name in self._names]
        self._portal, self._id = records.c.portal_id, records.c[key]
        self._by_id = and_(self._portal == bindparam("portal"), self._id == bindparam("record"))
        # Made once: it runs while a phone rings, and making it takes longer than running it.
        self._bearers = Prepared(lambda _: self._leading())

    def _leading(self) -> Any:
        leads = self._numbers.c
        same = and_(leads.portal_id == self._portal, leads[self._key] == self._id)
        return (
            select(*self.columns)
            .join(self._numbers, same)
            .where(leads.portal_id == bindparam("portal"), leads.number == bindparam("e164"))
            .order_by(self._records.c.modified_at.desc(), func.length(self._id), self._id)
            .limit(bindparam("at_most"))
        )

    def bearers(self, connection: Connection, portal_id: int, number: str, at_most: int) -> list[R]:
        """Return the records that a number (E.164) leads to, the most recently modified first."""
        return self.read(self._bearers.run(connection, portal=portal_id, e164=number, at_most=at_most))

    def read(self, rows: Iterable[Sequence[Any]]) -> list[R]:
        """Return records whose `columns` were selected."""
        return [self._record(row) for row in rows]

    def after(self, connection: Connection, portal_id: int, record_id: str, at_most: int) -> list[R]:
        """Return a portal's records behind an id, in the order of their ids as texts."""
        asked = select(*self.columns).where(self._portal == portal_id, self._id > record_id)
        return self.read(connection.execute(asked.order_by(self._id).limit(at_most)))

    def by_ids(self, connection: Connection, portal_id: int, ids: Iterable[str]) -> dict[str, R]:
        """Return those of the records that the index has, by id."""
        asked = select(*self.columns).where(self._portal == portal_id, self._id.in_(list(ids)))
        return {record.id: record for record in self.read(connection.execute(asked))}

    def put(self, connection: Connection, portal_id: int, found: Sequence[R], seen_at: int) -> int:
        """Keep records as Desk tells them, and return how many of them are new or changed.

        What is older than what is kept stays out: Desk's search tells the state of some minutes ago.
        """
        each_once = {record.id: record for record in found}
        kept = self.by_ids(connection, portal_id, each_once)
        whole = [self._completed(each, kept.get(each.id)) for each in each_once.values()]
        changed = [each for each in whole if _is_change(each, kept.get(each.id))]
        self._write(connection, portal_id, changed, seen_at)
        self._lead(connection, portal_id, [(kept.get(each.id), each) for each in changed])
        told = {each.id for each in changed}
        seen = [{"portal": portal_id, "record": one, "seen": seen_at} for one in each_once if one not in told]
        if seen:
            marking = update(self._records).where(self._by_id).values(seen_at=bindparam("seen"))
            connection.execute(marking, seen)
        return len(changed)

    def forget(self, connection: Connection, portal_id: int, ids: Sequence[str]) -> None:
        """Forget records, and whatever leads to them."""
        if not ids:
            return
        kept = self.by_ids(connection, portal_id, ids)
        leading = [(each.id, number) for each in kept.values() for number in each.numbers]
        self._unlead(connection, portal_id, leading)
        connection.execute(delete(self._records).where(self._portal == portal_id, self._id.in_(list(kept))))

    def renumber(
        self, connection: Connection, portal_id: int, changes: Sequence[tuple[R, tuple[str, ...]]]
    ) -> None:
        """Let other numbers than before lead to records, unless they have changed since they were read."""
        kept = self.by_ids(connection, portal_id, [old.id for old, _ in changes])
        changed = [
            (old, msgspec.structs.replace(old, numbers=new))
            for old, new in changes
            if old.numbers != new and kept.get(old.id) == old
        ]
        self._lead(connection, portal_id, changed)
        rows = [{"portal": portal_id, "record": new.id, "led": " ".join(new.numbers)} for _, new in changed]
        if rows:
            renumbering = update(self._records).where(self._by_id).values(numbers=bindparam("led"))
            connection.execute(renumbering, rows)

    def unseen(self, connection: Connection, portal_id: int, since: int, at_most: int) -> list[str]:
        """Return records that Desk has not told since a moment; it reads the whole portal."""
        asked = select(self._id).where(self._portal == portal_id, self._records.c.seen_at < since)
        return list(connection.execute(asked.limit(at_most)).scalars())

    def count(self, connection: Connection, portal_id: int) -> int:
        """Count a portal's records."""
        asked = select(func.count()).select_from(self._records).where(self._portal == portal_id)
        return int(connection.execute(asked).scalar_one())

    def _completed(self, told: R, kept: R | None) -> R:
        if kept is None:
            return told
        known = {name: getattr(kept, name) for name in self._untold if getattr(told, name) is None}
        return msgspec.structs.replace(told, **known) if known else told

    def _write(self, connection: Connection, portal_id: int, found: Sequence[R], seen_at: int) -> None:
        if not found:
            return
        rows = [
            msgspec.structs.asdict(each)
            | {"numbers": " ".join(each.numbers), "portal_id": portal_id, "seen_at": seen_at}
            for each in found
        ]
        adding = insert(connection, self._records)
        changed = {name: adding.excluded[name] for name in rows[0] if name not in ("portal_id", self._key)}
        keys = [self._portal, self._id]
        connection.execute(adding.on_conflict_do_update(index_elements=keys, set_=changed), rows)

    def _lead(self, connection: Connection, portal_id: int, changes: Sequence[tuple[R | None, R]]) -> None:
        """Let the numbers of records lead to them, and those that they no longer have not."""
        before = {(new.id, number) for old, new in changes for number in (old.numbers if old else ())}
        now = {(new.id, number) for _, new in changes for number in new.numbers}
        self._unlead(connection, portal_id, sorted(before - now))
        added = [
            {"portal_id": portal_id, self._key: record_id, "number": number}
            for record_id, number in sorted(now - before)
        ]
        if added:
            connection.execute(insert(connection, self._numbers).on_conflict_do_nothing(), added)

    def _unlead(self, connection: Connection, portal_id: int, gone: Sequence[tuple[str, str]]) -> None:
        if not gone:
            return
        leads = self._numbers.c
        which = and_(
            leads.portal_id == bindparam("portal"),
            leads.number == bindparam("e164"),
            leads[self._key] == bindparam("record"),
        )
        rows = [{"portal": portal_id, "record": record_id, "e164": number} for record_id, number in gone]
        connection.execute(delete(self._numbers).where(which), rows)

    def _record(self, row: Sequence[Any]) -> R:
        values = dict(zip(self._names, row, strict=True))
        values["numbers"] = tuple(values["numbers"].split())
        return self._kind(**values)


def _is_change(told: Numbered, kept: Numbered | None) -> bool:
    if kept is None:
        return True
    return told.modified_at >= kept.modified_at and told != kept
