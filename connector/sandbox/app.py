"""The sandbox as one ASGI program."""

from starlette.applications import Starlette
from starlette.middleware import Middleware

from connector.sandbox import accounts, consent, control, desk, oidc, revocation
from connector.sandbox.clock import Clock
from connector.sandbox.config import Config
from connector.sandbox.desk.limits import DeskLimits
from connector.sandbox.middleware import Counting, Weather
from connector.sandbox.presets import default_config
from connector.sandbox.world import World


def create_sandbox(config: Config | None = None, clock: Clock | None = None) -> Starlette:
    """Make a fresh Zoho: Accounts, Desk and the control API; its World is `app.state.world`."""
    world = World(config or default_config("http://127.0.0.1:8900"), clock or Clock())
    world.desk = desk.create_state(world)
    app = Starlette(
        routes=[
            *consent.routes(),
            *accounts.routes(),
            *revocation.routes(),
            *oidc.routes(),
            *control.routes(),
            *desk.routes(world),
        ],
        middleware=[Middleware(kind, world=world) for kind in (Counting, DeskLimits, Weather)],
    )
    app.state.world = world
    return app
