"""Find the calls that wait for a contact by its name, however many others wait."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


THOSE = sa.text("(state = 'due' AND step <> '') IS TRUE")
INDEXES: dict[str, tuple[str, list[str], dict[str, Any]]] = {
    "ix_outbox_step": ("outbox", ["portal_id", "step"], {"sqlite_where": THOSE, "postgresql_where": THOSE})
}


def upgrade() -> None:
    """Add the index, where it has not been built beforehand."""
    for name, (table, columns, more) in INDEXES.items():
        op.create_index(name, table, columns, if_not_exists=True, **more)
