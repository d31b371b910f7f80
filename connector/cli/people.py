"""The people who may use the connector, what phone systems call them, and what they may do."""

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click

from connector.accounts import Agents, Person, Sessions
from connector.accounts.people_files import BYTES_AT_MOST, decoded, template, written
from connector.accounts.people_import import PeopleImport, Planned, Preview
from connector.accounts.words import PhoneWord, shown
from connector.cli.context import actor, in_store, with_services
from connector.cli.terminal import ROW_ID, confirm, json_option, show_one, show_rows, yes_option
from connector.cli.warnings import known_queues, warn_of_queues
from connector.clock import system_clock
from connector.errors import CommandError
from connector.services import Services
from connector.store import Store
from connector.store.rights import RIGHTS, THINGS, Given
from connector.store.tables import ANY_PORTAL
from connector.store.users import ROLES


@click.group()
def agents() -> None:
    """Add, change and list the people who take calls."""


_role = click.option("--role", type=click.Choice(ROLES), help="What they may do.")
_asked_before = click.option("--yes", is_flag=True, hidden=True, expose_value=False)
"""What scripts of before give: the last administrator is kept whoever asks."""

_words = (
    click.option("--extension", "extensions", multiple=True, metavar="WORD",
        help="What every phone system calls them: an extension, a login or an e-mail; may be repeated."),
    click.option("--extension-at", "extensions_at", multiple=True, nargs=2, metavar="PHONES WORD",
        help="What one phone system calls them."),
    click.option("--queue", "queues", multiple=True, metavar="QUEUE",
        help="A queue that rings them, at any phone system; may be repeated."),
    click.option("--queue-at", "queues_at", multiple=True, nargs=2, metavar="PHONES QUEUE",
        help="A queue of one phone system."),
)  # fmt: skip


