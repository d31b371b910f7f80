"""Tell machines how the connector is: alive, ready, and in figures."""

import time
from ipaddress import ip_address

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from connector.clock import SECOND
from connector.errors import StoreError
from connector.services import Services, services_of
from connector.store.engine import disk_free_ratio
from connector.store.migrating import is_enough
from connector.store.stats import read_stats
from connector.web.auth import require_api

PROXIES_WRITE = ("forwarded", "via", "x-real-ip", "x-client-ip", "true-client-ip", "cf-connecting-ip")


async def healthz(_request: Request) -> Response:
    """Return `GET /healthz`: 200 as long as the process serves."""
    return PlainTextResponse("alive\n")


async def readyz(request: Request) -> Response:
    """Return `GET /readyz`: 200 when events can be stored, else 503 and why.

    That a newer version has added to the tables stops nobody: it takes over one process after the other.
    """
    services = services_of(request)
    try:
        enough = await services.store.read(is_enough)
        await services.store.write(lambda _: None)
    except StoreError as problem:
        return PlainTextResponse(f"not ready: {problem.reason}\n", 503)
    if not enough:
        return PlainTextResponse(
            "not ready: the tables are of an older version, run connector migrate\n", 503
        )
    if not services.clocks.agree:
        return PlainTextResponse("ready, but nothing is delivered: this clock is not the database's\n")
    return PlainTextResponse("ready\n")


async def metrics(request: Request) -> Response:
    """Return `GET /metrics` in Prometheus's text format, on this machine or with a supervisor's key."""
    if not _is_local(request):
        await require_api(request, "supervisor")
    services = services_of(request)
    await _measure(services)
    return Response(services.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


def _is_local(request: Request) -> bool:
    """Tell whether the request comes straight from this machine: no proxy, and not by another name."""
    if request.client is None or any(map(_tells_of_a_proxy, request.headers)):
        return False
    return _is_loopback(request.client.host) and _is_loopback(request.url.hostname or "")


def _tells_of_a_proxy(header: str) -> bool:
    return header in PROXIES_WRITE or header.startswith("x-forwarded-")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


async def _measure(services: Services) -> None:
    """Take the figures that are read and not counted; those of a database that is away stay as they were."""
    metrics, began = services.metrics, time.perf_counter()
    metrics.banners.set(services.hub.open_banners)
    metrics.disk_free_ratio.set(await run_in_threadpool(disk_free_ratio, services.settings.database_url))
    try:
        await _measure_store(services)
        await services.store.write(lambda _: None)
    except StoreError:
        metrics.database_up.set(0)
        return
    metrics.database_up.set(1)
    metrics.database_seconds.set(time.perf_counter() - began)


async def _measure_store(services: Services) -> None:
    now, metrics = services.clock(), services.metrics
    standing = await services.store.read(lambda connection: read_stats(connection, now))
    metrics.show_portals(standing.by_portal)
    for state, count in standing.by_state.items():
        metrics.outbox.labels(state).set(count)
    late = 0 if standing.oldest_at is None else max(0, now - standing.oldest_at)
    metrics.oldest_seconds.set(late / SECOND)
    # As long as Desk has told nothing it is not known, which is not none.
    metrics.credits_left.set(float("nan") if standing.credits_left is None else standing.credits_left)
    metrics.grants_lost.set(standing.grants_lost)
    metrics.refreshes.set(standing.refreshes)
