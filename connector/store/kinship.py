"""Know the kin of calls without reading them whole: whose phone system's, and which contact is theirs."""

from collections.abc import Collection

import msgspec
from sqlalchemy import ColumnElement, Connection, select

from connector.store.tables import calls


class Kin(msgspec.Struct, frozen=True, kw_only=True):
    """What of a call its record's surroundings are made of; `chosen_contact_id` is an agent's choice."""

    id: int
    root_id: int | None
    phone_system_id: int
    chosen_contact_id: str | None
    changed_at: int


class CallGroup(msgspec.Struct, frozen=True, kw_only=True):
    """A call, the head of its family (itself where it came out of none), and all that came out of that."""

    call: Kin
    head: Kin
    members: tuple[Kin, ...]

    @property
    def chosen(self) -> str | None:
        """Return the choice made for the family's head, else for the call itself, else on any kin's banner.

        Whoever a call was transferred to has only that one's banner to choose on.
        """
        newest_first = sorted(self.members, key=lambda each: (each.id != self.call.id, -each.changed_at))
        kin = (self.head, *newest_first)
        return next((each.chosen_contact_id for each in kin if each.chosen_contact_id), None)


def call_groups(connection: Connection, call_ids: Collection[int]) -> dict[int, CallGroup]:
    """Return the families of calls, by the call's id; calls that are gone are left out."""
    known = {each.id: each for each in _read(connection, calls.c.id.in_(call_ids))}
    wanted = [each for each in known.values() if each.id in call_ids]
    head_ids = {each.root_id or each.id for each in wanted}
    if missing := head_ids - known.keys():
        known |= {each.id: each for each in _read(connection, calls.c.id.in_(missing))}
    members: dict[int, list[Kin]] = {head_id: [] for head_id in head_ids}
    for each in _read(connection, calls.c.root_id.in_(head_ids)) if head_ids else ():
        members[each.root_id or each.id].append(each)
    return {each.id: _call_group(each, known, members) for each in wanted}


def _call_group(call: Kin, known: dict[int, Kin], members: dict[int, list[Kin]]) -> CallGroup:
    head_id = call.root_id or call.id
    return CallGroup(call=call, head=known[head_id], members=tuple(members[head_id]))


def _read(connection: Connection, which: ColumnElement[bool]) -> list[Kin]:
    return [Kin(**found) for found in connection.execute(select(*_COLUMNS).where(which)).mappings()]


_COLUMNS = tuple(calls.c[name] for name in Kin.__struct_fields__)
