"""Run the Asterisk of the tests, and the telephones that call it."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

HERE = Path(__file__).parent
ROOT = Path(os.environ.get("ASTERISK_ROOT", "/var/tmp/connector-asterisk"))  # noqa: S108 - a folder of root's
ADDRESS = "127.7.0.1"
CARRIER = "127.7.0.2"
AGENTS = {f"{lane}00{n}": f"127.7.{lane - 1}.1{n}" for lane in range(1, 10) for n in range(1, 5)}
"""Where the telephones of agents are: those of the first lane begin with 1."""
FIRST_LANE = "lane=1"
"""How a telephone's program is told its lane."""
SOFTPHONE = "127.7.0.24"
"""The other device of the agent at 1004."""
_CONFIGURED = "/etc/asterisk-connector"
_ASTERISK = ("chroot", str(ROOT), "/usr/sbin/asterisk", "-C", f"{_CONFIGURED}/asterisk.conf")


class Asterisk:
    """One Asterisk in its own root, on loopback; `configure` may add to its copy of the configuration."""

    def __init__(self, configure: Callable[[Path], None] = lambda _configured: None) -> None:
        self._configure = configure
        self._process: subprocess.Popen[bytes] | None = None
        self.master_csv = ROOT / "var/log/asterisk/cdr-csv/Master.csv"
        self.queue_log = ROOT / "var/log/asterisk/queue_log"

    def start(self) -> None:
        """Start it, and come back when it takes calls."""
        configured = ROOT / _CONFIGURED.lstrip("/")
        shutil.rmtree(configured, ignore_errors=True)
        shutil.copytree(HERE / "cfg", configured)
        self._configure(configured)
        for folder in ("run/asterisk", "var/log/asterisk/cdr-csv", "var/spool/asterisk/monitor"):
            (ROOT / folder).mkdir(parents=True, exist_ok=True)
        quiet = subprocess.DEVNULL
        command = (*_ASTERISK, "-f")
        self._process = subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet)  # noqa: S603 - our own
        until = time.monotonic() + 20
        while "fully booted" not in self.command("core waitfullybooted"):
            if time.monotonic() > until:
                raise TimeoutError("Asterisk does not start: see var/log/asterisk/messages in its root")
            time.sleep(0.1)

    def command(self, text: str) -> str:
        """Type a command at Asterisk's own console."""
        done = subprocess.run((*_ASTERISK, "-rx", text), capture_output=True, text=True, check=False)  # noqa: S603
        return done.stdout.lower()

    def stop(self) -> None:
        """End it in good order."""
        if self._process is not None:
            self.command("core stop now")
            self._process.wait(20)
            self._process = None

    def kill(self) -> None:
        """Kill it in the middle of whatever it does."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(20)
            self._process = None


class Phone(msgspec.Struct, frozen=True):
    """One telephone: where it is, and its scenario for sipp, or a program that plays it."""

    address: str
    port: int
    scenario: str
    keys: tuple[tuple[str, str], ...] = ()
    service: str = "s"
    program: tuple[str, ...] = ()
    calls: int = 1
    calls_per_second: int = 10
    after_ms: int = 0


class Phones:
    """Telephones on loopback, each a sipp of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._media_port = 30_000
        self._running: list[tuple[Phone, subprocess.Popen[bytes]]] = []

    def start(self, phones: Sequence[Phone]) -> None:
        """Start telephones; those that wait for calls should be named before those that call."""
        for phone in phones:
            time.sleep(phone.after_ms / 1_000)
            self._running.append((phone, self._start(phone)))

    def wait(self, seconds: float = 40) -> list[str]:
        """Wait until all have done what they do; return what went wrong."""
        until = time.monotonic() + seconds
        wrong = []
        for phone, process in self._running:
            try:
                code = process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                code = process.wait()
            if code:
                wrong.append(f"{phone.address}:{phone.port} ended with {code}")
        self._running.clear()
        return wrong

    def kill(self) -> None:
        """Tear all telephones from the wall."""
        for _, process in self._running:
            process.kill()
            process.wait()
        self._running.clear()

    def _start(self, phone: Phone) -> subprocess.Popen[bytes]:
        self._media_port += 10
        path = self._folder / f"{phone.address}-{phone.port}-{self._media_port}.xml"
        path.write_text(phone.scenario, encoding="utf-8")
        keys = [word for name, value in phone.keys for word in ("-key", name, value)]
        where = ["-i", phone.address, "-p", str(phone.port), "-mi", phone.address]
        many = ["-m", str(phone.calls), "-r", str(phone.calls_per_second)]
        how = ["-nostdin", *many, "-mp", str(self._media_port), "-s", phone.service]
        command = ["/usr/bin/sipp", *where, *how, "-sf", str(path), *keys, f"{ADDRESS}:5060"]
        if phone.program:
            command = [sys.executable, "-m", *phone.program]
        quiet = subprocess.DEVNULL
        here = {**os.environ, "PYTHONPATH": str(HERE.parent.parent)}
        return subprocess.Popen(command, cwd=self._folder, env=here, stdout=quiet, stderr=quiet)  # noqa: S603


def carrier_calls(number: str, line: str, scenario: str, after_ms: int = 0, port: int = 5090) -> Phone:
    """Let somebody outside call one of our lines, so long after the phone before."""
    keys = (("number", number), ("name", "Some One"))
    return Phone(CARRIER, port, scenario, keys, line, after_ms=after_ms)


def carrier_is_called(scenario: str) -> Phone:
    """Let somebody outside be called."""
    return Phone(CARRIER, 5080, scenario)


def agent_calls(agent: str, number: str, scenario: str, after_ms: int = 0) -> Phone:
    """Let an agent dial, so long after the phone before."""
    keys = (("number", agent), ("name", "Agent"))
    return Phone(AGENTS[agent], 5061, scenario, keys, number, after_ms=after_ms)


def agent_is_called(agent: str, scenario: str) -> Phone:
    """Let an agent's telephone ring."""
    return Phone(AGENTS[agent], 5060, scenario)


def agent_consults(agent: str, colleague: str) -> Phone:
    """Let an agent be called, ask a colleague, and join the two."""
    return Phone(AGENTS[agent], 5060, "", program=("tests.asterisk.consulting", agent, colleague))


def agent_clicks(agent: str, number: str, telephone: str = "PJSIP/{agent}") -> Phone:
    """Let an agent's telephone be rung, and then a number."""
    channel = telephone.replace("{agent}", agent)
    return Phone(AGENTS[agent], 5061, "", program=("tests.asterisk.acting", channel, number, FIRST_LANE))
