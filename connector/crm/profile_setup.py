"""Add, change and remove profiles, give them to users and let these switch: every change names its actor."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType
from sqlalchemy import Connection

from connector.accounts.agents import Who, known
from connector.casing import ascii_lower
from connector.clock import Clock
from connector.crm import defaults
from connector.crm.model import OBJECTS, Field, ObjectName
from connector.crm.profiles import (
    EVERYONE,
    Access,
    ObjectAccess,
    Profile,
    encode_access,
    profile_of,
)
from connector.crm.rulebook import crm_of
from connector.errors import InvalidValue, NotAllowed, NotFound
from connector.store import Store, audit, portals
from connector.store import crm as crms
from connector.store import profiles as table
from connector.store.profiles import EVERYONE_ID, ProfileRow
from connector.store.sign_in_connectors import user_ids
from connector.store.users import User

NAME_AT_MOST = 100
TOLD_AT_MOST = 20

Right = Literal["may_create", "may_edit", "may_make_tickets", "may_listen"]
RIGHTS: Mapping[str, Right] = {
    "create": "may_create",
    "edit": "may_edit",
    "tickets": "may_make_tickets",
    "listen": "may_listen",
}
"""What a profile allows beside seeing, by the words of commands and of the audit."""

FieldChoices = Mapping[ObjectName, Mapping[str, Field]]
"""The fields of each object that some portal's CRM has, by API name."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a profile shall be; what is not given stays. `users` are the addresses of all who have it."""

    name: str | UnsetType = UNSET
    portals: Sequence[int] | UnsetType | None = UNSET
    objects: Mapping[ObjectName, ObjectAccess] | UnsetType = UNSET
    may_create: bool | UnsetType = UNSET
    may_edit: bool | UnsetType = UNSET
    may_make_tickets: bool | UnsetType = UNSET
    may_listen: bool | UnsetType = UNSET
    users: Sequence[str] | UnsetType = UNSET


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A profile, and how many users have it: everyone's those who were given none."""

    profile: Profile
    user_count: int


