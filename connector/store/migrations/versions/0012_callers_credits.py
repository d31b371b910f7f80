"""Let the contact that is called go along with an order, and count what each caller spends of the credits."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and the table; nobody has spent anything yet."""
    op.add_column("orders", sa.Column("contact_id", sa.Text(), nullable=True))
    op.add_column("limits", sa.Column("lookups_short", sa.BigInteger(), server_default="0", nullable=False))
    op.create_table(
        "caller_credits",
        sa.Column("portal_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("day", sa.BigInteger(), nullable=False),
        sa.Column("spent", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["portal_id"], ["portals.id"], name=op.f("fk_caller_credits_portal_id_portals")
        ),
        sa.PrimaryKeyConstraint("portal_id", "caller", name=op.f("pk_caller_credits")),
    )
