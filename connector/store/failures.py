"""Name a database's failures in our words: whose fault, whether to try again, and what to do about it."""

import logging
import threading

from sqlalchemy.exc import DBAPIError, InternalError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from connector.errors import StoreBusy, StoreError, StoreUnavailable

CONFLICTS = ("40001", "40P01")
"""SQLSTATEs of transactions that lost against another one and go through when tried again."""

LOCK_WAIT = "55P03"
"""SQLSTATE of a statement that would have waited too long for a lock."""

STATEMENTS_OWN_FAULT = ("40", "54", "55")
"""Classes of SQLSTATE that drivers take for trouble of the server, and that are the statement's."""

FULL = "The database's disk is full: make room on it. What was answered with success is kept."
READ_ONLY = "The database can only be read: make its file or its server writable again."
LOCKED = "Another program keeps the database locked: let it end."

REMEDIES = {
    "SQLITE_FULL": FULL,
    "SQLITE_READONLY": READ_ONLY,
    "SQLITE_BUSY": LOCKED,
    "53100": FULL,
    "25006": READ_ONLY,
}
"""What to say by SQLSTATE, or by SQLite's name of the error's primary kind."""

log = logging.getLogger(__name__)


class LockedTooLate(Exception):
    """A transaction needs more than it has locked; begun anew, it locks all in order."""


def translate(problem: Exception) -> Exception:
    """Return a failure in our words; what is not the database's stays what it is."""
    if is_busy(problem):
        return StoreBusy("Others change the same thing over and over; try again in a second.")
    if isinstance(problem, PoolTimeout) or is_outage(problem):
        return StoreUnavailable(_remedy(problem))
    if isinstance(problem, DBAPIError):
        return StoreError(f"The database does not take this: {_said(problem)}")
    if isinstance(problem, SQLAlchemyError):
        return StoreError(str(problem))
    return problem


def is_conflict(problem: Exception) -> bool:
    """Tell whether a transaction only lost against another one."""
    return isinstance(problem, LockedTooLate) or _code(problem) in CONFLICTS


def is_busy(problem: Exception) -> bool:
    """Tell whether others have the locks, so that it goes through when they are done."""
    return is_conflict(problem) or _code(problem) == LOCK_WAIT


def is_cut(problem: Exception) -> bool:
    """Tell whether the connection broke, so that the next one may be better."""
    return isinstance(problem, DBAPIError) and problem.connection_invalidated


def is_outage(problem: Exception) -> bool:
    """Tell whether the database is at fault, so that others fare no better just now."""
    if not isinstance(problem, DBAPIError):
        return False
    of_the_server = isinstance(problem, OperationalError | InternalError) or problem.connection_invalidated
    return of_the_server and not _code(problem).startswith(STATEMENTS_OWN_FAULT)


def _code(problem: Exception) -> str:
    if not isinstance(problem, DBAPIError):
        return ""
    name: str = getattr(problem.orig, "sqlite_errorname", None) or ""
    return "_".join(name.split("_")[:2]) or getattr(problem.orig, "sqlstate", None) or ""


def _remedy(problem: Exception) -> str:
    if not isinstance(problem, DBAPIError):
        return "The database answers too slowly: all connections are busy."
    return REMEDIES.get(_code(problem)) or f"The database does not answer as it should: {_said(problem)}"


def _said(problem: DBAPIError) -> str:
    return str(problem.orig).partition("\n")[0]


class Outages:
    """Log once that the database fails, and once that it is back, however many ask meanwhile."""

    def __init__(self, doing: str) -> None:
        self._doing = doing
        self._lasts = False
        self._changing = threading.Lock()

    def failed(self, problem: Exception) -> None:
        """Hear what somebody was told; only what the database is to blame for counts."""
        if isinstance(problem, StoreUnavailable) and self._turns(to=True):
            log.error("store_lost: %s", problem, extra={"reason": problem.reason, "doing": self._doing})

    def worked(self) -> None:
        """Hear that it works."""
        if self._lasts and self._turns(to=False):
            log.warning("store_back", extra={"doing": self._doing})

    def _turns(self, *, to: bool) -> bool:
        """Say whether it fails now, and return whether that is new; several threads may say so at once."""
        with self._changing:
            is_new, self._lasts = self._lasts is not to, to
        return is_new
