"""Read what Asterisk writes to its files: Master.csv (cdr_csv) and queue_log; no I/O but `tail`.

Master.csv holds times without a zone. A Uniqueid begins with the second, since 1970, in which the
channel was made, and so does the channel's first row: the difference is the zone. No setting, and right
on both sides of a change of the clocks.

A call that goes through a Local channel has two rows: the caller's names its first half `;1`, and that of
the second half `;2` names the telephone. Where the PBX itself called the first half, its row is the call's,
and the telephone is the caller's.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from connector.clock import HOUR, MINUTE, SECOND, from_iso

TAIL_BYTES = 8 * 1024 * 1024
"""How much of a file's end is read: some 30,000 calls."""

LINE_BYTES = 64 * 1024
"""More than one line has."""

_QUARTER = 15 * MINUTE
_COLUMNS = 17  # cdr_csv with loguniqueid = yes
_UNIQUEID = re.compile(r"[\w.-]*[0-9][\w.-]*")

_NEAR, _FAR = ";1", ";2"
_DEPTH = 5
"""So many Local channels in a row are followed."""


class CdrRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row of Master.csv: one channel's time with one other. Moments are epoch milliseconds."""

    uniqueid: str
    source: str
    destination: str
    channel: str
    other: str
    started_at: int
    answered_at: int | None
    ended_at: int
    is_answered: bool


class QueueLogEntry(msgspec.Struct, frozen=True):
    """One line of queue_log: what happened to a caller, `call_id` being the caller's Uniqueid."""

    at: int
    call_id: str
    queue: str
    event: str


def tail(path: Path) -> str:
    """Read the end of a file, with that of its predecessor where it has just been rotated.

    A file that is not there holds nothing.
    """
    found = _end_of(path)
    if len(found) < TAIL_BYTES:
        found = _end_of(path.with_name(f"{path.name}.1")) + found
    return found.decode("utf-8", "replace")


def read_cdr(text: str) -> list[CdrRow]:
    """Read Master.csv; lines that are none of cdr_csv's are left out."""
    read = [fields for fields in csv.reader(text.splitlines()) if len(fields) >= _COLUMNS]
    offsets = _offsets(read)
    found = (_row(fields, offsets) for fields in read)
    return [row for row in found if row is not None]


def read_queue_log(text: str) -> list[QueueLogEntry]:
    """Read queue_log; lines that are none of its form are left out."""
    split = (line.split("|") for line in text.splitlines())
    return [
        QueueLogEntry(int(one[0]) * SECOND, one[1], one[2], one[4])
        for one in split
        if len(one) > 4 and one[0].isdigit()
    ]


def last_line(path: Path) -> str:
    """Read the last whole line of a file, "" where it has none yet; OSError where it cannot be read."""
    lines = _last_bytes(path, LINE_BYTES).decode("utf-8", "replace").rpartition("\n")[0]
    return lines.rpartition("\n")[2]


def has_uniqueid(line: str) -> bool:
    """Tell whether a line of Master.csv names its call: `loguniqueid = yes` adds that as the 17th column."""
    fields = next(csv.reader([line]), [])
    return len(fields) >= _COLUMNS and _UNIQUEID.fullmatch(fields[_COLUMNS - 1]) is not None


def _end_of(path: Path) -> bytes:
    try:
        return _last_bytes(path, TAIL_BYTES)
    except FileNotFoundError:
        return b""


def _last_bytes(path: Path, at_most: int) -> bytes:
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - at_most))
        return file.read()


def _row(fields: list[str], offsets: Mapping[str, int]) -> CdrRow | None:
    offset = offsets.get(fields[16], 0)
    started_at, answered_at, ended_at = (_moment(text, offset) for text in fields[9:12])
    if started_at is None or ended_at is None:
        return None
    return CdrRow(
        uniqueid=fields[16],
        source=fields[1],
        destination=fields[2],
        channel=fields[5],
        other=fields[6],
        started_at=started_at,
        answered_at=answered_at,
        ended_at=ended_at,
        is_answered=fields[14] == "ANSWERED",
    )


def _moment(text: str, offset: int) -> int | None:
    try:
        return from_iso(text) - offset
    except ValueError:
        return None


def _offsets(read: Iterable[list[str]]) -> dict[str, int]:
    """Return for each Uniqueid how far the file's clock is ahead of UTC.

    An id that the PBX did not make, one given to Originate, tells nothing: the row before it does.
    """
    earliest: dict[str, int] = {}
    for uniqueid, at in _starts(read):
        earliest[uniqueid] = min(at, earliest.get(uniqueid, at))
    offsets: dict[str, int] = {}
    last = 0
    for uniqueid, at in earliest.items():
        made_at = _made_at(uniqueid)
        if made_at is not None and abs(at - made_at) < 15 * HOUR:
            last = round((at - made_at) / _QUARTER) * _QUARTER
        offsets[uniqueid] = last
    return offsets


def _starts(read: Iterable[list[str]]) -> Iterator[tuple[str, int]]:
    for fields in read:
        at = _moment(fields[9], 0)
        if at is not None:
            yield fields[16], at


def _made_at(uniqueid: str) -> int | None:
    second = uniqueid.rpartition("-")[2].partition(".")[0]  # a system name may stand before it
    return int(second) * SECOND if second.isdigit() else None


def tied(rows: Sequence[CdrRow]) -> list[CdrRow]:
    """Return the rows with telephones in the place of Local channels, as far as the rows tell them.

    A row that leads to several telephones becomes several, each answered where both halves were.
    """
    far: dict[str, list[CdrRow]] = {}
    for row in rows:
        if row.channel.endswith(_FAR):
            far.setdefault(row.channel.removesuffix(_FAR), []).append(row)
    called = {row.other for row in rows}
    return [one for row in rows for one in _called(_calling(row, far, called), far)]


def _calling(row: CdrRow, far: Mapping[str, Sequence[CdrRow]], called: set[str]) -> CdrRow:
    """Put the telephone in the caller's place that the PBX rang through the row's own channel."""
    if not row.channel.endswith(_NEAR) or row.channel in called or not row.other:
        return row
    rung = [one for each in _behind(row.channel, row, far) for one in _called(each, far)]
    taken = next((one.other for one in rung if one.is_answered), "")
    return msgspec.structs.replace(row, channel=taken or row.channel)


def _called(row: CdrRow, far: Mapping[str, Sequence[CdrRow]], depth: int = _DEPTH) -> Iterator[CdrRow]:
    behind = _behind(row.other, row, far) if row.other.endswith(_NEAR) and depth else []
    if not behind:
        yield row
    for one in behind:
        is_answered = row.is_answered and one.is_answered
        at = one.answered_at if is_answered else row.answered_at
        found = msgspec.structs.replace(row, other=one.other, is_answered=is_answered, answered_at=at)
        yield from _called(found, far, depth - 1)


def _behind(name: str, row: CdrRow, far: Mapping[str, Sequence[CdrRow]]) -> list[CdrRow]:
    """Return the rows of a channel's other half at that time: after a restart names are used again."""
    rows = far.get(name.removesuffix(_NEAR), ())
    since, until = row.started_at - SECOND, row.ended_at + SECOND
    return [one for one in rows if one.other and since <= one.started_at <= until]
