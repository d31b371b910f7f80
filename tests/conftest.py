"""Hold for every test: the network is closed but for loopback, chance is fixed in CI, asyncio is the loop."""

import ipaddress
import os
import shutil
import sys

import pytest
from hypothesis import HealthCheck, settings

CHROMIUM = shutil.which("chromium")

# In CI a test that fails must fail again at the next try, so nothing there is left to chance.
settings.register_profile("here", deadline=None, print_blob=True)
settings.register_profile(
    "ci",
    settings.get_profile("here"),
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("ci" if os.environ.get("CI") else "here")


class NetworkClosed(Exception):
    """A test wanted to leave this machine.

    No OSError, so that no code under test takes it for an outage.
    """


def _is_loopback(host: object) -> bool:
    if host in (None, "", b"", "localhost", b"localhost"):
        return True
    text = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text.endswith(".localhost")
    return address.is_loopback or address.is_unspecified


def _watch_network(event: str, args: tuple[object, ...]) -> None:
    if event == "socket.getaddrinfo":
        host = args[0]
    elif event in ("socket.connect", "socket.sendto") and isinstance(args[1], tuple):
        host = args[1][0]
    else:
        return
    if not _is_loopback(host):
        raise NetworkClosed(f"{event} to {host!r}: tests talk to loopback only")


# An audit hook hears of every socket, whichever library opens it, and no test can take it off again.
sys.addaudithook(_watch_network)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run every asynchronous test on asyncio, the loop that the connector runs on."""
    return "asyncio"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what needs Chromium where there is none; the summary says so."""
    if CHROMIUM is None:
        for item in items:
            if item.get_closest_marker("browser"):
                item.add_marker(pytest.mark.skip(reason="Chromium is missing: apt-get install chromium"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many tests were not run for want of Chromium."""
    skipped = terminalreporter.getreports("skipped")
    unseen = [report for report in skipped if "Chromium is missing" in str(report.longrepr)]
    if unseen:
        terminalreporter.write_line(
            f"NOT RUN: {len(unseen)} tests with a browser; Chromium is missing", red=True, bold=True
        )
