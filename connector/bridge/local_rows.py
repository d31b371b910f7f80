"""Tie the rows of Local channels in Master.csv to those of whom they lead to; no I/O.

A call that goes through a Local channel has two rows: the caller's names its first half `;1`, and that of
the second half `;2` names the telephone. Where the PBX itself called the first half, its row is the call's,
and the telephone is the caller's.
"""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from connector.bridge.files import Row
from connector.clock import SECOND

_NEAR, _FAR = ";1", ";2"
_DEPTH = 5
"""So many Local channels in a row are followed."""


def tied(rows: Sequence[Row]) -> list[Row]:
    """Return the rows with telephones in the place of Local channels, as far as the rows tell them.

    A row that leads to several telephones becomes several, each answered where both halves were.
    """
    far: dict[str, list[Row]] = {}
    for row in rows:
        if row.channel.endswith(_FAR):
            far.setdefault(row.channel.removesuffix(_FAR), []).append(row)
    called = {row.other for row in rows}
    return [one for row in rows for one in _called(_calling(row, far, called), far)]


def _calling(row: Row, far: Mapping[str, Sequence[Row]], called: set[str]) -> Row:
    """Put the telephone in the caller's place that the PBX rang through the row's own channel."""
    if not row.channel.endswith(_NEAR) or row.channel in called or not row.other:
        return row
    rung = [one for each in _behind(row.channel, row, far) for one in _called(each, far)]
    taken = next((one.other for one in rung if one.is_answered), "")
    return msgspec.structs.replace(row, channel=taken or row.channel)


def _called(row: Row, far: Mapping[str, Sequence[Row]], depth: int = _DEPTH) -> Iterator[Row]:
    behind = _behind(row.other, row, far) if row.other.endswith(_NEAR) and depth else []
    if not behind:
        yield row
    for one in behind:
        is_answered = row.is_answered and one.is_answered
        at = one.answered_at if is_answered else row.answered_at
        found = msgspec.structs.replace(row, other=one.other, is_answered=is_answered, answered_at=at)
        yield from _called(found, far, depth - 1)


def _behind(name: str, row: Row, far: Mapping[str, Sequence[Row]]) -> list[Row]:
    """Return the rows of a channel's other half at that time: after a restart names are used again."""
    rows = far.get(name.removesuffix(_NEAR), ())
    since, until = row.started_at - SECOND, row.ended_at + SECOND
    return [one for one in rows if one.other and since <= one.started_at <= until]
