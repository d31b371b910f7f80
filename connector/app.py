"""Make the ASGI application, and keep its background tasks at work."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import NamedTuple

from starlette.applications import Starlette
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from connector.banner.bus import Listener
from connector.clock import system_clock
from connector.errors import ConnectorError, StoreError
from connector.outbox import Deliverer
from connector.services import Services
from connector.web import problems
from connector.web.access_log import AccessLog
from connector.web.api.openapi import document_of
from connector.web.headers import SecurityHeaders
from connector.web.hooks import HooksFirst
from connector.web.languages import Languages
from connector.web.limiter import Limiter
from connector.web.orders import SeenIds
from connector.web.routes import OPERATIONS, health_routes, routes
from connector.web.static_files import static_folder as static_folder
from connector.web.under_path import UnderPath

log = logging.getLogger(__name__)


class Task(NamedTuple):
    """A step that is repeated for as long as the process runs, so many seconds after its last end."""

    seconds: float
    step: Callable[[], Awaitable[object]]


def background_tasks(services: Services, *, deliver: bool) -> list[Task]:
    """Return what a process repeats in the background.

    `deliver` adds the work of a process that delivers; the deliveries themselves wake up by themselves.
    """
    tasks = [
        Task(1, services.pipeline.close_overdue),
        Task(1, services.orders.close_overdue),
        Task(2, services.end_sessions),
        Task(2, services.portal_status.publish_changes),
        Task(10, services.pruning.step),
        Task(10, services.call_lists.step),
        Task(60, services.silence.step),
        Task(3_600, services.contact_lookup.sweep),
    ]
    if services.clock is system_clock:
        # Simulated clocks agree with nothing.
        tasks.append(Task(10, services.clocks.step))
    if services.bus.reaches_others:
        # A process that dies between a commit and its notice: the others miss the change for 5 s at most.
        tasks.append(Task(5, services.pipeline.resync))
    if deliver:
        tasks.append(Task(3, services.syncing.work))
    if services.mailer.is_set_up:
        tasks.append(Task(30, services.alert_mail.step))
    return tasks


@asynccontextmanager
async def at_work(services: Services, *, deliver: bool) -> AsyncIterator[None]:
    """Keep the background tasks going, the bus read, and the deliveries running where wanted."""
    if services.clock is system_clock:
        await _once(services.clocks.step)
    async with AsyncExitStack() as stack:
        if deliver:
            stack.push_async_callback(services.syncing.close)
        for task in background_tasks(services, deliver=deliver):
            stack.push_async_callback(_cancel, asyncio.create_task(_every(*task)))
        pipeline, orders = services.pipeline, services.orders
        listener = Listener(pipeline.on_notice, pipeline.on_gap, orders.on_change)
        stack.push_async_callback(_cancel, asyncio.create_task(services.bus.run(listener)))
        if deliver:
            delivering = asyncio.create_task(services.deliverer.run())
            stack.push_async_callback(_stop_delivering, services.deliverer, delivering)
        yield
    await services.pipeline.settle()


async def _every(seconds: float, step: Callable[[], Awaitable[object]]) -> None:
    told: set[str] = set()
    while True:
        await asyncio.sleep(seconds)
        await _once(step, told)


async def _once(step: Callable[[], Awaitable[object]], told: set[str] | None = None) -> None:
    try:
        await step()
    except Exception as problem:  # noqa: BLE001 - a step that failed once is needed all the same
        _note(step.__qualname__, problem, set() if told is None else told)


def _note(step: str, problem: Exception, told: set[str]) -> None:
    """Log why a step failed, each kind of failure once; the store says itself what is wrong with it."""
    known = isinstance(problem, ConnectorError)
    reason = problem.reason if isinstance(problem, ConnectorError) else type(problem).__qualname__
    if isinstance(problem, StoreError):
        log.debug("background_step_failed", extra={"step": step, "reason": reason})
    elif reason not in told:
        told.add(reason)
        level = logging.WARNING if known else logging.ERROR
        facts = {"step": step, "reason": reason}
        log.log(level, "background_step_failed", extra=facts, exc_info=None if known else problem)


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _stop_delivering(deliverer: Deliverer, task: asyncio.Task[None]) -> None:
    await deliverer.stop()
    await _cancel(task)


def create_app(services: Services) -> Starlette:
    """Make the web application; its lifespan runs the background tasks and closes the services."""
    return _app(services, routes(static_folder()), deliver=services.settings.deliver)


def create_delivery_app(services: Services) -> Starlette:
    """Make the application of a process that only delivers: it tells machines how it is."""
    return _app(services, health_routes(), deliver=True)


class _App(HooksFirst):
    """The web application, its answers complete and in the access log whatever they are."""

    def build_middleware_stack(self) -> ASGIApp:
        """Put our middlewares around Starlette's own, one of which answers what nobody foresaw."""
        services = self.state.services
        https, count = services.settings.is_https, services.metrics.count_answer
        served = Languages(super().build_middleware_stack())
        return AccessLog(SecurityHeaders(served, https=https, count=count))


class _AppUnderPath(_App):
    """The same where PUBLIC_URL has a path."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        serve = UnderPath(super().__call__, self.state.services.settings.public_path)
        await serve(scope, receive, send)


def _app(services: Services, shown: Sequence[BaseRoute], *, deliver: bool) -> Starlette:
    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with at_work(services, deliver=deliver):
            yield
        await services.close()

    kind = _AppUnderPath if services.settings.public_path else _App
    app = kind(routes=shown, lifespan=lifespan, exception_handlers=problems.handlers())
    # A redirect to the address without its last slash would name the host that the request named.
    app.router.redirect_slashes = False
    app.state.services = services
    app.state.openapi = partial(document_of, OPERATIONS, services.settings.public_path)
    app.state.limiter = Limiter(services.clock)
    app.state.seen_ids = SeenIds(services.clock)
    return app