class ProfileSetup:
    """Keep the profiles; what changes counts in every process within two seconds."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def list_all(self, after: int = 0, at_most: int | None = None) -> list[Listed]:
        """Return those behind an id in the order of their ids: everyone's is the first."""
        return await self._store.read(partial(_listed, after=after, at_most=at_most))

    async def get(self, profile_id: int) -> Profile:
        """Return one; NotFound."""
        return await self._store.read(partial(_known, profile_id=profile_id))

    async def users_of(self, profile_id: int) -> list[str]:
        """Return the addresses of the users who were given one."""
        return list(await self._store.read(lambda c: table.users_of(c, profile_id)))

    async def of_user(self, who: Who) -> tuple[Profile, ...]:
        """Return the profiles that a user was given; NotFound where there is no such user."""
        found = await self._store.read(lambda c: table.of_user(c, known(c, who).id))
        return tuple(map(profile_of, found))

    async def fields(self, profile_id: int | None = None) -> FieldChoices:
        """Return the fields that there are to choose from, with those that a profile names already."""

        def reading(connection: Connection) -> FieldChoices:
            access = Access() if profile_id is None else _known(connection, profile_id).access
            return _with_named(_fields(connection), access)

        return await self._store.read(reading)

    async def add(self, wanted: Wanted, *, actor: str) -> Profile:
        """Add one: what is not given is not seen and not allowed; InvalidValue says what cannot be."""
        return await self._store.write(partial(self._add, wanted, actor))

    async def change(self, profile_id: int, wanted: Wanted, *, actor: str) -> Profile:
        """Change what is given of one; NotFound, InvalidValue."""
        return await self._store.write(partial(self._change, profile_id, wanted, actor))

    async def remove(self, profile_id: int, *, actor: str) -> None:
        """Remove one: its users fall back to another of theirs, else to everyone's; raises as `change`."""
        await self._store.write(partial(self._remove, profile_id, actor))

    async def give(self, profile_id: int, who: Iterable[Who], *, actor: str) -> None:
        """Give users a profile; the first that they have is the one they work with.

        NotFound, InvalidValue for that of everyone.
        """

        def giving(connection: Connection) -> None:
            profile = _locked(connection, profile_id)
            self._hand_over(connection, profile, _people(connection, who), {}, actor)

        await self._store.write(giving)

    async def take(self, profile_id: int, who: Iterable[Who], *, actor: str) -> None:
        """Take a profile from users, who fall back to another of theirs; raises as `give` does."""

        def taking(connection: Connection) -> None:
            profile = _locked(connection, profile_id)
            self._hand_over(connection, profile, {}, _people(connection, who), actor)

        await self._store.write(taking)

    async def set_of_user(self, who: Who, profile_ids: Collection[int], *, actor: str) -> None:
        """Give a user these profiles and no others; raises as `give` does."""

        def setting(connection: Connection) -> None:
            user = known(connection, who)
            had = {row.id for row in table.of_user(connection, user.id)}
            for profile_id in sorted(had ^ set(profile_ids)):
                profile = _locked(connection, profile_id)
                one, is_given = {user.id: user.email}, profile_id not in had
                given, taken = (one, {}) if is_given else ({}, one)
                self._hand_over(connection, profile, given, taken, actor)

        await self._store.write(setting)

    async def switch(self, user: User, profile_id: int) -> None:
        """Have a user work with a profile of theirs; NotAllowed where it is none."""

        def switching(connection: Connection) -> None:
            row, before = table.lock(connection, profile_id), table.active(connection, user.id)
            theirs = [each.id for each in table.of_user(connection, user.id)] or [EVERYONE_ID]
            if profile_id not in theirs:
                raise NotAllowed("You were not given this profile: an administrator gives it.")
            if profile_id != before and row is not None:
                table.switch(connection, user.id, profile_id)
                audit.append(connection, self._clock(), user.email, "profile.switched", row.name, user.email)

        await self._store.write(switching)

    def _add(self, wanted: Wanted, actor: str, connection: Connection) -> Profile:
        name = _checked_name(connection, "" if wanted.name is UNSET else wanted.name)
        access = _checked_access(connection, wanted, Access())
        values = {"name": name, "access": encode_access(access), "changed_at": self._clock()}
        while (profile_id := table.add(connection, values)) is None:
            # Somebody has just taken the name, or the id behind the latest: then there is another one.
            if table.by_name(connection, name) is not None:
                raise _name_taken(name)
        made = Profile(id=profile_id, name=name, access=access)
        audit.append(connection, self._clock(), actor, "profile.added", name, told(access))
        self._set_users(connection, made, wanted, actor)
        return made

    def _change(self, profile_id: int, wanted: Wanted, actor: str, connection: Connection) -> Profile:
        found = _locked(connection, profile_id)
        name = found.name if wanted.name is UNSET else _checked_name(connection, wanted.name, profile_id)
        made = Profile(id=profile_id, name=name, access=_checked_access(connection, wanted, found.access))
        if made != found:
            row = table.get(connection, profile_id)
            # A change within one millisecond is one all the same: others tell by this that there was one.
            at = max(self._clock(), 0 if row is None else row.changed_at + 1)
            access = encode_access(made.access)
            table.put(connection, ProfileRow(id=profile_id, name=name, access=access, changed_at=at))
            was = "" if name == found.name else f"name was: {found.name}; "
            audit.append(connection, self._clock(), actor, "profile.changed", name, was + told(made.access))
        self._set_users(connection, made, wanted, actor)
        return made

    def _remove(self, profile_id: int, actor: str, connection: Connection) -> None:
        found = _locked(connection, profile_id)
        if profile_id == EVERYONE_ID:
            raise InvalidValue(
                "{name} is the profile of all who were given none, and is not removed: change it instead.",
                name=found.name,
            )
        theirs = table.users_of(connection, profile_id)
        table.take(connection, profile_id, theirs.values())
        table.remove(connection, profile_id)
        detail = f"users: {_listed_names(list(theirs))}"
        audit.append(connection, self._clock(), actor, "profile.removed", found.name, detail)

    def _set_users(self, connection: Connection, profile: Profile, wanted: Wanted, actor: str) -> None:
        if wanted.users is UNSET:
            return
        people = _named(connection, wanted.users)
        had = {user_id: email for email, user_id in table.users_of(connection, profile.id).items()}
        given = {user_id: email for user_id, email in people.items() if user_id not in had}
        taken = {user_id: email for user_id, email in had.items() if user_id not in people}
        if given or taken:
            self._hand_over(connection, profile, given, taken, actor)

    def _hand_over(
        self,
        connection: Connection,
        profile: Profile,
        given: Mapping[int, str],
        taken: Mapping[int, str],
        actor: str,
    ) -> None:
        """Give a profile to users, addresses by id, and take it from others; a line in the audit for each."""
        if profile.id == EVERYONE_ID:
            raise InvalidValue(
                "{name} is the profile of all who were given none: take their others from them instead.",
                "/users",
                name=profile.name,
            )
        lost = table.take(connection, profile.id, taken)
        gained = table.give(connection, profile.id, given)
        changes = [("profile.taken", profile.name, taken[user_id]) for user_id in sorted(lost)]
        changes += [("profile.given", profile.name, given[user_id]) for user_id in sorted(gained)]
        audit.append_all(connection, self._clock(), actor, changes)


