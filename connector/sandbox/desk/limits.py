"""How many requests a portal may have under way at once; this lies outside the latency, as in Desk."""

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from connector.sandbox.desk.door import find_grant
from connector.sandbox.desk.refusals import Refusal
from connector.sandbox.world import World


class DeskLimits:
    """Return TOO_MANY_REQUESTS, without Retry-After, to what exceeds a portal's concurrency.

    It reads the requests under way that `Counting` notes, so it belongs right within that.
    """

    def __init__(self, app: ASGIApp, world: World) -> None:
        self._app = app
        self._world = world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request pass, or refuse it."""
        if scope["type"] == "http" and self._is_too_much(scope):
            refusal = Refusal("TOO_MANY_REQUESTS")
            await JSONResponse(refusal.body(), refusal.status)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _is_too_much(self, scope: Scope) -> bool:
        if not scope["path"].startswith("/api/"):
            return False
        headers = dict(scope["headers"])
        try:
            org_id = find_grant(self._world, headers.get(b"authorization", b"").decode("latin-1")).org_id
        except Refusal:
            return False
        if org_id is None:
            return False
        return self._world.requests.in_progress[org_id] > self._world.config.concurrency(org_id)
