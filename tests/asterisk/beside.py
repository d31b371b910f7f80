"""Run the bridge as a process of its own, as systemd would."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx2

from tests.asterisk.pbx import ADDRESS, ROOT

SECRET = "a-secret-of-the-tests"
"""Of tests/asterisk/cfg/manager.conf."""
RECORDINGS = "https://pbx.example.com/recordings"


class BridgeProcess:
    """A bridge beside the Asterisk of the tests."""

    def __init__(
        self, folder: Path, address: str, secret: str, health_port: int = 19_180, context: str = ""
    ) -> None:
        self.log = folder / "bridge.log"
        self.health = f"http://127.0.0.1:{health_port}/health"
        self._process: subprocess.Popen[bytes] | None = None
        logs = ROOT / "var/log/asterisk"
        self._environment = os.environ | {
            "BRIDGE_ADDRESS": address,
            "BRIDGE_SECRET": secret,
            "BRIDGE_AMI": f"{ADDRESS}:5038",
            "BRIDGE_AMI_SECRET": SECRET,
            "BRIDGE_SPOOL": str(folder / "spool.db"),
            "BRIDGE_TRUNKS": "PJSIP/carrier*",
            "BRIDGE_RECORDINGS_URL": RECORDINGS,
            "BRIDGE_MASTER_CSV": str(logs / "cdr-csv/Master.csv"),
            "BRIDGE_QUEUE_LOG": str(logs / "queue_log"),
            "BRIDGE_FILES_AFTER_SECONDS": "3",
            "BRIDGE_CONTEXT": context,
            "BRIDGE_RING_SECONDS": "6",
            "BRIDGE_LISTEN": f"127.0.0.1:{health_port}",
        }

    def start(self, **changed: str) -> None:
        """Start it, with settings changed where wished; it connects by itself."""
        environment = self._environment | {f"BRIDGE_{name.upper()}": text for name, text in changed.items()}
        command = [sys.executable, "-m", "connector", "bridge", "asterisk"]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, env=environment, stderr=log)  # noqa: S603 - our own

    def wait_until_connected(self) -> None:
        """Come back when it hears Asterisk."""
        self._wait_for('"asterisk":"connected"')

    def wait_until_fetching(self) -> None:
        """Come back when the connector has let it ask for orders."""
        self._wait_for('"orders":"carried out"')

    def wait_for_setup(self, words: str) -> dict[str, Any]:
        """Come back when it says that something with these words is missing; return all it says."""
        self._wait_for(words)
        shown: dict[str, Any] = httpx2.get(self.health).json()
        return shown

    def not_told(self, reason: str) -> float:
        """Return how many calls it has not reported, for this reason."""
        page = httpx2.get(self.health.replace("/health", "/metrics")).text
        found = re.search(rf'connector_bridge_calls_not_told_total{{reason="{reason}"}} (\S+)', page)
        return float(found[1]) if found else 0.0

    def _wait_for(self, words: str) -> None:
        until = time.monotonic() + 40
        while not self._says(words):
            if time.monotonic() > until:
                raise TimeoutError(self.log.read_text(encoding="utf-8"))
            time.sleep(0.1)

    def _says(self, words: str) -> bool:
        try:
            return words in httpx2.get(self.health).text
        except httpx2.HTTPError:
            return False

    def kill(self) -> None:
        """Kill it in the middle of whatever it does."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """Stop it in good order; return its exit code."""
        return self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> int:
        if self._process is None:
            return 0
        self._process.send_signal(how)
        code = self._process.wait(10)
        self._process = None
        return code
