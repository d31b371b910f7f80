"""Find the calls that wait for a contact by its name, however many others wait."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    those = sa.text("(state = 'due' AND step <> '') IS TRUE")
    op.create_index(
        "ix_outbox_step", "outbox", ["portal_id", "step"], sqlite_where=those, postgresql_where=those
    )
