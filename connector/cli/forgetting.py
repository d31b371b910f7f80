"""Erase what is known of a number or a contact."""

from functools import partial

import click
import msgspec

from connector.cli.opening import actor, in_store
from connector.cli.output import json_option, show_one
from connector.cli.values import ROW_ID
from connector.clock import system_clock
from connector.maintenance import Erasure
from connector.store import Store
from connector.store.erasure import Contact, Erased


@click.command()
@click.option("--number", help="A whole number, such as +33123456789.")
@click.option("--contact", metavar="ID", help="A contact of Desk, by its id.")
@click.option("--portal", type=ROW_ID, help="The portal of the contact.")
@click.option("--even-undelivered", is_flag=True,
    help="Erase also what has not reached Desk: it never will.")  # fmt: skip
@json_option
def forget(
    *, number: str | None, contact: str | None, portal: int | None, even_undelivered: bool, as_json: bool
) -> None:
    """Erase all that is known of a number or a contact, for ever."""
    if (number is None) == (contact is None) or (contact is None) != (portal is None):
        raise click.UsageError("Give --number, or --contact with --portal.")

    async def step(store: Store) -> Erased:
        forgetting = Erasure(store, system_clock)
        forget = partial(forgetting.number, number or "")
        if contact is not None and portal is not None:
            forget = partial(forgetting.contact, Contact(portal, contact))
        return await forget(actor=actor(), even_undelivered=even_undelivered)

    show_one(msgspec.structs.asdict(in_store(step)), as_json=as_json)
    click.echo(
        "Erased here, and noted in the audit. Still there, and not ours to erase: the contact and the call "
        "records in Desk, recordings at the phone system, older backups, and blocked numbers.",
        err=True,
    )
