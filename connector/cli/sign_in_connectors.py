"""The ways to sign in with Zoho."""

from typing import Any

import click
from msgspec import UNSET

from connector.accounts import SignInConnectors
from connector.accounts.sign_in_connectors import MATCH_BY, Wanted
from connector.cli.context import actor, in_store
from connector.cli.terminal import ROW_ID, confirm, json_option, show_one, show_rows, yes_option
from connector.clock import system_clock
from connector.settings import load
from connector.store import Store
from connector.store.sign_in_connectors import SignInConnector

_users = click.option(
    "--user", "users", multiple=True, metavar="EMAIL", help="A user who signs in this way; may be repeated."
)
_portals = click.option(
    "--portal",
    "portals",
    multiple=True,
    type=ROW_ID,
    metavar="ID",
    help="Only for its agents; repeatable.",
)
_method = click.option("--method", type=ROW_ID, metavar="ID", help="Its authentication method.")
_match_by = click.option(
    "--match-by", type=click.Choice(MATCH_BY), help="What Zoho's e-mail address is compared with."
)


@click.group("sign-in-connectors")
def sign_in_connectors() -> None:
    """Set up the ways to sign in with Zoho, each with an address of its own."""


@sign_in_connectors.command("add")
@click.argument("reference")
@click.argument("name")
@_method
@_match_by
@_users
@_portals
@click.option("--default", "is_default", is_flag=True, help="The way that is taken where nobody chooses.")
@click.option("--disabled", is_flag=True, help="Nobody can sign in this way yet.")
@json_option
def add(*, disabled: bool, method: int | None, match_by: str | None, as_json: bool, **given: Any) -> None:
    """Add one; REFERENCE stands in its address and never changes."""
    wanted = Wanted(method_id=method, match_by=match_by or MATCH_BY[0], enabled=not disabled, **given)

    async def step(store: Store) -> dict[str, Any]:
        service = SignInConnectors(store, system_clock)
        return await _whole(service, await service.add(wanted, actor=actor()))

    show_one(in_store(step), as_json=as_json)


@sign_in_connectors.command("change")
@click.argument("reference")
@click.option("--name", help="What people choose it by.")
@_method
@click.option("--no-method", is_flag=True, help="Take the usual authentication method.")
@_match_by
@_users
@click.option("--no-users", is_flag=True, help="It is chosen for nobody.")
@_portals
@click.option("--no-portals", is_flag=True, help="It is for agents of all portals.")
@click.option("--enable/--disable", "enabled", default=None, help="Whether people can sign in this way.")
@click.option("--default/--no-default", "is_default", default=None, help="Whether it is the usual way.")
@json_option
def change(*, reference: str, as_json: bool, **given: Any) -> None:
    """Change what is given; users and portals take the place of those there were."""
    wanted = Wanted(
        name=_or_unset(given["name"]),
        method_id=None if given["no_method"] else _or_unset(given["method"]),
        match_by=_or_unset(given["match_by"]),
        enabled=_or_unset(given["enabled"]),
        is_default=_or_unset(given["is_default"]),
        users=() if given["no_users"] else given["users"] or UNSET,
        portals=() if given["no_portals"] else given["portals"] or UNSET,
    )

    async def step(store: Store) -> dict[str, Any]:
        service = SignInConnectors(store, system_clock)
        return await _whole(service, await service.change(reference, wanted, actor=actor()))

    show_one(in_store(step), as_json=as_json)


@sign_in_connectors.command("list")
@json_option
def list_all(*, as_json: bool) -> None:
    """List them all."""
    found = in_store(lambda store: SignInConnectors(store, system_clock).list_all())
    nothing = "None: everybody signs in by the usual authentication method. Add one with: add REFERENCE NAME"
    show_rows([_row(each) for each in found], as_json=as_json, nothing=nothing)


@sign_in_connectors.command("show")
@click.argument("reference")
@json_option
def show(*, reference: str, as_json: bool) -> None:
    """Show one with its users."""

    async def step(store: Store) -> dict[str, Any]:
        service = SignInConnectors(store, system_clock)
        return await _whole(service, await service.get(reference))

    show_one(in_store(step), as_json=as_json)


@sign_in_connectors.command("remove")
@click.argument("reference")
@yes_option
def remove(*, reference: str, yes: bool) -> None:
    """Remove one; users for whom no other one was chosen sign in by any then."""
    found = in_store(lambda store: SignInConnectors(store, system_clock).get(reference))
    confirm(f"Nobody signs in by {found.name} any more; whoever is signed in stays so.", yes=yes)
    in_store(lambda store: SignInConnectors(store, system_clock).remove(reference, actor=actor()))
    click.echo(f"The sign-in connector {reference} is removed.")


@sign_in_connectors.command("user-name")
@click.argument("email")
@click.argument("user_name", default="")
def user_name(*, email: str, user_name: str) -> None:
    """Give the user with EMAIL the address that Zoho has of them; without one it is taken away."""
    service = SignInConnectors
    in_store(lambda store: service(store, system_clock).set_user_name(email, user_name, actor=actor()))
    click.echo(f"{email} has the user name {user_name}." if user_name else f"{email} has no user name.")


@sign_in_connectors.command("user-names")
@json_option
def user_names(*, as_json: bool) -> None:
    """List who has which user name."""
    found = in_store(lambda store: SignInConnectors(store, system_clock).user_names())
    rows = [{"email": each.email, "user_name": each.user_name} for each in found]
    show_rows(rows, as_json=as_json, nothing="Nobody has a user name.")


def _or_unset(value: Any) -> Any:
    return UNSET if value is None else value


async def _whole(service: SignInConnectors, found: SignInConnector) -> dict[str, Any]:
    return _row(found) | {"users": await service.users_of(found)}


def _row(found: SignInConnector) -> dict[str, Any]:
    return {
        "reference": found.reference,
        "name": found.name,
        "address": f"{load().public_url.rstrip('/')}/login/{found.reference}",
        "method": found.method_id,
        "match_by": found.match_by,
        "enabled": found.enabled,
        "default": found.is_default,
        "users": found.user_count,
        "portals": sorted(found.portals),
    }
