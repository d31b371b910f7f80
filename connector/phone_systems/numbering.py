"""Say which numbers and queues are a phone system's own, and how it writes numbers."""

from collections.abc import Iterable
from typing import Literal

from sqlalchemy import Connection

from connector.errors import NotFound
from connector.phone_systems import warnings
from connector.phone_systems.checks import check_name, check_prefixes, check_queue, whole_number
from connector.phone_systems.departments import Departments
from connector.phone_systems.systems import PhoneSystems
from connector.phone_systems.warnings import Warnings
from connector.store import Store
from connector.store import phones as table
from connector.store.phones import PhoneSystem

Form = Literal["with-plus", "without-plus"]


class Numbering:
    """Own numbers, queues, what is dialled before a number, and whether a plus is missing."""

    def __init__(self, store: Store, phone_systems: PhoneSystems, departments: Departments) -> None:
        self._store = store
        self._phone_systems = phone_systems
        self._departments = departments

    async def set_line(
        self, slug: str, number: str, department: str | None, actor: str, name: str | None = None
    ) -> tuple[str, Warnings]:
        """Say that a number is the company's own; return it as E.164.

        `department` is a name or an id, none where it decides nothing; `name` None leaves what it is called.
        """
        whole = whole_number(number)
        check_name(name or "", "/name")
        phone = (await self._phone_systems.find(slug)).phone
        meant, told = await self._departments.id_of(phone.portal_id, department)

        before = phone.line_names.get(whole, "")
        called = before if name is None else name.strip()

        def change(connection: Connection, phone: PhoneSystem) -> None:
            table.set_line(connection, phone.id, whole, meant, called)

        detail = _detail(whole, department, before, called)
        await self._phone_systems.edit(slug, change, "phone_system.line", detail, actor)
        return whole, told

    async def remove_line(self, slug: str, number: str, actor: str) -> str:
        """Say that a number is not the company's own any more, and return it; NotFound if it never was."""
        whole = whole_number(number)

        def change(connection: Connection, phone: PhoneSystem) -> None:
            if not table.remove_line(connection, phone.id, whole):
                raise NotFound(f"{whole} is none of the own numbers of {slug}.")

        await self._phone_systems.edit(slug, change, "phone_system.line", f"{whole}: removed", actor)
        return whole

    async def set_queue(
        self, slug: str, queue: str, department: str | None, actor: str, name: str | None = None
    ) -> Warnings:
        """Say which department a queue belongs to; `queue` is what the phone system calls it."""
        check_queue(queue)
        check_name(name or "", "/name")
        phone = (await self._phone_systems.find(slug)).phone
        known = await self._store.read(table.queue_words)
        meant, told = await self._departments.id_of(phone.portal_id, department)

        before = phone.queue_names.get(queue, "")
        called = before if name is None else name.strip()

        def change(connection: Connection, phone: PhoneSystem) -> None:
            table.set_queue(connection, phone.id, queue, meant, called)

        detail = _detail(queue, department, before, called)
        await self._phone_systems.edit(slug, change, "phone_system.queue", detail, actor)
        return told + warnings.of_queues([queue], known)

    async def remove_queue(self, slug: str, queue: str, actor: str) -> None:
        """Forget a queue; NotFound if it was not known."""

        def change(connection: Connection, phone: PhoneSystem) -> None:
            if not table.remove_queue(connection, phone.id, queue):
                raise NotFound(f"{queue} is no queue of {slug}.")

        await self._phone_systems.edit(slug, change, "phone_system.queue", f"{queue}: removed", actor)

    async def set_prefixes(self, slug: str, prefixes: Iterable[str], actor: str) -> tuple[str, ...]:
        """Say what is dialled before a number, and cut before it is read: these and nothing else."""
        whole = check_prefixes(prefixes)

        def change(connection: Connection, phone: PhoneSystem) -> None:
            table.set_prefixes(connection, phone.id, whole)

        listed = ", ".join(whole) or "nothing"
        await self._phone_systems.edit(slug, change, "phone_system.prefixes", listed, actor)
        return whole

    async def set_form(self, slug: str, form: Form, actor: str) -> None:
        """Say whether the phone system writes country codes without a plus.

        Unless it does, such digits are another country's only by chance, and nobody is looked up for them.
        """

        def change(connection: Connection, phone: PhoneSystem) -> None:
            table.set_without_plus(connection, phone.id, without_plus=form == "without-plus")

        await self._phone_systems.edit(slug, change, "phone_system.numbers", form, actor)


def _detail(word: str, department: str | None, before: str, called: str) -> str:
    named = "" if called == before else f", called {called or 'nothing'}"
    return f"{word}: {department or 'no department'}{named}"
