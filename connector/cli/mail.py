"""Try the mails that tell administrators what stands in the way."""

import asyncio
import secrets

import click

from connector.cli.context import ADDRESSES, set_up_logs
from connector.errors import CommandError
from connector.maintenance import Mail, Mailer
from connector.settings import load


@click.group()
def mail() -> None:
    """Try the mails that tell administrators what stands in the way."""


@mail.command()
@click.argument("address")
def test(*, address: str) -> None:
    """Send one mail to ADDRESS by the server that SMTP_URL names, and say what came of it."""
    settings = load(checks=ADDRESSES)
    set_up_logs(settings, "WARNING")
    local, at, domain = address.rpartition("@")
    if not (local and at and domain and address.isprintable()) or set(address) & set(" ,;<>"):
        raise CommandError(f"{address!r} is no address such as ada@example.com.")
    sent = Mail(
        subject="Connector: a test",
        text=(
            f"The connector at {settings.public_url} can send mails to this address.\n\n"
            "It tells administrators when a portal must be linked again, when a phone system falls silent, "
            "and when records wait for Zoho Desk or need a person; and each time when that is over.\n"
        ),
        to=[address],
        id=f"connector.test.{secrets.token_hex(8)}",
    )
    asyncio.run(Mailer(settings).send(sent))
    click.echo(f"The mail server has taken a mail to {address}: see whether it arrives.")
