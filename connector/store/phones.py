"""Keep the phone systems: who may post, with which secrets, and what belongs to them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Literal, get_args

import msgspec
from sqlalchemy import (
    Column,
    Connection,
    Row,
    Select,
    Table,
    and_,
    delete,
    insert,
    or_,
    select,
    union,
    update,
)

from connector.numbers import Notation
from connector.store.tables import (
    ANY_PHONE_SYSTEM,
    blocked_numbers,
    caller_ids,
    extensions,
    lines,
    phone_secrets,
    phone_systems,
    queue_members,
    queues,
    senders,
    takers,
    users,
)

SecretKind = Literal["signing", "address"]
"""What a secret is for: it signs what is posted, or stands in the address that is posted to."""


class PhoneSystem(msgspec.Struct, frozen=True, kw_only=True):
    """One sender of events, as the database has it.

    `uid` is what call keys are made of and never changes.
    `senders` are the networks it may post from; none means any.
    `tells_names` and `routes_to_owners` say what its answers may hold, where its dialect can.
    `takes_orders` says that a program of its own fetches what it shall do.
    `records_internal` says that Desk shall have records of calls among colleagues too.
    `prefixes` are what is dialled there before a number, such as 9 for an outside line; `without_plus` says
    that its numbers have their country code and no plus.
    `lines` maps the company's own numbers (E.164), `queues` what it calls its queues, to department ids;
    `line_names` and `queue_names` say what people call those that have a name.
    `agent_words` are the extensions and logins of active users here; they are kept with the users.
    `has_taker` says that its program has asked for orders at least once.
    """

    id: int
    uid: str
    slug: str
    name: str
    portal_id: int
    dialect: str
    country: str
    time_zone: str
    department_id: str | None = None
    tells_names: bool = False
    routes_to_owners: bool = False
    takes_orders: bool = False
    records_internal: bool = False
    encrypted_secrets: tuple[bytes, ...] = ()
    encrypted_address_secrets: tuple[bytes, ...] = ()
    senders: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    without_plus: bool = False
    lines: dict[str, str | None] = {}
    queues: dict[str, str | None] = {}
    line_names: dict[str, str] = {}
    queue_names: dict[str, str] = {}
    agent_words: frozenset[str] = frozenset()
    has_taker: bool = False

    @property
    def carries_orders_out(self) -> bool:
        """Tell whether orders may be offered: they are allowed, and a program has ever come for them."""
        return self.takes_orders and self.has_taker

    @property
    def notation(self) -> Notation:
        """Return how it writes numbers."""
        return Notation(prefixes=self.prefixes, without_plus=self.without_plus)


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """A program beside a phone system, as it has reported itself: `problems` say what it lacks.

    `source` is that of its events, `id` its own, `program` what it is and in which version. `signed_at` is
    the time in its signature (epoch seconds), 0 where a process of the release before has kept it.
    """

    source: str
    id: str
    program: str
    problems: tuple[str, ...] = ()
    reported_at: int
    signed_at: int = 0


_REMOVED = b""
"""Stands where a secret was, of which only is kept when it was valid."""

PROGRAMS_AT_MOST = 20
"""So many programs are remembered for one phone system, those that reported last."""


def add(connection: Connection, phone: PhoneSystem, now: int) -> int:
    """Add a phone system with its secrets, lines and queues, and answer its id."""
    values = {name: getattr(phone, name) for name in _OWN_COLUMNS} | {"created_at": now}
    values["prefixes"] = " ".join(phone.prefixes)
    adding = insert(phone_systems).values(values).returning(phone_systems.c.id)
    phone_id: int = connection.execute(adding).scalar_one()
    for encrypted in phone.encrypted_secrets:
        add_secret(connection, phone_id, encrypted, now)
    for encrypted in phone.encrypted_address_secrets:
        add_secret(connection, phone_id, encrypted, now, "address")
    set_senders(connection, phone_id, phone.senders)
    for number, department_id in phone.lines.items():
        set_line(connection, phone_id, number, department_id, phone.line_names.get(number, ""))
    for queue, department_id in phone.queues.items():
        set_queue(connection, phone_id, queue, department_id, phone.queue_names.get(queue, ""))
    return phone_id


_OWN_COLUMNS = (
    *("uid", "slug", "name", "portal_id", "dialect", "country", "time_zone", "department_id"),
    *("tells_names", "routes_to_owners", "takes_orders", "records_internal", "without_plus"),
)


def find(connection: Connection, slug: str, now: int) -> PhoneSystem | None:
    """Return the phone system at this address, with the secrets that are valid at `now`."""
    rows = connection.execute(select(phone_systems).where(phone_systems.c.slug == slug)).all()
    return next(iter(_whole(connection, rows, now)), None)


def get(connection: Connection, phone_id: int, now: int) -> PhoneSystem | None:
    """Return the phone system with this id."""
    rows = connection.execute(select(phone_systems).where(phone_systems.c.id == phone_id)).all()
    return next(iter(_whole(connection, rows, now)), None)


def is_any(connection: Connection) -> bool:
    """Tell whether there is a phone system that was not removed."""
    there = select(phone_systems.c.id).where(phone_systems.c.removed_at.is_(None))
    return connection.execute(there.limit(1)).first() is not None


def list_all(connection: Connection, now: int) -> list[PhoneSystem]:
    """Return every phone system in the order of their addresses, those that were removed left out."""
    there = select(phone_systems).where(phone_systems.c.removed_at.is_(None))
    rows = connection.execute(there.order_by(phone_systems.c.slug)).all()
    return _whole(connection, rows, now)


def note_program(connection: Connection, phone_id: int, program: Program) -> Program | None:
    """Keep what a program reports in the place of what it reported before, and return that.

    What was signed before that is not kept.
    """
    asked = select(phone_systems.c.programs).where(phone_systems.c.id == phone_id).with_for_update()
    known = programs_of(connection.execute(asked).scalar())
    others = [one for one in known if (one.source, one.id) != (program.source, program.id)]
    before = next((one for one in known if one not in others), None)
    if before is not None and before.signed_at > program.signed_at:
        return before
    kept = [program, *sorted(others, key=lambda one: -one.reported_at)][:PROGRAMS_AT_MOST]
    text = msgspec.json.encode(kept).decode()
    connection.execute(update(phone_systems).where(phone_systems.c.id == phone_id).values(programs=text))
    return before


def programs(connection: Connection) -> dict[str, tuple[Program, ...]]:
    """Return the programs beside each phone system, by its address, in the order of their sources."""
    asked = select(phone_systems.c.slug, phone_systems.c.programs)
    found = {row.slug: programs_of(row.programs) for row in connection.execute(asked)}
    return {slug: tuple(sorted(each, key=lambda one: (one.source, one.id))) for slug, each in found.items()}


def programs_of(text: str | None) -> tuple[Program, ...]:
    """Read what programs have reported, as it is kept."""
    return () if text is None else msgspec.json.decode(text, type=tuple[Program, ...])


def _whole(connection: Connection, rows: Sequence[Row[Any]], now: int) -> list[PhoneSystem]:
    """Return phone systems with all that is theirs, by as many statements for many as for one."""
    if not rows:
        return []
    ids = [row.id for row in rows]
    signing, in_address = (_valid_secrets(connection, ids, now, kind) for kind in get_args(SecretKind))
    from_where, words = _senders(connection, ids), _agent_words(connection, ids)
    own_lines, line_names = _named(connection, lines, lines.c.number, ids)
    own_queues, queue_names = _named(connection, queues, queues.c.queue, ids)
    has_taker = _takers(connection, [row.id for row in rows if row.takes_orders])
    return [
        PhoneSystem(
            id=row.id,
            **{name: row._mapping[name] for name in _OWN_COLUMNS},
            encrypted_secrets=tuple(signing[row.id]),
            encrypted_address_secrets=tuple(in_address[row.id]),
            senders=tuple(from_where[row.id]),
            prefixes=tuple(row.prefixes.split()),
            lines=own_lines[row.id],
            queues=own_queues[row.id],
            line_names=line_names[row.id],
            queue_names=queue_names[row.id],
            agent_words=frozenset(words[row.id] + words[ANY_PHONE_SYSTEM]),
            has_taker=row.id in has_taker,
        )
        for row in rows
    ]


def _takers(connection: Connection, ids: Sequence[int]) -> frozenset[int]:
    if not ids:
        return frozenset()
    asked = select(takers.c.phone_system_id).where(takers.c.phone_system_id.in_(ids))
    return frozenset(connection.execute(asked).scalars())


def _agent_words(connection: Connection, ids: Sequence[int]) -> dict[int, list[str]]:
    asked = select(extensions.c.phone_system_id, extensions.c.extension).join(
        users, users.c.id == extensions.c.user_id
    )
    theirs = extensions.c.phone_system_id.in_((*ids, ANY_PHONE_SYSTEM))
    return _grouped(connection, asked.where(theirs, users.c.active))


def _named(
    connection: Connection, table: Table, key: Column[Any], ids: Sequence[int]
) -> tuple[dict[int, dict[str, str | None]], dict[int, dict[str, str]]]:
    """Return lines or queues of phone systems: their departments, and the names of those that have one."""
    departments: dict[int, dict[str, str | None]] = defaultdict(dict)
    names: dict[int, dict[str, str]] = defaultdict(dict)
    columns = (table.c.phone_system_id, key, table.c.department_id, table.c.name)
    for phone_id, word, department_id, name in connection.execute(
        select(*columns).where(table.c.phone_system_id.in_(ids)).order_by(key)
    ):
        departments[phone_id][word] = department_id
        if name:
            names[phone_id][word] = name
    return departments, names


def _valid_secrets(
    connection: Connection, ids: Sequence[int], now: int, kind: SecretKind
) -> dict[int, list[bytes]]:
    valid = and_(
        phone_secrets.c.phone_system_id.in_(ids),
        phone_secrets.c.kind == kind,
        or_(phone_secrets.c.valid_until.is_(None), phone_secrets.c.valid_until > now),
        # It may have been removed by a process whose clock is ahead.
        phone_secrets.c.sealed_secret != _REMOVED,
    )
    asked = select(phone_secrets.c.phone_system_id, phone_secrets.c.sealed_secret).where(valid)
    return _grouped(connection, asked.order_by(phone_secrets.c.id.desc()))


def _senders(connection: Connection, ids: Sequence[int]) -> dict[int, list[str]]:
    asked = select(senders.c.phone_system_id, senders.c.network).where(senders.c.phone_system_id.in_(ids))
    return _grouped(connection, asked.order_by(senders.c.network))


def _grouped(connection: Connection, asked: Select[Any]) -> dict[int, list[Any]]:
    """Return what belongs to each phone system, whose id stands in front."""
    found: dict[int, list[Any]] = defaultdict(list)
    for phone_id, one in connection.execute(asked):
        found[phone_id].append(one)
    return found


def add_secret(
    connection: Connection, phone_id: int, encrypted: bytes, now: int, kind: SecretKind = "signing"
) -> None:
    """Give a phone system one more valid secret."""
    values = {"phone_system_id": phone_id, "kind": kind, "sealed_secret": encrypted, "created_at": now}
    connection.execute(insert(phone_secrets).values(values))


def rotate_secret(
    connection: Connection,
    phone_id: int,
    encrypted: bytes,
    now: int,
    old_until: int,
    kind: SecretKind = "signing",
) -> None:
    """Give a new secret and let the older ones of its kind end at `old_until`, those ending sooner aside."""
    older = and_(
        phone_secrets.c.phone_system_id == phone_id,
        phone_secrets.c.kind == kind,
        or_(phone_secrets.c.valid_until.is_(None), phone_secrets.c.valid_until > old_until),
    )
    connection.execute(update(phone_secrets).where(older).values(valid_until=old_until))
    add_secret(connection, phone_id, encrypted, now, kind)


def end_secrets(connection: Connection, phone_id: int, now: int) -> None:
    """Let none of the secrets that there are be valid any more: only when each was valid is kept."""
    theirs = phone_secrets.c.phone_system_id == phone_id
    is_valid = or_(phone_secrets.c.valid_until.is_(None), phone_secrets.c.valid_until > now)
    connection.execute(update(phone_secrets).where(theirs, is_valid).values(valid_until=now))
    connection.execute(update(phone_secrets).where(theirs).values(sealed_secret=_REMOVED))


class SecretLife(msgspec.Struct, frozen=True):
    """From when to when a secret was one with which a phone system posts; None: until it is changed.

    It `was_removed` where it ended with its dialect, or with the phone system.
    """

    kind: SecretKind
    created_at: int
    valid_until: int | None
    was_removed: bool = False


def secret_lives(connection: Connection, phone_id: int) -> list[SecretLife]:
    """Return which secrets a phone system has had, the oldest first."""
    own, was_removed = phone_secrets.c, phone_secrets.c.sealed_secret == _REMOVED
    columns = (own.kind, own.created_at, own.valid_until, was_removed)
    asked = select(*columns).where(phone_secrets.c.phone_system_id == phone_id).order_by(phone_secrets.c.id)
    return [SecretLife(*row) for row in connection.execute(asked)]


def set_senders(connection: Connection, phone_id: int, networks: Iterable[str]) -> None:
    """Let a phone system post from these networks only; none lets it post from anywhere."""
    connection.execute(delete(senders).where(senders.c.phone_system_id == phone_id))
    for network in dict.fromkeys(networks):
        connection.execute(insert(senders).values(phone_system_id=phone_id, network=network))


def set_answers(
    connection: Connection, phone_id: int, *, tells_names: bool | None, routes_to_owners: bool | None
) -> None:
    """Say what a phone system's answers may hold; None leaves a choice as it is."""
    choices = {"tells_names": tells_names, "routes_to_owners": routes_to_owners}
    changed = {name: choice for name, choice in choices.items() if choice is not None}
    if changed:
        which = phone_systems.c.id == phone_id
        connection.execute(update(phone_systems).where(which).values(**changed))


