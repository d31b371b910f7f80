"""Zoho Desk as this sandbox has it: its API under /api/v1, pages for people under /desk."""

from starlette.routing import BaseRoute

from connector.sandbox.desk import accounts, calls, comments, contacts, settings, tickets, webhooks
from connector.sandbox.desk.courier import routes_of_keys
from connector.sandbox.desk.door import routes_of
from connector.sandbox.desk.pages import routes_of_pages
from connector.sandbox.desk.state import DeskState
from connector.sandbox.world import World

__all__ = ["DeskState", "create_state", "routes"]

OPERATIONS = (
    *settings.OPERATIONS,
    *contacts.OPERATIONS,
    *accounts.OPERATIONS,
    *tickets.OPERATIONS,
    *calls.OPERATIONS,
    *comments.OPERATIONS,
    *webhooks.OPERATIONS,
)


def create_state(world: World) -> DeskState:
    """Make the portals of a world's configuration, filled with invented records."""
    return DeskState(world.config, world.clock.now)


def routes(world: World) -> list[BaseRoute]:
    """List the addresses of the API, of its keys and of the pages."""
    return [*routes_of_pages(world), *routes_of_keys(), *routes_of(world, OPERATIONS)]
