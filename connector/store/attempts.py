"""Keep what Desk answered to the attempts of each delivery: the first few, the last, and how many there were.

They are written in the commits that note a request and settle a delivery, and go with its row.
"""

from collections import Counter
from collections.abc import Collection, Iterable

import msgspec
from sqlalchemy import Connection, Executable, and_, delete, func, or_, select

from connector.store.bulk import Bulk, Given
from connector.store.tables import attempts

FIRST_KEPT = 5
LAST_KEPT = 15
"""A record that Desk refuses for days is tried a thousand times: the middle tells nothing new."""

DETAIL_AT_MOST = 300
OPERATION_AT_MOST = 100
CODE_AT_MOST = 100
"""Characters; what Desk sends may be of any length."""


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One request of a delivery and Desk's answer; `status` is None where none came.

    `at` is when it left, `operation` such as "POST /calls", `revision` that of the record it was about.
    `outcome` is what the delivery came to with it, "" where that went on; `reason` and `detail` say why.
    """

    at: int
    milliseconds: int
    operation: str
    revision: int
    status: int | None = None
    error_code: str = ""
    request_id: str = ""
    outcome: str = ""
    reason: str = ""
    detail: str = ""

    @property
    def is_failed(self) -> bool:
        """Tell whether it was refused, or not answered."""
        return self.status is None or self.status >= 400


class NumberedAttempt(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt as it is kept, numbered from 1 within its delivery."""

    outbox_id: int
    number: int
    at: int
    milliseconds: int
    operation: str
    revision: int
    status: int | None
    error_code: str
    request_id: str
    outcome: str
    reason: str
    detail: str


def add(connection: Connection, told: Iterable[tuple[int, Attempt]]) -> None:
    """Keep attempts, each with the id of its delivery's row, in order; the row is locked by who calls."""
    counts: Counter[int] = Counter()
    rows = []
    for row_id, each in told:
        counts[row_id] += 1
        rows.append((row_id, counts[row_id], *_values(each)))
    if rows:
        added = _add.execute(connection, rows)
        _thin(connection, {row[0]: row[1] for row in sorted(added)})


def _values(each: Attempt) -> tuple[object, ...]:
    return (
        *(each.at, each.milliseconds, _plain(each.operation, OPERATION_AT_MOST), each.revision, each.status),
        *(_plain(each.error_code, CODE_AT_MOST), _plain(each.request_id, CODE_AT_MOST), each.outcome),
        *(each.reason, _plain(each.detail, DETAIL_AT_MOST)),
    )


def _plain(text: str, at_most: int) -> str:
    """Leave out what PostgreSQL takes for no text, and what is too long."""
    return text.replace("\0", "")[:at_most]


_NAMES = tuple(NumberedAttempt.__struct_fields__)


def _adding(given: Given) -> Executable:
    before = attempts.alias("before")
    last = select(func.max(before.c.number)).where(before.c.outbox_id == given.c.outbox_id)
    number = func.coalesce(last.scalar_subquery(), 0) + given.c.number
    columns = [number if name == "number" else given.c[name] for name in _NAMES]
    adding = attempts.insert().from_select(list(_NAMES), select(*columns))
    return adding.returning(attempts.c.outbox_id, attempts.c.number)


_add = Bulk(attempts, _NAMES, _adding)


def _thin(connection: Connection, last: dict[int, int]) -> None:
    """Delete the middle of long rows of attempts, whose last numbers these are."""
    long = {row_id: number for row_id, number in last.items() if number > FIRST_KEPT + LAST_KEPT}
    if long:
        middle = [
            and_(attempts.c.outbox_id == row_id, attempts.c.number <= number - LAST_KEPT)
            for row_id, number in long.items()
        ]
        connection.execute(delete(attempts).where(attempts.c.number > FIRST_KEPT, or_(*middle)))


def of_deliveries(connection: Connection, row_ids: Collection[int]) -> list[NumberedAttempt]:
    """Return what is kept of these deliveries' attempts, in order; the last number counts them all."""
    if not row_ids:
        return []
    asked = select(*(attempts.c[name] for name in _NAMES)).where(attempts.c.outbox_id.in_(row_ids))
    rows = connection.execute(asked.order_by(attempts.c.outbox_id, attempts.c.number))
    return [NumberedAttempt(**row._mapping) for row in rows]


def erase(connection: Connection, row_ids: Collection[int]) -> int:
    """Delete what is kept of these deliveries' attempts, and return how many there were."""
    return connection.execute(delete(attempts).where(attempts.c.outbox_id.in_(row_ids))).rowcount
