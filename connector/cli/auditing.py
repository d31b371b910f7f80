"""Show who changed what."""

from functools import partial

import click

from connector.cli.opening import in_store
from connector.cli.output import json_option, moment, show_rows
from connector.cli.values import HOW_MANY
from connector.store import audit as table


@click.command()
@click.option("--limit", type=HOW_MANY, default=100, show_default=True, help="How many.")
@json_option
def audit(*, limit: int, as_json: bool) -> None:
    """Show who changed what, the latest first."""
    entries = in_store(lambda store: store.read(partial(table.newest, limit=limit)))
    rows = [
        {"at": moment(each.at), "actor": each.actor, "action": each.action, "subject": each.subject,
         "detail": each.detail}
        for each in entries
    ]  # fmt: skip
    show_rows(rows, as_json=as_json, nothing="Nothing has been changed yet.")
