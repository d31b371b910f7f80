"""Faults as a client meets them, under both of uvicorn's HTTP parsers."""

import asyncio
import time
from collections.abc import Iterator

import httpx2
import pytest

from connector.sandbox.faults import FaultKind, Rule
from connector.sandbox.middleware import HangUpH11, HangUpHttpTools
from connector.sandbox.serve import RunningSandbox, create_sandbox
from connector.sandbox.tokens import Grant
from tests.integration.sandbox_accounts.conftest import ADA, NO_TLS


@pytest.fixture(scope="module", params=[HangUpHttpTools, HangUpH11])
def running(request: pytest.FixtureRequest) -> Iterator[RunningSandbox]:
    """Run a sandbox with each parser."""
    with RunningSandbox(http=request.param) as running:
        yield running


@pytest.fixture
def client(sandbox: RunningSandbox) -> Iterator[httpx2.Client]:
    """Have a client that keeps its connections."""
    with httpx2.Client(base_url=sandbox.origin, verify=NO_TLS) as client:
        yield client


def strike(sandbox: RunningSandbox, kind: FaultKind, **more: float | None) -> None:
    """Let a fault befall the next revocation, which stands for any write."""
    path = "/_nothing" if kind == "latency" else "/oauth/v2/token/revoke"
    sandbox.state.faults.add(Rule(kind=kind, path_prefix=path, times=1, **more))  # type: ignore[arg-type]


def granted_token(sandbox: RunningSandbox) -> str:
    """Give out a token that a write can take away."""
    grant = Grant(client_id="1000.A", zuid=ADA, location="us", scopes=frozenset(), scope_text="")
    return sandbox.state.tokens.add_access_token(grant).token


def write(client: httpx2.Client, token: str) -> httpx2.Response:
    """Take a token away, in a body."""
    return client.post("/oauth/v2/token/revoke", data={"token": token})


def test_drop_applies_and_gives_no_answer(sandbox: RunningSandbox, client: httpx2.Client) -> None:
    """The connection ends without an answer, and the write stands."""
    token = granted_token(sandbox)
    strike(sandbox, "drop")
    with pytest.raises(httpx2.RemoteProtocolError):
        write(client, token)
    assert sandbox.state.tokens.resolve(token) is None
    assert write(client, token).status_code == 400


def test_reset_applies_nothing(sandbox: RunningSandbox, client: httpx2.Client) -> None:
    """The connection is reset and nothing was done."""
    token = granted_token(sandbox)
    strike(sandbox, "reset")
    with pytest.raises(httpx2.ReadError):
        write(client, token)
    assert sandbox.state.tokens.resolve(token) is not None
    assert write(client, token).status_code == 200


def test_late_applies_when_its_time_has_come(sandbox: RunningSandbox, client: httpx2.Client) -> None:
    """The connection ends at once, the write comes so many seconds later by the sandbox's clock."""
    token, world = granted_token(sandbox), sandbox.state
    strike(sandbox, "late", seconds=30)
    with pytest.raises(httpx2.RemoteProtocolError):
        write(client, token)
    world.clock.advance(29)
    client.get("/oauth/serverinfo")
    assert world.tokens.resolve(token) is not None
    assert len(world.late) == 1
    world.clock.advance(1)
    while world.late:
        client.get("/oauth/serverinfo")
    assert world.tokens.resolve(token) is None


def test_unanswered_requests_are_counted(sandbox: RunningSandbox, client: httpx2.Client) -> None:
    """What got no answer has status 0, once."""
    for kind in ("drop", "reset", "late"):
        strike(sandbox, kind, seconds=1)
        with pytest.raises(httpx2.TransportError):
            write(client, granted_token(sandbox))
    assert sandbox.state.requests.count("POST", "/oauth/v2/token/revoke", 0) == 3
    assert sandbox.state.requests.count() == 3


