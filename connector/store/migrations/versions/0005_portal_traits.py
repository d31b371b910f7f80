"""Let portals differ from what their edition and Desk's contract say."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a width of a portal's own, and whether Desk takes partial changes."""
    op.add_column("portals", sa.Column("concurrency", sa.Integer(), nullable=True))
    op.add_column("portals", sa.Column("partial_patches", sa.Boolean(), nullable=True))
