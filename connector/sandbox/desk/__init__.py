"""Zoho Desk as this sandbox has it: its API under /api/v1, pages for people under /desk."""

from starlette.routing import BaseRoute

from connector.sandbox.desk import accounts, calls, comments, contacts, metadata, settings, tickets, webhooks
from connector.sandbox.desk.gateway import routes_of
from connector.sandbox.desk.pages import routes_of_pages
from connector.sandbox.desk.state import DeskState
from connector.sandbox.desk.webhook_sender import routes_of_keys
from connector.sandbox.state import SandboxState

__all__ = ["DeskState", "create_state", "routes"]

OPERATIONS = (
    *settings.OPERATIONS,
    *metadata.OPERATIONS,
    *contacts.OPERATIONS,
    *accounts.OPERATIONS,
    *tickets.OPERATIONS,
    *calls.OPERATIONS,
    *comments.OPERATIONS,
    *webhooks.OPERATIONS,
)


def create_state(state: SandboxState) -> DeskState:
    """Return the portals of the configuration, filled with invented records."""
    return DeskState(state.config, state.clock.now)


def routes(state: SandboxState) -> list[BaseRoute]:
    """List the addresses of the API, of its keys and of the pages."""
    return [*routes_of_pages(state), *routes_of_keys(), *routes_of(state, OPERATIONS)]
