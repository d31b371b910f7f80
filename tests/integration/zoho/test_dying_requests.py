"""What a killed process had written, and what the network had not taken yet, is not sent after its death."""

import socket
import subprocess
import sys

SIZE = 150_000
"""More than the receiver's buffer takes, and less than the sender's."""

SENDING = """
import asyncio, sys
from connector.zoho.transport import http_client

async def tell(step: str, _: object) -> None:
    if step.endswith("send_request_body.complete"):
        print("written", flush=True)

async def send() -> None:
    async with http_client() as http:
        to, body = f"http://127.0.0.1:{sys.argv[1]}/", bytes(int(sys.argv[2]))
        await http.post(to, content=body, extensions={"trace": tell})

asyncio.run(send())
"""


def test_nothing_is_sent_after_a_kill() -> None:
    """The server reads on only after the SIGKILL: it never gets the whole request."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
        port = server.getsockname()[1]
        command = [sys.executable, "-c", SENDING, str(port), str(SIZE)]
        sender = subprocess.Popen(command, stdout=subprocess.PIPE)  # noqa: S603 - ours
        connection, _ = server.accept()
        with connection:
            assert sender.stdout is not None
            assert sender.stdout.readline() == b"written\n"
            sender.kill()
            sender.communicate()
            assert 0 < _rest(connection) < SIZE


def _rest(connection: socket.socket) -> int:
    """Return how many bytes still come."""
    total = 0
    try:
        while came := len(connection.recv(65_536)):
            total += came
    except ConnectionResetError:
        pass
    return total
