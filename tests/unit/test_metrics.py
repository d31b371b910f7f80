"""Hold how many series there can be, whatever is counted."""

import math
from pathlib import Path

import pytest

from connector.metrics import OF_A_KIND_AT_MOST, OTHERS, Metrics, PortalFigures
from connector.store.engine import disk_free_ratio


def series(metrics: Metrics, name: str) -> dict[tuple[str, ...], float]:
    """Return the samples of a metric by their labels' values."""
    lines = (line.rpartition(" ") for line in metrics.text().decode().splitlines() if line.startswith(name))
    return {tuple(line.split('"')[1::2]): float(value) for line, _, value in lines}


def test_phone_systems_are_bounded() -> None:
    """Those that are one too many share a series, and no event is lost of sight."""
    metrics = Metrics()
    slugs = [f"pbx-{number}" for number in range(OF_A_KIND_AT_MOST + 5)]
    for _ in range(2):
        for slug in slugs:
            metrics.count_phone_system(slug, 3)
    found = series(metrics, "connector_phone_system_events_total")
    assert len(found) == OF_A_KIND_AT_MOST + 1
    assert (found["pbx-0",], found[OTHERS,]) == (6, 30)


def test_portals_are_bounded_and_go() -> None:
    """Others are summed up; one that is unlinked is shown no longer."""
    metrics = Metrics()
    waiting = PortalFigures({"due": 2, "dead": 1}, 70, is_lost=True)
    metrics.show_portals(dict.fromkeys(range(1, OF_A_KIND_AT_MOST + 4), waiting))
    found = series(metrics, "connector_portal_outbox")
    assert len(found) == 2 * (OF_A_KIND_AT_MOST + 1)
    assert (found["1", "due"], found[OTHERS, "due"]) == (2, 6)
    assert series(metrics, "connector_portal_grant_lost")[OTHERS,] == 3
    metrics.show_portals({2: PortalFigures({"due": 0}, None, is_lost=False)})
    assert series(metrics, "connector_portal_outbox") == {("2", "due"): 0}
    assert series(metrics, "connector_portal_credits_left") == {}


def test_silent_phone_systems_by_name() -> None:
    """Each that there is, silent or not; together in one figure."""
    metrics = Metrics()
    metrics.show_silent({"paris": True, "lyon": False})
    metrics.show_silent({"paris": True})
    assert series(metrics, "connector_phone_system_silent") == {("paris",): 1}
    assert series(metrics, "connector_silent_phone_systems") == {(): 1}


@pytest.mark.parametrize(
    ("path", "status", "labels"),
    [
        ("/api/v1/calls", 200, ("2xx", "desk")),
        ("/api/v1/calls", 429, ("429", "desk")),
        ("/api/v1/calls/1", 418, ("4xx", "desk")),
        ("/oauth/v2/token", 503, ("5xx", "accounts")),
        ("/oauth/v2/keys", None, ("none", "accounts")),
    ],
)
def test_answers_of_zoho_by_kind(path: str, status: int | None, labels: tuple[str, ...]) -> None:
    """Kinds with a remedy of their own, classes for all else, and answers that never came."""
    metrics = Metrics()
    metrics.zoho_answered(path, 0.2, status)
    assert series(metrics, "connector_zoho_answers_total") == {labels: 1}
    assert series(metrics, "connector_zoho_seconds_sum") == {(labels[1],): 0.2}


def test_the_disk_of_the_database(tmp_path: Path) -> None:
    """Only SQLite's is ours to watch."""
    assert 0 < disk_free_ratio(f"sqlite:///{tmp_path}/connector.db") <= 1
    assert math.isnan(disk_free_ratio("postgresql+psycopg://connector@db.example.com/connector"))
    assert math.isnan(disk_free_ratio("sqlite://"))
    assert math.isnan(disk_free_ratio("sqlite:////no/such/folder/connector.db"))
