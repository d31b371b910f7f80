"""Ask the sandbox's Desk as fast as a client can that does nothing else: what this machine allows."""

import asyncio
import time
from urllib.parse import urlsplit

import msgspec

from connector.demo.environment import Environment
from connector.store import grants, outbox

SECONDS = 5
WARM_SECONDS = 1


async def rate(env: Environment, width: int) -> float:
    """Return how many call records a second `width` connections can write that are never idle.

    Each writes the record that was delivered last, so that there is more in Desk afterwards.
    """
    request = await _request(env)
    address = urlsplit(_origin(env))
    began_at = time.perf_counter() + WARM_SECONDS
    askers = [_ask(address.hostname or "", address.port or 80, request, began_at) for _ in range(width)]
    return sum(await asyncio.gather(*askers)) / SECONDS


def _origin(env: Environment) -> str:
    return str(env.config.data_centers[0].desk)


async def _request(env: Environment) -> bytes:
    (row,) = await env.services.store.read(lambda c: outbox.list_rows(c, "done", 1))
    grant = await env.services.store.read(lambda c: grants.get(c, row.portal_id))
    if grant is None or grant.sealed_access_token is None:
        raise RuntimeError("Nothing was delivered, so that there is no token.")
    body = msgspec.json.encode(msgspec.json.decode(row.sent or b"")["body"])
    lines = (
        "POST /api/v1/calls HTTP/1.1",
        f"Host: {urlsplit(_origin(env)).netloc}",
        f"Authorization: Zoho-oauthtoken {env.services.encryptor.decrypt(grant.sealed_access_token)}",
        f"orgId: {env.setup.portal.org_id}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    )
    return "\r\n".join([*lines, "", ""]).encode() + body


async def _ask(host: str, port: int, request: bytes, began_at: float) -> int:
    """Ask again and again on one connection; return how often within the time that counts."""
    reader, writer = await asyncio.open_connection(host, port)
    answered = 0
    while time.perf_counter() < began_at + SECONDS:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"The sandbox answered {head.splitlines()[0]!r}.")
        await reader.readexactly(_length(head))
        answered += began_at <= time.perf_counter() < began_at + SECONDS
    writer.close()
    return answered


def _length(head: bytes) -> int:
    _, _, rest = head.lower().partition(b"content-length:")
    return int(rest.partition(b"\r\n")[0])
