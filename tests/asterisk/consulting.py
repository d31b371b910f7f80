"""A desk phone that transfers as desk phones do: it asks a colleague in a call of its own, then joins both.

Two dialogs that know of each other are beyond sipp. As `python -m tests.asterisk.consulting own colleague` it
waits for one call, answers it, calls the colleague, and sends REFER with Replaces (RFC 3515, RFC 3891).
"""

import re
import socket
import sys
import time
from itertools import count

from tests.asterisk.pbx import ADDRESS, AGENTS

PBX = (ADDRESS, 5060)
_TAG = re.compile(r"tag=([^;\r\n]+)")


class Telephone:
    """One phone, its two dialogs and as little of SIP as they need."""

    def __init__(self, agent: str) -> None:
        self._host = AGENTS[agent]
        self._agent = agent
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((self._host, 5060))
        self._branches = count(1)

    def answer(self) -> dict[str, str]:
        """Take the first call; return the headers of its INVITE."""
        _, invite = self._receive("INVITE ")
        self._respond("180 Ringing", invite)
        time.sleep(0.4)
        self._respond("200 OK", invite, media=True)
        self._receive("ACK ")
        return invite

    def call(self, number: str) -> dict[str, str]:
        """Call somebody; return the headers of the 200."""
        headers = {"From": f"<sip:{self._agent}@{self._host}>;tag=asks", "To": f"<sip:{number}@{ADDRESS}>"}
        headers |= {"Call-ID": f"asks-{time.time_ns()}", "CSeq": "1 INVITE"}
        self._send(f"INVITE sip:{number}@{ADDRESS} SIP/2.0", headers, media=True)
        _, answer = self._receive("SIP/2.0 200")
        self._send(f"ACK sip:{number}@{ADDRESS} SIP/2.0", headers | {"To": answer["To"], "CSeq": "1 ACK"})
        return answer

    def join(self, invite: dict[str, str], asked: dict[str, str], number: str) -> None:
        """Send the caller of the first call to the other party of the second, and leave."""
        theirs, ours = _tag(asked["To"]), _tag(asked["From"])
        replaces = f"{asked['Call-ID']}%3Bto-tag%3D{theirs}%3Bfrom-tag%3D{ours}"
        self._say("REFER", invite, 2, {"Refer-To": f"<sip:{number}@{ADDRESS}?Replaces={replaces}>"})
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            self._answer_anything()
        self._say("BYE", invite, 3, {})
        self._answer_anything()

    def _say(self, method: str, invite: dict[str, str], sequence: int, more: dict[str, str]) -> None:
        target = invite["Contact"].strip("<>")
        headers = {"From": f"{invite['To']};tag=answers", "To": invite["From"], "Call-ID": invite["Call-ID"]}
        self._send(f"{method} {target} SIP/2.0", headers | {"CSeq": f"{sequence} {method}"} | more)

    def _answer_anything(self) -> None:
        start, headers = self._read(0.3)
        if start and not start.startswith("SIP/2.0"):
            self._respond("200 OK", headers)

    def _respond(self, status: str, request: dict[str, str], *, media: bool = False) -> None:
        tag = "" if "tag=" in request["To"] else ";tag=answers"
        headers = {name: request[name] for name in ("Via", "From", "Call-ID", "CSeq")}
        self._send(f"SIP/2.0 {status}", headers | {"To": request["To"] + tag}, media=media)

    def _send(self, start: str, headers: dict[str, str], *, media: bool = False) -> None:
        via = f"SIP/2.0/UDP {self._host}:5060;branch=z9hG4bK-asks-{next(self._branches)}"
        body = "" if not media else _media(self._host)
        own = {"Via": via, "Max-Forwards": "70", "Contact": f"<sip:{self._agent}@{self._host}:5060>"}
        own |= headers | ({"Content-Type": "application/sdp"} if media else {})
        lines = [start, *(f"{name}: {value}" for name, value in own.items()), f"Content-Length: {len(body)}"]
        self._socket.sendto("\r\n".join([*lines, "", body]).encode(), PBX)

    def _receive(self, wanted: str) -> tuple[str, dict[str, str]]:
        while True:
            start, headers = self._read(20)
            if start.startswith(wanted):
                return start, headers
            if not start:
                raise TimeoutError(f"no {wanted}")

    def _read(self, seconds: float) -> tuple[str, dict[str, str]]:
        self._socket.settimeout(seconds)
        try:
            text = self._socket.recv(65_536).decode()
        except TimeoutError:
            return "", {}
        start, *lines = text.partition("\r\n\r\n")[0].split("\r\n")
        return start, dict(line.split(": ", 1) for line in lines)


def _tag(header: str) -> str:
    found = _TAG.search(header)
    return found[1] if found else ""


def _media(host: str) -> str:
    headers = f"v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
    return headers + "m=audio 31000 RTP/AVP 0\r\n"


def main() -> None:
    """Be called, ask, join."""
    own, colleague = sys.argv[1:]
    phone = Telephone(own)
    invite = phone.answer()
    time.sleep(1)
    asked = phone.call(colleague)
    time.sleep(1)
    phone.join(invite, asked, colleague)


if __name__ == "__main__":
    main()
