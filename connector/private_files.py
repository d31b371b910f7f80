"""Keep files for their owner alone: they hold people's numbers and encrypted tokens."""

import logging
import os
import stat
from contextlib import suppress
from pathlib import Path

FILE = 0o600
FOLDER = 0o700

DATABASE_ENDS = ("", "-wal", "-shm", "-journal")
"""What the names of the files end in that are one SQLite database together."""

log = logging.getLogger(__name__)


def private_file(path: Path) -> None:
    """Make an empty file of mode 0600 where none is, whatever the umask, else tighten the one there is.

    A file that is there is not opened: closing it would drop SQLite's locks on it.
    OSError is raised if none can be made.
    """
    with suppress(FileExistsError):
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, FILE)
        os.close(handle)
    tighten(path, FILE)


def private_folder(path: Path) -> None:
    """Make a folder that only its owner enters, with its parents, else tighten the one there is."""
    path.mkdir(FOLDER, parents=True, exist_ok=True)
    tighten(path, FOLDER)


def private_database(path: Path) -> None:
    """Make or tighten a database of SQLite and what stands beside it; what comes later takes its mode."""
    private_file(path)
    for end in DATABASE_ENDS[1:]:
        tighten(Path(f"{path}{end}"), FILE)


def tighten(path: Path, mode: int) -> None:
    """Give a file or folder exactly this mode; one that is another's is left, and the log says so."""
    try:
        if stat.S_IMODE(path.stat().st_mode) != mode:
            path.chmod(mode)
    except FileNotFoundError:
        return
    except PermissionError:
        log.warning("file_not_private", extra={"file": str(path)})
