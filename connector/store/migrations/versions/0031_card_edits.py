"""Keep who changes a record of Desk just now, so that no two agents do at one time."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add a table, which the release before does not look at."""
    op.create_table(
        "card_edits",
        sa.Column("portal_id", _ID, nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["portal_id"], ["portals.id"], name=op.f("fk_card_edits_portal_id")),
        sa.PrimaryKeyConstraint("portal_id", "object", "record_id", name=op.f("pk_card_edits")),
    )
