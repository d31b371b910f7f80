"""Introduce a phone system to whoever sets it up: address, secret, and a test that works as printed."""

import re

import click
import msgspec

from connector.cli.output import write_json
from connector.dialects import DIALECTS, UNSHOWN, Dialect, full_address
from connector.dialects import guide as guide_of
from connector.settings import Settings

_SCRIPT = re.compile(r"```sh\n(.*?)```", re.DOTALL)
_BLANK = "whsec_..."


class Introduction(msgspec.Struct, frozen=True):
    """What is said of a phone system once: `secret` is "" where the vendor made it."""

    slug: str
    dialect: Dialect
    bare_address: str
    secret: str

    @property
    def address(self) -> str:
        """Return where the phone system posts, with the secret where one stands there."""
        return full_address(self.dialect, self.bare_address, self.secret or UNSHOWN)


def address_of(settings: Settings, slug: str) -> str:
    """Return where a phone system posts."""
    return f"{settings.public_url.rstrip('/')}/hooks/{slug}"


def introduce(phone: Introduction, *, as_json: bool) -> None:
    """Show a phone system's secret, this once, and how to post a first event."""
    script = first_event(phone.bare_address, phone.secret, phone.dialect)
    if as_json:
        shown = {"slug": phone.slug, "address": phone.address, "secret": phone.secret, "test": script}
        write_json(shown)
        return
    click.echo(f"Address  {phone.address}")
    if phone.secret:
        click.echo(f"Secret   {phone.secret}\n\nThe secret is not shown again.")
    if script:
        click.echo(f"\nPaste this into a shell to post a first event:\n\n{script}")
    click.echo(f"How to set the phone system up:  connector phones guide {phone.slug}")


def first_event(bare_address: str, secret: str, dialect: Dialect = DIALECTS["neutral"]) -> str:
    """Return a POSIX shell script that signs and posts one event: the guide's own, filled in.

    It is empty where nobody but the vendor can sign.
    """
    found = _SCRIPT.search(guide_of(dialect, bare_address))
    if found is None:
        return ""
    shown = found[1].replace(_BLANK, secret or _BLANK)
    return shown.replace(
        full_address(dialect, bare_address, UNSHOWN), full_address(dialect, bare_address, secret or UNSHOWN)
    )
