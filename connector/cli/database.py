"""Keep the database: bring it up to date, back it up, restore it, and erase from it."""

from functools import partial
from pathlib import Path

import click
import msgspec

from connector.cli.context import actor, in_store, set_up_logs
from connector.cli.terminal import ROW_ID, confirm, json_option, show_one, yes_option
from connector.clock import system_clock, to_iso
from connector.delivery.after_restore import mark
from connector.errors import CommandError
from connector.maintenance import Erasure
from connector.settings import Settings, load
from connector.store import Store, backups
from connector.store.erasure import Contact, Erased

_file = click.argument("file", type=click.Path(path_type=Path))


@click.command()
def migrate() -> None:
    """Bring the database's tables up to date; `serve` does so by itself."""
    settings = load()
    Store.open(settings.database_url).close()
    click.echo("The tables are up to date.")


@click.command()
@_file
def backup(*, file: Path) -> None:
    """Write a copy of the SQLite database to FILE, also while the connector runs."""
    size = backups.back_up(_database(load(), "pg_dump --format=custom --file=FILE DATABASE"), file)
    click.echo(
        f"{file}: {size:,} bytes. It opens only with the SECRET_KEY of today: keep that too, but elsewhere."
    )


@click.command()
@_file
def restore(*, file: Path) -> None:
    """Put a backup in the place of the SQLite database; nothing may run meanwhile."""
    settings = load()
    set_up_logs(settings, "WARNING")
    database = _database(settings, "pg_restore, then: connector restored")
    backups.check(file)
    prepared, stamp = database.with_name(database.name + ".restoring"), to_iso(system_clock())
    aside = database.with_name(f"{database.name}.before-{''.join(filter(str.isdigit, stamp))}")
    with backups.alone(database):
        prepared.unlink(missing_ok=True)
        backups.copy_into(file, prepared)
        count = _mark_restored(f"sqlite:///{prepared}", settings)
    if backups.put_in_place(prepared, database, aside):
        click.echo(f"The former database is kept as {aside}.")
    _show_restored(count)


@click.command()
def restored() -> None:
    """Say that the database was restored by other means, such as pg_restore; nothing may run meanwhile."""
    settings = load()
    set_up_logs(settings, "WARNING")
    database = backups.file_of(settings.database_url)
    if database is not None:
        with backups.alone(database):
            pass
    _show_restored(_mark_restored(settings.database_url, settings))


def _database(settings: Settings, instead: str) -> Path:
    database = backups.file_of(settings.database_url)
    if database is None:
        raise CommandError(f"This is for SQLite; PostgreSQL has its own: {instead}")
    return database


def _mark_restored(url: str, settings: Settings) -> int:
    store = Store.open_existing(url)
    try:
        return store.write_now(partial(mark, settings=settings, now=system_clock(), actor=actor()))
    finally:
        store.close()


def _show_restored(count: int) -> None:
    click.echo(
        f"Restored. Deliveries that are looked for in Desk before they are written: {count}.\n"
        "Everybody has to sign in again. Keys revoked and people deactivated since the backup are valid "
        "again: see `connector keys list` and `connector agents list`."
    )


async def _look(_store: Store) -> None:
    """Find the database, before anybody is asked anything."""


@click.command()
@click.option("--number", help="A whole number, such as +33123456789.")
@click.option("--contact", metavar="ID", help="A contact of Desk, by its id.")
@click.option("--portal", type=ROW_ID, help="The portal of the contact.")
@click.option("--even-undelivered", is_flag=True,
    help="Erase also what has not reached Desk: it never will.")  # fmt: skip
@yes_option
@json_option
def forget(
    *, number: str | None, contact: str | None, portal: int | None, even_undelivered: bool, yes: bool,
    as_json: bool
) -> None:  # fmt: skip
    """Erase all that is known of a number or a contact, for ever; asks before, unless --yes is given."""
    if (number is None) == (contact is None) or (contact is None) != (portal is None):
        raise click.UsageError("Give --number, or --contact with --portal.")
    whom = number or f"the contact {contact} of portal {portal}"
    and_so = " That includes what has not reached Desk: it never will." if even_undelivered else ""
    in_store(_look)
    confirm(f"All that is known of {whom} is erased here, for ever.{and_so}", yes=yes)

    async def step(store: Store) -> Erased:
        erasure = Erasure(store, system_clock)
        forget = partial(erasure.number, number or "")
        if contact is not None and portal is not None:
            forget = partial(erasure.contact, Contact(portal, contact))
        return await forget(actor=actor(), even_undelivered=even_undelivered)

    show_one(msgspec.structs.asdict(in_store(step)), as_json=as_json)
    click.echo(
        "Erased here, and noted in the audit. Still there, and not ours to erase: the contact and the call "
        "records in Desk, recordings at the phone system, older backups, and blocked numbers.",
        err=True,
    )
