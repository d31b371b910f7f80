"""Let deliveries be claimed ahead of their slots."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the mark of a delivery that is claimed and holds no slot yet."""
    op.add_column("outbox", sa.Column("ahead", sa.Boolean(), server_default=sa.text("false"), nullable=False))
