"""Tell a record that Desk will not take from a portal that takes none, and learn what a portal requires."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_WORK = "work IN ('contact', 'call', 'change')"


def upgrade() -> None:
    """Add counts to deliveries, what became of each portal's writes, and what its Desk requires."""
    for name, kind in (("strikes", sa.Integer()), ("struck_at", sa.BigInteger())):
        op.add_column("outbox", sa.Column(name, kind, nullable=False, server_default="0"))
    op.add_column("portals", sa.Column("required_fields", sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "portal_writes",
        sa.Column("portal_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("work", sa.Text(), nullable=False),
        sa.Column("taken_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.Column("refused_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint(_WORK, name=op.f("ck_portal_writes_work")),
        sa.ForeignKeyConstraint(["portal_id"], ["portals.id"], name=op.f("fk_portal_writes_portal_id")),
        sa.PrimaryKeyConstraint("portal_id", "work", name=op.f("pk_portal_writes")),
    )
