"""Keep the accounts that Desk has told of, and the numbers that lead to them: Desk cannot search by these.

They are here only where a row of the CRM's search order asks for accounts.
"""

from collections.abc import Collection

from sqlalchemy import Connection, bindparam, delete, func, literal_column, select, tuple_

from connector.store.bulk import Prepared
from connector.store.number_index import Numbered, NumberIndex
from connector.store.tables import account_numbers, accounts


class IndexedAccount(Numbered, frozen=True, kw_only=True):
    """An account of the index; `phone` is as somebody typed it."""

    account_id: str
    name: str
    url: str = ""
    phone: str | None = None
    website: str | None = None
    email: str | None = None
    owner_id: str | None = None
    created_at: int | None = None

    @property
    def id(self) -> str:
        """Return Desk's id of it."""
        return self.account_id


INDEX = NumberIndex(IndexedAccount, accounts, account_numbers, "account_id")

bearers, by_ids, after, put = INDEX.bearers, INDEX.by_ids, INDEX.after, INDEX.put
forget, count = INDEX.forget, INDEX.count

_columns = accounts.c

# Made once: it runs while a phone rings.
_of_email = Prepared(
    lambda _: (
        select(*INDEX.columns)
        .where(
            _columns.portal_id == bindparam("portal"),
            _columns.email == bindparam("email"),
            # Only with this, written out, engines look at the index, which leaves the others out.
            _columns.email > literal_column("''"),
        )
        .order_by(_columns.modified_at.desc(), func.length(_columns.account_id), _columns.account_id)
        .limit(bindparam("at_most"))
    )
)


def with_email(connection: Connection, portal_id: int, email: str, at_most: int) -> list[IndexedAccount]:
    """Return the accounts with an e-mail address in small letters, the most recently modified first."""
    return INDEX.read(_of_email.run(connection, portal=portal_id, email=email, at_most=at_most))


def erase(connection: Connection, numbers: Collection[str]) -> int:
    """Delete the accounts that numbers (E.164) lead to, in every portal, and return how many."""
    leads = account_numbers.c
    asked = select(leads.portal_id, leads.account_id).where(leads.number.in_(numbers)).distinct()
    ids = [tuple(row) for row in connection.execute(asked)]
    for table in (account_numbers, accounts):
        connection.execute(delete(table).where(tuple_(table.c.portal_id, table.c.account_id).in_(ids)))
    return len(ids)
