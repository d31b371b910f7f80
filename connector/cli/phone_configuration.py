"""Configure a phone system: its own numbers, who may post, whom it turns away, what it is told and may do."""

from collections.abc import Sequence

import click

from connector.cli.context import actor, with_services
from connector.cli.terminal import json_option, moment, next_step, show_rows
from connector.cli.warnings import warn_of
from connector.errors import CommandError
from connector.phone_systems.numbering import Form
from connector.phone_systems.permissions import NOBODY
from connector.services import Services
from connector.store.users import ROLES

everywhere_option = click.option("--everywhere", is_flag=True, help="On all phone systems of its portal.")

remove_option = click.option("--remove", is_flag=True, help="Take it away instead.")

name_option = click.option("--name", help='What people call it; "" for nothing.')


@click.command("line")
@click.argument("slug")
@click.argument("number", metavar="NUMBER[=DEPARTMENT]")
@click.option("--department", help="Department of the records of calls on this line, by name or id.")
@name_option
@remove_option
def line(*, slug: str, number: str, department: str | None, name: str | None, remove: bool) -> None:
    """Say that a number is your own: it is never looked up, and may decide the department."""
    number, department = _split(number, department, removes=remove)
    _check_options(department, removes=remove)

    async def step(services: Services) -> str:
        if remove:
            with next_step("See: connector phones list"):
                return await services.numbering.remove_line(slug, number, actor())
        whole, told = await services.numbering.set_line(slug, number, department, actor(), name)
        warn_of(told)
        return whole

    whole = with_services(step)
    said = "is no line" if remove else "is a line"
    click.echo(f"{whole} {said} of {slug}{_deciding(department, removes=remove)}.")


@click.command("queue")
@click.argument("slug")
@click.argument("word", metavar="NAME[=DEPARTMENT]")
@click.option("--department", help="Department of the records of this queue's calls, by name or id.")
@name_option
@remove_option
def queue(*, slug: str, word: str, department: str | None, name: str | None, remove: bool) -> None:
    """Say which department a queue belongs to.

    A name that has a = itself is taken as it is typed beside --department, "" for none, and --remove.
    """
    word, department = _split(word, department, removes=remove)
    _check_options(department, removes=remove)

    async def step(services: Services) -> None:
        if not remove:
            warn_of(await services.numbering.set_queue(slug, word, department, actor(), name))
            return
        with next_step("See: connector phones list"):
            await services.numbering.remove_queue(slug, word, actor())

    with_services(step)
    said = "is no queue" if remove else "is a queue"
    click.echo(f"{word} {said} of {slug}{_deciding(department, removes=remove)}.")


def _split(text: str, department: str | None, *, removes: bool) -> tuple[str, str | None]:
    """Return a line or queue and its department, which may stand behind it as in `phones add`."""
    if removes or department is not None or "=" not in text:
        return text, department
    name, _, behind = text.partition("=")
    if not name.strip():
        raise click.UsageError(f"Write it as NAME=DEPARTMENT: in front of the = of {text!r} stands nothing.")
    return name.strip(), behind.strip()


def _check_options(department: str | None, *, removes: bool) -> None:
    if removes and department is not None:
        raise click.UsageError("Give either --department or --remove.")


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
    whole = with_services(lambda services: services.numbering.set_prefixes(slug, prefixes, actor()))
    listed = ", ".join(whole) or "nothing"
    click.echo(f"{slug}: {listed} is cut from the front of a number before it is read.")


@click.command("numbers")
@click.argument("slug")
@click.argument("form", type=click.Choice(["with-plus", "without-plus"]))
def number_form(*, slug: str, form: Form) -> None:
    """Say whether a phone system writes country codes without a plus, such as 41812886393.

    Unless it does, such digits are another country's only by chance, and nobody is looked up for them.
    """
    with_services(lambda services: services.numbering.set_form(slug, form, actor()))
    click.echo(f"{slug} writes numbers of other countries {form.replace('-', ' ')}.")


@click.command("allow")
@click.argument("slug")
@click.argument("networks", nargs=-1)
@click.option("--anyone", is_flag=True, help="Lift the list.")
def allow(*, slug: str, networks: Sequence[str], anyone: bool) -> None:
    """Say from where a phone system may post: these addresses or networks, and no others."""
    if anyone is bool(networks):
        raise CommandError("Name addresses or networks such as 203.0.113.0/24, or give --anyone.")
    whole = with_services(lambda services: services.permissions.set_senders(slug, networks, actor()))
    listed = ", ".join(whole) or "anywhere"
    click.echo(f"{slug} may post from {listed}.")


