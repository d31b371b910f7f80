"""Keep with a phone system what the programs beside it report of themselves."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("phone_systems", sa.Column("programs", sa.Text(), nullable=True))
