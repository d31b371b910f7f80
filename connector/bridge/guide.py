"""Return the guide: how to set a PBX and its bridge up. It is the handbook's page."""

from pathlib import Path

_PAGE = Path(__file__).parents[1] / "handbook" / "asterisk.md"


def guide() -> str:
    """Return the guide as Markdown, for a terminal: a bar within a table's code is a plain one."""
    return _PAGE.read_text(encoding="utf-8").replace("\\|", "|")
