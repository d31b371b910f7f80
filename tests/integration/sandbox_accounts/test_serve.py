"""Starting and stopping."""

import contextlib
import signal
import socket
import subprocess
import sys

import httpx2
import pytest

from connector.sandbox.faults import Rule
from connector.sandbox.middleware import HangUpH11, HangUpHttpTools
from connector.sandbox.presets import demo_config
from connector.sandbox.serve import NotLoopback, RunningSandbox, run
from tests.integration.sandbox_accounts.conftest import NO_TLS

_PROGRAM = """
import sys
from connector.sandbox.presets import demo_config
from connector.sandbox.serve import run
run(demo_config(int(sys.argv[1])), "localhost", int(sys.argv[1]))
"""


@pytest.mark.parametrize("http", [HangUpHttpTools, HangUpH11])
def test_stops_promptly(http: type[HangUpHttpTools | HangUpH11]) -> None:
    """A connection kept open and a late write still to come do not hold up the end."""
    with (
        RunningSandbox(http=http) as sandbox,
        httpx2.Client(base_url=sandbox.origin, verify=NO_TLS) as client,
    ):
        sandbox.state.faults.add(Rule(kind="late", path_prefix="/oauth/", seconds=3600, times=1))
        with pytest.raises(httpx2.TransportError):
            client.get("/oauth/serverinfo")
        client.get("/oauth/serverinfo")
        sandbox.stop()
        with pytest.raises(httpx2.TransportError):
            client.get("/oauth/serverinfo")


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.com", "::", ""])
def test_only_the_loopback(host: str) -> None:
    """The sandbox does not listen where others could reach it."""
    with pytest.raises(NotLoopback, match="loopback"):
        run(demo_config(0), host, 0)


def test_busy_port() -> None:
    """A port that is taken is an OSError."""
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        run(demo_config(0), "127.0.0.1", taken.getsockname()[1])


def test_renewed_sandbox_has_forgotten_all(running: RunningSandbox) -> None:
    """At the same address stands a fresh world with the switches of its own."""
    running.renew(nonce_echoed=True)
    before = running.state
    running.renew()
    assert (before.config.nonce_echoed, running.state.config.nonce_echoed) == (True, False)
    assert running.state is not before


def test_foreground_until_interrupted() -> None:
    """It serves by both names of the loopback, and an interrupt ends it at once."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-c", _PROGRAM, str(port)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:  # noqa: S603 - our own program
        answers = [_get_when_up(process, f"http://{name}:{port}") for name in ("127.0.0.1", "localhost")]
        process.send_signal(signal.SIGINT)
        process.wait(30)
    assert [answer.json()["issuer"] for answer in answers] == [
        f"http://127.0.0.1:{port}",
        f"http://localhost:{port}",
    ]


def _get_when_up(process: subprocess.Popen[bytes], origin: str) -> httpx2.Response:
    """Read a discovery document as soon as the program answers, as long as it lives."""
    while True:
        with contextlib.suppress(httpx2.ConnectError):
            return httpx2.get(f"{origin}/.well-known/openid-configuration", verify=NO_TLS)
        with contextlib.suppress(subprocess.TimeoutExpired):
            raise ChildProcessError(process.wait(0.02))
