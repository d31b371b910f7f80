"""Check the installation itself: database, tables, keys, clock, disk, address."""

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import Connection

from connector.checks import Check, Subject
from connector.crypto import Encryptor
from connector.errors import StoreError
from connector.maintenance.clock_skew import TOLERATED_SECONDS, ClockSkew
from connector.settings import LOOPBACK, Settings
from connector.store import Store, backups, encrypted
from connector.store.engine import has_locks
from connector.store.migrating import is_current, newest_migration

NAME = "This installation"

GIGABYTE = 1024**3
LOW_DISK = GIGABYTE
"""Free bytes below which somebody should make room: some weeks of a small company's calls."""

FULL_DISK = GIGABYTE // 10
"""Free bytes below which the next backup, or a copy of the tables, may not fit any more."""


class InstallationCheck:
    """Looks at this machine and its database; what is written is nothing."""

    def __init__(self, store: Store, settings: Settings, encryptor: Encryptor, clocks: ClockSkew) -> None:
        self._store = store
        self._settings = settings
        self._encryptor = encryptor
        self._clocks = clocks

    async def run(self) -> Subject:
        """Return every check; where the database does not answer, those that need it are left out."""
        return Subject(name=NAME, checks=(*await self._of_the_database(), *self._of_the_machine()))

    async def _of_the_database(self) -> list[Check]:
        try:
            # A transaction without a statement that changes anything: it shows whether one can be had.
            await self._store.write(lambda _: None)
            current = await self._store.read(is_current)
        except StoreError as problem:
            return [database_check(is_postgresql=self._is_postgresql, problem=problem)]
        database = database_check(is_postgresql=self._is_postgresql)
        if not current:
            return [database, tables_check(is_current=False)]
        await self._clocks.step()
        keys = await self._store.read(self._keys)
        clock = clock_check(self._clocks.ahead_seconds, is_shared=self._is_postgresql)
        return [database, tables_check(is_current=True), keys, clock]

    def _keys(self, connection: Connection) -> Check:
        places = Counter(map(self._encryptor.key_of, encrypted.secrets(connection)))
        return keys_check(places, len(self._settings.secret_key))

    def _of_the_machine(self) -> Iterator[Check]:
        file = backups.file_of(self._settings.database_url)
        yield disk_check(Path.cwd() if file is None else file.absolute().parent)
        yield address_check(self._settings.public_url)

    @property
    def _is_postgresql(self) -> bool:
        return has_locks(self._store.engine)


def database_check(*, is_postgresql: bool, problem: StoreError | None = None) -> Check:
    """Return whether the database answers and takes transactions."""
    kind = "PostgreSQL" if is_postgresql else "SQLite"
    if problem is None:
        return Check(layer="database", what=kind, state="ok", why="It answers, and takes transactions.")
    return Check(
        layer="database",
        what=kind,
        state="refused",
        why=str(problem) or "It does not answer.",
        place="DATABASE_URL",
        remedy="Whoever runs the machine sees to it that the database runs, can be written to and has room. "
        "Phone systems are told to send again until then.",
        reason=problem.reason,
    )


def tables_check(*, is_current: bool) -> Check:
    """Return whether the tables are those of this version."""
    if is_current:
        why = f"They are those of this version ({newest_migration()})."
        return Check(layer="migrations", what="Tables", state="ok", why=why)
    return Check(
        layer="migrations",
        what="Tables",
        state="refused",
        why=f"They are of another version; this one has {newest_migration()}.",
        needs=newest_migration(),
        remedy="Run `connector migrate`, with the newest version that serves or delivers here.",
    )


def keys_check(places: Counter[int | None], keys: int) -> Check:
    """Return which keys the stored secrets need: `places` counts them by the key that opens each.

    0 is the first key of SECRET_KEY, and None stands for those that none opens.
    """
    lost, former = places[None], sum(count for place, count in places.items() if place)
    if lost:
        return Check(
            layer="keys",
            what="SECRET_KEY",
            state="refused",
            why=f"{_count(lost)} of {places.total()} cannot be decrypted: they need a key that is not there.",
            needs="The key with which they were encrypted",
            place="SECRET_KEY",
            remedy="Add the former key behind the present one, separated by a comma. If it is lost, link the "
            "portals and set the phone systems' secrets again.",
        )
    if former:
        return Check(
            layer="keys",
            what="SECRET_KEY",
            state="warning",
            why=f"{_count(former)} of {places.total()} are still encrypted with a former key.",
            place="SECRET_KEY",
            remedy="Keep the former key behind the present one. What is linked or set again is encrypted "
            "with the first key.",
        )
    more = "" if keys == 1 else " No secret needs the former keys any more; sessions may, for a few days."
    why = f"{_count(places.total())} can be decrypted with the first key.{more}"
    return Check(layer="keys", what="SECRET_KEY", state="ok", why=why)


def _count(secrets: int) -> str:
    return f"{secrets} stored secret{'' if secrets == 1 else 's'}"


def clock_check(ahead_seconds: float, *, is_shared: bool) -> Check:
    """Return whether this machine's clock agrees with the database's; on SQLite there is only one."""
    if not is_shared:
        return Check(layer="clock", what="Clock", state="ok", why="One machine has one clock.")
    if abs(ahead_seconds) <= TOLERATED_SECONDS:
        why = "This machine and the database agree."
        return Check(layer="clock", what="Clock", state="ok", why=why)
    words = f"{abs(ahead_seconds):,.0f} seconds {'ahead of' if ahead_seconds > 0 else 'behind'}"
    return Check(
        layer="clock",
        what="Clock",
        state="refused",
        why=f"This machine's clock is {words} the database's: nothing is delivered from here.",
        needs=f"At most {TOLERATED_SECONDS} seconds",
        remedy="Whoever runs the machines has both set their clocks by NTP.",
    )


def disk_check(folder: Path) -> Check:
    """Return how much room is left where a folder is."""
    try:
        usage = shutil.disk_usage(folder)
    except OSError as problem:
        why = f"The disk of {folder} cannot be asked: {problem.strerror or problem}"
        return Check(layer="disk", what="Disk space", state="unknown", why=why)
    return room_check(str(folder), usage.free, usage.total)


def room_check(folder: str, free: int, total: int) -> Check:
    """Return whether so many free bytes are enough."""
    state = "refused" if free < FULL_DISK else "warning" if free < LOW_DISK else "ok"
    why = f"{free / GIGABYTE:,.1f} of {total / GIGABYTE:,.1f} GB are free at {folder}."
    if state == "ok":
        return Check(layer="disk", what="Disk space", state="ok", why=why)
    return Check(
        layer="disk",
        what="Disk space",
        state="refused" if state == "refused" else "warning",
        why=why,
        needs=f"{LOW_DISK / GIGABYTE:,.0f} GB",
        place=folder,
        remedy="Whoever runs the machine makes room there, or gives the database a larger disk.",
    )


def address_check(public_url: str) -> Check:
    """Return whether others than this machine can reach PUBLIC_URL; it is never asked from here."""
    host = urlsplit(public_url).hostname or ""
    if host in LOOPBACK:
        return Check(
            layer="address",
            what="PUBLIC_URL",
            state="warning",
            why=f"{public_url} is this machine's own address: nobody elsewhere reaches it.",
            needs="An https address that they reach",
            place="PUBLIC_URL",
            remedy="Set it to the address of the proxy before the connector, such as https://calls.example.com.",
        )
    why = f"{public_url}. Whether others reach it shows with the first event."
    return Check(layer="address", what="PUBLIC_URL", state="ok", why=why)
