"""Let rows of the outbox be picked instead of leased, and number what is sent for each."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

WAITING = sa.text("(state IN ('due', 'unknown')) IS TRUE")


def upgrade() -> None:
    """Add the columns, and the index by which an idle process sees that nothing is due."""
    op.add_column("outbox", sa.Column("picked_until", sa.BigInteger(), nullable=True))
    op.add_column("outbox", sa.Column("attempt", sa.BigInteger(), server_default="0", nullable=False))
    op.create_index("ix_outbox_waiting", "outbox", ["due_at"], sqlite_where=WAITING, postgresql_where=WAITING)
