"""Keep what Zoho has taught: which fields and sort orders a portal refuses, and who sends nonces back."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and the table, empty: everything is learnt anew."""
    op.add_column("portals", sa.Column("refused_fields", sa.Text(), nullable=False, server_default=""))
    op.add_column("portals", sa.Column("refused_sorts", sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "nonce_issuers",
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("issuer", name=op.f("pk_nonce_issuers")),
    )
