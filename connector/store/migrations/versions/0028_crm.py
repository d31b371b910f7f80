"""Keep the CRM of each portal, to what each call was assigned, and the profiles with their users."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add tables and a column, which the release before does not look at."""
    _add_crm()
    _add_profiles()
    _add_assignments()


def _add_crm() -> None:
    op.create_table(
        "crms",
        sa.Column("portal_id", _ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("rules", sa.LargeBinary(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["portal_id"], ["portals.id"], name=op.f("fk_crms_portal_id")),
        sa.PrimaryKeyConstraint("portal_id", name=op.f("pk_crms")),
    )
    op.create_table(
        "crm_fields_off",
        sa.Column("portal_id", _ID, nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["portal_id"], ["portals.id"], name=op.f("fk_crm_fields_off_portal_id")),
        sa.PrimaryKeyConstraint("portal_id", "object", "name", name=op.f("pk_crm_fields_off")),
    )
    op.create_table(
        "desk_fields",
        sa.Column("portal_id", _ID, nullable=False),
        sa.Column("module", sa.Text(), nullable=False),
        sa.Column("department_id", sa.Text(), nullable=False),
        sa.Column("told", sa.LargeBinary(), nullable=False),
        sa.Column("read_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["portal_id"], ["portals.id"], name=op.f("fk_desk_fields_portal_id")),
        sa.PrimaryKeyConstraint("portal_id", "module", "department_id", name=op.f("pk_desk_fields")),
    )


def _add_profiles() -> None:
    op.create_table(
        "profiles",
        sa.Column("id", _ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("access", sa.LargeBinary(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_profiles")),
        sa.UniqueConstraint("name", name=op.f("uq_profiles_name")),
    )
    op.create_table(
        "profile_users",
        sa.Column("profile_id", _ID, nullable=False),
        sa.Column("user_id", _ID, nullable=False),
        sa.ForeignKeyConstraint(["profile_id"], ["profiles.id"], name=op.f("fk_profile_users_profile_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_profile_users_user_id")),
        sa.PrimaryKeyConstraint("profile_id", "user_id", name=op.f("pk_profile_users")),
    )
    op.create_index(op.f("ix_profile_users_user_id"), "profile_users", ["user_id"])
    op.add_column("users", sa.Column("profile_id", sa.BigInteger(), nullable=True))


def _add_assignments() -> None:
    op.create_table(
        "assignments",
        sa.Column("call_id", _ID, nullable=False),
        sa.Column("rule", sa.Text(), server_default="", nullable=False),
        sa.Column("target", sa.Text(), server_default="", nullable=False),
        sa.Column("truths", sa.LargeBinary(), nullable=True),
        sa.Column("ticket_id", sa.Text(), nullable=True),
        sa.Column("chosen_by", sa.Text(), server_default="", nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["call_id"], ["calls.id"], name=op.f("fk_assignments_call_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("call_id", name=op.f("pk_assignments")),
    )
