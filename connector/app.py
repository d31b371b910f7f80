"""Put the house together: the only place where the rooms meet."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.routing import BaseRoute
from starlette.templating import Jinja2Templates

from connector import delivery
from connector.accounts import Agents, Flows, Keys, People
from connector.banner.bus import PostgresqlBus
from connector.banner.caller_lookup import Asking
from connector.banner.hub import Alone, Bus, Hub, Message
from connector.banner.links import LinkNews
from connector.banner.publisher import Publisher
from connector.clock import Clock, system_clock
from connector.contacts import Directory
from connector.contacts.hooks import DeskHooks
from connector.contacts.syncing import Syncing
from connector.crypto import Sealer
from connector.errors import ConnectorError, SettingsError, StoreError
from connector.maintenance import Clocks, Pruning, Silence
from connector.metrics import Metrics
from connector.orders import Control
from connector.outbox import Deliverer
from connector.phone_systems import PhoneSystems
from connector.pipeline import Pipeline
from connector.portals import Portals
from connector.recordings import Recordings
from connector.settings import Settings
from connector.store import Store
from connector.store.ingester import EventIngester
from connector.web import problems
from connector.web.cookies import Cookies
from connector.web.headers import SecurityHeaders
from connector.web.journal import Journal
from connector.web.limiter import Limiter
from connector.web.routes import health_routes, routes
from connector.zoho import data_centers
from connector.zoho.oauth import OAuth
from connector.zoho.transport import http_client
from connector.zoho.webhooks import HookTokens

WATCHDOG_SECONDS = 1
SESSIONS_SECONDS = 2
SWEEP_SECONDS = 3_600
PRUNE_SECONDS = 10
SILENCE_SECONDS = 60
SYNC_SECONDS = 3
CLOCKS_SECONDS = 10
LINKS_SECONDS = 2
LOOK_SECONDS = 5
"""Who dies between a commit and its notice is missed for no longer than this."""

log = logging.getLogger(__name__)


class Services:
    """Every service of one process; views reach for them through `web.house`."""

    def __init__(self, settings: Settings, store: Store, clock: Clock = system_clock) -> None:
        self.settings = settings
        self.store = store
        self.clock = clock
        self.metrics = Metrics()
        self.sealer = Sealer(settings.secret_key)
        self.http = http_client()
        self.data_centers = data_centers.with_added(
            [data_centers.parse_row(row) for row in settings.zoho_data_centers]
        )
        if settings.zoho_data_center not in self.data_centers:
            known = ", ".join(self.data_centers)
            raise SettingsError(f"ZOHO_DATA_CENTER is {settings.zoho_data_center!r}; there is {known}.")
        self.oauth = OAuth(self.http, settings.zoho_client_id, settings.client_secret, clock)
        self.pruning = Pruning(store, settings, clock)
        self.silence = Silence(store, clock, self.metrics)
        self.clocks = Clocks(store, clock, self.metrics)
        self._build_accounts()
        self._build_pipeline()

    def _build_accounts(self) -> None:
        self.people = People(self.store, self.clock)
        self.agents = Agents(self.store, self.clock)
        self.keys = Keys(self.store, self.clock)
        self.flows = Flows(self.store, self.sealer, self.clock)
        self.cookies = Cookies(self.sealer, https=self.settings.is_https)
        self.limiter = Limiter(self.clock)
        self.templates = Jinja2Templates(Path(__file__).parent / "web" / "templates")
        self.portals = Portals(
            self.store,
            self.clock,
            self.sealer,
            self.oauth,
            self.http,
            client_id=self.settings.zoho_client_id,
            data_centers=self.data_centers,
            caller_percent=self.settings.lookup_credits_percent,
        )

    def _build_pipeline(self) -> None:
        settings, store, clock = self.settings, self.store, self.clock
        self.bus = _bus(settings, store)
        self.hub = Hub(self.bus)
        self.phone_systems = PhoneSystems(store, self.sealer, clock)
        self.control = Control(store, self.bus, clock, self.metrics)
        self.links = LinkNews(store, self.hub)
        self.publisher = Publisher(store, self.phone_systems, self.hub, clock)
        self.directory = Directory(store, self.portals, settings, clock)
        self.recordings = Recordings(store, self.sealer, clock, self.directory)
        self.syncing = Syncing(store, self.portals, settings, clock)
        self.desk_hooks = DeskHooks(
            store, self.portals, HookTokens(self.http, clock), self.data_centers, clock
        )
        self.pipeline = Pipeline(
            store,
            EventIngester(
                clock,
                record_after_seconds=settings.record_after_seconds,
                silent_after_seconds=settings.silent_after_seconds,
            ),
            self.phone_systems,
            self.publisher,
            Asking(store, self.phone_systems, self.publisher, self.directory, clock, self.metrics),
            clock,
            settings.silent_after_seconds,
            self.metrics,
        )
        self.deliverer = Deliverer(
            store,
            self.portals,
            self.portals.limits,
            delivery.kinds(store, self.directory, settings, clock),
            settings,
            clock,
            on_change=self.pipeline.tell_again,
            on_refusal=delivery.log_refusal,
            counter=self.metrics,
            may_pick=lambda: self.clocks.agree,
        )

    async def end_sessions(self) -> None:
        """End the streams of sessions that are over, and of users who were deactivated."""
        open_ones = self.hub.sessions()
        if open_ones:
            living = await self.people.living(open_ones)
            self.hub.end_sessions(open_ones - living, Message("signed_out", b"{}"))

    def end_streams(self) -> None:
        """Let everybody go who waits for news: the server is stopping."""
        self.hub.close()
        self.recordings.end()
        self.control.close()

    async def close(self) -> None:
        """Let go of the network and the database."""
        await self.bus.close()
        await self.portals.close()
        await self.http.aclose()
        self.store.close()


def _bus(settings: Settings, store: Store) -> Bus:
    if store.engine.dialect.name == "postgresql":
        return PostgresqlBus(store, settings.database_listen_url)
    return Alone()


@asynccontextmanager
async def at_work(services: Services, *, deliver: bool) -> AsyncIterator[None]:
    """Keep the background work going: watchdog, sessions, sweeping, and the delivery where wanted."""
    # Simulated clocks agree with nothing.
    compares = services.clock is system_clock
    if compares:
        await _once(services.clocks.step)
    async with AsyncExitStack() as stack:
        for seconds, step in (
            (WATCHDOG_SECONDS, services.pipeline.close_overdue),
            (SESSIONS_SECONDS, services.end_sessions),
            (LINKS_SECONDS, services.links.step),
            (SWEEP_SECONDS, services.directory.sweep),
            (PRUNE_SECONDS, services.pruning.step),
            (SILENCE_SECONDS, services.silence.step),
            (WATCHDOG_SECONDS, services.control.close_overdue),
            *(((CLOCKS_SECONDS, services.clocks.step),) if compares else ()),
            *(((LOOK_SECONDS, services.pipeline.catch_up),) if services.bus.reaches_others else ()),
        ):
            stack.push_async_callback(_cancel, asyncio.create_task(_every(seconds, step)))
        hearing = asyncio.create_task(
            services.bus.work(services.pipeline.hear, services.pipeline.look, services.control.wake)
        )
        stack.push_async_callback(_cancel, hearing)
        if deliver:
            stack.push_async_callback(services.syncing.close)
            syncing = asyncio.create_task(_every(SYNC_SECONDS, services.syncing.work))
            stack.push_async_callback(_cancel, syncing)
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
    """Make the web application of a house; its lifespan works in the background and closes the house."""
    return _app(services, routes(static_folder()), deliver=services.settings.deliver)


def create_delivery_app(services: Services) -> Starlette:
    """Make the application of a process that only delivers: it tells machines how it is."""
    return _app(services, health_routes(), deliver=True)


def _app(services: Services, shown: Sequence[BaseRoute], *, deliver: bool) -> Starlette:
    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with at_work(services, deliver=deliver):
            yield
        await services.close()

    app = Starlette(routes=shown, lifespan=lifespan, exception_handlers=problems.handlers())
    # A redirect to the address without its last slash would name the host that the request named.
    app.router.redirect_slashes = False
    app.add_middleware(SecurityHeaders, https=services.settings.is_https)
    app.add_middleware(Journal)
    app.state.services = services
    return app


def static_folder() -> Path:
    """Find the pages' assets: inside an installed package, or beside it in a clone."""
    installed = Path(__file__).parent / "static"
    return installed if installed.is_dir() else Path(__file__).parent.parent / "static"
