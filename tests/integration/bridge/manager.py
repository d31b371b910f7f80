"""Stand in for Asterisk's manager interface: log in, list channels, and say what a sample says."""

import re
import socket
import threading
from collections.abc import Mapping

from connector.bridge.ami import Message, Reader

_MOMENTS = re.compile(rb"^Timestamp: (\d+\.\d+)\r?$", re.MULTILINE)


ALLOWED = ("CoreShowChannels", "CoreStatus", "Getvar", "Originate", "Hangup", "BlindTransfer")


class Manager:
    """A manager interface on a loopback port that stays the same; one client at a time.

    `facts` are the fields of its answers, by action; `variables` those of channels, by the channel's name.
    `refused` are actions that it refuses, each with the reason.
    """

    def __init__(self, password: str = "x") -> None:  # noqa: S107 - of a test
        self._password = password
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._client: socket.socket | None = None
        self.listed: list[Mapping[str, str]] = []
        self.is_mute = False
        self.greeting = b"Asterisk Call Manager/11.0.0"
        self.variables: dict[str, str] = {}
        self.refused: dict[str, str] = {}
        self.facts: dict[str, Mapping[str, str]] = {
            "CoreSettings": {"AsteriskVersion": "22.10.1", "CoreCDRenabled": "Yes"},
            "CoreStatus": {"CoreProcessedCalls": "0"},
            "ListCommands": dict.fromkeys(ALLOWED, "(Priv: all)"),
        }
        self.acted: list[Message] = []
        self.has_acted = threading.Condition()
        self.is_heard = threading.Event()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """Return where it listens."""
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    def say(self, data: bytes) -> None:
        """Write to whoever has logged in."""
        assert self.is_heard.wait(10)
        assert self._client is not None
        self._client.sendall(data)

    def hang_up(self) -> None:
        """Close the connection without a word, as Asterisk does."""
        assert self._client is not None
        self.is_heard.clear()
        self._client.shutdown(socket.SHUT_RDWR)

    def stop(self) -> None:
        """Be gone."""
        self._listener.close()
        if self._client is not None:
            self._client.close()

    def _accept(self) -> None:
        while True:
            try:
                self._client, _ = self._listener.accept()
            except OSError:
                return
            with self._client:
                self._serve(self._client)

    def _serve(self, client: socket.socket) -> None:
        client.sendall(self.greeting + b"\r\n")
        reader = Reader(())
        try:
            while data := client.recv(65_536):
                for action in reader.push(data):
                    client.sendall(b"" if self.is_mute else self._answer(action))
                    with self.has_acted:
                        self.has_acted.notify_all()
                    if action["Action"] == "CoreShowChannels":
                        self.is_heard.set()
        except OSError:
            return

    def _answer(self, action: Message) -> bytes:
        same = {"ActionID": action["ActionID"]}
        self.acted.append(action)
        if action["Action"] == "Login" and action["Secret"] != self._password:
            return written({"Response": "Error", **same, "Message": "Authentication failed"})
        if action["Action"] in self.refused:
            return written({"Response": "Error", **same, "Message": self.refused[action["Action"]]})
        facts = self.facts.get(action["Action"], {})
        if action["Action"] == "Getvar":
            facts = {"Variable": action["Variable"], "Value": self.variables.get(action["Channel"], "")}
        answer = written({"Response": "Success", **same, **facts})
        if action["Action"] == "CoreShowChannels":
            channels = b"".join(written({**channel, **same}) for channel in self.listed)
            answer += channels + written({"Event": "CoreShowChannelsComplete", **same})
        return answer


def written(fields: Mapping[str, str]) -> bytes:
    """Write one message."""
    return "".join(f"{name}: {value}\r\n" for name, value in fields.items()).encode() + b"\r\n"


def spoken(sample: bytes) -> list[tuple[float, bytes]]:
    """Return the events of a sample, each with the seconds since the first."""
    blocks = [block + b"\r\n\r\n" for block in sample.split(b"\r\n\r\n") if block.startswith(b"Event: ")]
    told = [(float(found[1]), block) for block in blocks if (found := _MOMENTS.search(block))]
    return [(at - told[0][0], block) for at, block in told]
