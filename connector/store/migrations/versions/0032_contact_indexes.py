"""Find contacts by e-mail address, and those of an account."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


WITH_ONE = sa.text("email > ''")
INDEXES: dict[str, tuple[str, list[str], dict[str, Any]]] = {
    "ix_contacts_email": (
        "contacts",
        ["portal_id", "email"],
        {"sqlite_where": WITH_ONE, "postgresql_where": WITH_ONE},
    ),
    "ix_contacts_account": ("contacts", ["portal_id", "account_id"], {}),
}


def upgrade() -> None:
    """Add the indexes, where they have not been built beforehand."""
    for name, (table, columns, more) in INDEXES.items():
        op.create_index(name, table, columns, if_not_exists=True, **more)
