"""Set up the ways to sign in with Zoho: each with its authentication method, its users, its portals."""

import re
from collections.abc import Sequence
from functools import partial
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType
from sqlalchemy import Connection

from connector.casing import ascii_lower
from connector.clock import Clock
from connector.errors import InvalidValue, NotFound, NotNow
from connector.store import Store, audit, methods, portals, users
from connector.store import sign_in_connectors as rows
from connector.store.sign_in_connectors import SignInConnector
from connector.store.users import User

NAME_AT_MOST = 100
USER_NAME_AT_MOST = 320
TOLD_AT_MOST = 20
RESERVED = ("callback", "new", "user-names")
"""What other pages have behind /login/ and /sign-in-connectors/."""

_REFERENCE = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
MATCH_BY = ("email", "user_name")


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a sign-in connector shall be; what is not given stays, or is as usual in a new one.

    `users` are e-mail addresses, `portals` ids; `reference` is given to a new one alone.
    """

    reference: str = ""
    name: str | UnsetType = UNSET
    method_id: int | UnsetType | None = UNSET
    match_by: str | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET
    is_default: bool | UnsetType = UNSET
    users: Sequence[str] | UnsetType = UNSET
    portals: Sequence[int] | UnsetType = UNSET


class SignInConnectors:
    """Keep the sign-in connectors; every change names its actor and goes to the audit with it."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def list_all(self, after: str = "", at_most: int | None = None) -> list[SignInConnector]:
        """Return those behind a reference, in the order of their references."""
        return await self._store.read(partial(rows.list_all, after=after, at_most=at_most))

    async def get(self, reference: str) -> SignInConnector:
        """Return one; NotFound."""
        return await self._store.read(partial(_known, reference=reference))

    async def users_of(self, connector: SignInConnector) -> list[str]:
        """Return the addresses of the users who sign in by one."""
        return await self._store.read(lambda connection: rows.emails_of(connection, connector.id))

    async def add(self, wanted: Wanted, *, actor: str) -> SignInConnector:
        """Add one; InvalidValue says what cannot be."""
        return await self._store.write(partial(self._add, wanted, actor))

    async def change(self, reference: str, wanted: Wanted, *, actor: str) -> SignInConnector:
        """Change what is given of one; NotFound, InvalidValue."""
        return await self._store.write(partial(self._change, reference, wanted, actor))

    async def remove(self, reference: str, *, actor: str) -> None:
        """Remove one: open sessions go on, and users who had no other sign in by any; NotFound."""

        def removing(connection: Connection) -> None:
            found = _known(connection, reference)
            rows.remove(connection, found.id)
            audit.append(connection, self._clock(), actor, "sign_in_connector.removed", reference, found.name)

        await self._store.write(removing)

    async def user_names(self, after: str = "", at_most: int | None = None) -> list[User]:
        """Return the users behind an address who have a user name, in the order of their addresses."""
        return await self._store.read(partial(users.with_user_names, after=after, at_most=at_most))

    async def set_user_name(self, email: str, user_name: str, *, actor: str) -> User:
        """Give a user the address that Zoho has of them, "" for none; InvalidValue says what cannot be."""
        return await self._store.write(partial(self._set_user_name, email.strip(), user_name.strip(), actor))

    def _set_user_name(self, email: str, user_name: str, actor: str, connection: Connection) -> User:
        user = users.by_email(connection, email)
        if user is None:
            raise InvalidValue("There is no user {email}: add them first.", "/email", email=email)
        if len(user_name) > USER_NAME_AT_MOST or not user_name.isprintable() or " " in user_name:
            raise InvalidValue("Give the e-mail address that Zoho has of them, or nothing.", "/user_name")
        namesake = users.by_user_name(connection, user_name) if user_name else None
        if namesake is not None and namesake.id != user.id:
            raise InvalidValue(
                "{name} is the user name of {other}: give another one.",
                "/user_name",
                name=user_name,
                other=namesake.email,
            )
        kept = ascii_lower(user_name) or None
        users.change(connection, user.id, user_name=kept)
        detail = f"user name: {kept or ''}"
        audit.append(connection, self._clock(), actor, "agent.user_name", user.email, detail)
        return msgspec.structs.replace(user, user_name=kept)

    async def choices(self) -> tuple[SignInConnector, ...]:
        """Return by what somebody signs in who has named none: one, or those to choose from.

        Nothing where none was ever set up: the client of the settings is taken. NotNow where all are off.
        """
        found = await self.list_all()
        enabled = tuple(each for each in found if each.enabled)
        if found and not enabled:
            raise NotNow("Every way to sign in is switched off: an administrator switches one on.")
        default = tuple(each for each in enabled if each.is_default)
        return default or enabled

    async def chosen(self, reference: str) -> SignInConnector:
        """Return the one that somebody signs in by; NotFound, or NotNow where it is off."""
        found = await self.get(reference)
        if not found.enabled:
            raise NotNow("This way to sign in is switched off: ask an administrator for another one.")
        return found

    async def of_flow(self, connector_id: int | None) -> SignInConnector | None:
        """Return by what a flow goes; None for the client of the settings. NotNow where it is gone or off."""
        if connector_id is None:
            return None
        found = await self._store.read(lambda connection: rows.get(connection, connector_id))
        if found is None or not found.enabled:
            raise NotNow("This way to sign in has been removed or switched off meanwhile.")
        return found

    def _add(self, wanted: Wanted, actor: str, connection: Connection) -> SignInConnector:
        reference, values = wanted.reference.strip(), _columns(connection, wanted)
        if not _REFERENCE.fullmatch(reference) or reference in RESERVED:
            raise InvalidValue(
                "A reference has 1 to 40 small letters, digits and hyphens, and is none of {reserved}.",
                "/reference",
                reserved=", ".join(RESERVED),
            )
        if "name" not in values:
            raise InvalidValue(NAME_IT, "/name", most=NAME_AT_MOST)
        if rows.by_reference(connection, reference) is not None:
            raise InvalidValue(
                "There is a sign-in connector {reference} already: choose another reference.",
                "/reference",
                reference=reference,
            )
        made = {"match_by": "email", "enabled": True, "is_default": False, "method_id": None} | values
        made |= {"reference": reference, "created_at": self._clock()}
        if rows.add(connection, made) is None:
            raise _name_taken(values["name"])
        return self._finish(connection, reference, wanted, actor, "sign_in_connector.added")

    def _change(self, reference: str, wanted: Wanted, actor: str, connection: Connection) -> SignInConnector:
        found, values = _known(connection, reference), _columns(connection, wanted)
        namesake = rows.by_name(connection, values.get("name", ""))
        if namesake is not None and namesake.id != found.id:
            raise _name_taken(values["name"])
        rows.change(connection, found.id, values)
        return self._finish(connection, reference, wanted, actor, "sign_in_connector.changed")

    def _finish(
        self, connection: Connection, reference: str, wanted: Wanted, actor: str, action: str
    ) -> SignInConnector:
        """Write who and what belongs to one, and the audit."""
        connector_id = _known(connection, reference).id
        if wanted.users is not UNSET:
            rows.set_users(connection, connector_id, _user_ids(connection, wanted.users))
        if wanted.portals is not UNSET:
            rows.set_portals(connection, connector_id, _portal_ids(connection, wanted.portals))
        made = _known(connection, reference)
        emails = rows.emails_of(connection, connector_id)
        audit.append(connection, self._clock(), actor, action, made.reference, _told(made, emails))
        return made


