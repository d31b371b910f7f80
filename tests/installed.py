"""Check that an installed package carries every file of the clone: `python -I tests/installed.py`."""

import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

CLONE = Path(__file__).parents[1]


def carried() -> Iterator[str]:
    """Return the path of each file that the package shall hold: modules, templates, migrations, assets."""
    for folder, prefix in (("connector", ""), ("static", "static/")):
        for path in sorted((CLONE / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield prefix + path.relative_to(CLONE / folder).as_posix()


def complaint() -> str:
    """Say what is wrong with the installation; nothing where all is well."""
    package = files("connector")
    if Path(str(package)).is_relative_to(CLONE):
        return f"the clone was looked at, not an installation: {package}"
    missing = [path for path in carried() if not package.joinpath(path).is_file()]
    return f"not installed: {', '.join(missing)}" if missing else ""


if __name__ == "__main__":
    sys.exit(complaint() or None)