def _with_words(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(_words):
        command = option(command)
    return command


def _agents(store: Store) -> Agents:
    return Agents(store, system_clock)


@agents.command("add")
@click.argument("email")
@click.argument("name")
@_role
@_with_words
@json_option
def add_agent(*, email: str, name: str, role: str | None, as_json: bool, **words: Any) -> None:
    """Add somebody by the e-mail address that Zoho has of them."""

    async def step(store: Store) -> dict[str, Any]:
        known = await store.read(known_queues)
        person = await _agents(store).add_agent(
            email,
            name,
            role or "agent",
            extensions=_phone_words(words, "extensions"),
            queues=_phone_words(words, "queues"),
            actor=actor(),
        )
        warn_of_queues((word.text for word in person.queues), known)
        return _row(person, await _agents(store).slugs())

    show_one(in_store(step), as_json=as_json)


@agents.command("change")
@click.argument("email")
@click.option("--name", help="Their name on banners and records.")
@_role
@_with_words
@click.option("--no-extensions", is_flag=True, help="Take all extensions away.")
@click.option("--no-queues", is_flag=True, help="Take them out of all queues.")
@_asked_before
@json_option
def change_agent(*, email: str, name: str | None, role: str | None, as_json: bool, **words: Any) -> None:
    """Change what is given; extensions and queues take the place of those there were."""
    extensions, queues = _replacing(words, "extensions"), _replacing(words, "queues")

    async def step(store: Store) -> dict[str, Any]:
        person = await _agents(store).change_agent(
            email, name=name, role=role, extensions=extensions, queues=queues, actor=actor()
        )
        if queues:
            known = await store.read(partial(known_queues, besides=person.user.id))
            warn_of_queues((word.text for word in person.queues), known)
        return _row(person, await _agents(store).slugs())

    show_one(in_store(step), as_json=as_json)


@agents.command("list")
@json_option
def list_agents(*, as_json: bool) -> None:
    """List everybody, the deactivated too."""

    async def step(store: Store) -> list[dict[str, Any]]:
        slugs = await _agents(store).slugs()
        return [_row(person, slugs) for person in await _agents(store).list_agents()]

    nothing = (
        "Nobody yet. The first one is an administrator: connector agents add EMAIL NAME --role administrator"
    )
    show_rows(in_store(step), as_json=as_json, nothing=nothing)


@agents.command("deactivate")
@click.argument("email")
@_asked_before
def deactivate(email: str) -> None:
    """Shut somebody out at once; their open banners end within seconds."""
    ended = in_store(lambda store: _agents(store).deactivate(email, actor=actor()))
    click.echo(f"{email} is deactivated; sessions ended: {ended}.")


@agents.command("forget-nonces")
def forget_nonces() -> None:
    """Let people sign in whose id token lacks a nonce, though Zoho has sent one before: it has stopped to."""
    issuers = in_store(lambda store: Sessions(store, system_clock).forget_nonces(actor=actor()))
    whose = ", ".join(issuers) or "nobody, for none has sent one"
    click.echo(f"A nonce is no longer demanded of: {whose}. The next one that is sent makes it so again.")


@agents.command("reactivate")
@click.argument("email")
def reactivate(email: str) -> None:
    """Let a deactivated user sign in again."""
    in_store(lambda store: _agents(store).reactivate(email, actor=actor()))
    click.echo(f"{email} may sign in again.")


@agents.command("release")
@click.argument("email")
def release(email: str) -> None:
    """Forget which Zoho user this is; the next sign-in with this address decides anew."""
    in_store(lambda store: _agents(store).release(email, actor=actor()))
    click.echo(f"{email} belongs to no Zoho user now; the next one who signs in with it is bound to it.")


@agents.command("rights")
@click.argument("email")
@click.option("--portal", "portal_id", type=ROW_ID, help="For one portal; without it for all of them.")
@click.option("--right", "wanted", multiple=True, nargs=2, metavar="THING RIGHT",
    help=f"THING is of {', '.join(THINGS)}; RIGHT of {', '.join(RIGHTS)}; may be repeated.")  # fmt: skip
@click.option("--none", "nothing", is_flag=True, help="Take all rights there away.")
@json_option
def rights(
    *, email: str, portal_id: int | None, wanted: Sequence[tuple[str, str]], nothing: bool, as_json: bool
) -> None:
    """Show what somebody may do beside their role; what is given takes the place of what was there."""
    if wanted and nothing:
        raise click.UsageError("Give either --none or the new rights.")

    async def step(store: Store) -> frozenset[Given]:
        if not wanted and not nothing:
            return await _agents(store).rights_of(email)
        return await _agents(store).give_rights(email, wanted, portal_id=portal_id, actor=actor())

    rows = [
        {"portal": None if each.portal_id == ANY_PORTAL else each.portal_id}
        | {"thing": each.thing, "right": each.right}
        for each in sorted(in_store(step))
    ]
    show_rows(rows, as_json=as_json, nothing="No rights beside the role.")


@agents.command("import")
@click.argument("file", type=click.Path(allow_dash=True, exists=True, dir_okay=False))
@yes_option
@json_option
def import_file(*, file: str, yes: bool, as_json: bool) -> None:
    """Add and change people by a CSV FILE (- for standard input): first it is said what would be done."""
    text = decoded(_content(file))

    async def look(store: Store) -> Preview:
        return await PeopleImport(store, system_clock).preview(text)

    async def step(store: Store) -> Preview:
        importing = PeopleImport(store, system_clock)
        return await importing.carry_out(text, digest=preview.digest, actor=actor())

    preview = in_store(look)
    show_rows(_lines(preview), as_json=as_json, nothing="There is nobody in it.")
    if preview.count("wrong"):
        raise CommandError("Nothing is changed: put the lines right whose step is wrong.")
    if not preview.count("add") and not preview.count("change"):
        return
    confirm(f"Added: {preview.count('add')}. Changed: {preview.count('change')}.", yes=yes)
    in_store(step)
    click.echo("Done.", err=True)


@agents.command("export")
@click.option("--template", "empty", is_flag=True, help="A file to be filled in instead.")
def export(*, empty: bool) -> None:
    """Write everybody as CSV, as `import` reads it."""

    async def step(store: Store) -> str:
        return written(await _agents(store).list_agents(), await _agents(store).slugs())

    click.echo(template() if empty else in_store(step), nl=False)


@agents.command("import-desk")
@click.argument("emails", nargs=-1, metavar="[EMAIL]...")
@click.option("--portal", "portal_id", type=ROW_ID, default=1, show_default=True, help="Whose agents.")
@click.option("--all", "everybody", is_flag=True, help="Add all who are not here yet.")
@click.option("--no-extensions", is_flag=True, help="Leave out what Desk says of their extensions.")
@_role
@json_option
def import_desk(
    *,
    emails: Sequence[str],
    portal_id: int,
    everybody: bool,
    no_extensions: bool,
    role: str | None,
    as_json: bool,
) -> None:
    """Add agents of Zoho Desk by their addresses, or all; without either they are listed."""
    if emails and everybody:
        raise click.UsageError("Give either --all or addresses.")

    async def step(services: Services) -> list[dict[str, Any]]:
        found = services.desk_people
        if not emails and not everybody:
            return [_desk_row(each) for each in await found.everybody(portal_id)]
        ids = None if everybody else await found.ids_of(portal_id, emails)
        added = await found.add(
            portal_id, ids, role=role or "agent", with_extensions=not no_extensions, actor=actor()
        )
        slugs = await services.agents.slugs()
        return [_row(person, slugs) for person in added]

    show_rows(with_services(step), as_json=as_json, nothing="Nobody who is not here yet.")


def _desk_row(each: Any) -> dict[str, Any]:
    return {
        "email": each.email,
        "name": each.name,
        "departments": each.departments,
        "extension": each.extension,
        "state": each.state,
    }


def _content(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read(BYTES_AT_MOST + 1)
    with Path(file).open("rb") as opened:
        return opened.read(BYTES_AT_MOST + 1)


def _lines(preview: Preview) -> list[dict[str, Any]]:
    return [
        {
            "line": each.line,
            "email": each.email,
            "step": each.step,
            "detail": _detail(preview, each),
        }
        for each in preview.lines
    ]


def _detail(preview: Preview, line: Planned) -> str:
    if line.problem is not None:
        return str(line.problem)
    return "; ".join(f"{name}: {before} -> {after}" for name, before, after in preview.differences(line))


def _phone_words(words: Mapping[str, Any], what: str) -> list[PhoneWord]:
    return [*((None, word) for word in words[what]), *words[f"{what}_at"]]


def _replacing(words: Mapping[str, Any], what: str) -> list[PhoneWord] | None:
    given, none = _phone_words(words, what), words[f"no_{what}"]
    if given and none:
        raise click.UsageError(f"Give either --no-{what} or the new {what}.")
    return given if given or none else None


def _row(person: Person, slugs: Mapping[int, str]) -> dict[str, Any]:
    user = person.user
    return {
        "email": user.email,
        "name": user.name,
        "role": user.role,
        "active": user.active,
        "signed_in_before": user.issuer is not None,
        "extensions": shown(person.extensions, slugs),
        "queues": shown(person.queues, slugs),
    }
