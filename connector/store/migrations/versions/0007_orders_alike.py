"""Tell orders under one key apart, and let no call be handed over or ended twice at once."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_ACTING = sa.text("kind <> 'dial' AND state IN ('waiting', 'taken')")
_GIVE_UP = "UPDATE orders SET state = 'unknown' WHERE kind <> 'dial' AND state IN ('waiting', 'taken')"


def upgrade() -> None:
    """Add the digest and the index; the orders of the last seconds are given up, as two may be alike."""
    op.add_column("orders", sa.Column("asked", sa.Text(), nullable=True))
    op.execute(_GIVE_UP)
    op.create_index(
        "uq_orders_acting",
        "orders",
        ["phone_system_id", "call_id", "agent", "kind"],
        unique=True,
        sqlite_where=_ACTING,
        postgresql_where=_ACTING,
    )
