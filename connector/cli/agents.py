"""Say who may sign in, what phone systems call them, and which queues ring them."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import click

from connector.accounts import Agent, Agents
from connector.accounts.agents import Said
from connector.cli.doubts import doubt_queues, known_queues
from connector.cli.opening import actor, in_store
from connector.cli.output import json_option, show_one, show_rows
from connector.clock import system_clock
from connector.store import Store, phones
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
def add(*, email: str, name: str, role: str | None, as_json: bool, **words: Any) -> None:
    """Add somebody by the e-mail address that Zoho has of them."""

    async def step(store: Store) -> dict[str, Any]:
        known = await store.read(known_queues)
        agent = await Agents(store, system_clock).add_agent(
            email,
            name,
            role or "agent",
            extensions=_said(words, "extensions"),
            queues=_said(words, "queues"),
            actor=actor(),
        )
        doubt_queues((word.text for word in agent.queues), known)
        return await _row(store, agent)

    show_one(in_store(step), as_json=as_json)


@agents.command("change")
@click.argument("email")
@click.option("--name", help="Their name on banners and records.")
@_role
@_with_words
@click.option("--no-extensions", is_flag=True, help="Take all extensions away.")
@click.option("--no-queues", is_flag=True, help="Take them out of all queues.")
@json_option
def change(*, email: str, name: str | None, role: str | None, as_json: bool, **words: Any) -> None:
    """Change what is given; extensions and queues take the place of those there were."""
    extensions, queues = _replacing(words, "extensions"), _replacing(words, "queues")

    async def step(store: Store) -> dict[str, Any]:
        agent = await Agents(store, system_clock).change_agent(
            email, name=name, role=role, extensions=extensions, queues=queues, actor=actor()
        )
        if queues:
            known = await store.read(partial(known_queues, besides=agent.user.id))
            doubt_queues((word.text for word in agent.queues), known)
        return await _row(store, agent)

    show_one(in_store(step), as_json=as_json)


@agents.command("list")
@json_option
def list_all(*, as_json: bool) -> None:
    """List everybody, the deactivated too."""

    async def step(store: Store) -> list[dict[str, Any]]:
        listed = await Agents(store, system_clock).list_agents()
        return [await _row(store, agent) for agent in listed]

    nothing = (
        "Nobody yet. The first one is an administrator: connector agents add EMAIL NAME --role administrator"
    )
    show_rows(in_store(step), as_json=as_json, nothing=nothing)


@agents.command("deactivate")
@click.argument("email")
def deactivate(email: str) -> None:
    """Shut somebody out at once; their open banners end within seconds."""
    ended = in_store(lambda store: Agents(store, system_clock).deactivate(email, actor=actor()))
    click.echo(f"{email} is deactivated; sessions ended: {ended}.")


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
    click.echo(f"{email} belongs to no Zoho user now; the next one to sign in with it will have it.")


def _said(words: Mapping[str, Any], what: str) -> list[Said]:
    return [*((None, word) for word in words[what]), *words[f"{what}_at"]]


def _replacing(words: Mapping[str, Any], what: str) -> list[Said] | None:
    said, none = _said(words, what), words[f"no_{what}"]
    if said and none:
        raise click.UsageError(f"--no-{what} leaves none, so none can be given with it.")
    return said if said or none else None


async def _row(store: Store, agent: Agent) -> dict[str, Any]:
    known = await store.read(partial(phones.list_all, now=system_clock()))
    slugs = {phone.id: phone.slug for phone in known}
    return {
        "email": agent.user.email,
        "name": agent.user.name,
        "role": agent.user.role,
        "active": agent.user.active,
        "signed_in_before": agent.user.issuer is not None,
        "extensions": [_word(word, slugs) for word in agent.extensions],
        "queues": [_word(word, slugs) for word in agent.queues],
    }


def _word(word: Word, slugs: dict[int, str]) -> str:
    slug = slugs.get(word.phone_system_id)
    return word.text if slug is None else f"{word.text} at {slug}"
