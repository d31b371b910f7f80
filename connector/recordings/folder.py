"""Open recordings in a folder of this machine, and nothing outside it."""

import errno
import os
import stat
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

import anyio.to_thread

from connector.casing import ascii_lower
from connector.errors import (
    RecordingError,
    RecordingMissing,
    RecordingNotAllowed,
    RecordingUnfit,
    RecordingUnreachable,
)
from connector.recordings.audio import CHUNK, LARGEST, Audio, Part, Range, media_type

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# A pipe that is opened without O_NONBLOCK waits for a writer.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def place_in(url: str, folder_address: str) -> tuple[str, ...] | None:
    """Return where in the folder a recording lies, name by name; None where its address is not the folder's.

    Raises RecordingNotAllowed for names that would lead out of it.
    """
    asked, home = urlsplit(url), urlsplit(folder_address)
    if (asked.scheme, ascii_lower(asked.netloc)) != (home.scheme, ascii_lower(home.netloc)):
        return None
    if not asked.path.startswith(home.path):
        return None
    names = tuple(unquote(name) for name in asked.path.removeprefix(home.path).split("/"))
    if any(_leads_away(name) for name in names):
        raise RecordingNotAllowed("The recording's address leads out of the folder.")
    return names


def _leads_away(name: str) -> bool:
    return name in {"", ".", ".."} or any(letter in name for letter in "/\\\0")


async def open_file(folder: str, names: Sequence[str], asked: Range | None) -> Audio:
    """Open a recording in a folder; raises any RecordingError, or RangeNotSatisfiable."""
    kind = media_type("", names[-1])
    if kind is None:
        raise RecordingUnfit("The file's name does not end like a recording's, such as .wav or .mp3.")
    file = await anyio.to_thread.run_sync(_open, folder, names)
    try:
        size = os.fstat(file.fileno()).st_size
        _check_size(size)
        start, end = (0, size) if asked is None else asked.within(size)
    except BaseException:
        file.close()
        raise
    part = None if asked is None else Part(start, end, size)
    return Audio(kind, _read(file, start, end), anyio.wrap_file(file).aclose, length=end - start, part=part)


def _check_size(size: int) -> None:
    if size == 0:
        raise RecordingMissing("The file is still empty.")
    if size > LARGEST:
        raise RecordingUnfit("The file is larger than 1 GiB.")


def _open(folder: str, names: Sequence[str]) -> BinaryIO:
    try:
        root = Path(folder).resolve(strict=True)
    except (OSError, RuntimeError) as problem:
        raise RecordingUnreachable("The folder with the recordings is not there.") from problem
    try:
        target = root.joinpath(*names).resolve(strict=True)
        if not target.is_relative_to(root) or target == root:
            raise RecordingNotAllowed("The recording is a link that leads out of the folder.")
        return _open_below(root, target.relative_to(root).parts)
    except (OSError, RuntimeError, ValueError) as problem:
        raise _told(problem) from problem


def _open_below(root: Path, names: Sequence[str]) -> BinaryIO:
    """Go down name by name and follow no link, so that nobody swaps one in after we have looked."""
    here = os.open(root, _DIRECTORY)
    try:
        for name in names[:-1]:
            below = os.open(name, _DIRECTORY, dir_fd=here)
            os.close(here)
            here = below
        found = os.open(names[-1], _FILE, dir_fd=here)
    finally:
        os.close(here)
    if not stat.S_ISREG(os.fstat(found).st_mode):
        os.close(found)
        raise RecordingUnfit("There is something else than a file.")
    return os.fdopen(found, "rb")


def _told(problem: Exception) -> RecordingError:
    """Return the error for a failure of the file system; RuntimeError is a ring of links."""
    number = problem.errno if isinstance(problem, OSError) else None
    if number in {errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG} or isinstance(problem, ValueError):
        return RecordingMissing("There is no such file in the folder.")
    if number == errno.ELOOP or isinstance(problem, RuntimeError):
        return RecordingNotAllowed("The recording is a link that leads nowhere.")
    if number == errno.EACCES:
        return RecordingUnreachable("The connector's user may not read the folder with the recordings.")
    return RecordingUnreachable("The folder with the recordings cannot be read.")


async def _read(file: BinaryIO, start: int, end: int) -> AsyncIterator[bytes]:
    left = end - start
    try:
        await anyio.to_thread.run_sync(file.seek, start)
        while left and (chunk := await anyio.to_thread.run_sync(file.read, min(CHUNK, left))):
            left -= len(chunk)
            yield chunk
    except OSError as problem:
        raise _told(problem) from problem
    if left:
        raise RecordingUnreachable("The file became shorter while it was read.")
