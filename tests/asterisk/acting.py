"""Have Asterisk ring an agent and then call a number, as the bridge does."""

import secrets
import socket
import sys

from connector.bridge.ami import Reader, encode
from tests.asterisk.pbx import ADDRESS

SECRET = "a-secret-of-the-tests"
"""Of tests/asterisk/cfg/manager.conf."""
OWN_LINE = "+442079460177"


def click(channel: str, number: str, lane: str) -> None:
    """Click a number for the agent at a channel; comes back when Asterisk has taken the action."""
    lane = lane.removeprefix("lane=")
    own = "" if lane == "1" else lane
    with socket.create_connection((ADDRESS, 5038)) as manager:
        manager.sendall(encode("Login", "1", {"Username": "connector", "Secret": SECRET}))
        fields = {
            "Channel": channel,
            "ChannelId": f"connector-c{secrets.token_hex(8)}",
            "Context": "from-agents",
            "Exten": number,
            "Priority": "1",
            "Timeout": "6000",
            "Async": "true",
            "Variable": [
                f"CALLERID(num)={OWN_LINE}",
                f"CONNECTEDLINE(num)={number}",
                f"__LANE={lane}",
                f"__TRUNK=carrier{own}",
            ],
        }
        manager.sendall(encode("Originate", "2", fields))
        reader = Reader(())
        answers: list[str] = []
        while "2" not in answers:
            answers += [one.get("ActionID", "") for one in reader.push(manager.recv(65_536))]


if __name__ == "__main__":
    click(*sys.argv[1:4])
