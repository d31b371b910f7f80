"""Serve, deliver, and make the key that both need."""

import asyncio
import signal
from contextlib import nullcontext, suppress

import click
import uvloop

from connector.accounts.links import SETUP_MINUTES
from connector.app import at_work, create_app, create_delivery_app
from connector.cli.context import ADDRESSES, actor, set_up_logs, with_services
from connector.cli.terminal import Listen, json_option, show_rows, write_json
from connector.crypto import new_secret
from connector.server import bind, settle_memory
from connector.server import serve as serve_until_told
from connector.services import Services
from connector.settings import NEEDED, Settings, load
from connector.store import Store


@click.command()
def serve() -> None:
    """Serve pages, phone systems and banners, and deliver (unless DELIVER is false)."""
    settings = _settings()
    with bind(*settings.listen_address) as listener:
        services = Services(settings, Store.open(settings.database_url))
        click.echo(f"The connector is at {settings.public_url} and listens on {settings.listen}.", err=True)
        show_setup_link(services)
        try:
            serve_until_told(create_app(services), settings, listener, services.end_streams)
        except KeyboardInterrupt:
            click.echo("Stopped.", err=True)


def show_setup_link(services: Services) -> None:
    """Print how to become the first administrator, where nobody has ever been added."""
    path = services.links.make_at_start()
    if path:
        address = services.settings.public_url.rstrip("/") + path
        click.echo(
            f"Nobody has been added yet. Whoever opens this first, within {SETUP_MINUTES} minutes, becomes "
            f"the first administrator: {address}",
            err=True,
        )


@click.command()
@click.option("--listen", type=Listen(), help="Show /healthz, /readyz and /metrics there.")
def deliver(*, listen: tuple[str, int] | None) -> None:
    """Deliver call records to Zoho Desk without serving; as many of these may run as you like."""
    settings = _settings()
    with nullcontext() if listen is None else bind(*listen) as listener:
        services = Services(settings, Store.open_existing(settings.database_url))
        if listener is None:
            settle_memory()
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(_deliver(services))
        else:
            click.echo("Delivering.", err=True)
            with suppress(KeyboardInterrupt):
                serve_until_told(create_delivery_app(services), settings, listener, services.end_streams)
    click.echo("Stopped.", err=True)


async def _deliver(services: Services) -> None:
    told = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    async with at_work(services, deliver=True):
        click.echo("Delivering.", err=True)
        await told.wait()
    await services.close()


@click.group("secret-key", invoke_without_command=True)
@click.pass_context
def secret_key(context: click.Context) -> None:
    """Print a fresh SECRET_KEY; `rotate` encrypts the database anew with the first of several."""
    if context.invoked_subcommand is None:
        click.echo(new_secret())


@secret_key.command("rotate")
@json_option
def rotate(*, as_json: bool) -> None:
    """Encrypt everything anew with the first SECRET_KEY, so that the others are needed no more.

    Every process of the connector has to know the first key by then.
    """
    found = with_services(lambda services: services.key_rotation.rotate(actor=actor()))
    rows = [{"what": name, "encrypted_anew": count} for name, count in found.renewed.items()]
    if as_json:
        write_json(found)
        return
    if found.unreadable:
        kinds = ", ".join(found.unreadable)
        click.echo(
            f"Warning: {sum(found.unreadable.values())} values ({kinds}) were encrypted with a key that "
            "SECRET_KEY does not name: add that key behind the others, and run this again.",
            err=True,
        )
    show_rows(rows, as_json=False, nothing="There is nothing to encrypt anew.")


def _settings() -> Settings:
    settings = load(checks=(*NEEDED, *ADDRESSES))
    set_up_logs(settings, settings.log_level)
    return settings
