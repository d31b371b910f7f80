"""Run the bridges that stand beside a PBX."""

from functools import partial
from pathlib import Path

import anyio
import click
import msgspec

import connector.bridge
from connector.bridge.asterisk import Bridge
from connector.bridge.settings import PREFIX, BridgeSettings, describe, load
from connector.bridge.wanted import FILTERS
from connector.logs import set_up
from connector.times import system_clock

GUIDE = Path(connector.bridge.__file__).with_name("asterisk.md")


@click.group()
def bridge() -> None:
    """Stand beside a PBX and tell the connector of its calls."""


@bridge.command()
@click.option("--guide", is_flag=True, help="Print how to set it up, and do nothing else.")
def asterisk(*, guide: bool) -> None:
    """Hear an Asterisk over its manager interface; settings are BRIDGE_... variables, see --guide."""
    if guide:
        click.echo(written_guide())
        return
    settings = load()
    set_up("json" if settings.log_format == "json" else "console", settings.log_level)
    bridging = Bridge(settings, system_clock)
    anyio.run(partial(bridging.run), backend_options={"use_uvloop": True})


def written_guide() -> str:
    """Answer the guide with the filters and the settings in it."""
    filters = "\n".join(f"eventfilter = {one}" for one in FILTERS)
    return GUIDE.read_text(encoding="utf-8").replace("{filters}", filters).replace("{settings}", _settings())


def _settings() -> str:
    rows = ["| variable | default | what it is |", "|---|---|---|"]
    for field in msgspec.structs.fields(BridgeSettings):
        default = "required" if field.required else f"`{_shown(field.default)}`"
        rows.append(f"| `{PREFIX}{field.name.upper()}` | {default} | {describe(field)} |")
    return "\n".join(rows)


def _shown(default: object) -> str:
    return ",".join(default) if isinstance(default, tuple) else str(default)
