"""Who else may use the connector: API keys, and who changed what."""

from functools import partial

import click

from connector.accounts import Keys
from connector.cli.context import actor, in_store
from connector.cli.terminal import HOW_MANY, json_option, moment, show_rows, write_json
from connector.clock import system_clock
from connector.store import audit as audit_rows
from connector.store.users import ROLES


@click.group()
def keys() -> None:
    """Make, list and revoke the keys with which programs use the API."""


@keys.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), default="agent", show_default=True, help="What it may do.")
@json_option
def add_key(*, name: str, role: str, as_json: bool) -> None:
    """Make a key and show it, this once."""
    key = in_store(lambda store: Keys(store, system_clock).add_key(name, role, actor=actor()))
    if as_json:
        write_json({"name": name, "role": role, "key": key})
        return
    click.echo(f"{key}\n\nIt is not shown again. Programs send it as  Authorization: Bearer {key[:6]}...")


@keys.command("list")
@json_option
def list_keys(*, as_json: bool) -> None:
    """List every key there is or was, without the keys themselves."""
    found = in_store(lambda store: Keys(store, system_clock).list_keys())
    rows = [
        {
            "name": key.name,
            "role": key.role,
            "made_at": moment(key.created_at),
            "revoked_at": moment(key.revoked_at),
        }
        for key in found
    ]
    show_rows(rows, as_json=as_json, nothing="No keys. Make one with: connector keys add NAME")


@keys.command("revoke")
@click.argument("name")
def revoke_key(name: str) -> None:
    """End a key at once."""
    in_store(lambda store: Keys(store, system_clock).revoke_key(name, actor=actor()))
    click.echo(f"The key {name} is revoked.")


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
