"""Keep where recordings are, who may have them, and who has heard them."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add, never remove: old and new code run side by side."""
    op.add_column("extensions", sa.Column("given_at", sa.BigInteger(), nullable=True))
    _add_choice("recording_links", "connector", "original")
    _add_choice("recording_downloads", "nobody", "supervisors", "listeners")
    _add_sources()
    _add_accesses()


def _add_choice(column: str, usual: str, *others: str) -> None:
    """Add a column with its constraint, which SQLite takes in this form only."""
    listed = ", ".join(f"'{value}'" for value in (usual, *others))
    op.execute(
        f"ALTER TABLE portals ADD COLUMN {column} TEXT DEFAULT '{usual}' NOT NULL "
        f"CONSTRAINT ck_portals_{column} CHECK ({column} IN ({listed}))"
    )


def _add_sources() -> None:
    op.create_table(
        "recording_sources",
        sa.Column("phone_system_id", _ID, nullable=False),
        sa.Column("folder", sa.Text(), nullable=True),
        sa.Column("folder_address", sa.Text(), nullable=True),
        sa.Column("origins", sa.Text(), server_default="", nullable=False),
        sa.Column("redirect_origins", sa.Text(), server_default="", nullable=False),
        sa.Column("networks", sa.Text(), server_default="", nullable=False),
        sa.Column("header", sa.Text(), nullable=True),
        sa.Column("sealed_header_value", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(
            "(folder IS NULL) = (folder_address IS NULL)", name=op.f("ck_recording_sources_folder_whole")
        ),
        sa.CheckConstraint(
            "(header IS NULL) = (sealed_header_value IS NULL)", name=op.f("ck_recording_sources_header_whole")
        ),
        sa.ForeignKeyConstraint(
            ["phone_system_id"],
            ["phone_systems.id"],
            name=op.f("fk_recording_sources_phone_system_id"),
        ),
        sa.PrimaryKeyConstraint("phone_system_id", name=op.f("pk_recording_sources")),
    )


def _add_accesses() -> None:
    op.create_table(
        "recording_accesses",
        sa.Column("id", _ID, nullable=False),
        sa.Column("call_id", _ID, nullable=False),
        sa.Column("user_id", _ID, nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("piece", sa.Text(), server_default="", nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("times", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "what IN ('opened', 'played', 'downloaded', 'refused')", name=op.f("ck_recording_accesses_what")
        ),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=op.f("fk_recording_accesses_call_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_recording_accesses_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recording_accesses")),
    )
    op.create_index(op.f("ix_recording_accesses_call_id"), "recording_accesses", ["call_id"], unique=False)
    op.create_index(op.f("ix_recording_accesses_user_id"), "recording_accesses", ["user_id"], unique=False)
