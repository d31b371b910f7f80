"""The requests to this sandbox: counts by (method, path template, status), and requests under way."""

from collections import Counter

import msgspec


class RequestCount(msgspec.Struct, kw_only=True, frozen=True):
    """How often a request was answered with a status; 0 means that no answer was given."""

    method: str
    path: str
    status: int
    count: int


class Requests:
    """Count requests, and how many each portal has under way; ids in paths are written `{id}`.

    `in_progress[org_id]` includes the request being handled and its latency, so a concurrency limit
    that reads it sees what the real Desk would see.
    """

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str, int]] = Counter()
        self.in_progress: Counter[str] = Counter()
        self.max_concurrency: Counter[str] = Counter()

    def begin(self, org_id: str | None) -> None:
        """Record that a portal's request has come in."""
        if org_id is not None:
            self.in_progress[org_id] += 1
            self.max_concurrency[org_id] = max(self.max_concurrency[org_id], self.in_progress[org_id])

    def end(self, method: str, path: str, status: int, org_id: str | None) -> None:
        """Record how a request ended; status 0 if no answer was given."""
        self.counts[method, template_of(path), status] += 1
        if org_id is not None:
            self.in_progress[org_id] -= 1

    def count(self, method: str | None = None, path: str | None = None, status: int | None = None) -> int:
        """Count requests by any of method, path template (exact) and status."""
        wanted = (method, path, status)
        return sum(
            number
            for key, number in self.counts.items()
            if all(want is None or want == have for want, have in zip(wanted, key, strict=True))
        )

    def listing(self) -> list[RequestCount]:
        """List all counts, by path, method and status."""
        return [
            RequestCount(method=method, path=path, status=status, count=number)
            for (method, path, status), number in sorted(self.counts.items(), key=lambda i: (i[0][1], i[0]))
        ]

    def reset(self) -> None:
        """Forget counts and peaks; requests under way stay counted."""
        self.counts.clear()
        self.max_concurrency.clear()


def template_of(path: str) -> str:
    """Write `{id}` for every path segment that is a number."""
    return "/".join("{id}" if part.isascii() and part.isdigit() else part for part in path.split("/"))
