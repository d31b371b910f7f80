"""Start and stop our own programs, each a process of its own as in real life."""

import asyncio
import os
import signal
import socket
import sys
import time
from asyncio.subprocess import Process
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx2

from connector.errors import CommandError
from connector.private_files import private_file
from connector.zoho.transport import trusted

START_SECONDS = 30
LOOK_AGAIN_SECONDS = 0.05
STOP_SECONDS = 10
"""Longer than it takes anybody who is well."""


PACKAGES = Path(__file__).parents[2]
"""Where the code lies that runs now: what we start runs the same, whatever the current folder holds."""


class Program:
    """A `connector` command; what it writes goes to `log`."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.command = list(command)
        self._environment = dict(environment)
        self._log = log
        self._process: Process | None = None

    async def start(self) -> None:
        """Start it; in a group of its own, so that Ctrl-C reaches us alone and we stop all in order."""
        private_file(self._log)
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-P", "-m", "connector", *self.command,
                env=_with_our_code(self._environment), process_group=0,
                stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    async def ready(self, address: str) -> None:
        """Wait until it answers at an address; CommandError with its last words if it never does."""
        give_up_at = time.monotonic() + START_SECONDS
        async with httpx2.AsyncClient(verify=trusted(), trust_env=False) as http:
            while not await _answers(http, address):
                self.check_runs()
                if time.monotonic() > give_up_at:
                    raise self._did_not_start()
                await asyncio.sleep(LOOK_AGAIN_SECONDS)

    def check_runs(self) -> None:
        """Raise CommandError with its last words if it has ended; what answers then is another program."""
        if self.is_over:
            raise self._did_not_start()

    @property
    def is_over(self) -> bool:
        """Tell whether it has ended."""
        return self._process is None or self._process.returncode is not None

    async def ended(self) -> None:
        """Wait until it ends by itself, which it should not."""
        if self._process is not None:
            await self._process.wait()

    async def stop(self, politely: signal.Signals = signal.SIGTERM) -> bool:
        """End it politely, and if that takes too long, at once; answer whether it went by itself."""
        if self._process is None or self.is_over:
            return True
        self._process.send_signal(politely)
        try:
            await asyncio.wait_for(self._process.wait(), STOP_SECONDS)
        except TimeoutError:
            await self.kill()
            return False
        return True

    async def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None and not self.is_over:
            self._process.kill()
            await self._process.wait()

    def _did_not_start(self) -> CommandError:
        return CommandError(f"`connector {self.command[0]}` did not start. {self._last_words()}")

    def _last_words(self) -> str:
        lines = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1].removeprefix("Error: ") if lines else f"Its log is {self._log}."


def _with_our_code(environment: Mapping[str, str]) -> dict[str, str]:
    paths = [str(PACKAGES), *filter(None, [environment.get("PYTHONPATH")])]
    return {**environment, "PYTHONPATH": os.pathsep.join(paths)}


async def _answers(http: httpx2.AsyncClient, address: str) -> bool:
    try:
        return (await http.get(address)).is_success
    except httpx2.TransportError:
        return False


def free_port() -> int:
    """Return a port of the loopback that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def check_free(port: int, option: str) -> None:
    """Raise CommandError, in one sentence, where somebody listens on a port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as problem:
            raise CommandError(
                f"127.0.0.1:{port} cannot be listened on ({problem.strerror}): "
                f"end the program that holds it, or choose another port with {option}."
            ) from problem
