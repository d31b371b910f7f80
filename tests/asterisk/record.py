"""Record what the bridge reads while calls are played: `python -m tests.asterisk.record [name...]`.

Writes tests/samples/asterisk/<name>.ami, byte for byte. Needs what tests/asterisk/install installs.
"""

import socket
import sys
import tempfile
import threading
import time
from pathlib import Path

from connector.bridge.ami import encode
from tests.asterisk.calls import PLAYED
from tests.asterisk.pbx import ADDRESS, Asterisk, Phones

SAMPLES = Path(__file__).parent.parent / "samples" / "asterisk"
UNFILTERED = "unfiltered"
"""The call `busy` once more, with everything that Asterisk has to say of it."""
SECRET = "a-secret-of-the-tests"
"""Of tests/asterisk/cfg/manager.conf."""


def record(name: str, folder: Path, user: str = "connector") -> bytes:
    """Play one call and answer what the manager interface wrote meanwhile."""
    heard: list[bytes] = []
    with socket.create_connection((ADDRESS, 5038)) as manager:
        manager.sendall(encode("Login", "1", {"Username": user, "Secret": SECRET}))
        listener = threading.Thread(target=lambda: heard.extend(iter(lambda: manager.recv(65_536), b"")))
        listener.start()
        phones = Phones(folder)
        phones.start(PLAYED[name]())
        wrong = phones.wait()
        time.sleep(1)
        manager.shutdown(socket.SHUT_RDWR)
        listener.join()
    sys.stdout.write(f"{name}: {sum(map(len, heard))} bytes {'; '.join(wrong)}\n")
    return b"".join(heard)


def main() -> None:
    """Record the calls named, or all."""
    SAMPLES.mkdir(parents=True, exist_ok=True)
    asterisk = Asterisk()
    asterisk.start()
    try:
        for name in sys.argv[1:] or (*PLAYED, UNFILTERED):
            with tempfile.TemporaryDirectory() as folder:
                played, user = ("busy", "recorder") if name == UNFILTERED else (name, "connector")
                (SAMPLES / f"{name}.ami").write_bytes(record(played, Path(folder), user))
    finally:
        asterisk.stop()


if __name__ == "__main__":
    main()
