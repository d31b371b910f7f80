"""Keep sign-in connectors, one-time links, and what limits an API key."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables empty and the columns unset: everybody signs in, and every key works, as before."""
    op.add_column("users", sa.Column("user_name", sa.Text()))
    op.create_index("uq_users_user_name", "users", ["user_name"], unique=True)
    op.add_column("flows", sa.Column("connector_id", sa.BigInteger()))
    op.add_column("api_keys", sa.Column("actions", sa.Text(), nullable=False, server_default=""))
    op.add_column("api_keys", sa.Column("expires_at", sa.BigInteger()))
    op.add_column("api_keys", sa.Column("last_used_at", sa.BigInteger()))
    _connectors()
    _pairs("sign_in_connector_users", "connector_id", "sign_in_connectors", "user_id", "users")
    op.create_index(op.f("ix_sign_in_connector_users_user_id"), "sign_in_connector_users", ["user_id"])
    _pairs("sign_in_connector_portals", "connector_id", "sign_in_connectors", "portal_id", "portals")
    _pairs("api_key_portals", "key_id", "api_keys", "portal_id", "portals")
    op.create_table(
        "one_time_links",
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite")),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "purpose IN ('sign_in', 'first_administrator')", name=op.f("ck_one_time_links_purpose")
        ),
        sa.CheckConstraint(
            "(purpose = 'sign_in') = (user_id IS NOT NULL)", name=op.f("ck_one_time_links_user")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_one_time_links_user_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_one_time_links")),
    )


def _connectors() -> None:
    op.create_table(
        "sign_in_connectors",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("method_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite")),
        sa.Column("match_by", sa.Text(), nullable=False, server_default="email"),
        sa.Column("enabled", sa.Boolean(), nullable=False, server_default=sa.text("true")),
        sa.Column("is_default", sa.Boolean(), nullable=False, server_default=sa.text("false")),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("match_by IN ('email', 'user_name')", name=op.f("ck_sign_in_connectors_match_by")),
        sa.ForeignKeyConstraint(
            ["method_id"], ["authentication_methods.id"], name=op.f("fk_sign_in_connectors_method_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_connectors")),
        sa.UniqueConstraint("name", name=op.f("uq_sign_in_connectors_name")),
        sa.UniqueConstraint("reference", name=op.f("uq_sign_in_connectors_reference")),
    )
    op.create_index(
        "uq_sign_in_connectors_default",
        "sign_in_connectors",
        ["is_default"],
        unique=True,
        sqlite_where=sa.text("is_default"),
        postgresql_where=sa.text("is_default"),
    )


def _pairs(table: str, one: str, of_one: str, other: str, of_other: str) -> None:
    """Make a table that says which of two things belong together."""
    kind = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        table,
        sa.Column(one, kind, nullable=False),
        sa.Column(other, kind, nullable=False),
        sa.ForeignKeyConstraint([one], [f"{of_one}.id"], name=op.f(f"fk_{table}_{one}")),
        sa.ForeignKeyConstraint([other], [f"{of_other}.id"], name=op.f(f"fk_{table}_{other}")),
        sa.PrimaryKeyConstraint(one, other, name=op.f(f"pk_{table}")),
    )