def set_takes_orders(connection: Connection, phone_id: int, *, takes_orders: bool) -> None:
    """Say whether a phone system fetches what it shall do."""
    which = phone_systems.c.id == phone_id
    connection.execute(update(phone_systems).where(which).values(takes_orders=takes_orders))


def set_records_internal(connection: Connection, phone_id: int, *, records_internal: bool) -> None:
    """Say whether calls among colleagues are recorded in Desk."""
    which = phone_systems.c.id == phone_id
    connection.execute(update(phone_systems).where(which).values(records_internal=records_internal))


def set_without_plus(connection: Connection, phone_id: int, *, without_plus: bool) -> None:
    """Say whether the phone system's numbers have their country code and no plus."""
    which = phone_systems.c.id == phone_id
    connection.execute(update(phone_systems).where(which).values(without_plus=without_plus))


def set_prefixes(connection: Connection, phone_id: int, prefixes: Iterable[str]) -> None:
    """Say what is dialled before a number, and cut before it is read."""
    listed = " ".join(dict.fromkeys(prefixes))
    connection.execute(update(phone_systems).where(phone_systems.c.id == phone_id).values(prefixes=listed))


def set_caller_id(connection: Connection, phone_id: int, pattern: str, number: str | None) -> None:
    """Say which of our numbers (E.164) is shown to those we call who fit a pattern; None forgets it."""
    which = and_(caller_ids.c.phone_system_id == phone_id, caller_ids.c.pattern == pattern)
    connection.execute(delete(caller_ids).where(which))
    if number is not None:
        connection.execute(
            insert(caller_ids).values(phone_system_id=phone_id, pattern=pattern, number=number)
        )