@click.command("block")
@click.argument("slug")
@click.argument("number")
@click.option("--reason", default="", help="Why, for whoever asks later.")
@everywhere_option
def block(*, slug: str, number: str, reason: str, everywhere: bool) -> None:
    """Turn a caller away, where the phone system asks: a number, +331* or withheld."""
    with_services(
        lambda services: services.permissions.block(
            slug, number, actor(), reason=reason, everywhere=everywhere
        )
    )
    who = "Every caller" if number.strip() == "*" else number
    click.echo(f"{who} is turned away{' everywhere' if everywhere else f' by {slug}'}.")


@click.command("unblock")
@click.argument("slug")
@click.argument("number")
@everywhere_option
def unblock(*, slug: str, number: str, everywhere: bool) -> None:
    """Turn a caller away no more."""

    async def step(services: Services) -> None:
        with next_step(f"See: connector phones blocked {slug}"):
            await services.permissions.unblock(slug, number, actor(), everywhere=everywhere)

    with_services(step)
    click.echo(f"{number} is turned away no more.")


@click.command("blocked")
@click.argument("slug")
@json_option
def blocked(*, slug: str, as_json: bool) -> None:
    """List whom a phone system turns away."""
    rows = [
        {"number": one.pattern, "everywhere": one.everywhere, "reason": one.reason,
         "since": moment(one.created_at)}
        for one in with_services(lambda services: services.permissions.blocked(slug))
    ]  # fmt: skip
    show_rows(rows, as_json=as_json, nothing="Nobody is turned away.")


@click.command("caller-id")
@click.argument("slug")
@click.argument("number")
@click.option("--to", "called", default="*", show_default=True, help="For calls to such numbers only: +49*.")
@click.option("--remove", is_flag=True, help="Forget the rule for these numbers.")
def caller_id(*, slug: str, number: str, called: str, remove: bool) -> None:
    """Say which of your numbers is shown to those who are called, where the phone system asks."""

    async def step(services: Services) -> None:
        if remove:
            await services.permissions.remove_caller_id(slug, called, actor())
            return
        told = await services.permissions.set_caller_id(slug, called, number, actor())
        warn_of(told, f"If it is yours, say so with: connector phones line {slug} {number}")

    with_services(step)
    click.echo(f"Calls to {called} show {'what the phone system chooses' if remove else number}.")


@click.command("answers")
@click.argument("slug")
@click.option("--names/--no-names", default=None, help="Tell who is calling, for the phone's display.")
@click.option("--owners/--no-owners", default=None, help="Send a caller to the owner of their contact.")
def answers(*, slug: str, names: bool | None, owners: bool | None) -> None:
    """Say what a phone system is told of a call that begins, where its dialect can be told."""
    detail = with_services(
        lambda services: services.permissions.set_answers(slug, names=names, owners=owners, actor=actor())
    )
    click.echo(f"{slug}: {detail}.")


@click.command("control")
@click.argument("slug")
@click.argument("switch", type=click.Choice(["on", "off"]))
def take_orders(*, slug: str, switch: str) -> None:
    """Let a phone system do what agents ask for: dial, hang up, transfer; its bridge must be set up too."""
    is_on = switch == "on"
    with_services(
        lambda services: services.permissions.set_takes_orders(slug, takes_orders=is_on, actor=actor())
    )
    click.echo(f"{slug} {'takes' if is_on else 'takes no'} orders.")


@click.command("internal")
@click.argument("slug")
@click.argument("switch", type=click.Choice(["on", "off"]))
def internal(*, slug: str, switch: str) -> None:
    """Say whether calls among colleagues are logged in Desk too, on a contact that they all share."""
    is_on = switch == "on"
    with_services(
        lambda services: services.permissions.set_records_internal(
            slug, records_internal=is_on, actor=actor()
        )
    )
    click.echo(f"Internal calls of {slug} are {'logged' if is_on else 'not logged'} in Desk.")


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

    async def step(services: Services) -> None:
        if role is not None:
            await services.permissions.set_rule(slug, number, role, actor())
            return
        with next_step(f"See: connector phones may-call {slug}"):
            await services.permissions.remove_rule(slug, number, actor())

    with_services(step)
    click.echo(f"{slug}, {number}: {role or 'no rule'}.")


def _show_rules(slug: str, *, as_json: bool) -> None:
    rules = with_services(lambda services: services.permissions.rules(slug))
    rows = [{"number": pattern, "role": role or NOBODY} for pattern, role in rules.items()]
    nothing = "No rule: numbers of the phone system's own country, by everybody."
    show_rows(rows, as_json=as_json, nothing=nothing)


COMMANDS = (
    *(line, queue, prefixes, number_form, allow, block, unblock, blocked),
    *(caller_id, answers, take_orders, internal, may_call),
)
"""The commands of `connector phones` that configure one."""
