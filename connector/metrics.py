"""Count what happens, for Prometheus; no label per portal or person."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from connector.clock import SECOND

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

EVENT_RESULTS = ("accepted", "duplicate", "ignored", "rejected")


class Metrics:
    """Every metric of one process, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._build_pipeline()
        self._build_delivery()
        self._build_portals()

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
        self.orders = self._counter(
            "connector_orders", "What phone systems were told to do, by what came of it", "outcome"
        )
        self.banners = self._gauge("connector_open_banners", "Banners that are open")
        self.silent_phone_systems = self._gauge(
            "connector_silent_phone_systems", "Phone systems unheard for longer than is usual at this hour"
        )

    def _build_delivery(self) -> None:
        self.deliveries = self._counter("connector_deliveries", "Attempts to deliver by outcome", "outcome")
        self.outbox = Gauge(
            "connector_outbox", "Deliveries that are not done, by state", ["state"], registry=self.registry
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

    def count(self, outcome: str) -> None:
        """Count what one attempt to deliver came to."""
        self.deliveries.labels(outcome).inc()

    def told(self, after_ms: int) -> None:
        """Note how long after an event's arrival the open banners were told of it."""
        self.pop_seconds.observe(after_ms / SECOND)

    def text(self) -> bytes:
        """Write all metrics in Prometheus's text format."""
        return generate_latest(self.registry)
