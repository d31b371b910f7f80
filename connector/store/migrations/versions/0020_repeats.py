"""Let a call's history be told: which events came more than once."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the table, whose rows go with the event, whichever release deletes that."""
    event = ["phone_system_id", "source", "event_id"]
    op.create_table(
        "event_repeats",
        sa.Column("phone_system_id", ID, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            event,
            [f"events.{name}" for name in event],
            name=op.f("fk_event_repeats_phone_system_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(*event, name=op.f("pk_event_repeats")),
        sqlite_with_rowid=False,
    )
