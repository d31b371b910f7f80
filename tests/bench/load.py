"""Post prepared requests over kept-alive connections, one at a time on each, and time the answers.

A process of its own, so that the server under test has a core to itself. It reads an `Order` from
standard input and writes a `Result` to standard output, both as JSON.
"""

import asyncio
import sys
import time
from collections.abc import Iterator
from itertools import islice
from typing import Literal

import msgspec
import uvloop

from tests.bench.traffic import Target, batches, singles

WARM_REQUESTS = 256
"""Sent before the clock starts, so that caches, connections and code paths are warm."""

AHEAD = 20_000
"""Requests prepared for each second: more than any server here answers."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What to send: `size` events a request (1 is no batch), and the status that is the right answer."""

    port: int
    path: str
    secret: str
    run: str
    size: int
    seconds: float
    concurrency: int
    status: Literal[202, 204]


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured; `sent` counts all events, those of the warm-up too."""

    sent: int
    per_second: float
    p50_ms: float
    p99_ms: float


class WrongAnswer(Exception):
    """The server answered something else than was agreed."""


class Round:
    """One measurement: hands out requests until the time is over, and keeps the times of the answers."""

    def __init__(self, order: Order, requests: Iterator[bytes]) -> None:
        self._order = order
        self._requests = requests
        self._until = float("inf")
        self.times: list[float] = []
        self.sent = 0
        counted = b'{"accepted":%d,' % order.size if order.status == 202 else b""
        self._begins, self._counted = b"HTTP/1.1 %d " % order.status, counted

    def open(self, seconds: float) -> None:
        """Let requests go out for so long from now on."""
        self._until = time.perf_counter() + seconds

    def next(self, now: float) -> bytes | None:
        """Return the next request, None when it is time to stop."""
        request = next(self._requests, None) if now < self._until else None
        self.sent += request is not None
        return request

    def check(self, head: bytes, body: bytes) -> None:
        """Refuse to measure wrong answers."""
        if not head.startswith(self._begins) or not body.startswith(self._counted):
            raise WrongAnswer((head + body).decode(errors="replace"))


class Sender(asyncio.Protocol):
    """One connection: a request, its answer, the next request."""

    def __init__(self, measured: Round) -> None:
        self._round = measured
        self._unread = b""
        self._began = 0.0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin at once."""
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]  # it is a stream
        self._send(time.perf_counter())

    def data_received(self, data: bytes) -> None:
        """Take an answer when all of it is there."""
        self._unread += data
        head, blank, body = self._unread.partition(b"\r\n\r\n")
        if not blank or len(body) < _length(head):
            return
        now = time.perf_counter()
        self._unread = b""
        self._round.times.append(now - self._began)
        try:
            self._round.check(head, body)
        except WrongAnswer as problem:
            self._finish(problem)
        else:
            self._send(now)

    def connection_lost(self, exc: Exception | None) -> None:
        """Say so if it was not over yet."""
        self._finish(exc or WrongAnswer("the server closed the connection"))

    def _send(self, now: float) -> None:
        request = self._round.next(now)
        if request is None:
            self._finish(None)
            return
        self._began = now
        self._transport.write(request)

    def _finish(self, problem: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None) if problem is None else self.done.set_exception(problem)
            self._transport.close()


def _length(head: bytes) -> int:
    _, found, rest = head.lower().partition(b"\r\ncontent-length: ")
    return int(rest.partition(b"\r\n")[0]) if found else 0


async def _play(order: Order, requests: Iterator[bytes], seconds: float) -> tuple[Round, float]:
    measured = Round(order, requests)
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    measured.open(seconds)
    connecting = [
        loop.create_connection(lambda: Sender(measured), "127.0.0.1", order.port)
        for _ in range(order.concurrency)
    ]
    opened = await asyncio.gather(*connecting)
    await asyncio.gather(*(sender.done for _, sender in opened))
    return measured, time.perf_counter() - began


async def measure(order: Order) -> Result:
    """Warm the server up, then measure it."""
    target = Target(order.port, order.path, order.secret)
    count = int(order.seconds * AHEAD / max(1, order.size // 4)) + WARM_REQUESTS
    written = (
        singles(target, order.run, count)
        if order.size == 1
        else batches(target, order.run, order.size, count)
    )
    prepared = list(written)
    warm, _ = await _play(order, islice(iter(prepared), WARM_REQUESTS), 60)
    measured, seconds = await _play(order, islice(iter(prepared), WARM_REQUESTS, None), order.seconds)
    times = sorted(measured.times)
    return Result(
        sent=(warm.sent + measured.sent) * order.size,
        per_second=measured.sent * order.size / seconds,
        p50_ms=times[len(times) // 2] * 1_000,
        p99_ms=times[len(times) * 99 // 100] * 1_000,
    )


def main() -> None:
    """Carry out one order."""
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    result = uvloop.run(measure(order))
    sys.stdout.buffer.write(msgspec.json.encode(result))


if __name__ == "__main__":
    main()
