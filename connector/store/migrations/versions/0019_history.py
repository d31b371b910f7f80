"""Let a call's history be told: what Desk answered to each attempt, repeats of events, and lists of calls."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add tables, whose rows go with what they belong to, whichever release deletes that."""
    _add_attempts()
    _add_repeats()
    _add_lists()
    op.create_index("ix_orders_call", "orders", ["phone_system_id", "call_id"])
    op.create_index("ix_orders_dialled", "orders", ["phone_system_id", "agent", "number"])


def _add_attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("outbox_id", ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("milliseconds", sa.BigInteger(), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("error_code", sa.Text(), server_default="", nullable=False),
        sa.Column("request_id", sa.Text(), server_default="", nullable=False),
        sa.Column("outcome", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["outbox_id"], ["outbox.id"], name=op.f("fk_attempts_outbox_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("outbox_id", "number", name=op.f("pk_attempts")),
        sqlite_with_rowid=False,
    )


def _add_repeats() -> None:
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


def _add_lists() -> None:
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
