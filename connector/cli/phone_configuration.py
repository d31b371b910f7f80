"""Configure a phone system: its own numbers, who may post, whom it turns away, what it is told and may do."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, cast

import click
from sqlalchemy import Connection

from connector import numbers
from connector.cli.context import actor, with_services
from connector.cli.terminal import json_option, moment, show_rows
from connector.cli.warnings import department_id, known_queues, warn_of_line, warn_of_queues
from connector.clock import system_clock
from connector.dialects import DIALECTS
from connector.errors import CommandError
from connector.phone_systems import check_network, check_prefix, pattern_of, whole_number
from connector.services import Services
from connector.store import audit, orders
from connector.store import phones as table
from connector.store.phones import Blocked, PhoneSystem
from connector.store.users import ROLES, Role

everywhere_option = click.option("--everywhere", is_flag=True, help="On all phone systems of its portal.")

remove_option = click.option("--remove", is_flag=True, help="Take it away instead.")

NOBODY = "nobody"


@click.command("line")
@click.argument("slug")
@click.argument("number", metavar="NUMBER[=DEPARTMENT]")
@click.option("--department", help="Department of the records of calls on this line, by name or id.")
@remove_option
def line(*, slug: str, number: str, department: str | None, remove: bool) -> None:
    """Say that a number is your own: it is never looked up, and may decide the department."""
    number, department = _split(number, department, removes=remove)
    # With its plus it is read alike in every country.
    whole = whole_number(number, "")

    def change(connection: Connection, phone: PhoneSystem, department_id: str | None) -> None:
        if not remove:
            table.set_line(connection, phone.id, whole, department_id)
        elif not table.remove_line(connection, phone.id, whole):
            raise CommandError(f"{whole} is no line of {slug}; see: connector phones list")

    _set_department(slug, change, "phone_system.line", whole, department, removes=remove)
    said = "is no line" if remove else "is a line"
    click.echo(f"{whole} {said} of {slug}{_deciding(department, removes=remove)}.")


@click.command("queue")
@click.argument("slug")
@click.argument("name", metavar="NAME[=DEPARTMENT]")
@click.option("--department", help="Department of the records of this queue's calls, by name or id.")
@remove_option
def queue(*, slug: str, name: str, department: str | None, remove: bool) -> None:
    """Say which department a queue belongs to.

    A name that has a = itself is taken as it is typed beside --department, "" for none, and --remove.
    """
    name, department = _split(name, department, removes=remove)

    def change(connection: Connection, phone: PhoneSystem, department_id: str | None) -> None:
        if not remove:
            table.set_queue(connection, phone.id, name, department_id)
        elif not table.remove_queue(connection, phone.id, name):
            raise CommandError(f"{name} is no queue of {slug}; see: connector phones list")

    known = _set_department(slug, change, "phone_system.queue", name, department, removes=remove)
    if not remove:
        warn_of_queues([name], known)
    said = "is no queue" if remove else "is a queue"
    click.echo(f"{name} {said} of {slug}{_deciding(department, removes=remove)}.")


def _split(text: str, department: str | None, *, removes: bool) -> tuple[str, str | None]:
    """Return a line or queue and its department, which may stand behind it as in `phones add`."""
    if removes or department is not None or "=" not in text:
        return text, department
    name, _, behind = text.partition("=")
    if not name.strip():
        raise click.UsageError(f"Write it as NAME=DEPARTMENT: in front of the = of {text!r} stands nothing.")
    return name.strip(), behind.strip()


def _deciding(department: str | None, *, removes: bool) -> str:
    return "" if removes else f"; department: {department or 'not decided by it'}"


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
def number_form(*, slug: str, form: str) -> None:
    """Say whether a phone system writes country codes without a plus, such as 41812886393.

    Unless it does, such digits are another country's only by chance, and nobody is looked up for them.
    """

    def change(connection: Connection, phone: PhoneSystem) -> None:
        table.set_without_plus(connection, phone.id, without_plus=form == "without-plus")

    with_services(partial(change_phone, slug, change, "phone_system.numbers", form))
    click.echo(f"{slug} writes numbers of other countries {form.replace('-', ' ')}.")


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
        table.block(connection, phone, entry)

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
        removed = [table.unblock(connection, phone, each, everywhere=everywhere) for each in patterns]
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
        return await services.store.read(partial(table.list_blocked, phone=phone))

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
        warn_of_line(phone, whole)
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


@click.command("control")
@click.argument("slug")
@click.argument("switch", type=click.Choice(["on", "off"]))
def take_orders(*, slug: str, switch: str) -> None:
    """Let a phone system do what agents ask for: dial, hang up, transfer; its bridge must be set up too."""

    def change(connection: Connection, phone: PhoneSystem) -> None:
        if switch == "on" and DIALECTS[phone.dialect].signing != "made":
            raise CommandError(
                f"A phone system of the dialect {phone.dialect} cannot fetch orders, so its numbers stay "
                "tel: links. One that is added with --dialect neutral can fetch them."
            )
        table.set_takes_orders(connection, phone.id, takes_orders=switch == "on")

    with_services(partial(change_phone, slug, change, "phone_system.control", switch))
    click.echo(f"{slug} {'takes' if switch == 'on' else 'takes no'} orders.")


@click.command("internal")
@click.argument("slug")
@click.argument("switch", type=click.Choice(["on", "off"]))
def internal(*, slug: str, switch: str) -> None:
    """Say whether calls among colleagues are logged in Desk too, on a contact that they all share."""

    def change(connection: Connection, phone: PhoneSystem) -> None:
        table.set_records_internal(connection, phone.id, records_internal=switch == "on")

    with_services(partial(change_phone, slug, change, "phone_system.internal", switch))
    click.echo(f"Internal calls of {slug} are {'logged' if switch == 'on' else 'not logged'} in Desk.")


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
        _show_rules(slug, as_json=as_json)
        return
    if remove is (role is not None):
        raise CommandError("Give --role with the lowest role that may call, or --remove.")

    def change(connection: Connection, phone: PhoneSystem) -> None:
        pattern = _callable(number, phone.country)
        if role is not None:
            lowest = None if role == NOBODY else cast("Role", role)
            orders.set_destination(connection, phone.id, pattern, lowest)
        elif not orders.remove_destination(connection, phone.id, pattern):
            raise CommandError(f"There is no rule for {number}; see: connector phones may-call {slug}")

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
            "the rules say: such a call must not depend on a web page. Dial it at a telephone."
        )
    pattern = pattern_of(number, country)
    if not pattern.startswith(("+", "*")):
        raise CommandError(f"{number} cannot be called: write a number as +33123456789, or many as +331*.")
    return pattern


def _show_rules(slug: str, *, as_json: bool) -> None:
    async def step(services: Services) -> list[dict[str, Any]]:
        phone = (await services.phone_systems.find(slug)).phone
        rules = await services.store.read(lambda connection: orders.destinations_of(connection, phone.id))
        return [{"number": pattern, "role": role or NOBODY} for pattern, role in rules.items()]

    nothing = "No rule: numbers of the phone system's own country, by everybody."
    show_rows(with_services(step), as_json=as_json, nothing=nothing)


def _set_department(
    slug: str,
    change: Callable[[Connection, PhoneSystem, str | None], None],
    action: str,
    name: str,
    department: str | None,
    *,
    removes: bool,
) -> frozenset[str]:
    """Set a line or a queue by its department's name or id, and return the queues known before."""
    if removes and department is not None:
        raise click.UsageError("Give either --department or --remove.")

    async def step(services: Services) -> frozenset[str]:
        known = await services.store.read(known_queues)
        phone = (await services.phone_systems.find(slug)).phone
        meant = await department_id(services, phone.portal_id, department)
        detail = f"{name}: {'removed' if removes else department or 'no department'}"
        await change_phone(slug, lambda c, p: change(c, p, meant), action, detail, services)
        return known

    return with_services(step)


async def change_phone(
    slug: str, change: Callable[[Connection, PhoneSystem], None], action: str, detail: str, services: Services
) -> PhoneSystem:
    """Change what is a phone system's, and note it in the audit; return the phone system as it was before."""
    phone = (await services.phone_systems.find(slug)).phone

    def audited(connection: Connection) -> None:
        change(connection, phone)
        audit.append(connection, services.clock(), actor(), action, slug, detail)

    await services.store.write(audited)
    return phone


COMMANDS = (
    *(line, queue, prefixes, number_form, allow, block, unblock, blocked),
    *(caller_id, answers, take_orders, internal, may_call),
)
"""The commands of `connector phones` that configure one."""
