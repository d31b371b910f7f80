"""Choosing faults, and counting requests."""

from connector.sandbox.faults import Faults, Rule
from connector.sandbox.state import RequestCount, Requests, template_of


def test_rule_strikes_so_many_times() -> None:
    """A counted rule is used up, and only by requests it concerns."""
    faults = Faults(1)
    faults.add(Rule(kind="server_error", method="POST", path_prefix="/api/v1/calls", times=2))
    assert faults.strike("GET", "/api/v1/calls") == []
    assert faults.strike("POST", "/api/v1/contacts") == []
    struck = [len(faults.strike("POST", "/api/v1/calls")) for _ in range(3)]
    assert struck == [1, 1, 0]


def test_rule_without_count_strikes_always() -> None:
    """It goes on until it is cleared."""
    faults = Faults(1)
    faults.add(Rule(kind="drop"))
    assert all(faults.strike("GET", "/api/v1/x") for _ in range(50))
    faults.clear()
    assert faults.strike("GET", "/api/v1/x") == []


def test_latencies_add_up_and_one_fault_ends_it() -> None:
    """Latencies come before the fault; further faults wait for their turn."""
    faults = Faults(1)
    kinds = ("latency", "latency", "reset", "drop")
    faults.add(*(Rule(kind=kind, times=1) for kind in kinds))  # type: ignore[arg-type]
    assert [rule.kind for rule in faults.strike("GET", "/api/")] == ["latency", "latency", "reset"]
    assert [rule.kind for rule in faults.strike("GET", "/api/")] == ["drop"]


def test_rates_repeat_with_their_seed() -> None:
    """The same seed strikes the same requests, about as often as the rate says."""

    def run(seed: int) -> list[bool]:
        faults = Faults(seed)
        faults.set_rates({"server_error": 0.2})
        return [bool(faults.strike("GET", "/api/")) for _ in range(1_000)]

    assert run(7) == run(7) != run(8)
    assert 150 < sum(run(7)) < 250


def test_jitter_stays_within_its_spread() -> None:
    """Latency is mean ± spread, and never negative."""
    faults = Faults(1)
    assert all(100 <= faults.jitter(200, 100) <= 300 for _ in range(100))
    assert all(faults.jitter(0, 100) >= 0 for _ in range(100))


def test_requests_are_counted_by_template() -> None:
    """Ids are left out; what got no answer has status 0."""
    requests = Requests()
    for path, status in (("/api/v1/calls/123", 200), ("/api/v1/calls/456", 200), ("/api/v1/calls", 0)):
        requests.begin("9")
        requests.end("GET", path, status, "9")
    assert requests.listing() == [
        RequestCount(method="GET", path="/api/v1/calls", status=0, count=1),
        RequestCount(method="GET", path="/api/v1/calls/{id}", status=200, count=2),
    ]
    assert requests.count(path="/api/v1/calls/{id}") == requests.count(status=200) == 2
    assert requests.count("GET") == 3
    requests.reset()
    assert requests.count() == 0


def test_concurrency_is_a_peak_per_portal() -> None:
    """Two at once is two, however many come after."""
    requests = Requests()
    requests.begin("9")
    requests.begin("9")
    requests.end("GET", "/api/", 200, "9")
    requests.begin("9")
    requests.begin("8")
    assert requests.max_concurrency == {"9": 2, "8": 1}
    assert requests.in_progress["9"] == 2


def test_templates() -> None:
    """Only whole segments of digits are ids."""
    assert template_of("/api/v1/contacts/12/tickets") == "/api/v1/contacts/{id}/tickets"
    assert template_of("/oauth/v2/token") == "/oauth/v2/token"
