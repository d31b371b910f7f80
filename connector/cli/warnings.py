"""Compare what is typed with what Desk and we know: names become ids, what is probably mistyped is doubted.

It is done all the same, because it may be right tomorrow.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable
from contextlib import suppress
from typing import NamedTuple

import click
from sqlalchemy import Connection

from connector.casing import ascii_lower
from connector.clock import system_clock
from connector.errors import CommandError, ConnectorError
from connector.phone_systems import warnings
from connector.phone_systems.warnings import Warnings, listed
from connector.services import Services
from connector.store import phones, users
from connector.zoho.client import Desk
from connector.zoho.operations import AGENTS_LIMIT


def warn(sentence: str) -> None:
    """Write a warning on standard error, where it is in no program's way."""
    click.echo(f"Warning: {sentence}", err=True)


def warn_of(told: Warnings, next_step: str = "") -> None:
    """Warn of what was done and may not have been meant."""
    for each in told:
        warn(" ".join(filter(None, (str(each), next_step))))


def known_queues(connection: Connection, besides: int | None = None) -> frozenset[str]:
    """Return the queues of the phone systems and of everybody but one user."""
    told = {queue for phone in phones.list_all(connection, system_clock()) for queue in phone.queues}
    others = (user for user in users.list_all(connection) if user.id != besides)
    return frozenset(
        told.union(word.text for user in others for word in users.queues_of(connection, user.id))
    )


def warn_of_queues(names: Iterable[str], known: Collection[str]) -> None:
    """Warn of queues that nobody has named before, where others have been."""
    warn_of(warnings.of_queues(names, known))


class Known(NamedTuple):
    """Something of Desk's that settings name: its id, and what people call it."""

    id: str
    names: tuple[str, ...]


async def _departments(desk: Desk) -> list[Known]:
    return [Known(str(each.id), (each.name or "",)) for each in await desk.departments()]


async def _agents(desk: Desk) -> list[Known]:
    return [Known(str(each.id), (each.email or "", each.name)) for each in await desk.agents()]


async def _fields(desk: Desk) -> list[Known]:
    custom = [each for each in await desk.call_fields() if each.is_custom is not False]
    return [Known(each.api_name, (each.label or "",)) for each in custom if each.api_name]


async def department_id(services: Services, portal_id: int, text: str | None) -> str | None:
    """Return the id of a department that is meant by name or id; "" and None mean none."""
    return await _id_of(services, portal_id, "department", text, _departments)


async def agent_id(services: Services, portal_id: int, text: str | None) -> str | None:
    """Return the id of Desk's agent who is meant by e-mail address, name or id."""
    return await _id_of(services, portal_id, "agent", text, _agents)


async def call_field(services: Services, portal_id: int, text: str | None) -> str | None:
    """Return the API name of a custom field of calls that is meant by that name or its label.

    One that takes no text is kept, with a warning.
    """
    found = await _id_of(services, portal_id, "custom field of calls", text, _fields)
    with suppress(ConnectorError):
        for each in await (await services.portals.desk(portal_id)).call_fields() if found else ():
            if each.api_name == found and not each.takes_text:
                warn(f"The field {found} is for a {each.type}, and takes no text. Kept as typed.")
    return found


async def department_names(services: Services, portal_id: int) -> dict[str, str]:
    """Return what people call a portal's departments, by id; nothing where Desk cannot be asked."""
    try:
        found = await _departments(await services.portals.desk(portal_id))
    except ConnectorError:
        return {}
    return {each.id: each.names[0] for each in found if each.names[0]}


async def _id_of(
    services: Services,
    portal_id: int,
    what: str,
    text: str | None,
    known: Callable[[Desk], Awaitable[list[Known]]],
) -> str | None:
    """Find what somebody means among what Desk has; what looks like an id is kept, with a warning."""
    if not text:
        return None
    is_id = text.isdecimal() or text.startswith("cf_")
    try:
        found = await known(await services.portals.desk(portal_id))
    except ConnectorError as problem:
        if not is_id:
            raise CommandError(f"Which {what} is called {text!r} could not be asked: {problem}") from problem
        warn(f"Whether Desk has the {what} {text} could not be asked: {problem} Kept as typed.")
        return text
    folded = ascii_lower(text)
    meant = [each for each in found if text == each.id or folded in map(ascii_lower, each.names)]
    if len(meant) == 1:
        return meant[0].id
    there = listed(f"{each.names[0] or each.id} ({each.id})" for each in meant or found)
    if meant:
        raise CommandError(f"Several are called {text!r}: {there}. Name one by its id.")
    if not is_id:
        raise CommandError(f"Desk has no {what} {text!r}; there is {there}.")
    # Of more than a page nobody knows whether it lacks one.
    if len(found) < AGENTS_LIMIT:
        warn(f"Desk shows no {what} {text} to the connector; there is {there}. Kept as typed.")
    return text
