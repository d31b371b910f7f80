"""Say which phone systems may post, what they are told, and what is theirs."""

from collections.abc import Mapping, Sequence
from typing import Any, TextIO

import click

from connector.casing import ascii_upper
from connector.cli import answering, belongings, controlling, phone_status, recordings
from connector.cli.doubts import doubt_departments, doubt_queues, known_queues
from connector.cli.introducing import Introduction, address_of, introduce
from connector.cli.opening import actor, with_services
from connector.cli.output import json_option, show_rows
from connector.cli.secret_files import secret_in
from connector.cli.values import HOURS, ROW_ID
from connector.dialects import DIALECTS
from connector.errors import CommandError
from connector.services import Services
from connector.store.phones import PhoneSystem


@click.group()
def phones() -> None:
    """Add, list and set up the phone systems that post events."""


for command in (
    *(
        belongings.guide,
        belongings.unread,
        belongings.line,
        belongings.queue,
        belongings.prefixes,
        belongings.numbers,
    ),
    *(answering.allow, answering.block, answering.unblock, answering.blocked),
    *(answering.caller_id, answering.answers),
    *(controlling.control, controlling.internal, controlling.may_call),
    *(phone_status.status, recordings.source),
):
    phones.add_command(command)

secret_file_option = click.option("--secret-file", type=click.File(encoding="utf-8"),
    help="Holds the vendor's secret, where the dialect has one; - is standard input.")  # fmt: skip


@phones.command("add")
@click.argument("slug")
@click.option("--name", help="What people call it; the address unless given.")
@click.option("--country", required=True,
    help="Where its national numbers are at home, such as FR; a line abroad has its own.")  # fmt: skip
@click.option("--time-zone", default="UTC", show_default=True, help="Of times that name none.")
@click.option("--dialect", type=click.Choice(list(DIALECTS)), default="neutral", show_default=True)
@click.option("--portal", type=ROW_ID, help="The portal its calls go to, where several are linked.")
@click.option("--department", help="Department id of its records, unless queue or line say another.")
@click.option("--line", "lines", multiple=True, metavar="NUMBER[=DEPARTMENT]",
    help="A number of your own, such as +33123456789; may be repeated.")  # fmt: skip
@click.option("--queue", "queues", multiple=True, metavar="NAME=DEPARTMENT",
    help="The department of a queue; may be repeated.")  # fmt: skip
@click.option("--prefix", "prefixes", multiple=True,
    help="What is dialled before a number, such as 9; cut before it is read; may be repeated.")  # fmt: skip
@secret_file_option
@json_option
def add(*, slug: str, portal: int | None, lines: Sequence[str], queues: Sequence[str],
        secret_file: TextIO | None, as_json: bool, **given: Any) -> None:  # fmt: skip
    """Make a phone system; SLUG is the last part of its address. Its secret is shown this once."""

    async def step(services: Services) -> Introduction:
        phone = PhoneSystem(
            id=0,
            uid="",
            slug=slug,
            name=given["name"] or slug,
            portal_id=await _portal_id(services, portal),
            dialect=given["dialect"],
            country=ascii_upper(given["country"]),
            time_zone=given["time_zone"],
            department_id=given["department"],
            prefixes=tuple(given["prefixes"]),
            lines=_pairs(lines),
            queues=_pairs(queues),
        )
        known = await services.store.read(known_queues)
        secret = await services.phone_systems.add(phone, actor(), secret_in(secret_file))
        doubt_queues(phone.queues, known)
        departments = (phone.department_id, *phone.lines.values(), *phone.queues.values())
        await doubt_departments(services, phone.portal_id, departments)
        return Introduction(slug, DIALECTS[phone.dialect], address_of(services.settings, slug), secret)

    introduce(with_services(step), as_json=as_json)


@phones.command("rotate")
@click.argument("slug")
@click.option("--overlap-hours", type=HOURS, default=24, show_default=True,
    help="How long the former secret stays valid.")  # fmt: skip
@secret_file_option
@json_option
def rotate(*, slug: str, overlap_hours: int, secret_file: TextIO | None, as_json: bool) -> None:
    """Give a new secret, and let the former one be valid for a while."""

    async def step(services: Services) -> Introduction:
        secret = await services.phone_systems.rotate(slug, overlap_hours, actor(), secret_in(secret_file))
        phone = (await services.phone_systems.find(slug)).phone
        return Introduction(slug, DIALECTS[phone.dialect], address_of(services.settings, slug), secret)

    introduce(with_services(step), as_json=as_json)


@phones.command("list")
@json_option
def list_all(*, as_json: bool) -> None:
    """List every phone system."""

    async def step(services: Services) -> list[dict[str, Any]]:
        return [
            {
                "slug": phone.slug,
                "name": phone.name,
                "address": address_of(services.settings, phone.slug),
                "portal": phone.portal_id,
                "dialect": phone.dialect,
                "country": phone.country,
                "time_zone": phone.time_zone,
                "department": phone.department_id,
                "lines": _written(phone.lines),
                "queues": _written(phone.queues),
                "secrets": len(phone.encrypted_secrets) + len(phone.encrypted_address_secrets),
                "senders": phone.senders,
                "prefixes": phone.prefixes,
                "without_plus": phone.without_plus,
                "names": phone.tells_names,
                "owners": phone.routes_to_owners,
                "orders": phone.takes_orders,
                "internal": phone.records_internal,
            }
            for phone in await services.phone_systems.list_all()
        ]

    nothing = "No phone systems. Make one with: connector phones add SLUG --country FR"
    show_rows(with_services(step), as_json=as_json, nothing=nothing)


async def _portal_id(services: Services, given: int | None) -> int:
    """Return the portal that was named, or the only one there is."""
    if given is not None:
        return (await services.portals.get(given)).id
    linked = await services.portals.list_portals()
    if not linked:
        raise CommandError(
            "No portal is linked: an administrator signs in and opens "
            f"{services.settings.public_url}/connect."
        )
    if len(linked) > 1:
        listed = ", ".join(f"{portal.id} is {portal.name}" for portal in linked)
        raise CommandError(f"Say which portal with --portal: {listed}.")
    return linked[0].id


def _pairs(texts: Sequence[str]) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for text in texts:
        name, _, department = text.partition("=")
        found[name] = department or None
    return found


def _written(pairs: Mapping[str, str | None]) -> list[str]:
    return [f"{name}={department}" if department else name for name, department in pairs.items()]
