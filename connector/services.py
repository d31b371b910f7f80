"""Build every service of a process: the only place where the rooms meet."""

from typing import cast

from starlette.requests import Request

from connector import delivery
from connector.accounts import Agents, Flows, Keys, Sessions
from connector.banner.bus import Bus, NoBus, PostgresqlBus
from connector.banner.caller_lookup import CallerLookup
from connector.banner.hub import Hub, Message
from connector.banner.portal_status import PortalStatus
from connector.banner.publisher import Publisher
from connector.clock import Clock, system_clock
from connector.contacts import ContactLookup
from connector.contacts.sync import ContactSync
from connector.contacts.webhooks import DeskHooks
from connector.crypto import Encryptor
from connector.follow_up import CallLists, History
from connector.maintenance import ClockSkew, Retention, Silence
from connector.metrics import Metrics
from connector.orders import Orders
from connector.outbox import Deliverer
from connector.phone_systems import Departments, Numbering, Permissions, PhoneSetup, PhoneSystems
from connector.pipeline import Pipeline
from connector.portals import Portals
from connector.recordings import Recordings
from connector.recordings.places import RecordingPlaces
from connector.settings import Settings
from connector.store import Store
from connector.store.ingester import EventIngester
from connector.zoho import data_centers
from connector.zoho.oauth import OAuth
from connector.zoho.transport import http_client
from connector.zoho.webhooks import HookTokens


class Services:
    """Every service of one process, each built once; views reach for them by `services_of`."""

    def __init__(self, settings: Settings, store: Store, clock: Clock = system_clock) -> None:
        self.settings = settings
        self.store = store
        self.clock = clock
        self.metrics = Metrics()
        self.encryptor = Encryptor(settings.secret_key)
        self.http = http_client()
        self.data_centers = data_centers.chosen(settings.zoho_data_centers, settings.zoho_data_center)
        self.oauth = OAuth(self.http, settings.zoho_client_id, settings.client_secret, clock)
        self.pruning = Retention(store, settings, clock)
        self.silence = Silence(store, clock, self.metrics)
        self.clocks = ClockSkew(store, clock, self.metrics)
        self._build_accounts()
        self._build_pipeline()

    def _build_accounts(self) -> None:
        self.sessions = Sessions(self.store, self.clock)
        self.agents = Agents(self.store, self.clock)
        self.keys = Keys(self.store, self.clock)
        self.flows = Flows(self.store, self.encryptor, self.clock)
        self.portals = Portals(
            self.store,
            self.clock,
            self.encryptor,
            self.oauth,
            self.http,
            client_id=self.settings.zoho_client_id,
            data_centers=self.data_centers,
            caller_percent=self.settings.lookup_credits_percent,
        )

    def _build_phone_systems(self) -> None:
        self.phone_systems = PhoneSystems(self.store, self.encryptor, self.clock)
        self.departments = Departments(self.portals.desk, self.clock)
        self.phone_setup = PhoneSetup(
            self.store, self.phone_systems, self.departments, self.settings.public_url
        )
        self.numbering = Numbering(self.store, self.phone_systems, self.departments)
        self.permissions = Permissions(self.store, self.clock, self.phone_systems)

    def _build_pipeline(self) -> None:
        settings, store, clock = self.settings, self.store, self.clock
        self.bus = _bus(settings, store)
        self.hub = Hub()
        self._build_phone_systems()
        self.orders = Orders(store, clock, self.metrics, self.bus.notify_orders)
        self.portal_status = PortalStatus(store, self.hub)
        self.publisher = Publisher(store, self.phone_systems, self.hub, self.bus, clock)
        self.contact_lookup = ContactLookup(store, self.portals, settings, clock)
        self.recordings = Recordings(store, self.encryptor, clock, self.contact_lookup)
        self.recording_places = RecordingPlaces(store, self.phone_systems, self.encryptor)
        self.call_lists = CallLists(store, clock)
        self.history = History(store, clock)
        self.syncing = ContactSync(store, self.portals, settings, clock)
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
            CallerLookup(store, self.contact_lookup, clock, self.metrics),
            clock,
            settings.silent_after_seconds,
            self.metrics,
        )
        self.deliverer = Deliverer(
            store,
            self.portals,
            self.portals.limits,
            delivery.kinds(store, self.contact_lookup, settings, clock),
            settings,
            clock,
            on_change=self.pipeline.republish,
            on_refusal=delivery.log_refusal,
            counter=self.metrics,
            may_pick=lambda: self.clocks.agree,
        )

    async def end_sessions(self) -> None:
        """End the open answers of sessions that are over, and of users who were deactivated."""
        await self.sessions.end_watched()
        open_ones = self.hub.sessions()
        if open_ones:
            living = await self.sessions.living(open_ones)
            self.hub.end_sessions(open_ones - living, Message("signed_out", b"{}"))

    def end_streams(self) -> None:
        """Let everybody go who waits for an answer: the server is stopping."""
        self.hub.close()
        self.recordings.end()
        self.orders.close()

    async def close(self) -> None:
        """Let go of the network and the database."""
        await self.bus.close()
        await self.portals.close()
        await self.http.aclose()
        self.store.close()


def services_of(request: Request) -> Services:
    """Return the services of the application that serves a request."""
    return cast("Services", request.app.state.services)


def _bus(settings: Settings, store: Store) -> Bus:
    if store.engine.dialect.name == "postgresql":
        return PostgresqlBus(store, settings.database_listen_url)
    return NoBus()
