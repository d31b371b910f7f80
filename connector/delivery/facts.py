"""Read what templates and conditions name of a call's contact, account and ticket, and nothing else."""

from collections.abc import Mapping

import msgspec
from sqlalchemy import Connection, select

from connector.crm import Rules
from connector.delivery.values import NOTHING, Facts, records_named
from connector.errors import ZohoRefused
from connector.store import Store
from connector.store.tables import calls
from connector.zoho.client import Desk
from connector.zoho.operations import RecordModule

ACCOUNT_OF_CONTACT = ("id", "accountName")
"""What a contact tells of its account."""


class MatchedAccount(msgspec.Struct, frozen=True, kw_only=True):
    """An account that the look-up of a call found by the caller's number."""

    id: str
    name: str


class _LookedUp(msgspec.Struct, frozen=True, kw_only=True):
    accounts: tuple[MatchedAccount, ...] = ()


_looked_up = msgspec.json.Decoder(_LookedUp).decode


def matched_account(connection: Connection, call_id: int | None) -> MatchedAccount | None:
    """Return the account that was found for a call, None where there was none or several."""
    found = connection.execute(select(calls.c.found).where(calls.c.id == call_id)).scalar()
    accounts = _looked_up(found).accounts if found else ()
    return accounts[0] if len(accounts) == 1 else None


class FactsReader:
    """Read records of Desk for templates and conditions; what Desk hides or has no more is not known."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def of(
        self,
        desk: Desk | None,
        rules: Rules,
        *,
        call_id: int | None = None,
        contact_id: str | None = None,
        ticket_id: str | None = None,
    ) -> Facts:
        """Return what is named of the records of a call; without `desk` what our own tables know."""
        named = records_named(rules)
        wanted = {record for record, field in named if (record, field) != ("contact", "id")}
        if not wanted:
            return NOTHING
        contact: Mapping[str, object] = {}
        if contact_id and desk is not None and not wanted.isdisjoint(("contact", "account")):
            contact = await _read(desk, "contacts", contact_id)
        account = await self._account(contact, call_id) if "account" in wanted else {}
        more = {field for record, field in named if record == "account"} - {*ACCOUNT_OF_CONTACT}
        if account and more and desk is not None:
            account = account | await _read(desk, "accounts", str(account["id"]))
        ticket: Mapping[str, object] = {"id": ticket_id} if ticket_id else {}
        if (
            ticket_id
            and desk is not None
            and {("ticket", "id")} != {each for each in named if each[0] == "ticket"}
        ):
            told = await _read(desk, "tickets", ticket_id) if "ticket" in wanted else {}
            ticket = {**told, "number": told.get("ticketNumber"), "id": ticket_id}
        return Facts(contact=contact, account=account, ticket=ticket)

    async def _account(self, contact: Mapping[str, object], call_id: int | None) -> dict[str, object]:
        of_contact = contact.get("account")
        if isinstance(of_contact, dict) and of_contact.get("id"):
            return {name: of_contact.get(name) for name in ACCOUNT_OF_CONTACT}
        matched = await self._store.read(lambda c: matched_account(c, call_id))
        return {"id": matched.id, "accountName": matched.name} if matched else {}


async def _read(desk: Desk, module: RecordModule, record_id: str) -> dict[str, object]:
    try:
        return (await desk.record(module, record_id)).values
    except ZohoRefused:
        return {}