def told(access: Access) -> str:
    """Return what the audit says of an access."""
    where = "all" if access.portals is None else ", ".join(map(str, access.portals)) or "none"
    objects = (
        f"{name}: sees {_listed_fields(each.seen)}, edits {_listed_fields(each.edited)}"
        for name, each in sorted(access.objects.items())
    )
    may = ", ".join(word for word, right in RIGHTS.items() if getattr(access, right)) or "nothing more"
    return "; ".join((f"portals: {where}", *objects, f"may: {may}"))


def _listed_fields(fields: Sequence[str] | None) -> str:
    return "all" if fields is None else ", ".join(fields) or "nothing"


def _listed_names(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= TOLD_AT_MOST else f"{len(names)} of them"


def _listed(connection: Connection, after: int, at_most: int | None) -> list[Listed]:
    found = [profile_of(row) for row in table.list_all(connection, after, at_most)]
    if after < EVERYONE_ID and EVERYONE_ID not in {each.id for each in found}:
        found = [EVERYONE, *found][:at_most]
    counts = table.counts(connection)
    return [Listed(profile=each, user_count=counts.get(each.id, 0)) for each in found]


def _known(connection: Connection, profile_id: int) -> Profile:
    return _profile(table.get(connection, profile_id), profile_id)


def _locked(connection: Connection, profile_id: int) -> Profile:
    return _profile(table.lock(connection, profile_id), profile_id)


def _profile(row: ProfileRow | None, profile_id: int) -> Profile:
    if row is None and profile_id != EVERYONE_ID:
        raise NotFound(f"There is no profile {profile_id}.")
    return EVERYONE if row is None else profile_of(row)


def _people(connection: Connection, who: Iterable[Who]) -> dict[int, str]:
    return {user.id: user.email for user in (known(connection, each) for each in who)}


def _named(connection: Connection, emails: Iterable[str]) -> dict[int, str]:
    wanted = list(dict.fromkeys(ascii_lower(each.strip()) for each in emails if each.strip()))
    found = user_ids(connection, wanted)
    if unknown := [email for email in wanted if email not in found]:
        raise InvalidValue(
            "There is no user {email}: add them first, or leave them out.", "/users", email=unknown[0]
        )
    return {user_id: email for email, user_id in found.items()}


def _checked_name(connection: Connection, name: str, profile_id: int | None = None) -> str:
    name = name.strip()
    if not name or len(name) > NAME_AT_MOST or not name.isprintable():
        raise InvalidValue(
            "Name the profile as people choose it in the banner, with 1 to {most} characters.",
            "/name",
            most=NAME_AT_MOST,
        )
    row = table.by_name(connection, name)
    owner = None if row is None else row.id
    if owner is None and name == EVERYONE.name and table.get(connection, EVERYONE_ID) is None:
        owner = EVERYONE_ID
    if owner not in (None, profile_id):
        raise _name_taken(name)
    return name


def _name_taken(name: str) -> InvalidValue:
    return InvalidValue("There is a profile {name} already: choose another name.", "/name", name=name)


def _checked_access(connection: Connection, wanted: Wanted, present: Access) -> Access:
    given = {
        name: getattr(wanted, name)
        for name in ("portals", "objects", *RIGHTS.values())
        if getattr(wanted, name) is not UNSET
    }
    if given.get("portals") is not None:
        given["portals"] = _checked_portals(connection, given["portals"])
    if "objects" in given:
        choices = _with_named(_fields(connection), present)
        given["objects"] = {
            name: _checked_object(name, each, choices)
            for name, each in sorted(given["objects"].items())
            if each.seen != ()
        }
    return msgspec.structs.replace(present, **given)


def _checked_portals(connection: Connection, ids: Sequence[int]) -> tuple[int, ...]:
    there = {portal.id for portal in portals.list_all(connection)}
    if unknown := sorted(set(ids) - there):
        raise InvalidValue("There is no portal {id}: name linked ones.", "/portals", id=unknown[0])
    return tuple(sorted(set(ids)))


def _checked_object(name: ObjectName, access: ObjectAccess, choices: FieldChoices) -> ObjectAccess:
    pointer = f"/objects/{name}"
    seen = _checked_fields(name, access.seen, choices, f"{pointer}/seen")
    edited = _checked_fields(name, access.edited, choices, f"{pointer}/edited")
    unseen = [field for field in edited or () if seen is not None and field not in seen]
    if unseen:
        raise InvalidValue(
            "{field} cannot be edited without being seen: let it be seen too.",
            f"{pointer}/edited",
            field=f"{name}.{unseen[0]}",
        )
    return ObjectAccess(seen=seen, edited=edited)


def _checked_fields(
    name: ObjectName, fields: Sequence[str] | None, choices: FieldChoices, pointer: str
) -> tuple[str, ...] | None:
    """Return fields in one order, each once: the same access is the same bytes."""
    if fields is None:
        return None
    if unknown := sorted(set(fields) - choices[name].keys()):
        raise InvalidValue(
            "No CRM has a field {field}: add it to a portal's CRM first, or leave it out.",
            pointer,
            field=f"{name}.{unknown[0][:NAME_AT_MOST]}",
        )
    return tuple(sorted(set(fields)))


def _fields(connection: Connection) -> FieldChoices:
    """Return the fields of the CRMs of all portals, and of the usual one: a portal may be linked later."""
    changed = [crm_of(row.portal_id, row).rules for row in crms.list_all(connection)]
    found: dict[ObjectName, dict[str, Field]] = {name: {} for name in OBJECTS}
    for rules in (defaults.RULES, *changed):
        for each in rules.objects:
            found[each.name] |= {field.name: field for field in each.fields}
    return found


def _with_named(choices: FieldChoices, access: Access) -> FieldChoices:
    """Return choices with the fields that an access names although no CRM has them any more."""
    return {
        name: {field: Field(name=field) for field in _fields_named(access, name)} | dict(choices[name])
        for name in OBJECTS
    }


def _fields_named(access: Access, name: ObjectName) -> set[str]:
    found = access.objects.get(name, ObjectAccess())
    return {*(found.seen or ()), *(found.edited or ())}
