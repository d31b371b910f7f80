"""Let programs keep the people, what phone systems call them, and what they may do."""

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from connector.accounts import Person as FoundPerson
from connector.accounts.desk_people import AGENTS_AT_MOST
from connector.accounts.people_files import BYTES_AT_MOST
from connector.accounts.people_import import Planned, Preview
from connector.accounts.words import PhoneWord
from connector.services import Services
from connector.store.people import Which
from connector.store.rights import Given, Right, Thing
from connector.store.tables import ANY_PHONE_SYSTEM, ANY_PORTAL
from connector.store.users import Role, Word
from connector.web.api.operation import Call, Page, Paging, operation, row_cursor

Id = Annotated[int, Meta(ge=1, le=10**18 - 1)]
Text = Annotated[str, Meta(max_length=320)]


class PhoneWordSaid(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a phone system calls somebody, or a queue; without `phone_system` (a slug), whichever says so."""

    text: Text
    phone_system: Text | None = None


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who may sign in; `signed_in_before` says that their Zoho identity is known."""

    id: int
    email: str
    name: str
    role: Role
    active: bool
    signed_in_before: bool
    extensions: list[PhoneWordSaid]
    queues: list[PhoneWordSaid]


class People(Paging, frozen=True, kw_only=True):
    """Which people: `text` is part of a name or an address, or an extension; "" is any."""

    text: Text = ""
    role: Role | Literal[""] = ""
    state: Literal["", "active", "deactivated"] = ""


class NewPerson(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody to be added, by the e-mail address that Zoho has of them."""

    email: Text
    name: Text
    role: Text = "agent"
    extensions: list[PhoneWordSaid] = []
    queues: list[PhoneWordSaid] = []


class PersonChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is changed of somebody; `extensions` and `queues` take the place of those there were."""

    name: Text | UnsetType = UNSET
    role: Text | UnsetType = UNSET
    extensions: list[PhoneWordSaid] | UnsetType = UNSET
    queues: list[PhoneWordSaid] | UnsetType = UNSET


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """How many sessions ended by it."""

    sessions_ended: int


class RightSaid(msgspec.Struct, frozen=True, kw_only=True):
    """A right beside the role; `portal_id` is null where it holds for all portals."""

    portal_id: int | None
    thing: Thing
    right: Right


class RightWanted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A right to be given."""

    thing: Text
    right: Text


class RightsWanted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All rights for a portal, or for all of them where `portal_id` is null."""

    rights: list[RightWanted]
    portal_id: Id | None = None


class Rights(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody may do beside their role."""

    rights: list[RightSaid]


class Import(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A CSV of people; with the `digest` of a preview, nothing but what that said is done."""

    csv: str
    digest: Text = ""


class ImportedLine(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of a line: `problem` says why nothing can, `pointer` of which column."""

    line: int
    email: str
    step: str
    changes: dict[str, list[str]]
    problem: str = ""
    pointer: str = ""


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What an import does, line by line."""

    lines: list[ImportedLine]
    digest: str


class DeskAgents(Paging, frozen=True, kw_only=True):
    """Whose agents; `cursor` counts them, and `limit` is Desk's own."""

    portal_id: Id


class DeskAgent(msgspec.Struct, frozen=True, kw_only=True):
    """An agent of Desk's; `state` is new, here, deactivated, no_email or not_active (in Desk)."""

    id: str
    name: str
    email: str
    departments: list[str]
    extension: str
    state: str
    person_id: int | None


class DeskImport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which agents of Desk's are added: `ids`, or null for all who are not here yet."""

    portal_id: Id
    ids: list[Text] | None
    role: Text = "agent"
    with_extensions: bool = True


class Added(msgspec.Struct, frozen=True, kw_only=True):
    """Who was added."""

    people: list[Person]


@operation("GET", "/api/v1/people", role="administrator")
async def list_people(call: Call, query: People) -> Page[Person]:
    """List people in the order of their addresses."""
    which = Which(
        text=query.text,
        role=query.role or None,
        active={"active": True, "deactivated": False}.get(query.state),
        after=query.cursor,
    )
    found = await call.services.agents.page(which, query.limit + 1)
    slugs, shown = await call.services.agents.slugs(), found[: query.limit]
    return Page(
        items=[_person(each, slugs) for each in shown],
        next=shown[-1].user.email if len(found) > len(shown) else None,
    )


@operation("POST", "/api/v1/people", role="administrator", status=201)
async def add_person(call: Call, body: NewPerson) -> Person:
    """Add somebody, who may then sign in with Zoho."""
    added = await call.services.agents.add_agent(
        body.email,
        body.name,
        body.role,
        extensions=_words(body.extensions),
        queues=_words(body.queues),
        actor=call.actor,
    )
    return await _shown(call.services, added)


@operation("GET", "/api/v1/people/{id:id}", role="administrator")
async def show_person(call: Call) -> Person:
    """Show somebody."""
    return await _shown(call.services, await call.services.agents.find(call.path("id")))


@operation("PATCH", "/api/v1/people/{id:id}", role="administrator")
async def change_person(call: Call, body: PersonChange) -> Person:
    """Change what is given."""
    changed = await call.services.agents.change_agent(
        call.path("id"),
        name=None if body.name is UNSET else body.name,
        role=None if body.role is UNSET else body.role,
        extensions=None if body.extensions is UNSET else _words(body.extensions),
        queues=None if body.queues is UNSET else _words(body.queues),
        actor=call.actor,
    )
    return await _shown(call.services, changed)


@operation("POST", "/api/v1/people/{id:id}/deactivate", role="administrator")
async def deactivate_person(call: Call) -> Ended:
    """Shut somebody out at once.

    What they did stays theirs; the last administrator stays.
    """
    return Ended(sessions_ended=await call.services.agents.deactivate(call.path("id"), actor=call.actor))


@operation("POST", "/api/v1/people/{id:id}/reactivate", role="administrator")
async def reactivate_person(call: Call) -> Person:
    """Let a deactivated person sign in again."""
    await call.services.agents.reactivate(call.path("id"), actor=call.actor)
    return await _shown(call.services, await call.services.agents.find(call.path("id")))


@operation("POST", "/api/v1/people/{id:id}/release", role="administrator")
async def release_person(call: Call) -> Ended:
    """Forget which Zoho user somebody is: the next sign-in with their address decides anew."""
    return Ended(sessions_ended=await call.services.agents.release(call.path("id"), actor=call.actor))


@operation("GET", "/api/v1/people/{id:id}/rights", role="administrator")
async def show_rights(call: Call) -> Rights:
    """Show what somebody may do beside their role."""
    return _rights(await call.services.agents.rights_of(call.path("id")))


@operation("PUT", "/api/v1/people/{id:id}/rights", role="administrator")
async def give_rights(call: Call, body: RightsWanted) -> Rights:
    """Give somebody these rights and no others, for a portal or for all of them."""
    wanted = [(each.thing, each.right) for each in body.rights]
    given = await call.services.agents.give_rights(
        call.path("id"), wanted, portal_id=body.portal_id, actor=call.actor
    )
    return _rights(given)


@operation("POST", "/api/v1/people/import/preview", role="administrator", largest=2 * BYTES_AT_MOST)
async def preview_import(call: Call, body: Import) -> Imported:
    """Say what an import would do; nothing is changed."""
    return _imported(await call.services.people_import.preview(body.csv))


@operation("POST", "/api/v1/people/import", role="administrator", largest=2 * BYTES_AT_MOST)
async def import_people(call: Call, body: Import) -> Imported:
    """Add and change people by a CSV with the columns email, name, role, extensions, queues.

    One wrong line, and nothing is changed.
    """
    taken = await call.services.people_import.carry_out(body.csv, digest=body.digest, actor=call.actor)
    return _imported(taken)


@operation("GET", "/api/v1/people/desk", role="administrator")
async def list_desk_agents(call: Call, query: DeskAgents) -> Page[DeskAgent]:
    """List the agents of a portal's Desk, and who of them is here."""
    begin = min(row_cursor(query.cursor) or 0, AGENTS_AT_MOST)
    found = await call.services.desk_people.page(query.portal_id, begin)
    items = [
        DeskAgent(
            id=each.id,
            name=each.name,
            email=each.email,
            departments=list(each.departments),
            extension=each.extension,
            state=each.state,
            person_id=each.user_id,
        )
        for each in found.people
    ]
    return Page(items=items, next=None if found.next is None else str(found.next))


@operation("POST", "/api/v1/people/desk", role="administrator")
async def import_desk_agents(call: Call, body: DeskImport) -> Added:
    """Add agents of a portal's Desk: some, or all who are not here yet."""
    added = await call.services.desk_people.add(
        body.portal_id,
        body.ids,
        role=body.role,
        with_extensions=body.with_extensions,
        actor=call.actor,
    )
    slugs = await call.services.agents.slugs()
    return Added(people=[_person(each, slugs) for each in added])


OPERATIONS = (
    list_people, add_person, show_person, change_person, deactivate_person, reactivate_person,
    release_person, show_rights, give_rights, preview_import, import_people, list_desk_agents,
    import_desk_agents,
)  # fmt: skip


async def _shown(services: Services, person: FoundPerson) -> Person:
    return _person(await services.agents.find(person.user.id), await services.agents.slugs())


def _person(person: FoundPerson, slugs: Mapping[int, str]) -> Person:
    user = person.user
    return Person(
        id=user.id,
        email=user.email,
        name=user.name,
        role=user.role,
        active=user.active,
        signed_in_before=user.issuer is not None,
        extensions=[_said(word, slugs) for word in person.extensions if _is_there(word, slugs)],
        queues=[_said(word, slugs) for word in person.queues if _is_there(word, slugs)],
    )


def _said(word: Word, slugs: Mapping[int, str]) -> PhoneWordSaid:
    return PhoneWordSaid(text=word.text, phone_system=slugs.get(word.phone_system_id))


def _is_there(word: Word, slugs: Mapping[int, str]) -> bool:
    return word.phone_system_id == ANY_PHONE_SYSTEM or word.phone_system_id in slugs


def _words(said: list[PhoneWordSaid]) -> list[PhoneWord]:
    return [(each.phone_system, each.text) for each in said]


def _rights(given: frozenset[Given]) -> Rights:
    return Rights(
        rights=[
            RightSaid(
                portal_id=None if each.portal_id == ANY_PORTAL else each.portal_id,
                thing=each.thing,
                right=each.right,
            )
            for each in sorted(given)
        ]
    )


def _imported(preview: Preview) -> Imported:
    return Imported(lines=[_line(preview, each) for each in preview.lines], digest=preview.digest)


def _line(preview: Preview, line: Planned) -> ImportedLine:
    return ImportedLine(
        line=line.line,
        email=line.email,
        step=line.step,
        changes={name: [before, after] for name, before, after in preview.differences(line)},
        problem="" if line.problem is None else str(line.problem),
        pointer="" if line.problem is None else line.problem.pointer,
    )
