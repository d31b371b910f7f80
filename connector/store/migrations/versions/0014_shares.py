"""Let shares of a portal's width say since when they have something, or nothing."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; what is there was written by the release before."""
    op.add_column("slots", sa.Column("since", sa.BigInteger(), nullable=True))
