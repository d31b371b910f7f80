"""The sandbox as one ASGI program."""

from starlette.applications import Starlette
from starlette.middleware import Middleware

from connector.sandbox import authorization, control, desk, oidc, token_endpoint
from connector.sandbox.clock import Clock
from connector.sandbox.config import Config
from connector.sandbox.desk.gateway import ConcurrencyLimit
from connector.sandbox.middleware import FaultInjection, RequestCounting
from connector.sandbox.presets import default_config
from connector.sandbox.state import SandboxState


def create_sandbox(config: Config | None = None, clock: Clock | None = None) -> Starlette:
    """Make a fresh Zoho: Accounts, Desk and the control API; its SandboxState is `app.state.world`."""
    state = SandboxState(config or default_config("http://127.0.0.1:8900"), clock or Clock())
    state.desk = desk.create_state(state)
    app = Starlette(
        routes=[
            *authorization.routes(),
            *token_endpoint.routes(),
            *oidc.routes(),
            *control.routes(),
            *desk.routes(state),
        ],
        middleware=[
            Middleware(kind, state=state) for kind in (RequestCounting, ConcurrencyLimit, FaultInjection)
        ],
    )
    app.state.world = state
    return app
