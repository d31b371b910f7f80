"""Say which phone systems do what agents ask for, and who may call whom with them."""

from functools import partial
from typing import Any, cast

import click
from sqlalchemy import Connection

from connector import numbers
from connector.cli.belongings import change_phone
from connector.cli.opening import with_services
from connector.cli.output import json_option, show_rows
from connector.dialects import DIALECTS
from connector.errors import CommandError
from connector.phone_systems import pattern_of
from connector.services import Services
from connector.store import orders
from connector.store import phones as table
from connector.store.phones import PhoneSystem
from connector.store.users import ROLES, Role

NOBODY = "nobody"


@click.command("control")
@click.argument("slug")
@click.argument("switch", type=click.Choice(["on", "off"]))
def control(*, slug: str, switch: str) -> None:
    """Let a phone system do what agents ask for: dial, hang up, transfer; its bridge must be set up too."""

    def change(connection: Connection, phone: PhoneSystem) -> None:
        if switch == "on" and DIALECTS[phone.dialect].signing != "made":
            raise CommandError(
                f"A phone system of the dialect {phone.dialect} fetches no orders: its "
                "numbers stay tel: links. One that is added with --dialect neutral can fetch them."
            )
        table.set_takes_orders(connection, phone.id, takes_orders=switch == "on")

    with_services(partial(change_phone, slug, change, "phone_system.control", switch))
    click.echo(f"{slug} {'takes' if switch == 'on' else 'takes no'} orders.")


@click.command("internal")
@click.argument("slug")
@click.argument("switch", type=click.Choice(["on", "off"]))
def internal(*, slug: str, switch: str) -> None:
    """Say whether calls among colleagues are recorded in Desk too, on a contact that they all share."""

    def change(connection: Connection, phone: PhoneSystem) -> None:
        table.set_records_internal(connection, phone.id, records_internal=switch == "on")

    with_services(partial(change_phone, slug, change, "phone_system.internal", switch))
    click.echo(f"Internal calls of {slug} are {'recorded' if switch == 'on' else 'not recorded'} in Desk.")


@click.command("may-call")
@click.argument("slug")
@click.argument("number", required=False)
@click.option("--role", type=click.Choice([*ROLES, NOBODY]), help="From which role on.")
@click.option("--remove", is_flag=True, help="Forget the rule for these numbers.")
@json_option
def may_call(*, slug: str, number: str | None, role: str | None, remove: bool, as_json: bool) -> None:
    """Say who may call NUMBER (+44*, or a whole one) with the connector's help; without it, show all rules.

    The rule with the most digits decides. Without one, numbers of the phone system's own country may be
    called by everybody, and no others; premium-rate numbers and satellites only by a rule without *.
    """
    if number is None:
        _show(slug, as_json=as_json)
        return
    if remove is (role is not None):
        raise CommandError("Say from which role on with --role, or give --remove.")

    def change(connection: Connection, phone: PhoneSystem) -> None:
        pattern = _callable(number, phone.country)
        if role is not None:
            lowest = None if role == NOBODY else cast("Role", role)
            orders.set_destination(connection, phone.id, pattern, lowest)
        elif not orders.remove_destination(connection, phone.id, pattern):
            raise CommandError(f"Nothing is said of {number}; see: connector phones may-call {slug}")

    what = f"{number}: {role or 'no rule'}"
    with_services(partial(change_phone, slug, change, "phone_system.may_call", what))
    click.echo(f"{slug}, {what}.")


def _callable(number: str, country: str) -> str:
    """Read for whom a rule can be; CommandError where no rule can help."""
    if (
        "*" not in number
        and numbers.read(number, country).e164 is None
        and numbers.is_emergency(number, country)
    ):
        raise CommandError(
            f"{number} is an emergency number. Emergency numbers are never called by click to call, whatever "
            "the rules say: such a call must not hang on a page. Dial it at a telephone itself."
        )
    pattern = pattern_of(number, country)
    if not pattern.startswith(("+", "*")):
        raise CommandError(f"{number} cannot be called: write a number as +33123456789, or many as +331*.")
    return pattern


def _show(slug: str, *, as_json: bool) -> None:
    async def step(services: Services) -> list[dict[str, Any]]:
        phone = (await services.phone_systems.find(slug)).phone
        rules = await services.store.read(lambda connection: orders.destinations_of(connection, phone.id))
        return [{"number": pattern, "role": role or NOBODY} for pattern, role in rules.items()]

    nothing = "No rule: numbers of the phone system's own country, by everybody."
    show_rows(with_services(step), as_json=as_json, nothing=nothing)
