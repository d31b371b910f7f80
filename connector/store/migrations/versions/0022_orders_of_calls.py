"""Find the orders of a call, and of a number that an agent had dialled."""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

INDEXES = {
    "ix_orders_call": ("orders", ["phone_system_id", "call_id"]),
    "ix_orders_dialled": ("orders", ["phone_system_id", "agent", "number"]),
}


def upgrade() -> None:
    """Add the indexes, where they have not been built beforehand."""
    for name, (table, columns) in INDEXES.items():
        op.create_index(name, table, columns, if_not_exists=True)
