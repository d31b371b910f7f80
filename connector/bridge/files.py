"""Read what Asterisk writes to its files: Master.csv (cdr_csv) and queue_log.

Master.csv holds times without a zone. A Uniqueid begins with the second, since 1970, in which the
channel was made, and so does the channel's first row: the difference is the zone. No setting, and right
on both sides of a change of the clocks.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

from connector.clock import HOUR, MINUTE, SECOND, from_iso

TAIL_BYTES = 8 * 1024 * 1024
"""How much of a file's end is read: some 30,000 calls."""

_QUARTER = 15 * MINUTE
_COLUMNS = 17  # cdr_csv with loguniqueid = yes


class Row(msgspec.Struct, frozen=True, kw_only=True):
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


class Entry(msgspec.Struct, frozen=True):
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


def rows(text: str) -> list[Row]:
    """Read Master.csv; lines that are none of cdr_csv's are left out."""
    read = [fields for fields in csv.reader(text.splitlines()) if len(fields) >= _COLUMNS]
    offsets = _offsets(read)
    found = (_row(fields, offsets) for fields in read)
    return [row for row in found if row is not None]


def entries(text: str) -> list[Entry]:
    """Read queue_log; lines that are none of its form are left out."""
    split = (line.split("|") for line in text.splitlines())
    return [
        Entry(int(one[0]) * SECOND, one[1], one[2], one[4])
        for one in split
        if len(one) > 4 and one[0].isdigit()
    ]


def _end_of(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - TAIL_BYTES))
            return file.read()
    except FileNotFoundError:
        return b""


def _row(fields: list[str], offsets: Mapping[str, int]) -> Row | None:
    offset = offsets.get(fields[16], 0)
    started_at, answered_at, ended_at = (_moment(text, offset) for text in fields[9:12])
    if started_at is None or ended_at is None:
        return None
    return Row(
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
