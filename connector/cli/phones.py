"""Say which phone systems may post, how to set each up, and whether they are heard."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, TextIO

import click
import msgspec

from connector.cli import phone_configuration, recordings
from connector.cli.context import actor, in_store, with_services
from connector.cli.terminal import (
    HOURS,
    ROW_ID,
    confirm,
    json_option,
    moment,
    secret_in,
    show_rows,
    write_json,
    yes_option,
)
from connector.cli.warnings import warn_of
from connector.clock import system_clock
from connector.dialects import DIALECTS, template
from connector.dialects import guide as guide_of
from connector.errors import CommandError
from connector.maintenance import Silence
from connector.maintenance.baseline import Status
from connector.phone_systems.programs import Programs, ProgramStatus
from connector.phone_systems.setup import Introduction, NewPhoneSystem
from connector.services import Services
from connector.store import Store, events, orders
from connector.store.phone_changes import Bound
from connector.store.phones import PhoneSystem


@click.group()
def phones() -> None:
    """Add, list and set up the phone systems that post events."""


for command in (*phone_configuration.COMMANDS, recordings.source):
    phones.add_command(command)

secret_file_option = click.option("--secret-file", type=click.File(encoding="utf-8"),
    help="Holds the vendor's secret, where the dialect has one; - is standard input.")  # fmt: skip

agreed_option = click.option("--sandbox", "agreed", is_flag=True,
    help="Agree that its calls are recorded in a sandbox of Zoho's, if its portal is one.")  # fmt: skip


@phones.command("add")
@click.argument("slug")
@click.option("--name", help="What people call it; the address unless given.")
@click.option("--country", required=True,
    help="Where its national numbers are at home, such as FR; a line abroad has its own.")  # fmt: skip
@click.option("--time-zone", default="UTC", show_default=True, help="Of times that name none.")
@click.option("--dialect", type=click.Choice(list(DIALECTS)), default="neutral", show_default=True)
@click.option("--portal", type=ROW_ID, help="The portal its calls go to, where several are linked.")
@click.option(
    "--department", help="Department of its records, by name or id, unless queue or line say another."
)
@click.option("--line", "lines", multiple=True, metavar="NUMBER[=DEPARTMENT]",
    help="A number of your own, such as +33123456789; may be repeated.")  # fmt: skip
@click.option("--queue", "queues", multiple=True, metavar="NAME=DEPARTMENT",
    help="The department of a queue; may be repeated.")  # fmt: skip
@click.option("--prefix", "prefixes", multiple=True,
    help="What is dialled before a number, such as 9; cut before it is read; may be repeated.")  # fmt: skip
@agreed_option
@secret_file_option
@json_option
def add(*, slug: str, portal: int | None, lines: Sequence[str], queues: Sequence[str],
        secret_file: TextIO | None, as_json: bool, **given: Any) -> None:  # fmt: skip
    """Make a phone system; SLUG is the last part of its address. Its secret is shown this once."""

    async def step(services: Services) -> Introduction:
        new = NewPhoneSystem(
            slug=slug,
            name=given["name"] or "",
            country=given["country"],
            time_zone=given["time_zone"],
            dialect=given["dialect"],
            portal_id=portal,
            department=given["department"] or "",
            lines=_pairs(lines),
            queues=_pairs(queues),
            prefixes=tuple(given["prefixes"]),
            secret=secret_in(secret_file),
            agreed=given["agreed"],
        )
        return await services.phone_setup.add(new, actor())

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
        return await services.phone_setup.rotate(slug, overlap_hours, actor(), secret_in(secret_file))

    introduce(with_services(step), as_json=as_json)


@phones.command("change")
@click.argument("slug")
@click.option("--slug", "new_slug", help="Another last part of its address; what posts to it must be told.")
@click.option("--name", help="What people call it.")
@click.option("--country", help="Where its national numbers are at home, such as FR.")
@click.option("--time-zone", help="Of times that name none.")
@click.option(
    "--dialect", type=click.Choice(list(DIALECTS)), help="Another dialect; its secret changes at once."
)
@click.option("--portal", type=ROW_ID, help="Another portal, as long as it has told of no call.")
@click.option("--department", help='Department of its records, by name or id; "" for the portal\'s.')
@agreed_option
@secret_file_option
@json_option
def change(*, slug: str, secret_file: TextIO | None, as_json: bool, **given: Any) -> None:
    """Correct what is given of a phone system; says first what is bound to it.

    Lines, queues, prefixes and the like have commands of their own.
    """
    values = {column: given[option] for option, column in _CHANGED.items() if given[option] is not None}
    if not values:
        raise click.UsageError("Nothing to change was given.")

    async def step(services: Services) -> Introduction:
        _show_bound(slug, await services.phone_systems.bound_to(slug))
        secret = secret_in(secret_file)
        return await services.phone_setup.change(slug, values, actor(), secret, agreed=given["agreed"])

    introduction = with_services(step)
    if introduction.secret or introduction.slug != slug:
        introduce(introduction, as_json=as_json)
        return
    warn_of(introduction.warnings)
    if as_json:
        write_json({"slug": slug, "changed": sorted(_COLUMNS.get(name, name) for name in values)})
    else:
        click.echo(f"{slug} is changed; `connector phones list` shows it.")


_CHANGED = {
    "new_slug": "slug",
    "name": "name",
    "country": "country",
    "time_zone": "time_zone",
    "dialect": "dialect",
    "portal": "portal_id",
    "department": "department",
}
"""What each option changes."""

_COLUMNS = {"department": "department_id"}
"""What machines read where it is not called as people call it."""


@phones.command("remove")
@click.argument("slug")
@yes_option
def remove(*, slug: str, yes: bool) -> None:
    """Remove a phone system for good; says first what is bound to it. Its calls and their records stay."""
    _show_bound(slug, with_services(lambda services: services.phone_systems.bound_to(slug)))
    confirm(
        f"Nobody can post as {slug} any more. Calls that go on count as ended after a while; calls, records "
        "and what waits for Desk stay.",
        yes=yes,
    )
    with_services(lambda services: services.phone_systems.remove(slug, actor()))
    click.echo(f"{slug} is removed.")


def _show_bound(slug: str, bound: Bound) -> None:
    counted = msgspec.structs.asdict(bound)
    listed = ", ".join(f"{name.replace('_', ' ')}: {count}" for name, count in counted.items() if count)
    click.echo(f"Bound to {slug}: {listed or 'nothing'}.", err=True)


@phones.command("list")
@json_option
def list_all(*, as_json: bool) -> None:
    """List every phone system."""

    async def step(services: Services) -> list[dict[str, Any]]:
        phones = await services.phone_systems.list_all()
        # Programs read ids, which stay when a department is called otherwise.
        names = {} if as_json else await _all_names(services, phones)
        return [
            {
                "slug": phone.slug,
                "name": phone.name,
                "address": services.phone_setup.address_of(phone.slug),
                "portal": phone.portal_id,
                "dialect": phone.dialect,
                "country": phone.country,
                "time_zone": phone.time_zone,
                "department": names.get(phone.department_id or "", phone.department_id),
                "lines": _written(phone.lines, names),
                "queues": _written(phone.queues, names),
                **({"line_names": phone.line_names, "queue_names": phone.queue_names} if as_json else {}),
                "secrets": len(phone.encrypted_secrets) + len(phone.encrypted_address_secrets),
                "senders": phone.senders,
                "prefixes": phone.prefixes,
                "without_plus": phone.without_plus,
                "names": phone.tells_names,
                "owners": phone.routes_to_owners,
                "orders": phone.takes_orders,
                "internal": phone.records_internal,
            }
            for phone in phones
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
@click.option("--template", "as_template", is_flag=True,
    help="Write the file that the vendor's console wants uploaded instead, such as 3CX's.")  # fmt: skip
def guide(*, slug: str, as_template: bool) -> None:
    """Show how to set a phone system up."""

    async def step(services: Services) -> str:
        introduction = await services.phone_setup.introduction(slug)
        dialect, address = introduction.dialect, introduction.bare_address
        if as_template and not dialect.template:
            raise CommandError(f"{dialect.title} needs no template: leave --template out.")
        return template(dialect, address) if as_template else guide_of(dialect, address)

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


def introduce(phone: Introduction, *, as_json: bool) -> None:
    """Show a phone system's secret, this once, and how to post a first call."""
    warn_of(phone.warnings)
    script = phone.script
    if as_json:
        shown = {"slug": phone.slug, "address": phone.address, "secret": phone.secret, "test": script}
        write_json(shown)
        return
    click.echo(f"Address  {phone.address}")
    if phone.secret:
        click.echo(f"Secret   {phone.secret}\n\nThe secret is not shown again.")
    if script:
        first = "" if phone.dialect.signing != "given" else "Put your secret in first, where it says so. "
        click.echo(f"\n{first}Paste this into a shell to post a first call:\n\n{script}")
    click.echo(f"How to set the phone system up:  connector phones guide {phone.slug}")


def _pairs(texts: Sequence[str]) -> dict[str, str]:
    return {name: department for name, _, department in (text.partition("=") for text in texts)}


def _written(pairs: Mapping[str, str | None], names: Mapping[str, str]) -> list[str]:
    return [f"{name}={names.get(its, its)}" if its else name for name, its in pairs.items()]


async def _all_names(services: Services, phones: Sequence[PhoneSystem]) -> dict[str, str]:
    """Return what the departments are called that phone systems name, by id, as far as Desk says."""
    portals = {
        each.portal_id
        for each in phones
        if {each.department_id, *each.lines.values(), *each.queues.values()} - {None}
    }
    names: dict[str, str] = {}
    for portal_id in sorted(portals):
        names |= await services.departments.names(portal_id)
    return names
