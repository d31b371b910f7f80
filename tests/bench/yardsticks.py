"""Serve the two yardsticks: the same server and the same request, and next to nothing done with it.

`bare` verifies the signature, parses the JSON and answers 204. `commit-each` also inserts the body into
SQLite and commits, for each request by itself, with synchronous=FULL and the write-ahead log.
Run as `python -m tests.bench.yardsticks bare|commit-each` with LISTEN, SECRET and DATABASE set.
"""

import base64
import hmac
import os
import sqlite3
import sys
import time
from collections.abc import Callable

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connector.server import bind, serve
from connector.settings import Settings

TOLERANCE_SECONDS = 300

Keep = Callable[[bytes], None]


def app(secret: str, keep: Keep) -> Starlette:
    """Make the application; `keep` does what is to be done with a body that is in order."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    parse = msgspec.json.Decoder().decode

    async def receive(request: Request) -> Response:
        body = await request.body()
        if not _is_signed(request, body, key):
            return Response(status_code=401)
        parse(body)
        keep(body)
        return Response(status_code=204)

    return Starlette(routes=[Route("/hooks/{slug}", receive, methods=["POST"])])


def _is_signed(request: Request, body: bytes, key: bytes) -> bool:
    message_id, timestamp = request.headers["webhook-id"], request.headers["webhook-timestamp"]
    digest = hmac.digest(key, f"{message_id}.{timestamp}.".encode() + body, "sha256")
    expected = f"v1,{base64.b64encode(digest).decode()}"
    is_fresh = abs(time.time() - int(timestamp)) < TOLERANCE_SECONDS
    return is_fresh and hmac.compare_digest(request.headers["webhook-signature"], expected)


def nothing(_body: bytes) -> None:
    """Keep nothing."""


def commit_each(path: str) -> Keep:
    """Open a database and answer what inserts and commits one body."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE events (id INTEGER PRIMARY KEY, body BLOB NOT NULL)")

    def keep(body: bytes) -> None:
        connection.execute("INSERT INTO events (body) VALUES (?)", (body,))

    return keep


def main(name: str) -> None:
    """Serve one yardstick until told to stop."""
    settings = Settings(listen=os.environ["LISTEN"])
    keep = nothing if name == "bare" else commit_each(os.environ["DATABASE"])
    with bind(*settings.listen_address) as listener:
        serve(app(os.environ["SECRET"], keep), settings, listener, lambda: None)


if __name__ == "__main__":
    main(sys.argv[1])
