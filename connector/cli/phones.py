"""Say which phone systems may post, how to set each up, and whether they are heard."""

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, TextIO

import click
import msgspec

from connector.casing import ascii_upper
from connector.cli import phone_configuration, recordings
from connector.cli.context import actor, in_store, with_services
from connector.cli.terminal import HOURS, ROW_ID, json_option, moment, secret_in, show_rows, write_json
from connector.cli.warnings import known_queues, warn_of_departments, warn_of_queues
from connector.clock import system_clock
from connector.dialects import DIALECTS, UNSHOWN, Dialect, full_address
from connector.dialects import guide as guide_of
from connector.errors import CommandError
from connector.maintenance import Silence
from connector.maintenance.baseline import Status
from connector.phone_systems.programs import Programs, ProgramStatus
from connector.services import Services
from connector.settings import Settings
from connector.store import Store, events, orders
from connector.store.phones import PhoneSystem

_SCRIPT = re.compile(r"```sh\n(.*?)```", re.DOTALL)
_BLANK = "whsec_..."


class Introduction(msgspec.Struct, frozen=True):
    """What is said of a phone system once: `secret` is "" where the vendor made it."""

    slug: str
    dialect: Dialect
    bare_address: str
    secret: str

    @property
    def address(self) -> str:
        """Return where the phone system posts, with the secret where one stands there."""
        return full_address(self.dialect, self.bare_address, self.secret or UNSHOWN)


@click.group()
def phones() -> None:
    """Add, list and set up the phone systems that post events."""


for command in (*phone_configuration.COMMANDS, recordings.source):
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
        warn_of_queues(phone.queues, known)
        departments = (phone.department_id, *phone.lines.values(), *phone.queues.values())
        await warn_of_departments(services, phone.portal_id, departments)
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


@phones.command("status")
@json_option
def status(*, as_json: bool) -> None:
    """Show when each phone system was last heard, and whether that is longer ago than usual.

    `orders_at` is when the program beside it last asked what to do, where it does; below the table stands
    what programs such as a bridge report to be wrong.
    """
    found, asked, programs = in_store(_statuses)
    rows = [
        msgspec.structs.asdict(each)
        | {"last_at": moment(each.last_at), "orders_at": moment(asked.get(each.slug))}
        | ({"programs": _programs(programs.get(each.slug, []))} if as_json else {})
        for each in found
    ]
    nothing = "No phone systems. Make one with: connector phones add SLUG --country FR"
    show_rows(rows, as_json=as_json, nothing=nothing)
    for slug, each in () if as_json else programs.items():
        for one in each:
            click.echo(f"\n{slug}, {one.source}: {one.program}, reported at {moment(one.reported_at)}")
            for problem in one.problems:
                click.echo(f"  - {' '.join(problem.split())}")


def _programs(statuses: Sequence[ProgramStatus]) -> list[dict[str, Any]]:
    return [msgspec.structs.asdict(one) | {"reported_at": moment(one.reported_at)} for one in statuses]


async def _statuses(
    store: Store,
) -> tuple[Sequence[Status], dict[str, int], dict[str, list[ProgramStatus]]]:
    statuses = await Silence(store, system_clock).statuses()
    programs = await Programs(store, system_clock).statuses()
    return statuses, await store.read(orders.takers_asked_at), programs


@phones.command("guide")
@click.argument("slug")
def guide(*, slug: str) -> None:
    """Show how to set a phone system up."""

    async def step(services: Services) -> str:
        phone = (await services.phone_systems.find(slug)).phone
        return guide_of(DIALECTS[phone.dialect], address_of(services.settings, slug))

    click.echo(with_services(step))


@phones.command("unread")
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


def address_of(settings: Settings, slug: str) -> str:
    """Return where a phone system posts."""
    return f"{settings.public_url.rstrip('/')}/hooks/{slug}"


def introduce(phone: Introduction, *, as_json: bool) -> None:
    """Show a phone system's secret, this once, and how to post a first event."""
    script = first_event(phone.bare_address, phone.secret, phone.dialect)
    if as_json:
        shown = {"slug": phone.slug, "address": phone.address, "secret": phone.secret, "test": script}
        write_json(shown)
        return
    click.echo(f"Address  {phone.address}")
    if phone.secret:
        click.echo(f"Secret   {phone.secret}\n\nThe secret is not shown again.")
    if script:
        click.echo(f"\nPaste this into a shell to post a first event:\n\n{script}")
    click.echo(f"How to set the phone system up:  connector phones guide {phone.slug}")


def first_event(bare_address: str, secret: str, dialect: Dialect = DIALECTS["neutral"]) -> str:
    """Return a POSIX shell script that signs and posts one event: the guide's own, filled in.

    It is empty where nobody but the vendor can sign.
    """
    found = _SCRIPT.search(guide_of(dialect, bare_address))
    if found is None:
        return ""
    shown = found[1].replace(_BLANK, secret or _BLANK)
    return shown.replace(
        full_address(dialect, bare_address, UNSHOWN), full_address(dialect, bare_address, secret or UNSHOWN)
    )


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
