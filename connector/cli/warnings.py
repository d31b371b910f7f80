"""Compare what is typed with what Desk and we know: names become ids, what is probably mistyped is doubted.

It is done all the same, because it may be right tomorrow.
"""

from collections.abc import Collection, Iterable
from difflib import get_close_matches
from pathlib import Path

import click
from sqlalchemy import Connection

from connector import numbers
from connector.clock import system_clock
from connector.errors import ConnectorError
from connector.portals import naming
from connector.services import Services
from connector.store import people, phones
from connector.store.phones import PhoneSystem

LISTED_AT_MOST = 8


def warn(sentence: str) -> None:
    """Write a warning on standard error, where it is in no program's way."""
    click.echo(f"Warning: {sentence}", err=True)


def warn_of_folder(folder: str | None) -> None:
    """Warn of a folder that is not on this machine."""
    if folder is not None and not _is_folder(folder):
        warn(
            f"There is no folder {folder} on this machine, or it may not be looked into. Kept as typed: "
            "every machine that serves needs the folder at that path."
        )


def warn_of_line(phone: PhoneSystem, number: str) -> None:
    """Warn of a caller id that is none of the phone system's own numbers."""
    if not numbers.is_among(number, phone.lines):
        warn(
            f"{number} is none of the lines of {phone.slug} ({_listed(phone.lines)}). Kept as typed: "
            f"if it is yours, say so with: connector phones line {phone.slug} {number}"
        )


def known_queues(connection: Connection, besides: int | None = None) -> frozenset[str]:
    """Return the queues of the phone systems and of everybody but one user."""
    told = {queue for phone in phones.list_all(connection, system_clock()) for queue in phone.queues}
    return frozenset(told | people.queue_names(connection, besides))


def warn_of_queues(names: Iterable[str], known: Collection[str]) -> None:
    """Warn of queues that nobody has named before, where others have been."""
    for name in names:
        if known and name not in known:
            close = get_close_matches(name, sorted(known), 1)
            meant = f"Is {close[0]} meant?" if close else f"Known are {_listed(known)}."
            warn(f"No queue has been called {name} before. {meant} Kept as typed.")


async def department_id(services: Services, portal_id: int, text: str | None) -> str | None:
    """Return the id of a department that is meant by name or id; "" and None mean none."""
    if not text:
        return None
    found = await services.administration.meant(portal_id, "department", text)
    if found.warning:
        warn(found.warning)
    return found.id


async def department_names(services: Services, portal_id: int) -> dict[str, str]:
    """Return what people call a portal's departments, by id; nothing where Desk cannot be asked."""
    try:
        found = await naming.known(await services.portals.desk(portal_id), "department")
    except ConnectorError:
        return {}
    return {each.id: each.names[0] for each in found if each.names[0]}


def _is_folder(folder: str) -> bool:
    try:
        return Path(folder).is_dir()
    except OSError:
        return False


def _listed(texts: Iterable[str]) -> str:
    found = list(texts)
    more = ["..."] if len(found) > LISTED_AT_MOST else []
    return ", ".join(sorted(found)[:LISTED_AT_MOST] + more) or "none"
