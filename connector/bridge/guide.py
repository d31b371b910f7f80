"""Write the guide: how to set a PBX and its bridge up, with the filters and the settings in it."""

from pathlib import Path

import msgspec

from connector.bridge.ami import FILTERS
from connector.bridge.settings import PREFIX, BridgeSettings, describe
from connector.casing import ascii_upper

_PAGE = Path(__file__).with_name("asterisk.md")


def guide() -> str:
    """Return the guide as Markdown."""
    filters = "\n".join(f"eventfilter = {one}" for one in FILTERS)
    page = _PAGE.read_text(encoding="utf-8")
    return page.replace("{filters}", filters).replace("{settings}", _settings())


def _settings() -> str:
    rows = ["| variable | default | what it is |", "|---|---|---|"]
    for field in msgspec.structs.fields(BridgeSettings):
        default = "required" if field.required else _shown(field.default)
        rows.append(f"| `{PREFIX}{ascii_upper(field.name)}` | {default} | {describe(field)} |")
    return "\n".join(rows)


def _shown(default: object) -> str:
    text = ",".join(default) if isinstance(default, tuple) else str(default)
    return f"`{text}`" if text else "none"
