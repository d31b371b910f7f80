"""Introduce a phone system to whoever sets it up: address, secret, and a test that works as printed."""

import re

import click

from connector.cli.output import write_json
from connector.phones import DIALECTS
from connector.phones import guide as guide_of
from connector.settings import Settings

_SCRIPT = re.compile(r"```sh\n(.*?)```", re.DOTALL)
_BLANK = "whsec_..."


def address_of(settings: Settings, slug: str) -> str:
    """Answer where a phone system posts."""
    return f"{settings.public_url.rstrip('/')}/hooks/{slug}"


def introduce(slug: str, address: str, secret: str, *, as_json: bool) -> None:
    """Show a phone system's secret, this once, and how to post a first event."""
    script = first_event(address, secret)
    if as_json:
        write_json({"slug": slug, "address": address, "secret": secret, "test": script})
        return
    click.echo(f"Address  {address}\nSecret   {secret}\n")
    click.echo("The secret is not shown again. Paste this into a shell to post a first event:\n")
    click.echo(script)
    click.echo(f"How to set the phone system up:  connector phones guide {slug}")


def first_event(address: str, secret: str) -> str:
    """Answer a POSIX shell script that signs and posts one event: the guide's own, filled in."""
    found = _SCRIPT.search(guide_of(DIALECTS["neutral"], address))
    return found[1].replace(_BLANK, secret) if found else ""
