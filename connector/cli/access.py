"""How programs and people get in: API keys, and links that are used once."""

import click

from connector.accounts import Keys, OneTimeLinks
from connector.accounts.keys import Wanted
from connector.accounts.links import LOGIN_MINUTES, SETUP_MINUTES
from connector.cli.context import actor, in_store
from connector.cli.terminal import ROW_ID, json_option, moment, show_rows, write_json
from connector.clock import system_clock
from connector.settings import load
from connector.store import Store
from connector.store.keys import ApiKey
from connector.store.users import ROLES


@click.group()
def keys() -> None:
    """Make, list and revoke the keys with which programs use the API."""


@keys.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), default="agent", show_default=True, help="What it may do.")
@click.option(
    "--action",
    "--actions",
    "actions",
    multiple=True,
    metavar="PATTERN",
    help="Actions that it may call, * standing for any letters; may be repeated. None: no action.",
)
@click.option(
    "--portal",
    "portals",
    multiple=True,
    type=ROW_ID,
    metavar="ID",
    help="A portal that it is for; may be repeated. None: all portals.",
)
@click.option("--expires", default="", metavar="MOMENT", help="When it ends: 2027-01-31, in UTC.")
@json_option
def add_key(
    *,
    name: str,
    role: str,
    actions: tuple[str, ...],
    portals: tuple[int, ...],
    expires: str,
    as_json: bool,
) -> None:
    """Make a key and show it, this once."""
    wanted = Wanted(name=name, role=role, actions=actions, portals=portals, expires_at=expires)
    made, key = in_store(lambda store: Keys(store, system_clock).add(wanted, actor=actor()))
    if as_json:
        write_json({"name": made.name, "role": made.role, "key": key})
        return
    click.echo(f"{key}\n\nIt is not shown again. Programs send it as  Authorization: Bearer {key[:6]}...")


@keys.command("list")
@json_option
def list_keys(*, as_json: bool) -> None:
    """List every key there is or was, without the keys themselves."""
    found = in_store(lambda store: Keys(store, system_clock).list_keys())
    rows = [_row(key) for key in found]
    show_rows(rows, as_json=as_json, nothing="No keys. Make one with: connector keys add NAME")


def _row(key: ApiKey) -> dict[str, object]:
    return {
        "name": key.name,
        "role": key.role,
        "actions": list(key.actions),
        "portals": sorted(key.portals),
        "made_at": moment(key.created_at),
        "expires_at": moment(key.expires_at),
        "last_used_at": moment(key.last_used_at),
        "revoked_at": moment(key.revoked_at),
    }


@keys.command("revoke")
@click.argument("name")
def revoke_key(name: str) -> None:
    """End a key at once."""

    async def step(store: Store) -> None:
        kept = Keys(store, system_clock)
        await kept.revoke_key((await kept.by_name(name)).id, actor=actor())

    in_store(step)
    click.echo(f"The key {name} is revoked.")


@click.command("login-link")
@click.argument("email")
def login_link(email: str) -> None:
    """Print a link that signs an administrator in, once: for when Zoho is down."""
    path = in_store(lambda store: OneTimeLinks(store, system_clock).make_login(email, actor=actor()))
    click.echo(_address(path))
    click.echo(f"It holds once, for {LOGIN_MINUTES} minutes. Give it to {email} alone.", err=True)


@click.command("setup-link")
def setup_link() -> None:
    """Print a link by which somebody becomes the first administrator, once."""
    path = in_store(lambda store: OneTimeLinks(store, system_clock).make_setup(actor=actor()))
    click.echo(_address(path))
    click.echo(f"It holds once, for {SETUP_MINUTES} minutes.", err=True)


def _address(path: str) -> str:
    return load().public_url.rstrip("/") + path
