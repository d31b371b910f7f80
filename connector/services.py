"""Build every service of a process: the only place where the rooms meet."""

from typing import cast

from starlette.requests import Request

from connector import delivery
from connector.accounts import Agents, Flows, Keys, OneTimeLinks, Sessions, SignIn, SignInConnectors
from connector.accounts.desk_people import DeskPeople
from connector.accounts.people_import import PeopleImport
from connector.banner.bus import Bus, NoBus, PostgresqlBus
from connector.banner.caller_lookup import CallerLookup
from connector.banner.caller_search import CallerSearch, needs_accounts
from connector.banner.hub import Hub, Message
from connector.banner.portal_status import PortalStatus
from connector.banner.profile_changes import ProfileChanges
from connector.banner.publisher import Publisher
from connector.cards import Cards, Editing, Making, Reading, Seats, Sources, TicketDesk
from connector.clock import Clock, system_clock
from connector.contacts import AccountLookup, ContactLookup
from connector.contacts.sync import ContactSync
from connector.contacts.webhooks import DeskHooks
from connector.crm import Profiles, ProfileSetup, Rulebook
from connector.crm.desk_fields import DeskFields
from connector.crm.service import Crms
from connector.crypto import Encryptor
from connector.delivery.preview import Preview
from connector.follow_up import CallLists, Deliveries, History
from connector.maintenance import (
    AlertMail,
    ClockSkew,
    InstallationCheck,
    KeyRotation,
    Mailer,
    Retention,
    SettingUp,
    Silence,
)
from connector.metrics import Metrics
from connector.orders import Orders
from connector.outbox import Deliverer
from connector.outbox.live import Live
from connector.phone_systems import Departments, Numbering, Permissions, PhoneSetup, PhoneSystems
from connector.pipeline import Pipeline
from connector.portals import Methods, Portals, SettingsClient
from connector.portals.administration import Administration
from connector.portals.self_client import SelfClients
from connector.recordings import Recordings
from connector.recordings.places import RecordingPlaces
from connector.self_check import SelfCheck
from connector.settings import Settings
from connector.store import Store
from connector.store.ingester import EventIngester
from connector.zoho import data_centers
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
        self.http = http_client(tell=self.metrics.zoho_answered)
        self.data_centers = data_centers.chosen(settings.zoho_data_centers, settings.zoho_data_center)
        self.pruning = Retention(store, settings, clock)
        self.silence = Silence(store, clock, self.metrics)
        self.key_rotation = KeyRotation(store, self.encryptor, clock)
        self.clocks = ClockSkew(store, clock, self.metrics)
        self._build_accounts()
        self._build_pipeline()
        self.mailer = Mailer(settings)
        self.alert_mail = AlertMail(store, self.mailer, self.silence, settings, clock, self.metrics)

    def _build_accounts(self) -> None:
        self.sessions = Sessions(self.store, self.clock)
        self.agents = Agents(self.store, self.clock)
        self.keys = Keys(self.store, self.clock)
        self.links = OneTimeLinks(self.store, self.clock)
        self.flows = Flows(self.store, self.encryptor, self.clock)
        self.methods = Methods(
            self.store,
            self.clock,
            self.encryptor,
            self.http,
            self.data_centers,
            _settings_client(self.settings),
        )
        self.portals = Portals(
            self.store,
            self.clock,
            self.encryptor,
            self.methods,
            self.http,
            data_centers=self.data_centers,
            caller_percent=self.settings.lookup_credits_percent,
        )
        installation = InstallationCheck(self.store, self.settings, self.encryptor, self.clocks)
        self.desk_fields = DeskFields(self.store, self.portals.desk, self.clock)
        self.self_check = SelfCheck(installation, self.portals, self.desk_fields, self.clock)
        self.administration = Administration(
            self.store, self.clock, self.encryptor, self.methods, self.portals, self.data_centers
        )
        self.self_clients = SelfClients(self.store, self.clock, self.http, self.methods, self.portals)
        self.sign_in = SignIn(self.sessions, self.portals.desk, self.clock)
        self.sign_in_connectors = SignInConnectors(self.store, self.clock)
        self.people_import = PeopleImport(self.store, self.clock)
        self.desk_people = DeskPeople(self.store, self.people_import, self.portals.desk)

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
        self.rulebook = Rulebook(store, clock)
        self.crms = Crms(store, self.rulebook, self.desk_fields, clock)
        self.profiles = Profiles(store, clock)
        self.profile_setup = ProfileSetup(store, clock)
        self.publisher = Publisher(
            store, self.phone_systems, self.rulebook, self.profiles, self.hub, self.bus, clock
        )
        self.profile_changes = ProfileChanges(store, self.publisher, self.hub)
        self.contact_lookup = ContactLookup(store, self.portals, settings, clock)
        self.account_lookup = AccountLookup(store, self.portals)
        caller_search = CallerSearch(self.contact_lookup, self.account_lookup)
        self.preview = Preview(store, self.contact_lookup, caller_search, settings, clock)
        self.recordings = Recordings(store, self.encryptor, clock, self.contact_lookup, self.profiles)
        self.recording_places = RecordingPlaces(store, self.phone_systems, self.encryptor)
        self.call_lists = CallLists(store, clock)
        self.history = History(store, clock)
        self.syncing = ContactSync(store, self.portals, settings, clock, needs_accounts)
        self.desk_hooks = DeskHooks(
            store, self.portals, HookTokens(self.http, clock), self.data_centers, clock, needs_accounts
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
            CallerLookup(store, self.contact_lookup, self.account_lookup, clock, self.metrics),
            clock,
            settings.silent_after_seconds,
            self.metrics,
        )
        self._build_delivery()
        self._build_cards()

    def _build_delivery(self) -> None:
        settings, store, clock = self.settings, self.store, self.clock
        self.setting_up = SettingUp(
            store,
            clock,
            self.pipeline.take,
            has_client=self._has_client,
            obstacles=self.portals.obstacles,
        )
        self.deliverer = Deliverer(
            store,
            self.portals,
            self.portals.limits,
            delivery.kinds(store, self.contact_lookup, settings, clock, self.rulebook),
            settings,
            clock,
            on_change=self.pipeline.republish,
            on_refusal=delivery.log_refusal,
            counter=self.metrics,
            may_pick=self._may_deliver,
        )
        self.deliveries = Deliveries(store, clock, self.pipeline.republish, self.deliverer.wake)

    def _build_cards(self) -> None:
        store, settings, clock = self.store, self.settings, self.clock
        live = Live(store, self.portals, self.portals.limits, settings, clock, counter=self.metrics)
        seats = Seats(store, self.publisher, self.profiles, self.portals, clock)
        self.cards = Cards(
            seats,
            Reading(store, Sources(store, self.portals, settings, clock), self.desk_fields, clock),
            Editing(store, self.portals, settings, clock),
            Making(store, self.portals, self.contact_lookup, live, clock),
            TicketDesk(store, self.portals, live, clock),
            choose=self.pipeline.choose,
            on_change=self.pipeline.republish,
        )

    async def _has_client(self) -> bool:
        return any(method.enabled for method in await self.methods.list())

    def _may_deliver(self) -> bool:
        """Tell whether this process may deliver, and note that it has looked."""
        if self.clocks.agree:
            self.metrics.looked_at.set_to_current_time()
        return self.clocks.agree

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


def _settings_client(settings: Settings) -> SettingsClient | None:
    """Return the client that the settings name, if they do."""
    if not settings.zoho_client_id:
        return None
    wanted = {
        "webhooks": settings.desk_webhooks,
        "fields": settings.desk_fields,
        "cards": settings.desk_cards,
        "tickets": settings.desk_tickets,
    }
    features = tuple(name for name, is_on in wanted.items() if is_on)
    return SettingsClient(
        settings.zoho_client_id, settings.zoho_data_center, settings.client_secret, features
    )


def _bus(settings: Settings, store: Store) -> Bus:
    if store.engine.dialect.name == "postgresql":
        return PostgresqlBus(store, settings.database_listen_url)
    return NoBus()
