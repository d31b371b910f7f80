"""Keep why calls leave no record, so that they are counted and listed."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_REASONS = "'internal', 'not_taken', 'nothing_told', 'erased', 'earlier'"

# Heads of families that are over, or were erased, and for which nothing ever went to the outbox.
_EARLIER = """
    UPDATE calls SET not_recorded = CASE WHEN erased_at IS NULL THEN 'earlier' ELSE 'erased' END
    WHERE root_id IS NULL AND (state = 'ended' OR erased_at IS NOT NULL)
    AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.call_id = calls.id)
    AND NOT EXISTS (
        SELECT 1 FROM calls AS member WHERE member.root_id = calls.id AND (
            member.closes_at IS NOT NULL
            OR EXISTS (SELECT 1 FROM outbox WHERE outbox.call_id = member.id)
        )
    )
"""


def upgrade() -> None:
    """Add the column, and note for calls of before that they left none, whatever the reason was."""
    op.execute(
        "ALTER TABLE calls ADD COLUMN not_recorded TEXT "
        f"CONSTRAINT ck_calls_not_recorded CHECK (not_recorded IN ({_REASONS}))"
    )
    op.execute(_EARLIER)
    op.create_index(
        "ix_calls_not_recorded",
        "calls",
        ["id"],
        sqlite_where=sa.text("not_recorded IS NOT NULL"),
        postgresql_where=sa.text("not_recorded IS NOT NULL"),
    )
