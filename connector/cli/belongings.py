"""Say what is a phone system's, and show what it should do and what it did wrong."""

from collections.abc import Callable, Sequence
from functools import partial

import click
from sqlalchemy import Connection

from connector.cli.doubts import doubt_departments, doubt_queues, known_queues
from connector.cli.introducing import address_of
from connector.cli.opening import actor, with_services
from connector.cli.output import json_option, moment, show_rows
from connector.dialects import DIALECTS
from connector.dialects import guide as guide_of
from connector.errors import CommandError
from connector.phone_systems import check_prefix, whole_number
from connector.services import Services
from connector.store import audit, events
from connector.store import phones as table
from connector.store.phones import PhoneSystem


@click.command("guide")
@click.argument("slug")
def guide(*, slug: str) -> None:
    """Show how to set a phone system up."""

    async def step(services: Services) -> str:
        phone = (await services.phone_systems.find(slug)).phone
        return guide_of(DIALECTS[phone.dialect], address_of(services.settings, slug))

    click.echo(with_services(step))


@click.command("unread")
@click.argument("slug")
@json_option
def unread(*, slug: str, as_json: bool) -> None:
    """Show what a phone system posted that could not be read."""

    async def step(services: Services) -> list[events.Unread]:
        phone = (await services.phone_systems.find(slug)).phone
        return await services.store.read(partial(events.list_unread, phone_id=phone.id))

    rows = [
        {"reason": each.reason, "times": each.times, "first_at": moment(each.first_at),
         "last_at": moment(each.last_at), "body": each.body.decode("utf-8", "replace")}
        for each in with_services(step)
    ]  # fmt: skip
    show_rows(rows, as_json=as_json, nothing="Everything that came could be read.")


@click.command("line")
@click.argument("slug")
@click.argument("number")
@click.option("--department", help="Department id of the records of calls on this line.")
def line(*, slug: str, number: str, department: str | None) -> None:
    """Say that a number is your own: it is never looked up, and may decide the department."""
    # With its plus it is read alike in every country.
    whole = whole_number(number, "")

    def change(connection: Connection, phone: PhoneSystem) -> None:
        table.set_line(connection, phone.id, whole, department)

    _set(slug, change, "phone_system.line", whole, department)
    click.echo(f"{whole} is a line of {slug}; department: {department or 'not decided by it'}.")


@click.command("queue")
@click.argument("slug")
@click.argument("name")
@click.option("--department", help="Department id of the records of this queue's calls.")
def queue(*, slug: str, name: str, department: str | None) -> None:
    """Say which department a queue belongs to."""

    def change(connection: Connection, phone: PhoneSystem) -> None:
        table.set_queue(connection, phone.id, name, department)

    known = _set(slug, change, "phone_system.queue", name, department)
    doubt_queues([name], known)
    click.echo(f"{name} is a queue of {slug}; department: {department or 'not decided by it'}.")


@click.command("prefixes")
@click.argument("slug")
@click.argument("prefixes", nargs=-1)
@click.option("--none", "nothing", is_flag=True, help="Nothing is dialled before a number.")
def prefixes(*, slug: str, prefixes: Sequence[str], nothing: bool) -> None:
    """Say what is dialled before a number, such as 9, '*67' or 'L0#': it is cut before a number is read.

    The list is the whole list: what is not named is cut no more.
    """
    if nothing is bool(prefixes):
        raise CommandError("Name what is dialled before a number, such as 9, or give --none.")
    for prefix in prefixes:
        check_prefix(prefix)

    def change(connection: Connection, phone: PhoneSystem) -> None:
        table.set_prefixes(connection, phone.id, prefixes)

    listed = ", ".join(prefixes) or "nothing"
    with_services(partial(change_phone, slug, change, "phone_system.prefixes", listed))
    click.echo(f"{slug}: {listed} is cut from the front of a number before it is read.")


@click.command("numbers")
@click.argument("slug")
@click.argument("form", type=click.Choice(["with-plus", "without-plus"]))
def numbers(*, slug: str, form: str) -> None:
    """Say whether a phone system writes country codes without a plus, such as 41812886393.

    Unless it does, such digits are another country's only by chance, and nobody is looked up for them.
    """

    def change(connection: Connection, phone: PhoneSystem) -> None:
        table.set_without_plus(connection, phone.id, without_plus=form == "without-plus")

    with_services(partial(change_phone, slug, change, "phone_system.numbers", form))
    click.echo(f"{slug} writes numbers of other countries {form.replace('-', ' ')}.")


def _set(
    slug: str,
    change: Callable[[Connection, PhoneSystem], None],
    action: str,
    name: str,
    department: str | None,
) -> frozenset[str]:
    """Set a line or a queue, doubt its department, and answer the queues that were known before."""

    async def step(services: Services) -> frozenset[str]:
        known = await services.store.read(known_queues)
        detail = f"{name}: {department or 'no department'}"
        phone = await change_phone(slug, change, action, detail, services)
        await doubt_departments(services, phone.portal_id, [department])
        return known

    return with_services(step)


async def change_phone(
    slug: str, change: Callable[[Connection, PhoneSystem], None], action: str, detail: str, services: Services
) -> PhoneSystem:
    """Change what is a phone system's, and write that down; answer it as it was before."""
    phone = (await services.phone_systems.find(slug)).phone

    def audited(connection: Connection) -> None:
        change(connection, phone)
        audit.append(connection, services.clock(), actor(), action, slug, detail)

    await services.store.write(audited)
    return phone
