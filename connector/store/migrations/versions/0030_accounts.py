"""Keep an index of accounts beside that of contacts, and more of each contact."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add tables, and columns that are empty at first; 0032 has their indexes."""
    for name in ("first_name", "last_name", "email", "account_id"):
        op.add_column("contacts", sa.Column(name, sa.Text(), nullable=True))
    op.add_column("contacts", sa.Column("created_at", sa.BigInteger(), nullable=True))
    _add_accounts()
    _add_sync()


def _portal(table: str) -> list[Any]:
    """Return the portal's column, and that it is one of ours."""
    return [
        sa.Column("portal_id", _ID, nullable=False),
        sa.ForeignKeyConstraint(["portal_id"], ["portals.id"], name=op.f(f"fk_{table}_portal_id")),
    ]


def _add_accounts() -> None:
    op.create_table(
        "accounts",
        *_portal("accounts"),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), server_default="", nullable=False),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("website", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("owner_id", sa.Text(), nullable=True),
        sa.Column("modified_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=True),
        sa.Column("numbers", sa.Text(), server_default="", nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("portal_id", "account_id", name=op.f("pk_accounts")),
        sqlite_with_rowid=False,
    )
    with_one = sa.text("email > ''")
    more: dict[str, Any] = {"sqlite_where": with_one, "postgresql_where": with_one}
    op.create_index("ix_accounts_email", "accounts", ["portal_id", "email"], **more)
    op.create_table(
        "account_numbers",
        *_portal("account_numbers"),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("portal_id", "number", "account_id", name=op.f("pk_account_numbers")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "account_changes",
        *_portal("account_changes"),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("told_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("portal_id", "account_id", name=op.f("pk_account_changes")),
        sqlite_with_rowid=False,
    )


def _add_sync() -> None:
    moments = ("cursor_at", "counted", "modified_to", "refreshed_at", "credits_day", "credits_today")
    op.create_table(
        "account_syncs",
        *_portal("account_syncs"),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("expected", sa.BigInteger(), nullable=True),
        *(
            sa.Column(name, sa.BigInteger(), server_default="0", nullable=False)
            for name in (*moments, "credits_used", "waits_until", "leased_until")
        ),
        *(
            sa.Column(name, sa.Integer(), server_default="0", nullable=False)
            for name in ("cursor_from", "modified_from")
        ),
        *(
            sa.Column(name, sa.Text(), server_default="", nullable=False)
            for name in ("countries", "reread_to", "reason")
        ),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.CheckConstraint("phase IN ('filling', 'sweeping', 'kept')", name=op.f("ck_account_syncs_phase")),
        sa.PrimaryKeyConstraint("portal_id", name=op.f("pk_account_syncs")),
    )
