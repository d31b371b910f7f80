"""Let shares of a portal's width say since when they have something, and when and where they were renewed."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; what is there was written by the release before."""
    op.add_column("slots", sa.Column("since", sa.BigInteger(), nullable=True))
    op.add_column("slots", sa.Column("machine", sa.Text(), nullable=True))
    op.add_column("slots", sa.Column("renewed_at", sa.BigInteger(), nullable=True))
