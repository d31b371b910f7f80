"""Let the outbox hold tickets and comments beside records and contacts, and know what Desk takes of them.

Processes of the release before go on beside it: they pick such rows and leave them as they are, for they know
nobody who delivers them.
"""

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

_CHECKS = {
    "outbox": (
        "ck_outbox_kind",
        "kind IN ('call', 'contact')",
        "kind IN ('call', 'contact', 'ticket', 'comment')",
    ),
    "portal_writes": (
        "ck_portal_writes_work",
        "work IN ('contact', 'call', 'change')",
        "work IN ('contact', 'call', 'change', 'ticket', 'comment')",
    ),
}

VALIDATED = {name: table for table, (name, _, _) in _CHECKS.items()}
"""Constraints that are looked through after the commit, by their tables: their rows obey stricter ones."""


def upgrade() -> None:
    """Write the constraints anew, and no row."""
    if op.get_bind().dialect.name == "sqlite":
        _change_texts()
        return
    for table, (name, _, now) in _CHECKS.items():
        op.execute(
            f"ALTER TABLE {table} DROP CONSTRAINT {name}, ADD CONSTRAINT {name} CHECK ({now}) NOT VALID"
        )


def _change_texts() -> None:
    """Change the tables' own texts, as SQLite's documentation has it for constraints (lang_altertable).

    A rebuilt table would be written whole. Other connections read the texts again when the version has grown.
    """
    connection = op.get_bind()
    version: int = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    changing = (
        "UPDATE sqlite_schema SET sql = replace(sql, ?, ?) WHERE type = 'table' AND name = ? RETURNING sql"
    )
    for table, (_, before, now) in _CHECKS.items():
        text = connection.exec_driver_sql(changing, (before, now, table)).scalar_one()
        if now not in text:
            raise ValueError(f"The text of the table {table} is not as the release before has made it.")
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    # Reads this connection's own copy anew as well.
    connection.exec_driver_sql("PRAGMA writable_schema = RESET")
