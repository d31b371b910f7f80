"""Let phone systems be removed while their calls are kept."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; what is there has not been removed."""
    op.add_column("phone_systems", sa.Column("removed_at", sa.BigInteger(), nullable=True))
