"""What the delivery needs of others, and nothing more."""

from typing import Any, Protocol

from connector.contacts.cards import Contact, Found
from connector.zoho import models


class Desk(Protocol):
    """A portal's Desk; every method may raise any ZohoError."""

    async def create_call(self, body: dict[str, Any]) -> models.DeskCall:
        """Write a call record; OutcomeUnknown if it may be there or not."""

    async def get_call(self, call_id: str) -> models.DeskCall:
        """Read a call record."""

    async def patch_call(self, call_id: str, body: dict[str, Any]) -> models.DeskCall:
        """Change a call record."""

    async def newest_calls(self, department_id: str, from_index: int = 0) -> list[models.DeskCall] | None:
        """List a page of a department's calls, the newest first; None where Desk refuses that order."""

    async def list_calls(
        self, department_id: str, from_index: int = 0, limit: int = 100
    ) -> list[models.DeskCall]:
        """List a page of a department's calls, the oldest first."""

    async def search_calls(
        self, created_from: int, created_to: int, text: str | None = None
    ) -> list[models.DeskCall]:
        """Find the calls made between two moments, with a text in them; the index lags behind."""

    async def get_contact(self, contact_id: str) -> models.Contact:
        """Read a contact; RecordNotFound or Forbidden where it is gone or hidden."""

    async def create_contact(self, body: dict[str, Any]) -> models.Contact:
        """Make a contact; OutcomeUnknown if it may be there or not."""

    async def search_contacts_text(
        self, text: str, limit: int = 20, *, live: bool = True
    ) -> list[models.Contact]:
        """Find the contacts whose full name holds a text; the index lags behind."""

    async def agent_by_email(self, email: str) -> models.DeskAgent | None:
        """Find the agent with an e-mail address."""


class Desks(Protocol):
    """Where the Desk of a portal is to be had."""

    async def desk(self, portal_id: int) -> Desk:
        """Return the portal's Desk; GrantLost where it is not linked."""


class ContactLookup(Protocol):
    """Who a number belongs to."""

    async def look_up(self, portal_id: int, e164: str, *, country: str, live: bool) -> Found:
        """Return the contacts that bear a number."""

    async def remember(self, portal_id: int, e164: str, contact: Contact) -> None:
        """Note that a number now belongs to a contact."""

    async def forget(
        self, portal_id: int, *, number: str | None = None, contact_id: str | None = None
    ) -> None:
        """Forget a number, or whatever leads to a contact."""


class Counter(Protocol):
    """Who counts what deliveries come to."""

    def count(self, outcome: str) -> None:
        """Count one: written, updated, unchanged, found, made, waiting, later, unknown, dead or lost."""
