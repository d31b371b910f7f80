"""Say who may post as a phone system, whom it turns away, what it is told, and what it may do."""

from collections.abc import Iterable
from functools import partial

from sqlalchemy import Connection

from connector import numbers
from connector.clock import Clock
from connector.dialects import DIALECTS
from connector.errors import InvalidValue, NotFound
from connector.phone_systems import warnings
from connector.phone_systems.checks import check_name, check_networks, whole_number
from connector.phone_systems.patterns import pattern_of
from connector.phone_systems.systems import PhoneSystems
from connector.phone_systems.warnings import Warnings
from connector.store import Store, orders
from connector.store import phones as table
from connector.store.phones import Blocked, PhoneSystem
from connector.store.users import ROLES, Role

NOBODY = "nobody"
"""Stands for no role at all where people say who may call."""


class Permissions:
    """Senders, the block list, answers, caller ids, orders, internal calls, and who may call whom."""

    def __init__(self, store: Store, clock: Clock, phone_systems: PhoneSystems) -> None:
        self._store = store
        self._clock = clock
        self._phone_systems = phone_systems

    async def set_senders(self, slug: str, networks: Iterable[str], actor: str) -> tuple[str, ...]:
        """Let it post from these addresses and networks only; none lifts the list."""
        whole = check_networks(networks)

        def change(connection: Connection, phone: PhoneSystem) -> None:
            table.set_senders(connection, phone.id, whole)

        listed = ", ".join(whole) or "anywhere"
        await self._phone_systems.edit(slug, change, "phone_system.allowed", listed, actor)
        return whole

    async def blocked(self, slug: str) -> list[Blocked]:
        """Return whom a phone system turns away, its portal's numbers included."""
        phone = (await self._phone_systems.find(slug)).phone
        return await self._store.read(partial(table.list_blocked, phone=phone))

    async def block(
        self, slug: str, number: str, actor: str, *, reason: str = "", everywhere: bool = False
    ) -> None:
        """Turn a caller away where it asks: a number, many as +331*, or withheld."""
        check_name(reason, "/reason")
        now = self._clock()

        def change(connection: Connection, phone: PhoneSystem) -> None:
            pattern = pattern_of(number, phone.country)
            entry = Blocked(pattern=pattern, everywhere=everywhere, reason=reason, created_at=now)
            table.block(connection, phone, entry)

        detail = f"{number} {reason}".strip()
        await self._phone_systems.edit(slug, change, "number.blocked", detail, actor)

    async def unblock(self, slug: str, number: str, actor: str, *, everywhere: bool = False) -> None:
        """Turn a caller away no more; NotFound where it was not blocked so."""

        def change(connection: Connection, phone: PhoneSystem) -> None:
            wanted = pattern_of(number, phone.country)
            # A number is blocked as it was typed then, which may be another spelling.
            patterns = numbers.spellings(wanted) if wanted.startswith("+") and "*" not in wanted else [wanted]
            removed = [table.unblock(connection, phone, each, everywhere=everywhere) for each in patterns]
            if not any(removed):
                raise NotFound(f"{number} is not blocked so.")

        await self._phone_systems.edit(slug, change, "number.unblocked", number, actor)

    async def caller_ids(self, slug: str) -> dict[str, str]:
        """Return which of our numbers is shown to whom, by pattern."""
        phone = (await self._phone_systems.find(slug)).phone
        return await self._store.read(lambda connection: table.caller_ids_of(connection, phone.id))

    async def set_caller_id(self, slug: str, called: str, number: str, actor: str) -> Warnings:
        """Say which of our numbers those see who fit a pattern, where the phone system asks."""
        whole = whole_number(number)

        def change(connection: Connection, phone: PhoneSystem) -> None:
            table.set_caller_id(connection, phone.id, _pattern(called, phone, "/to"), whole)

        detail = f"{called}: {number}"
        phone = await self._phone_systems.edit(slug, change, "phone_system.caller_id", detail, actor)
        return warnings.of_caller_id(phone, whole)

    async def remove_caller_id(self, slug: str, called: str, actor: str) -> None:
        """Forget which number those see who fit a pattern."""

        def change(connection: Connection, phone: PhoneSystem) -> None:
            table.set_caller_id(connection, phone.id, _pattern(called, phone, "/to"), None)

        await self._phone_systems.edit(slug, change, "phone_system.caller_id", f"{called}: none", actor)

    async def set_answers(self, slug: str, *, names: bool | None, owners: bool | None, actor: str) -> str:
        """Say what it is told of a call that begins, where its dialect can be; return what was changed.

        None leaves a choice as it is.
        """

        def change(connection: Connection, phone: PhoneSystem) -> None:
            table.set_answers(connection, phone.id, tells_names=names, routes_to_owners=owners)

        detail = f"names {_choice(names)}, owners {_choice(owners)}"
        await self._phone_systems.edit(slug, change, "phone_system.answers", detail, actor)
        return detail

    async def set_takes_orders(self, slug: str, *, takes_orders: bool, actor: str) -> None:
        """Let it do what agents ask for; InvalidValue where its dialect cannot fetch orders."""

        def change(connection: Connection, phone: PhoneSystem) -> None:
            # Only who signs may fetch orders.
            if takes_orders and DIALECTS[phone.dialect].signing != "made":
                raise InvalidValue(
                    "A phone system of the dialect {dialect} cannot fetch orders, so its numbers stay tel: "
                    "links. One of the dialect neutral can fetch them.",
                    "/takes_orders",
                    dialect=phone.dialect,
                )
            table.set_takes_orders(connection, phone.id, takes_orders=takes_orders)

        switch = "on" if takes_orders else "off"
        await self._phone_systems.edit(slug, change, "phone_system.control", switch, actor)

    async def set_records_internal(self, slug: str, *, records_internal: bool, actor: str) -> None:
        """Say whether calls among colleagues are logged in Desk too, on a contact that they all share."""

        def change(connection: Connection, phone: PhoneSystem) -> None:
            table.set_records_internal(connection, phone.id, records_internal=records_internal)

        switch = "on" if records_internal else "off"
        await self._phone_systems.edit(slug, change, "phone_system.internal", switch, actor)

    async def rules(self, slug: str) -> dict[str, Role | None]:
        """Return who may call whom with the connector's help: from which role on, None for nobody."""
        phone = (await self._phone_systems.find(slug)).phone
        return await self._store.read(lambda connection: orders.destinations_of(connection, phone.id))

    async def set_rule(self, slug: str, number: str, role: str, actor: str) -> None:
        """Say from which role on these numbers may be called, or that NOBODY may."""
        lowest: Role | None = next((each for each in ROLES if each == role), None)
        if lowest is None and role != NOBODY:
            known = ", ".join((*ROLES, NOBODY))
            raise InvalidValue("{role} is no role; give one of {known}.", "/role", role=role, known=known)

        def change(connection: Connection, phone: PhoneSystem) -> None:
            orders.set_destination(connection, phone.id, _callable(number, phone.country), lowest)

        await self._phone_systems.edit(slug, change, "phone_system.may_call", f"{number}: {role}", actor)

    async def remove_rule(self, slug: str, number: str, actor: str) -> None:
        """Forget the rule for these numbers; NotFound where there is none."""

        def change(connection: Connection, phone: PhoneSystem) -> None:
            if not orders.remove_destination(connection, phone.id, _callable(number, phone.country)):
                raise NotFound(f"There is no rule for {number}.")

        await self._phone_systems.edit(slug, change, "phone_system.may_call", f"{number}: no rule", actor)


def _choice(choice: bool | None) -> str:  # noqa: FBT001 - three states, said at the call
    return "as before" if choice is None else "on" if choice else "off"


def _pattern(called: str, phone: PhoneSystem, pointer: str) -> str:
    try:
        return pattern_of(called, phone.country)
    except InvalidValue as problem:
        raise InvalidValue(problem.text, pointer, **problem.values) from problem


def _callable(number: str, country: str) -> str:
    """Read for whom a rule can be; InvalidValue where no rule can help."""
    if (
        "*" not in number
        and numbers.read(number, country).e164 is None
        and numbers.is_emergency(number, country)
    ):
        raise InvalidValue(
            "{number} is an emergency number. Emergency numbers are never called by click to call, whatever "
            "the rules say: such a call must not depend on a web page. Dial it at a telephone.",
            "/number",
            number=number,
        )
    pattern = pattern_of(number, country)
    if not pattern.startswith(("+", "*")):
        raise InvalidValue(
            "{number} cannot be called: write a number as +33123456789, or many as +331*.",
            "/number",
            number=number,
        )
    return pattern
