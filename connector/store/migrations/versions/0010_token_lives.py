"""Let tokens be renewed at a share of their lives, and keep what the linking agent may do."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

EARLY = 5 * 60 * 1_000


def upgrade() -> None:
    """Add the moment from which on a token is renewed; those there are live for an hour."""
    op.add_column("portals", sa.Column("rights", sa.Text(), nullable=False, server_default=""))
    op.add_column("grants", sa.Column("renew_at", sa.BigInteger(), nullable=False, server_default="0"))
    op.execute(f"UPDATE grants SET renew_at = expires_at - {EARLY} WHERE expires_at > {EARLY}")  # noqa: S608
