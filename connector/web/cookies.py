"""Write and read the cookies: which session this is, and which flows this browser has begun."""

import hashlib

from itsdangerous import BadSignature, Signer
from starlette.requests import Request
from starlette.responses import Response

from connector.accounts import SESSION_SECONDS
from connector.accounts.flows import FLOW_SECONDS
from connector.crypto import Sealer, digest

SESSION = "connector-session"
FLOW = "connector-flow-"
FLOWS_AT_MOST = 20
"""Begun and never finished, flows would fill the browser's request headers."""


class Cookies:
    """Signed cookies: `__Host-`, Secure, HttpOnly, SameSite=Lax.

    On plain http, which settings allow on this machine only, they go without prefix and Secure.
    A flow has a cookie of its own, so that two tabs signing in at once never overwrite each other's.
    """

    def __init__(self, sealer: Sealer, *, https: bool) -> None:
        self._https = https
        self._prefix = "__Host-" if https else ""
        # Itsdangerous wants the oldest first and signs with the last.
        self._keys = list(reversed(sealer.signing_keys))

    def session(self, request: Request) -> str | None:
        """Return the session id that a request brings."""
        return self._read(request, SESSION)

    def set_session(self, response: Response, session_id: str) -> None:
        """Let the browser keep a session id, as long as the session can last."""
        self._write(response, SESSION, session_id, SESSION_SECONDS)

    def drop_session(self, response: Response) -> None:
        """Let the browser forget its session."""
        self._write(response, SESSION, "", 0)

    def flow(self, request: Request, state: str) -> str | None:
        """Return the browser's secret of the flow with this state."""
        return self._read(request, _flow_name(state))

    def set_flow(self, request: Request, response: Response, state: str, browser: str) -> None:
        """Let the browser keep a flow's secret; where there are too many, the others are abandoned ones."""
        begun = [name for name in request.cookies if name.startswith(self._prefix + FLOW)]
        if len(begun) >= FLOWS_AT_MOST:
            for name in begun:
                self._write(response, name.removeprefix(self._prefix), "", 0)
        self._write(response, _flow_name(state), browser, FLOW_SECONDS)

    def drop_flow(self, response: Response, state: str) -> None:
        """Let the browser forget a flow that is over."""
        self._write(response, _flow_name(state), "", 0)

    def _read(self, request: Request, name: str) -> str | None:
        value = request.cookies.get(self._prefix + name)
        if not value:
            return None
        try:
            return self._signer(name).unsign(value).decode()
        except (BadSignature, UnicodeError):
            return None

    def _write(self, response: Response, name: str, value: str, max_age: int) -> None:
        response.set_cookie(
            self._prefix + name,
            self._signer(name).sign(value).decode() if value else "",
            max_age=max_age,
            path="/",
            secure=self._https,
            httponly=True,
            samesite="lax",
        )

    def _signer(self, name: str) -> Signer:
        return Signer(self._keys, salt=name, key_derivation="hmac", digest_method=hashlib.sha256)


def _flow_name(state: str) -> str:
    return FLOW + digest(state)[:16]
