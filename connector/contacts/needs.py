"""What keeping an index needs of a portal's Desk, and nothing more."""

from typing import Any, Protocol

from connector.zoho import models
from connector.zoho.operations import Span


class SyncDesk(Protocol):
    """A portal's Desk; every method may raise any ZohoError."""

    async def contacts_since(
        self, by: Span, since: int, until: int, from_index: int = 0
    ) -> models.Matches[models.Contact]:
        """Find 100 contacts made or modified between two moments, the oldest first."""

    async def get_contact(self, contact_id: str, *, live: bool = False) -> models.Contact:
        """Read a contact."""

    async def create_webhook(self, body: dict[str, Any]) -> models.Webhook:
        """Subscribe to what happens in Desk."""

    async def list_webhooks(self) -> list[models.Webhook]:
        """List every subscription."""

    async def delete_webhook(self, webhook_id: str) -> None:
        """End a subscription."""


class SyncDesks(Protocol):
    """Where the Desk of a portal is to be had."""

    async def desk(self, portal_id: int) -> SyncDesk:
        """Return the portal's Desk; GrantLost where it is not linked."""
