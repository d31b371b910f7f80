"""Count what happens, for Prometheus; no label per portal or person."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """Every metric of one process, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.ack_seconds = Histogram(
            "connector_ack_seconds",
            "From a phone system's request to our answer",
            buckets=SECONDS,
            registry=self.registry,
        )
        self.events = Counter(
            "connector_events", "Events by what became of them", ["result"], registry=self.registry
        )
        self.look_ups = Counter(
            "connector_look_ups", "Look-ups for the banner by what came of them", ["result"],
            registry=self.registry,
        )  # fmt: skip
        self.deliveries = Counter(
            "connector_deliveries", "Attempts to deliver by outcome", ["outcome"], registry=self.registry
        )
        self.outbox = Gauge(
            "connector_outbox", "Rows of the outbox by state", ["state"], registry=self.registry
        )
        self.oldest_due_seconds = Gauge(
            "connector_outbox_oldest_seconds", "How long the oldest delivery has been due",
            registry=self.registry,
        )  # fmt: skip
        self.banners = Gauge("connector_open_banners", "Banners that are open", registry=self.registry)

    def count(self, outcome: str) -> None:
        """Count what one attempt to deliver came to."""
        self.deliveries.labels(outcome).inc()

    def text(self) -> bytes:
        """Write all metrics in Prometheus's text format."""
        return generate_latest(self.registry)
