"""Count what happens, for Prometheus: by portal and phone system, so many of each, and never by person."""

from collections.abc import Mapping
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from connector.clock import SECOND

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

OF_A_KIND_AT_MOST = 200
"""So many portals, or phone systems, have figures of their own; the rest share one: `OTHERS`."""
OTHERS = "others"

OWN_ANSWERS = frozenset({401, 403, 404, 422, 429})
"""Zoho's answers that are counted by themselves: each has a remedy of its own."""


class PortalFigures(NamedTuple):
    """How a portal stands: its deliveries that are not done, and what Desk told of its credits today."""

    by_state: Mapping[str, int]
    credits_left: int | None
    is_lost: bool


EVENT_RESULTS = ("accepted", "duplicate", "ignored", "rejected")


class Metrics:
    """Every metric of one process, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._build_pipeline()
        self._build_delivery()
        self._build_portals()
        self._build_process()

    def _build_pipeline(self) -> None:
        self.ack_seconds = self._times("connector_ack_seconds", "From a phone system's request to our answer")
        self.pop_seconds = self._times(
            "connector_pop_seconds", "From an event's arrival until the open banners were told"
        )
        events = self._counter("connector_events", "Events by what became of them", "result")
        # Looked up once: a label costs more than its count.
        self._events = [events.labels(result) for result in EVENT_RESULTS]
        self.not_recorded = self._counter(
            "connector_calls_not_recorded",
            "Calls that ended without a record in Desk, by the reason",
            "reason",
        )
        self.look_ups = self._counter(
            "connector_look_ups", "Look-ups for the banner by what came of them", "result"
        )
        self.look_up_seconds = self._times(
            "connector_look_up_seconds", "How long look-ups for the banner took"
        )
        self.orders = self._counter(
            "connector_orders", "What phone systems were told to do, by what came of it", "outcome"
        )
        self.banners = self._gauge("connector_open_banners", "Banners that are open")
        self.silent_phone_systems = self._gauge(
            "connector_silent_phone_systems", "Phone systems unheard for longer than is usual at this hour"
        )

        self._phone_events = self._counter(
            "connector_phone_system_events", "Events that were taken, by phone system", "phone_system"
        )
        self._phone_silent = Gauge(
            "connector_phone_system_silent",
            "Whether a phone system is unheard for longer than is usual at this hour",
            ["phone_system"],
            registry=self.registry,
        )
        self._of_phone: dict[str, Counter] = {}

    def _build_delivery(self) -> None:
        self.deliveries = self._counter("connector_deliveries", "Attempts to deliver by outcome", "outcome")
        self.outbox = Gauge(
            "connector_outbox", "Deliveries that are not done, by state", ["state"], registry=self.registry
        )
        self._portal_outbox = Gauge(
            "connector_portal_outbox",
            "Deliveries that are not done, by portal and state",
            ["portal", "state"],
            registry=self.registry,
        )
        self.looked_at = self._gauge(
            "connector_last_delivery_look_timestamp_seconds",
            "When this process last looked for something to deliver; 0 where it does not deliver",
        )
        self.oldest_seconds = self._gauge(
            "connector_outbox_oldest_seconds", "Age of the oldest record that is not in Desk and not given up"
        )

    def _build_portals(self) -> None:
        self.grants_lost = self._gauge(
            "connector_grants_lost", "Portals that an administrator must link again"
        )
        self.refreshes = self._gauge(
            "connector_token_refreshes_recent",
            "Tokens had from Zoho in the last ten minutes, of the portal with the most; it gives ten",
        )
        self.credits_left = self._gauge(
            "connector_desk_credits_left", "Desk credits left today, of the portal with the fewest"
        )

        self._portal_credits = Gauge(
            "connector_portal_credits_left", "Desk credits left today", ["portal"], registry=self.registry
        )
        self._portal_lost = Gauge(
            "connector_portal_grant_lost",
            "Whether an administrator must link a portal again",
            ["portal"],
            registry=self.registry,
        )
        self._zoho_seconds = Histogram(
            "connector_zoho_seconds",
            "From a request to Zoho until the head of its answer, or until none came",
            ["service"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self._zoho_answers = Counter(
            "connector_zoho_answers",
            "Answers of Zoho by their kind; none where none came",
            ["service", "answer"],
            registry=self.registry,
        )

    def _build_process(self) -> None:
        ProcessCollector(registry=self.registry)
        answers = self._counter("connector_answers", "Our answers by their status", "status")
        self._answers = [answers.labels(f"{hundreds}xx") for hundreds in range(1, 6)]
        self.database_up = self._gauge("connector_database_up", "Whether the database was read and written")
        self.database_seconds = self._gauge(
            "connector_database_seconds", "How long that took: these figures read, and an empty commit"
        )
        self.disk_free_ratio = self._gauge(
            "connector_disk_free_ratio", "Free part of the disk that holds the SQLite database, from 0 to 1"
        )
        self.mails = self._counter("connector_mails", "Mails to administrators by outcome", "outcome")
        self.clock_ahead_seconds = self._gauge(
            "connector_clock_ahead_seconds", "How far this machine's clock is ahead of the database's"
        )

    def _times(self, name: str, what: str) -> Histogram:
        return Histogram(name, what, buckets=SECONDS, registry=self.registry)

    def _counter(self, name: str, what: str, label: str) -> Counter:
        return Counter(name, what, [label], registry=self.registry)

    def _gauge(self, name: str, what: str) -> Gauge:
        return Gauge(name, what, registry=self.registry)

    def count_events(self, *counts: int) -> None:
        """Count what became of a request's events, in the order of `EVENT_RESULTS`."""
        for counter, count in zip(self._events, counts, strict=True):
            if count:
                counter.inc(count)

    def count_phone_system(self, slug: str, events: int) -> None:
        """Count the events that a phone system has sent."""
        counter = self._of_phone.get(slug)
        if counter is None:
            name = slug if len(self._of_phone) < OF_A_KIND_AT_MOST else OTHERS
            counter = self._phone_events.labels(name)
            if name is slug:
                self._of_phone[slug] = counter
        counter.inc(events)

    def show_silent(self, phone_systems: Mapping[str, bool]) -> None:
        """Show which phone systems there are, and whether each is silent."""
        self.silent_phone_systems.set(sum(phone_systems.values()))
        self._phone_silent.clear()
        for slug, is_silent in phone_systems.items():
            self._phone_silent.labels(slug).set(is_silent)

    def show_portals(self, portals: Mapping[int, PortalFigures]) -> None:
        """Show how each portal stands, the first of them by themselves and the others together."""
        for gauge in (self._portal_outbox, self._portal_credits, self._portal_lost):
            gauge.clear()
        for number, (portal_id, figures) in enumerate(sorted(portals.items())):
            portal = str(portal_id) if number < OF_A_KIND_AT_MOST else OTHERS
            for state, count in figures.by_state.items():
                self._portal_outbox.labels(portal, state).inc(count)
            self._portal_lost.labels(portal).inc(figures.is_lost)
            if portal != OTHERS and figures.credits_left is not None:
                self._portal_credits.labels(portal).set(figures.credits_left)

    def count_answer(self, status: int) -> None:
        """Count an answer of ours."""
        self._answers[status // 100 - 1].inc()

    def zoho_answered(self, path: str, seconds: float, status: int | None) -> None:
        """Count an answer of Zoho's to a request for a path; `status` is None where none came."""
        service = "desk" if path.startswith("/api/") else "accounts"
        answer = "none" if status is None else str(status) if status in OWN_ANSWERS else f"{status // 100}xx"
        self._zoho_seconds.labels(service).observe(seconds)
        self._zoho_answers.labels(service, answer).inc()

    def count(self, outcome: str) -> None:
        """Count what one attempt to deliver came to."""
        self.deliveries.labels(outcome).inc()

    def told(self, after_ms: int) -> None:
        """Note how long after an event's arrival the open banners were told of it."""
        self.pop_seconds.observe(after_ms / SECOND)

    def text(self) -> bytes:
        """Write all metrics in Prometheus's text format."""
        return generate_latest(self.registry)
