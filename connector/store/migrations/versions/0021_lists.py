"""Let calls be listed by what they are found by."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the tables, whose rows go with the call, whichever release deletes that."""
    op.create_table(
        "listed_calls",
        sa.Column("call_id", ID, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("phone_system_id", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), nullable=True),
        sa.Column("not_recorded", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["call_id"], ["calls.id"], name=op.f("fk_listed_calls_call_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("call_id", name=op.f("pk_listed_calls")),
    )
    op.create_table(
        "listed_parties",
        sa.Column("call_id", ID, nullable=False),
        sa.Column("party", sa.Text(), nullable=False),
        sa.Column("phone_system_id", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["call_id"], ["calls.id"], name=op.f("fk_listed_parties_call_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("call_id", "party", name=op.f("pk_listed_parties")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "listed_until",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_listed_until")),
    )
    _add_list_indexes()


def _add_list_indexes() -> None:
    newest = ["started_at", "call_id"]
    there, silent = sa.text("started_at IS NOT NULL"), sa.text("not_recorded IS NOT NULL")
    open_ones = sa.text("state IN ('ringing', 'answered')")
    for name, columns, which in (
        ("ix_listed_calls_started_at", newest, there),
        ("ix_listed_calls_phone", ["phone_system_id", *newest], there),
        ("ix_listed_calls_reason", ["not_recorded", *newest], silent),
        ("ix_listed_calls_open", ["state", *newest], open_ones),
    ):
        op.create_index(name, "listed_calls", columns, sqlite_where=which, postgresql_where=which)
    op.create_index("ix_listed_parties_party", "listed_parties", ["party", *newest])
