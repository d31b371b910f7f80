"""Let phone systems have their internal calls recorded too."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the wish, which nobody has expressed so far."""
    op.add_column(
        "phone_systems",
        sa.Column("records_internal", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
