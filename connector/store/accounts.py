"""Keep the accounts that Desk has told of, and the numbers that lead to them: Desk cannot search by these.

They are here only where a row of the CRM's search order asks for accounts.
"""

from connector.store.number_index import Numbered, NumberIndex
from connector.store.tables import account_numbers, accounts


class IndexedAccount(Numbered, frozen=True, kw_only=True):
    """An account of the index; `phone` is as somebody typed it."""

    account_id: str
    name: str
    url: str = ""
    phone: str | None = None
    website: str | None = None
    owner_id: str | None = None
    created_at: int | None = None

    @property
    def id(self) -> str:
        """Return Desk's id of it."""
        return self.account_id


INDEX = NumberIndex(IndexedAccount, accounts, account_numbers, "account_id")

bearers, by_ids, after, count = INDEX.bearers, INDEX.by_ids, INDEX.after, INDEX.count
