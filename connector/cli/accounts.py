"""Who may use the connector: people and what phone systems call them, and who changed what."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import click

from connector.accounts import Agent, Agents, Sessions
from connector.accounts.agents import PhoneWord
from connector.casing import ascii_lower
from connector.cli.context import actor, in_store
from connector.cli.terminal import (
    HOW_MANY,
    confirm,
    json_option,
    moment,
    show_one,
    show_rows,
    yes_option,
)
from connector.cli.warnings import known_queues, warn_of_queues
from connector.clock import system_clock
from connector.store import Store, phones
from connector.store import audit as audit_rows
from connector.store.tables import ANY_PHONE_SYSTEM
from connector.store.users import ROLES, Word


@click.group()
def agents() -> None:
    """Add, change and list the people who take calls."""


_role = click.option("--role", type=click.Choice(ROLES), help="What they may do.")
_words = (
    click.option("--extension", "extensions", multiple=True, metavar="WORD",
        help="What every phone system calls them: an extension or a login; may be repeated."),
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
        agent = await Agents(store, system_clock).add_agent(
            email,
            name,
            role or "agent",
            extensions=_phone_words(words, "extensions"),
            queues=_phone_words(words, "queues"),
            actor=actor(),
        )
        warn_of_queues((word.text for word in agent.queues), known)
        return await _agent_row(store, agent)

    show_one(in_store(step), as_json=as_json)


@agents.command("change")
@click.argument("email")
@click.option("--name", help="Their name on banners and records.")
@_role
@_with_words
@click.option("--no-extensions", is_flag=True, help="Take all extensions away.")
@click.option("--no-queues", is_flag=True, help="Take them out of all queues.")
@yes_option
@json_option
def change_agent(
    *, email: str, name: str | None, role: str | None, yes: bool, as_json: bool, **words: Any
) -> None:
    """Change what is given; extensions and queues take the place of those there were."""
    extensions, queues = _replacing(words, "extensions"), _replacing(words, "queues")
    if role not in (None, "administrator"):
        _keep_an_administrator(email, yes=yes)

    async def step(store: Store) -> dict[str, Any]:
        agent = await Agents(store, system_clock).change_agent(
            email, name=name, role=role, extensions=extensions, queues=queues, actor=actor()
        )
        if queues:
            known = await store.read(partial(known_queues, besides=agent.user.id))
            warn_of_queues((word.text for word in agent.queues), known)
        return await _agent_row(store, agent)

    show_one(in_store(step), as_json=as_json)


@agents.command("list")
@json_option
def list_agents(*, as_json: bool) -> None:
    """List everybody, the deactivated too."""

    async def step(store: Store) -> list[dict[str, Any]]:
        listed = await Agents(store, system_clock).list_agents()
        return [await _agent_row(store, agent) for agent in listed]

    nothing = (
        "Nobody yet. The first one is an administrator: connector agents add EMAIL NAME --role administrator"
    )
    show_rows(in_store(step), as_json=as_json, nothing=nothing)


@agents.command("deactivate")
@click.argument("email")
@yes_option
def deactivate(email: str, *, yes: bool) -> None:
    """Shut somebody out at once; their open banners end within seconds."""
    _keep_an_administrator(email, yes=yes)
    ended = in_store(lambda store: Agents(store, system_clock).deactivate(email, actor=actor()))
    click.echo(f"{email} is deactivated; sessions ended: {ended}.")


def _keep_an_administrator(email: str, *, yes: bool) -> None:
    """Ask before the last administrator is none any more; CommandError where nobody agrees."""

    async def others(store: Store) -> bool:
        listed = [each.user for each in await Agents(store, system_clock).list_agents()]
        active = [user for user in listed if user.active and user.role == "administrator"]
        return any(user.email != ascii_lower(email.strip()) for user in active) or not active

    if not yes and not in_store(others):
        confirm(
            f"{email} is the last administrator: nobody can link a portal or open the administrators' pages "
            "until somebody is made one with `connector agents change EMAIL --role administrator`.",
            yes=yes,
        )


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
    in_store(lambda store: Agents(store, system_clock).reactivate(email, actor=actor()))
    click.echo(f"{email} may sign in again.")


@agents.command("release")
@click.argument("email")
def release(email: str) -> None:
    """Forget which Zoho user this is; the next sign-in with this address decides anew."""
    in_store(lambda store: Agents(store, system_clock).release(email, actor=actor()))
    click.echo(f"{email} belongs to no Zoho user now; the next one who signs in with it is bound to it.")


@click.command()
@click.option("--limit", type=HOW_MANY, default=100, show_default=True, help="How many.")
@click.option("--actor", help="By whom.")
@click.option("--action", help="What, or how that begins: agent.")
@click.option("--subject", help="What was changed.")
@json_option
def audit(*, limit: int, actor: str | None, action: str | None, subject: str | None, as_json: bool) -> None:
    """Show who changed what, the latest first."""
    wanted = audit_rows.Wanted(actor=actor, action=action, subject=subject)
    entries = in_store(lambda store: store.read(partial(audit_rows.newest, limit=limit, wanted=wanted)))
    rows = [
        {"at": moment(each.at), "actor": each.actor, "action": each.action, "subject": each.subject,
         "detail": each.detail}
        for each in entries
    ]  # fmt: skip
    show_rows(rows, as_json=as_json, nothing="Nothing has been changed yet.")


def _phone_words(words: Mapping[str, Any], what: str) -> list[PhoneWord]:
    return [*((None, word) for word in words[what]), *words[f"{what}_at"]]


def _replacing(words: Mapping[str, Any], what: str) -> list[PhoneWord] | None:
    given, none = _phone_words(words, what), words[f"no_{what}"]
    if given and none:
        raise click.UsageError(f"Give either --no-{what} or the new {what}.")
    return given if given or none else None


async def _agent_row(store: Store, agent: Agent) -> dict[str, Any]:
    known = await store.read(partial(phones.list_all, now=system_clock()))
    slugs = {phone.id: phone.slug for phone in known}
    return {
        "email": agent.user.email,
        "name": agent.user.name,
        "role": agent.user.role,
        "active": agent.user.active,
        "signed_in_before": agent.user.issuer is not None,
        "extensions": _shown_words(agent.extensions, slugs),
        "queues": _shown_words(agent.queues, slugs),
    }


def _shown_words(words: Sequence[Word], slugs: Mapping[int, str]) -> list[str]:
    """Write words as people type them; those of phone systems that were removed are left out."""
    everywhere = [word.text for word in words if word.phone_system_id == ANY_PHONE_SYSTEM]
    at_one = [word for word in words if word.phone_system_id in slugs]
    return everywhere + [f"{word.text} at {slugs[word.phone_system_id]}" for word in at_one]
