"""Say from where a phone system may post, whom it turns away, and what it is told of a call."""

from collections.abc import Sequence
from functools import partial

import click
from sqlalchemy import Connection

from connector import numbers
from connector.cli.belongings import change_phone
from connector.cli.doubts import doubt_line
from connector.cli.opening import with_services
from connector.cli.output import json_option, moment, show_rows
from connector.clock import system_clock
from connector.errors import CommandError
from connector.phone_systems import check_network, pattern_of, whole_number
from connector.services import Services
from connector.store import blocked as blocks
from connector.store import phones as table
from connector.store.blocked import Blocked
from connector.store.phones import PhoneSystem

everywhere_option = click.option("--everywhere", is_flag=True, help="On all phone systems of its portal.")


@click.command("allow")
@click.argument("slug")
@click.argument("networks", nargs=-1)
@click.option("--anyone", is_flag=True, help="Lift the list.")
def allow(*, slug: str, networks: Sequence[str], anyone: bool) -> None:
    """Say from where a phone system may post: these addresses or networks, and no others."""
    if anyone is bool(networks):
        raise CommandError("Name addresses or networks such as 203.0.113.0/24, or give --anyone.")
    for network in networks:
        check_network(network)

    def change(connection: Connection, phone: PhoneSystem) -> None:
        table.set_senders(connection, phone.id, networks)

    listed = ", ".join(networks) or "anywhere"
    with_services(partial(change_phone, slug, change, "phone_system.allowed", listed))
    click.echo(f"{slug} may post from {listed}.")


@click.command("block")
@click.argument("slug")
@click.argument("number")
@click.option("--reason", default="", help="Why, for whoever asks later.")
@everywhere_option
def block(*, slug: str, number: str, reason: str, everywhere: bool) -> None:
    """Turn a caller away, where the phone system asks: a number, +331* or withheld."""

    def change(connection: Connection, phone: PhoneSystem) -> None:
        pattern = pattern_of(number, phone.country)
        entry = Blocked(pattern=pattern, everywhere=everywhere, reason=reason, created_at=system_clock())
        blocks.put(connection, phone, entry)

    with_services(partial(change_phone, slug, change, "number.blocked", f"{number} {reason}".strip()))
    who = "Every caller" if number.strip() == "*" else number
    click.echo(f"{who} is turned away{' everywhere' if everywhere else f' by {slug}'}.")


@click.command("unblock")
@click.argument("slug")
@click.argument("number")
@everywhere_option
def unblock(*, slug: str, number: str, everywhere: bool) -> None:
    """Turn a caller away no more."""

    def change(connection: Connection, phone: PhoneSystem) -> None:
        wanted = pattern_of(number, phone.country)
        # A number is blocked as it was typed then, which may be another spelling.
        patterns = numbers.spellings(wanted) if wanted.startswith("+") and "*" not in wanted else [wanted]
        removed = [blocks.remove(connection, phone, each, everywhere=everywhere) for each in patterns]
        if not any(removed):
            raise CommandError(f"{number} is not blocked so; see: connector phones blocked {slug}")

    with_services(partial(change_phone, slug, change, "number.unblocked", number))
    click.echo(f"{number} is turned away no more.")


@click.command("blocked")
@click.argument("slug")
@json_option
def blocked(*, slug: str, as_json: bool) -> None:
    """List whom a phone system turns away."""

    async def step(services: Services) -> list[Blocked]:
        phone = (await services.phone_systems.find(slug)).phone
        return await services.store.read(partial(blocks.list_all, phone=phone))

    rows = [
        {"number": one.pattern, "everywhere": one.everywhere, "reason": one.reason,
         "since": moment(one.created_at)}
        for one in with_services(step)
    ]  # fmt: skip
    show_rows(rows, as_json=as_json, nothing="Nobody is turned away.")


@click.command("caller-id")
@click.argument("slug")
@click.argument("number")
@click.option("--to", "called", default="*", show_default=True, help="For calls to such numbers only: +49*.")
@click.option("--remove", is_flag=True, help="Forget the rule for these numbers.")
def caller_id(*, slug: str, number: str, called: str, remove: bool) -> None:
    """Say which of your numbers is shown to those who are called, where the phone system asks."""
    # With its plus it is read alike in every country.
    whole = whole_number(number, "")

    def change(connection: Connection, phone: PhoneSystem) -> None:
        pattern = pattern_of(called, phone.country)
        table.set_caller_id(connection, phone.id, pattern, None if remove else whole)

    detail = f"{called}: {'none' if remove else number}"
    phone = with_services(partial(change_phone, slug, change, "phone_system.caller_id", detail))
    if not remove:
        doubt_line(phone, whole)
    click.echo(f"Calls to {called} show {'what the phone system chooses' if remove else number}.")


@click.command("answers")
@click.argument("slug")
@click.option("--names/--no-names", default=None, help="Tell who is calling, for the phone's display.")
@click.option("--owners/--no-owners", default=None, help="Send a caller to the owner of their contact.")
def answers(*, slug: str, names: bool | None, owners: bool | None) -> None:
    """Say what a phone system is told of a call that begins, where its dialect can be told."""

    def change(connection: Connection, phone: PhoneSystem) -> None:
        table.set_answers(connection, phone.id, tells_names=names, routes_to_owners=owners)

    detail = f"names {_choice(names)}, owners {_choice(owners)}"
    with_services(partial(change_phone, slug, change, "phone_system.answers", detail))
    click.echo(f"{slug}: {detail}.")


def _choice(choice: bool | None) -> str:  # noqa: FBT001 - three states, said at the call
    return "as before" if choice is None else "on" if choice else "off"