def caller_ids_of(connection: Connection, phone_id: int) -> dict[str, str]:
    """Return which of our numbers is shown to whom, by pattern."""
    asked = select(caller_ids.c.pattern, caller_ids.c.number).where(caller_ids.c.phone_system_id == phone_id)
    return {row[0]: row[1] for row in connection.execute(asked.order_by(caller_ids.c.pattern))}


def remove_line(connection: Connection, phone_id: int, number: str) -> bool:
    """Say that a number (E.164) is not the company's own any more; tell whether it was."""
    which = and_(lines.c.phone_system_id == phone_id, lines.c.number == number)
    return connection.execute(delete(lines).where(which)).rowcount > 0


def remove_queue(connection: Connection, phone_id: int, queue: str) -> bool:
    """Forget a queue's department; tell whether the queue was known."""
    which = and_(queues.c.phone_system_id == phone_id, queues.c.queue == queue)
    return connection.execute(delete(queues).where(which)).rowcount > 0


def set_line(
    connection: Connection, phone_id: int, number: str, department_id: str | None, name: str = ""
) -> None:
    """Say that a number (E.164) is the company's own."""
    remove_line(connection, phone_id, number)
    values = {"number": number, "department_id": department_id, "name": name}
    connection.execute(insert(lines).values(phone_system_id=phone_id, **values))


