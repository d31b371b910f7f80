"""Run the bridges that stand beside a PBX."""

from pathlib import Path

import anyio
import click

from connector.bridge.asterisk import Bridge
from connector.bridge.settings import load
from connector.clock import system_clock
from connector.logs import set_up

_PAGE = Path(__file__).parents[1] / "handbook" / "asterisk.md"


def written_guide() -> str:
    """Return the guide as Markdown, for a terminal: a bar within a table's code is a plain one."""
    return _PAGE.read_text(encoding="utf-8").replace("\\|", "|")


@click.group()
def bridge() -> None:
    """Run beside a PBX, and report its calls to the connector."""


@bridge.command()
@click.option("--guide", is_flag=True, help="Print how to set it up, and do nothing else.")
def asterisk(*, guide: bool) -> None:
    """Read an Asterisk's calls over its manager interface; settings are BRIDGE_... variables, see --guide."""
    if guide:
        click.echo(written_guide())
        return
    settings = load()
    set_up("json" if settings.log_format == "json" else "console", settings.log_level)
    anyio.run(Bridge(settings, system_clock).run, backend_options={"use_uvloop": True})