def api(sandbox: RunningSandbox, client: httpx2.Client, rule: Rule) -> httpx2.Response:
    """Ask Desk for something while a fault waits."""
    sandbox.state.faults.add(rule)
    return client.get("/api/v1/organizations", headers={"orgId": "7"})


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("server_error", 500, "INTERNAL_SERVER_ERROR"),
        ("unauthorized", 401, "INVALID_OAUTH"),
        ("too_many_requests", 429, "TOO_MANY_REQUESTS"),
        ("threshold", 429, "THRESHOLD_EXCEEDED"),
    ],
)
def test_answers_of_desk(
    sandbox: RunningSandbox, client: httpx2.Client, kind: FaultKind, status: int, code: str
) -> None:
    """Under /api/ faults speak Desk's language; only the daily limit says how long to wait."""
    answer = api(sandbox, client, Rule(kind=kind, times=1))
    assert (answer.status_code, answer.json()["errorCode"]) == (status, code)
    assert answer.headers.get("retry-after") == ("3600" if kind == "threshold" else None)


def test_variants_of_answers(sandbox: RunningSandbox, client: httpx2.Client) -> None:
    """Status, waiting time and HTML can be chosen."""
    assert api(sandbox, client, Rule(kind="server_error", times=1, status=502)).status_code == 502
    html = api(sandbox, client, Rule(kind="html", times=1))
    assert (html.status_code, html.headers["content-type"]) == (503, "text/html; charset=utf-8")
    assert api(sandbox, client, Rule(kind="threshold", times=1, seconds=7)).headers["retry-after"] == "7"
    sandbox.state.config.threshold_retry_after = False
    assert "retry-after" not in api(sandbox, client, Rule(kind="threshold", times=1)).headers
    sandbox.state.config.desk_401_html = True
    page = api(sandbox, client, Rule(kind="unauthorized", times=1))
    assert page.status_code == 401
    assert "Zoho Desk - Error" in page.text


@pytest.mark.parametrize(
    ("kind", "status", "text"),
    [
        ("server_error", 500, "An error occurred"),
        ("unauthorized", 200, '{"error":"invalid_client"}'),
        ("too_many_requests", 200, '"error":"Access Denied"'),
        ("threshold", 200, '"error":"Access Denied"'),
    ],
)
def test_answers_of_accounts(
    sandbox: RunningSandbox, client: httpx2.Client, kind: FaultKind, status: int, text: str
) -> None:
    """Elsewhere they speak that of Accounts."""
    strike(sandbox, kind)
    answer = write(client, granted_token(sandbox))
    assert answer.status_code == status
    assert text in answer.text


def test_latency(sandbox: RunningSandbox, client: httpx2.Client) -> None:
    """Desk takes as long as configured and Accounts does not; a rule may make either wait longer."""
    sandbox.state.config.latency_ms, sandbox.state.config.latency_jitter_ms = 60, 10

    def took(path: str) -> float:
        started = time.perf_counter()
        client.get(path)
        return time.perf_counter() - started

    assert min(took("/oauth/serverinfo") for _ in range(5)) < 0.05 <= took("/api/v1/organizations")
    sandbox.state.faults.add(Rule(kind="latency", path_prefix="/oauth/", seconds=0.06, times=1))
    assert took("/oauth/serverinfo") >= 0.06


@pytest.mark.anyio
async def test_concurrency_is_recorded(sandbox: RunningSandbox) -> None:
    """The most requests that a portal had under way at once, latency included."""
    sandbox.state.config.latency_ms = 100
    async with httpx2.AsyncClient(base_url=sandbox.origin, verify=NO_TLS) as client:
        requests = [client.get("/api/v1/organizations", headers={"orgId": "7"}) for _ in range(4)]
        await asyncio.gather(*requests)
        counted = (await client.get("/_sandbox/requests")).json()["max_concurrency"]
    assert counted == {"7": 4}
    assert sandbox.state.requests.in_progress["7"] == 0


@pytest.mark.anyio
async def test_without_a_connection_a_drop_is_an_error() -> None:
    """A transport that calls the program directly sees ConnectionResetError."""
    app = create_sandbox()
    app.state.sandbox.faults.add(Rule(kind="reset", path_prefix="/oauth/"))
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://sandbox.test") as client:
        with pytest.raises(ConnectionResetError):
            await client.get("/oauth/serverinfo")


@pytest.fixture
def anyio_backend() -> str:
    """Run on asyncio."""
    return "asyncio"
