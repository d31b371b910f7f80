"""Give lines and queues names that people read, such as "Front desk"."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; a process of the release before writes rows without them."""
    for table in ("lines", "queues"):
        op.add_column(table, sa.Column("name", sa.Text(), nullable=False, server_default=""))
