"""What our views read of requests."""

import ast
import asyncio
from pathlib import Path

import pytest
from starlette.exceptions import HTTPException
from starlette.types import Message

import connector.web
from connector.web import bodies
from connector.web.bodies import LargeBody, read_all

KIB = 1_024
WHOLE = {"body", "form", "json", "receive", "stream"}


def test_bodies_are_read_with_an_end() -> None:
    """Views read bodies by `read_body`, which stops where they grow too large."""
    readers = {
        f"{path.name}: {ast.unparse(node)}"
        for path in Path(connector.web.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in WHOLE and ast.unparse(node.value) == "request"
    }
    assert readers == {"bodies.py: request.receive"}


class Sender:
    """Sends a body in two parts, the last byte once it is told to; as a last one it may hang up."""

    def __init__(self, size: int, last: str = "http.request") -> None:
        self.end = asyncio.Event()
        self._parts = [b" " * (size - 1), b" "]
        self._last = last

    async def receive(self) -> Message:
        """Send the next part."""
        if len(self._parts) == 2:
            return {"type": "http.request", "body": self._parts.pop(0), "more_body": True}
        await self.end.wait()
        return {"type": self._last, "body": self._parts.pop(0)}


@pytest.mark.anyio
async def test_large_bodies_share_a_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once those that nobody has verified fill it, small ones pass alone, until one of them has ended."""
    monkeypatch.setattr(bodies, "READ_AT_ONCE", 600 * KIB)
    halves = [Sender(200 * KIB), Sender(200 * KIB), Sender(200 * KIB, "http.disconnect")]
    reading = [asyncio.create_task(read_all("0", half.receive)) for half in halves]
    await asyncio.sleep(0)
    whole, small = Sender(64 * KIB + 1), Sender(64 * KIB)
    whole.end.set()
    small.end.set()
    with pytest.raises(HTTPException) as refused:
        await read_all("0", whole.receive)
    assert (refused.value.status_code, refused.value.headers) == (503, {"Retry-After": "1"})
    assert len(await read_all("0", small.receive)) == 64 * KIB
    for half in halves:
        half.end.set()
    ended = await asyncio.gather(*reading, return_exceptions=True)
    assert [isinstance(one, bytes) for one in ended] == [True, True, False]
    again = Sender(600 * KIB)
    again.end.set()
    assert (len(await read_all("0", again.receive)), LargeBody.all_taken) == (600 * KIB, 0)
