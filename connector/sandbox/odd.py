"""Answers of which one member is not as the contract has it, as Zoho's have been seen."""

import json
from typing import Any

from starlette.types import Message, Send

from connector.sandbox.faults import Rule


class Retouched:
    """Hold an answer back until it is whole, and send it with one member changed; pages stay as they are."""

    def __init__(self, send: Send, rule: Rule) -> None:
        self._send = send
        self._rule = rule
        self._start: Message = {}
        self._body = b""

    async def __call__(self, message: Message) -> None:
        """Take one message of the answer."""
        if message["type"] == "http.response.start":
            self._start = message
            return
        self._body += message.get("body", b"")
        if message.get("more_body", False):
            return
        body = self._changed()
        headers = [(name, value) for name, value in self._start["headers"] if name != b"content-length"]
        length = (b"content-length", str(len(body)).encode())
        self._start["headers"] = [*headers, length] if body else headers
        await self._send(self._start)
        await self._send({"type": "http.response.body", "body": body})

    def _changed(self) -> bytes:
        try:
            answer = json.loads(self._body)
        except ValueError:
            return self._body
        listed: Any = answer.get("data") if isinstance(answer, dict) else None
        for record in [answer, *(listed if isinstance(listed, list) else ())]:
            if isinstance(record, dict):
                record[self._rule.member] = self._rule.value
        return json.dumps(answer).encode()
