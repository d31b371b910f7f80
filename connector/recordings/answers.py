"""Decide what an answer over HTTP is worth: which audio, which part of it; pure."""

import msgspec
from httpx2 import Response

from connector.casing import ascii_lower
from connector.errors import (
    RangeNotSatisfiable,
    RecordingError,
    RecordingMissing,
    RecordingRefused,
    RecordingUnfit,
    RecordingUnreachable,
)
from connector.recordings.media import media_type
from connector.recordings.ranges import Part, Range, read_part, read_total

MISSING = frozenset({202, 204, 404, 409, 410, 425})
"""Answers of who has no recording there: never, not any more, or not yet."""

REFUSED = frozenset({401, 402, 403, 407})


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What of the answer's body is handed on: after `skip` bytes so many, None for all there are."""

    media_type: str
    length: int | None
    part: Part | None = None
    skip: int = 0


def understood(response: Response, name: str, asked: Range | None, largest: int) -> Answer:
    """Say what is handed on of an answer; raises any RecordingError, or RangeNotSatisfiable."""
    _check_status(response)
    kind = media_type(response.headers.get("content-type", ""), name)
    if kind is None:
        raise RecordingUnfit("What lies there is no audio.")
    if ascii_lower(response.headers.get("content-encoding", "identity").strip()) not in ("", "identity"):
        raise RecordingUnfit("The recording comes compressed, although that was not asked for.")
    answer = _part(response, kind, asked) if response.status_code == 206 else _whole(response, kind, asked)
    total = answer.part.total if answer.part is not None else answer.length
    if (total or 0) > largest:
        raise RecordingUnfit("The recording is larger than any.")
    return answer


def _check_status(response: Response) -> None:
    status = response.status_code
    if status == 416:
        total = read_total(response.headers.get("content-range", ""))
        raise RangeNotSatisfiable("The recording has no such part.", total)
    if status not in (200, 206):
        raise _problem(status)


def _problem(status: int) -> RecordingError:
    if status in MISSING:
        return RecordingMissing(f"Where the recording should be, there is nothing (status {status}).")
    if status in REFUSED:
        return RecordingRefused(f"The connector's credentials are not taken there (status {status}).")
    if status == 429 or status >= 500:
        return RecordingUnreachable(f"Where the recording is kept, something is wrong (status {status}).")
    return RecordingUnfit(f"The answer is none that a recording has (status {status}).")


def _part(response: Response, kind: str, asked: Range | None) -> Answer:
    part = read_part(response.headers.get("content-range", ""))
    length = _length(response)
    if asked is None or part is None or not part.answers(asked):
        raise RecordingUnfit("The answer is another part of the recording than was asked for.")
    if length not in (None, part.end - part.start):
        raise RecordingUnfit("The answer contradicts itself about its length.")
    return Answer(media_type=kind, length=part.end - part.start, part=part)


def _whole(response: Response, kind: str, asked: Range | None) -> Answer:
    """Cut the part that was asked for out of a whole, where its length is known."""
    total = _length(response)
    if total == 0:
        raise RecordingMissing("The recording is still empty.")
    if asked is None or total is None:
        return Answer(media_type=kind, length=total)
    start, end = asked.within(total)
    return Answer(media_type=kind, length=end - start, part=Part(start, end, total), skip=start)


def _length(response: Response) -> int | None:
    text = response.headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None
