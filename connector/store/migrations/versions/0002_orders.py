"""Add what phone systems shall do: orders, who fetches them, and whom one may call."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_RINGING = sa.text("kind = 'dial' AND state IN ('waiting', 'taken')")
_OPEN = sa.text("state IN ('waiting', 'taken')")
_STATES = "state IN ('waiting', 'taken', 'done', 'refused', 'expired', 'unknown')"


def upgrade() -> None:
    """Make the tables; no phone system takes orders before somebody says so."""
    op.add_column(
        "phone_systems",
        sa.Column("takes_orders", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.create_table(
        "destinations",
        _phone_system(),
        sa.Column("pattern", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "role IN ('agent', 'supervisor', 'administrator')", name=op.f("ck_destinations_role")
        ),
        _foreign_key("destinations"),
        sa.PrimaryKeyConstraint("phone_system_id", "pattern", name=op.f("pk_destinations")),
    )
    op.create_table(
        "takers",
        _phone_system(),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        _foreign_key("takers"),
        sa.PrimaryKeyConstraint("phone_system_id", name=op.f("pk_takers")),
    )
    _make_orders()


def _make_orders() -> None:
    op.create_table(
        "orders",
        sa.Column("id", _ID, nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        _phone_system(),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("asker", "key", "kind", "agent")),
        sa.Column("number", sa.Text(), server_default="", nullable=False),
        sa.Column("caller_id", sa.Text(), nullable=True),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("taken_by", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind IN ('dial', 'hang_up', 'transfer')", name=op.f("ck_orders_kind")),
        sa.CheckConstraint(_STATES, name=op.f("ck_orders_state")),
        _foreign_key("orders"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
        sa.UniqueConstraint("asker", "key", name=op.f("uq_orders_asker_key")),
        sa.UniqueConstraint("uid", name=op.f("uq_orders_uid")),
    )
    op.create_index(op.f("ix_orders_created_at"), "orders", ["created_at"], unique=False)
    for name, columns, where in (
        ("uq_orders_ringing", ["phone_system_id", "agent"], _RINGING),
        ("ix_orders_open", ["ends_at"], _OPEN),
    ):
        op.create_index(
            name,
            "orders",
            columns,
            unique=name.startswith("uq"),
            sqlite_where=where,
            postgresql_where=where,
        )


def _phone_system() -> sa.Column[int]:
    return sa.Column("phone_system_id", _ID, nullable=False)


def _foreign_key(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["phone_system_id"], ["phone_systems.id"], name=op.f(f"fk_{table}_phone_system_id")
    )
