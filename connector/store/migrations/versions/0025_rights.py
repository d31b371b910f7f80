"""Keep who was given which rights, and list deliveries and who heard recordings, however many there are."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


_DROPPED = sa.text("state = 'dropped'")
INDEXES: dict[str, tuple[str, list[str], dict[str, Any]]] = {
    "ix_outbox_dropped": (
        "outbox",
        ["changed_at"],
        {"sqlite_where": _DROPPED, "postgresql_where": _DROPPED},
    ),
    "ix_recording_accesses_last_at": ("recording_accesses", ["last_at"], {}),
}


def upgrade() -> None:
    """Add the table, and the indexes where they have not been built beforehand."""
    op.create_table(
        "rights",
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("thing", sa.Text(), nullable=False),
        sa.Column("portal_id", sa.BigInteger(), nullable=False),
        sa.Column("may", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "thing IN ('authentication_methods', 'sign_in_connectors', 'crm')", name=op.f("ck_rights_thing")
        ),
        sa.CheckConstraint("may IN ('access', 'modify', 'create')", name=op.f("ck_rights_may")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_rights_user_id")),
        sa.PrimaryKeyConstraint("user_id", "thing", "portal_id", "may", name=op.f("pk_rights")),
    )
    for name, (table, columns, more) in INDEXES.items():
        op.create_index(name, table, columns, if_not_exists=True, **more)
