"""The simulated phone system at a real connector, and at one that does not take its events at once."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from connector.clock import system_clock
from connector.demo.phone import Phone
from connector.demo.scenarios import Script
from connector.dialects.signing import new_secret, verify
from connector.errors import CommandError

pytestmark = pytest.mark.anyio

SECRET = new_secret()


def event() -> dict[str, object]:
    """Make an event."""
    return dict(Script("scenario").event("call-1", "ringing", 0, direction="inbound").written(system_clock()))


class Receiver(ThreadingHTTPServer):
    """Return each attempt with the next status, and keep what came."""

    def __init__(self, statuses: list[int]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.statuses = statuses
        self.attempts: list[tuple[dict[str, str], bytes]] = []

    @property
    def address(self) -> str:
        """Return where it listens."""
        return f"http://127.0.0.1:{self.server_port}/hooks/demo"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        """Take an attempt."""
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.attempts.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(self.server.statuses.pop(0))
        self.end_headers()
        self.wfile.write(json.dumps({"accepted": 1}).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Run a receiver that refuses twice."""
    receiver = Receiver([503, 429, 202])
    thread = threading.Thread(target=receiver.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield receiver
    receiver.shutdown()
    receiver.server_close()
    thread.join()


async def test_tries_again_signed_anew(receiver: Receiver) -> None:
    """Each attempt is the same message with a signature that holds."""
    phone = Phone(receiver.address, SECRET)
    taken = await phone.post([event()])
    await phone.close()
    assert (taken.attempts, taken.answer) == (3, {"accepted": 1})
    assert len({headers["webhook-id"] for headers, _ in receiver.attempts}) == 1
    assert len({body for _, body in receiver.attempts}) == 1
    for headers, body in receiver.attempts:
        verify(headers, body, [SECRET], system_clock())


async def test_gives_up_what_is_refused(receiver: Receiver) -> None:
    """A refusal is told, and not repeated."""
    receiver.statuses[:] = [422]
    phone = Phone(receiver.address, SECRET)
    with pytest.raises(CommandError, match="422"):
        await phone.post([event()])
    await phone.close()
    assert len(receiver.attempts) == 1


async def test_gives_up_in_time() -> None:
    """Nobody at all answers: that is told, too."""
    phone = Phone("http://127.0.0.1:9/hooks/demo", SECRET, give_up_seconds=0)
    with pytest.raises(CommandError, match="does not answer"):
        await phone.post([event()])
    await phone.close()


async def test_the_connector_takes_one_and_many(phone: Phone) -> None:
    """Single events and batches are taken; what is said again is known."""
    script, now = Script("phone-test"), system_clock()
    said = [script.event(script.call, "ringing", place, direction="internal") for place in range(3)]
    events = [event.written(now) for event in said]
    first, batch = await phone.post(events[:1]), await phone.post(events)
    assert (first.answer["accepted"], first.attempts) == (1, 1)
    assert (batch.answer["accepted"], batch.answer["duplicate"]) == (2, 1)
