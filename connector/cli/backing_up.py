"""Back the database up while it is in use, and go back to a backup."""

from functools import partial
from pathlib import Path

import click

from connector.cli.opening import actor, set_up_logs
from connector.clock import system_clock, to_iso
from connector.delivery.restoring import mark
from connector.errors import CommandError
from connector.settings import Settings, load
from connector.store import Store, backups

_file = click.argument("file", type=click.Path(path_type=Path))


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
        count = _mark(f"sqlite:///{prepared}", settings)
    if backups.put_in_place(prepared, database, aside):
        click.echo(f"The former database is kept as {aside}.")
    _tell(count)


@click.command()
def restored() -> None:
    """Say that the database was restored by other means, such as pg_restore; nothing may run meanwhile."""
    settings = load()
    set_up_logs(settings, "WARNING")
    database = backups.file_of(settings.database_url)
    if database is not None:
        with backups.alone(database):
            pass
    _tell(_mark(settings.database_url, settings))


def _database(settings: Settings, instead: str) -> Path:
    database = backups.file_of(settings.database_url)
    if database is None:
        raise CommandError(f"This is for SQLite; PostgreSQL has its own: {instead}")
    return database


def _mark(url: str, settings: Settings) -> int:
    store = Store.open(url)
    try:
        return store.write_now(partial(mark, settings=settings, now=system_clock(), actor=actor()))
    finally:
        store.close()


def _tell(count: int) -> None:
    click.echo(
        f"Restored. Deliveries that are looked for in Desk before they are written: {count}.\n"
        "Everybody has to sign in again. Keys and people that were shut out since the backup are back: "
        "see `connector keys list` and `connector agents list`."
    )
