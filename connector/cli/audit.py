"""Who changed what."""

from functools import partial

import click

from connector.cli.context import in_store
from connector.cli.terminal import HOW_MANY, json_option, moment, show_rows
from connector.store import audit as audit_rows


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
