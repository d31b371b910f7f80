"""Bring in people from the agents of a portal's Desk: one, several or all who are not here yet."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import partial
from typing import Literal

import msgspec

from connector.accounts.people_files import Line
from connector.accounts.people_import import PeopleImport
from connector.casing import ascii_lower
from connector.errors import InvalidValue
from connector.store import Store, people
from connector.store.people import Person
from connector.store.users import User
from connector.zoho.client import Desk
from connector.zoho.models import DeskAgent
from connector.zoho.operations import AGENTS_LIMIT

AGENTS_AT_MOST = 5_000
"""Of one portal; each page of them costs credits."""

DeskOf = Callable[[int], Awaitable[Desk]]

State = Literal["new", "here", "deactivated", "no_email", "not_active"]
"""Not here yet; here; here and deactivated; without an address; not active in Desk."""


class DeskPerson(msgspec.Struct, frozen=True, kw_only=True):
    """An agent of Desk's, and whether they are here: `user_id` is who they are."""

    id: str
    name: str
    email: str
    departments: tuple[str, ...]
    extension: str
    state: State
    user_id: int | None = None


class DeskPage(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a portal's agents; `next` is where the part behind it begins, None at the end."""

    people: tuple[DeskPerson, ...]
    next: int | None


class DeskPeople:
    """Show a portal's agents, and add them here; `desk_of` gives the client of a portal's Desk."""

    def __init__(self, store: Store, importing: PeopleImport, desk_of: DeskOf) -> None:
        self._store = store
        self._importing = importing
        self._desk_of = desk_of

    async def page(self, portal_id: int, begin: int = 0) -> DeskPage:
        """Return agents of a portal's Desk in its order; raises as Desk's client does, GrantLost too."""
        desk = await self._desk_of(portal_id)
        agents = await desk.agents(begin)
        names = {str(each.id): each.name or str(each.id) for each in await desk.departments()}
        further = begin + AGENTS_LIMIT
        has_more = len(agents) >= AGENTS_LIMIT and further < AGENTS_AT_MOST
        return DeskPage(people=tuple(await self._known(agents, names)), next=further if has_more else None)

    async def everybody(self, portal_id: int) -> list[DeskPerson]:
        """Return all agents of a portal's Desk, `AGENTS_AT_MOST` at most; raises as `page` does."""
        desk = await self._desk_of(portal_id)
        names = {str(each.id): each.name or str(each.id) for each in await desk.departments()}
        return await self._known(await self._all(portal_id), names)

    async def ids_of(self, portal_id: int, emails: Collection[str]) -> list[str]:
        """Return the ids of the agents with these addresses; InvalidValue for one whom Desk does not have."""
        by_email = {ascii_lower(each.email or ""): each.id for each in await self._all(portal_id)}
        for email in emails:
            if not email or ascii_lower(email) not in by_email:
                raise InvalidValue(
                    "Desk has no agent {id}: choose one whom it shows.", "/ids", id=repr(email[:320])
                )
        return [by_email[ascii_lower(email)] for email in emails]

    async def add(
        self,
        portal_id: int,
        ids: Collection[str] | None = None,
        *,
        role: str = "agent",
        with_extensions: bool = True,
        actor: str,
    ) -> list[Person]:
        """Add these agents of Desk's (None: all) who are not here yet, and return who was added.

        What Desk says of them is read anew. InvalidValue for one who cannot be added; then nobody is.
        """
        agents = await self._all(portal_id)
        chosen = agents if ids is None else _chosen(agents, ids)
        found = await self._known(chosen, {})
        if ids is not None:
            _refuse_unfit(found)
        lines = [_line(each, role, with_extensions=with_extensions) for each in found if each.state == "new"]
        taken = await self._importing.take(lines, actor=actor)
        return [line.after for line in taken.lines if line.step == "add" and line.after]

    async def _all(self, portal_id: int) -> list[DeskAgent]:
        desk = await self._desk_of(portal_id)
        found: dict[str, DeskAgent] = {}
        for begin in range(0, AGENTS_AT_MOST, AGENTS_LIMIT):
            agents = await desk.agents(begin)
            found |= {each.id: each for each in agents}
            if len(agents) < AGENTS_LIMIT:
                break
        return list(found.values())

    async def _known(self, agents: Sequence[DeskAgent], departments: dict[str, str]) -> list[DeskPerson]:
        emails = [each.email for each in agents if each.email]
        here = await self._store.read(partial(people.by_emails, emails=emails))
        return [_person(each, departments, here.get(ascii_lower(each.email or ""))) for each in agents]


def _person(agent: DeskAgent, departments: dict[str, str], user: User | None) -> DeskPerson:
    return DeskPerson(
        id=agent.id,
        name=agent.name,
        email=agent.email or "",
        departments=tuple(departments.get(each, each) for each in agent.department_ids or ()),
        extension=(agent.extension or "").strip(),
        state=_state(agent, user),
        user_id=None if user is None else user.id,
    )


def _state(agent: DeskAgent, user: User | None) -> State:
    if user is not None:
        return "here" if user.active else "deactivated"
    if not agent.email:
        return "no_email"
    # What Desk does not tell is no reason against somebody whom an administrator chooses.
    return "new" if agent.status in (None, "", "ACTIVE") else "not_active"


def _chosen(agents: Sequence[DeskAgent], ids: Collection[str]) -> list[DeskAgent]:
    by_id = {each.id: each for each in agents}
    if not ids:
        raise InvalidValue("Nobody is chosen: choose whom to add.", "/ids")
    for each in ids:
        if each not in by_id:
            raise InvalidValue(
                "Desk has no agent {id}: choose one whom it shows.", "/ids", id=repr(str(each)[:40])
            )
    return [by_id[each] for each in dict.fromkeys(ids)]


def _refuse_unfit(found: Sequence[DeskPerson]) -> None:
    reasons: dict[State, str] = {
        "here": "{name} is here already: choose somebody else.",
        "deactivated": "{name} is here already, and is deactivated: reactivate them instead.",
        "no_email": "Desk shows no e-mail address of {name}: enter it there, or let the connector read it.",
        "not_active": "{name} is not active in Desk: activate them there first.",
    }
    for each in found:
        if each.state != "new":
            raise InvalidValue(reasons[each.state], "/ids", name=each.name or each.email or each.id)


def _line(person: DeskPerson, role: str, *, with_extensions: bool) -> Line:
    words = ((None, person.extension),) if person.extension and with_extensions else None
    name = person.name or person.email
    return Line(number=0, email=person.email, name=name, role=role, extensions=words)