NAME_IT = "Name it as people choose it when they sign in, with 1 to {most} characters."


def _known(connection: Connection, reference: str) -> SignInConnector:
    found = rows.by_reference(connection, reference)
    if found is None:
        raise NotFound(f"There is no sign-in connector {reference}.")
    return found


def _columns(connection: Connection, wanted: Wanted) -> dict[str, Any]:
    """Return the columns that are given, checked; makes none the default where this one shall be."""
    given = {
        name: getattr(wanted, name) for name in ("name", "method_id", "match_by", "enabled", "is_default")
    }
    values = {name: value for name, value in given.items() if value is not UNSET}
    if "name" in values:
        values["name"] = name = str(values["name"]).strip()
        if not name or len(name) > NAME_AT_MOST or not name.isprintable():
            raise InvalidValue(NAME_IT, "/name", most=NAME_AT_MOST)
    if values.get("match_by", "email") not in MATCH_BY:
        raise InvalidValue("Compare with one of {choices}.", "/match_by", choices=", ".join(MATCH_BY))
    if values.get("method_id") is not None:
        _check_method(connection, values["method_id"])
    if values.get("is_default"):
        rows.no_default(connection)
    return values


def _check_method(connection: Connection, method_id: int) -> None:
    method = methods.get(connection, method_id)
    if method is None or method.mode != "oauth":
        raise InvalidValue(
            "There is no authentication method {id} of the mode oauth: choose one, or none.",
            "/method_id",
            id=method_id,
        )


def _name_taken(name: str) -> InvalidValue:
    return InvalidValue(
        "There is a sign-in connector {name} already: choose another name.", "/name", name=name
    )


def _user_ids(connection: Connection, emails: Sequence[str]) -> list[int]:
    wanted = list(dict.fromkeys(ascii_lower(email.strip()) for email in emails if email.strip()))
    known = rows.user_ids(connection, wanted)
    unknown = [email for email in wanted if email not in known]
    if unknown:
        raise InvalidValue(
            "There is no user {email}: add them first, or leave them out.", "/users", email=unknown[0]
        )
    return list(known.values())


def _portal_ids(connection: Connection, ids: Sequence[int]) -> Sequence[int]:
    known = {portal.id for portal in portals.list_all(connection)}
    if unknown := sorted(set(ids) - known):
        raise InvalidValue("There is no portal {id}: name linked ones.", "/portals", id=unknown[0])
    return ids


def _told(made: SignInConnector, emails: Sequence[str]) -> str:
    """Return what the audit says of one."""
    told = ", ".join(emails) if len(emails) <= TOLD_AT_MOST else f"{len(emails)} of them"
    method = "of the settings" if made.method_id is None else str(made.method_id)
    return (
        f"name: {made.name}; method: {method}; compared with: {made.match_by}; enabled: {made.enabled}; "
        f"default: {made.is_default}; portals: {', '.join(map(str, sorted(made.portals)))}; users: {told}"
    )
