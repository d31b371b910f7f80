"""Serve the two yardsticks: the same server and the same request, and next to nothing done with it.

`bare` verifies the signature, parses the JSON and answers 204. `commit-each` also inserts the body and
commits, for each request by itself; on SQLite with synchronous=FULL and the write-ahead log.
Run as `python -m tests.bench.yardsticks bare|commit-each` with LISTEN, SECRET and DATABASE_URL set.
"""

import base64
import hmac
import os
import sys
import time
from collections.abc import Callable

import msgspec
import psycopg
from sqlalchemy.engine import URL, make_url
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connector.server import bind, serve
from connector.settings import Settings
from connector.store.engine import sqlite_module

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


def commit_each(url: str) -> Keep:
    """Open an empty database and return what inserts and commits one body, by the driver alone."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        return _in_postgresql(parsed.set(drivername="postgresql"))
    connection = sqlite_module().connect(parsed.database, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE events (id INTEGER PRIMARY KEY, body BLOB NOT NULL)")

    def keep(body: bytes) -> None:
        connection.execute("INSERT INTO events (body) VALUES (?)", (body,))

    return keep


def _in_postgresql(url: URL) -> Keep:
    connection = psycopg.connect(url.render_as_string(hide_password=False), autocommit=True)
    connection.execute("CREATE TABLE events (id bigserial PRIMARY KEY, body bytea NOT NULL)")

    def keep(body: bytes) -> None:
        connection.execute("INSERT INTO events (body) VALUES (%s)", (body,))

    return keep


def main(name: str) -> None:
    """Serve one yardstick until told to stop."""
    settings = Settings(listen=os.environ["LISTEN"])
    keep = nothing if name == "bare" else commit_each(os.environ["DATABASE_URL"])
    with bind(*settings.listen_address) as listener:
        serve(app(os.environ["SECRET"], keep), settings, listener, lambda: None)


if __name__ == "__main__":
    main(sys.argv[1])
