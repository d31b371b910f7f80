"""Keep several clients of Zoho's, and which one a portal and a flow use."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the table, and the columns that name its rows; empty is the client of the settings."""
    op.create_table(
        "authentication_methods",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("environment_url", sa.Text(), server_default="", nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_secrets", sa.LargeBinary(), nullable=True),
        sa.Column("environment", sa.Text(), server_default="", nullable=False),
        sa.Column("enabled", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("features", sa.Text(), server_default="", nullable=False),
        sa.Column("extra_scopes", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("type IN ('desk')", name=op.f("ck_authentication_methods_type")),
        sa.CheckConstraint("mode IN ('oauth', 'self_client')", name=op.f("ck_authentication_methods_mode")),
        sa.CheckConstraint(
            "environment IN ('', 'production', 'sandbox')",
            name=op.f("ck_authentication_methods_environment"),
        ),
        sa.CheckConstraint(
            "environment <> '' OR NOT enabled", name=op.f("ck_authentication_methods_confirmed")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authentication_methods")),
        sa.UniqueConstraint("name", name=op.f("uq_authentication_methods_name")),
    )
    for table in ("portals", "flows"):
        key = sa.ForeignKey("authentication_methods.id", name=op.f(f"fk_{table}_method_id"))
        column = sa.Column("method_id", ID, key, nullable=True)
        op.add_column(table, column, inline_references=True)
