"""Warn of what is probably mistyped; it is done all the same, because it may be right tomorrow."""

from collections.abc import Awaitable, Callable, Collection, Iterable
from difflib import get_close_matches
from pathlib import Path

import click
from sqlalchemy import Connection

from connector import numbers
from connector.clock import system_clock
from connector.errors import ConnectorError
from connector.services import Services
from connector.store import phones, users
from connector.store.phones import PhoneSystem
from connector.zoho.client import Desk
from connector.zoho.operations import AGENTS_LIMIT

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
    others = (user for user in users.list_all(connection) if user.id != besides)
    return frozenset(
        told.union(word.text for user in others for word in users.queues_of(connection, user.id))
    )


def warn_of_queues(names: Iterable[str], known: Collection[str]) -> None:
    """Warn of queues that nobody has named before, where others have been."""
    for name in names:
        if known and name not in known:
            close = get_close_matches(name, sorted(known), 1)
            meant = f"Is {close[0]} meant?" if close else f"Known are {_listed(known)}."
            warn(f"No queue has been called {name} before. {meant} Kept as typed.")


async def warn_of_departments(services: Services, portal_id: int, ids: Iterable[str | None]) -> None:
    """Warn of departments that the portal's Desk does not have, if it can be asked."""

    async def known(desk: Desk) -> list[str]:
        return [str(each.id) for each in await desk.departments()]

    await _warn_of_unknown(services, portal_id, "department", ids, known)


async def warn_of_owners(services: Services, portal_id: int, ids: Iterable[str | None]) -> None:
    """Warn of owners of records who are no agents of the portal's Desk, if it can be asked."""

    async def known(desk: Desk) -> list[str]:
        return [str(each.id) for each in await desk.agents()]

    await _warn_of_unknown(services, portal_id, "agent", ids, known)


async def warn_of_fields(services: Services, portal_id: int, names: Iterable[str | None]) -> None:
    """Warn of custom fields of calls that the portal's Desk does not have for texts, if it can be asked."""
    wanted = [each for each in dict.fromkeys(names) if each]
    if not wanted:
        return
    try:
        desk = await services.portals.desk(portal_id)
        found = {each.api_name: each for each in await desk.call_fields() if each.api_name}
    except ConnectorError as problem:
        warn(f"Whether Desk has the field {_listed(wanted)} could not be asked: {problem} Kept as typed.")
        return
    usable = [name for name, field in found.items() if name.startswith("cf_") and field.takes_text]
    for each in wanted:
        if each not in found:
            warn(f"Desk has no field {each} for calls. It has {_listed(usable)} for texts. Kept as typed.")
        elif not found[each].takes_text:
            warn(f"The field {each} is for a {found[each].type}, and takes no text. Kept as typed.")


async def _warn_of_unknown(
    services: Services,
    portal_id: int,
    what: str,
    ids: Iterable[str | None],
    known: Callable[[Desk], Awaitable[list[str]]],
) -> None:
    wanted = [each for each in dict.fromkeys(ids) if each]
    if not wanted:
        return
    try:
        found = await known(await services.portals.desk(portal_id))
    except ConnectorError as problem:
        warn(f"Whether Desk has the {what} {_listed(wanted)} could not be asked: {problem} Kept as typed.")
        return
    # Of more than a page nobody knows whether it lacks one.
    for each in wanted if len(found) < AGENTS_LIMIT else ():
        if each not in found:
            warn(
                f"Desk shows no {what} {each} to the connector; `connector portals show {portal_id} --live` "
                "lists those there are. Kept as typed."
            )


def _is_folder(folder: str) -> bool:
    try:
        return Path(folder).is_dir()
    except OSError:
        return False


def _listed(texts: Iterable[str]) -> str:
    found = list(texts)
    more = ["..."] if len(found) > LISTED_AT_MOST else []
    return ", ".join(sorted(found)[:LISTED_AT_MOST] + more) or "none"