def set_queue(
    connection: Connection, phone_id: int, queue: str, department_id: str | None, name: str = ""
) -> None:
    """Say which department a queue belongs to."""
    remove_queue(connection, phone_id, queue)
    values = {"queue": queue, "department_id": department_id, "name": name}
    connection.execute(insert(queues).values(phone_system_id=phone_id, **values))


def queue_words(connection: Connection) -> frozenset[str]:
    """Return what queues are called by the phone systems there are, and by everybody."""
    there = phone_systems.c.removed_at.is_(None)
    told = select(queues.c.queue).join(phone_systems, phone_systems.c.id == queues.c.phone_system_id)
    words = union(told.where(there), select(queue_members.c.queue))
    return frozenset(connection.execute(words).scalars())


_blocked = blocked_numbers.c


class Blocked(msgspec.Struct, frozen=True, kw_only=True):
    """A number, or a pattern of numbers, that is turned away; `everywhere` by the whole portal."""

    pattern: str
    everywhere: bool
    reason: str
    created_at: int


def block(connection: Connection, phone: PhoneSystem, blocked: Blocked) -> None:
    """Turn a number away."""
    unblock(connection, phone, blocked.pattern, everywhere=blocked.everywhere)
    connection.execute(
        insert(blocked_numbers).values(
            portal_id=phone.portal_id,
            phone_system_id=ANY_PHONE_SYSTEM if blocked.everywhere else phone.id,
            pattern=blocked.pattern,
            reason=blocked.reason,
            created_at=blocked.created_at,
        )
    )


def unblock(connection: Connection, phone: PhoneSystem, pattern: str, *, everywhere: bool) -> bool:
    """Turn a number away no more; tell whether it was."""
    which = and_(
        _blocked.portal_id == phone.portal_id,
        _blocked.phone_system_id == (ANY_PHONE_SYSTEM if everywhere else phone.id),
        _blocked.pattern == pattern,
    )
    return connection.execute(delete(blocked_numbers).where(which)).rowcount > 0


def list_blocked(connection: Connection, phone: PhoneSystem) -> list[Blocked]:
    """Return what a phone system turns away, its portal's numbers included."""
    which = and_(
        _blocked.portal_id == phone.portal_id,
        or_(_blocked.phone_system_id == phone.id, _blocked.phone_system_id == ANY_PHONE_SYSTEM),
    )
    rows = connection.execute(select(blocked_numbers).where(which).order_by(_blocked.pattern))
    return [
        Blocked(
            pattern=row.pattern,
            everywhere=row.phone_system_id == ANY_PHONE_SYSTEM,
            reason=row.reason,
            created_at=row.created_at,
        )
        for row in rows
    ]
