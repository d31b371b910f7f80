"""Make the first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make every table, and keep the audit append-only."""
    op.create_table(
        "api_keys",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("key_hash", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("role IN ('agent', 'supervisor', 'administrator')", name=op.f("ck_api_keys_role")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_api_keys_key_hash")),
        sa.UniqueConstraint("name", name=op.f("uq_api_keys_name")),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_at"), "audit", ["at"], unique=False)
    op.create_table(
        "portals",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("org_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("edition", sa.Text(), server_default="", nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), server_default="", nullable=False),
        sa.Column("default_department_id", sa.Text(), nullable=True),
        sa.Column("default_owner_id", sa.Text(), nullable=True),
        sa.Column("recording_field", sa.Text(), nullable=True),
        sa.Column("key_field", sa.Text(), nullable=True),
        sa.Column("linked_by", sa.Text(), nullable=False),
        sa.Column("linked_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("state IN ('linked', 'grant_lost', 'unlinked')", name=op.f("ck_portals_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_portals")),
        sa.UniqueConstraint("location", "org_id", name=op.f("uq_portals_location_org_id")),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("role IN ('agent', 'supervisor', 'administrator')", name=op.f("ck_users_role")),
        sa.CheckConstraint("(issuer IS NULL) = (subject IS NULL)", name=op.f("ck_users_identity_whole")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
        sa.UniqueConstraint("issuer", "subject", name=op.f("uq_users_issuer_subject")),
    )
    op.create_table(
        "blocked_numbers",
        sa.Column("portal_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("phone_system_id", sa.BigInteger(), nullable=False),
        sa.Column("pattern", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["portal_id"], ["portals.id"], name=op.f("fk_blocked_numbers_portal_id")),
        sa.PrimaryKeyConstraint("portal_id", "phone_system_id", "pattern", name=op.f("pk_blocked_numbers")),
    )
    op.create_table(
        "contact_changes",
        sa.Column("portal_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("contact_id", sa.Text(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("told_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["portal_id"], ["portals.id"], name=op.f("fk_contact_changes_portal_id")),
        sa.PrimaryKeyConstraint("portal_id", "contact_id", name=op.f("pk_contact_changes")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "contact_numbers",
        sa.Column("portal_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("contact_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["portal_id"], ["portals.id"], name=op.f("fk_contact_numbers_portal_id")),
        sa.PrimaryKeyConstraint("portal_id", "number", "contact_id", name=op.f("pk_contact_numbers")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "contacts",
        sa.Column("portal_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("contact_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=True),
        sa.Column("url", sa.Text(), server_default="", nullable=False),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("mobile", sa.Text(), nullable=True),
        sa.Column("owner_id", sa.Text(), nullable=True),
        sa.Column("modified_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("numbers", sa.Text(), server_default="", nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["portal_id"], ["portals.id"], name=op.f("fk_contacts_portal_id")),
        sa.PrimaryKeyConstraint("portal_id", "contact_id", name=op.f("pk_contacts")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "desk_agents",
        sa.Column("portal_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("desk_agent_id", sa.Text(), nullable=True),
        sa.Column("checked_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["portal_id"], ["portals.id"], name=op.f("fk_desk_agents_portal_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_desk_agents_user_id")),
        sa.PrimaryKeyConstraint("portal_id", "user_id", name=op.f("pk_desk_agents")),
    )
    op.create_table(
        "directory",
        sa.Column("portal_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("contacts", sa.LargeBinary(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["portal_id"], ["portals.id"], name=op.f("fk_directory_portal_id")),
        sa.PrimaryKeyConstraint("portal_id", "number", name=op.f("pk_directory")),
    )
    op.create_table(
        "directory_syncs",
        sa.Column("portal_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("cursor_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("cursor_from", sa.Integer(), server_default="0", nullable=False),
        sa.Column("counted", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("expected", sa.BigInteger(), nullable=True),
        sa.Column("modified_to", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("modified_from", sa.Integer(), server_default="0", nullable=False),
        sa.Column("refreshed_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("countries", sa.Text(), server_default="", nullable=False),
        sa.Column("reread_to", sa.Text(), server_default="", nullable=False),
        sa.Column("credits_day", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("credits_today", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("credits_used", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("waits_until", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("webhook_id", sa.Text(), nullable=True),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("leased_until", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint("phase IN ('filling', 'sweeping', 'kept')", name=op.f("ck_directory_syncs_phase")),
        sa.ForeignKeyConstraint(["portal_id"], ["portals.id"], name=op.f("fk_directory_syncs_portal_id")),
        sa.PrimaryKeyConstraint("portal_id", name=op.f("pk_directory_syncs")),
    )
    op.create_table(
        "extensions",
        sa.Column("phone_system_id", sa.BigInteger(), nullable=False),
        sa.Column("extension", sa.Text(), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_extensions_user_id")),
        sa.PrimaryKeyConstraint("phone_system_id", "extension", name=op.f("pk_extensions")),
    )
    op.create_index(op.f("ix_extensions_user_id"), "extensions", ["user_id"], unique=False)
    op.create_table(
        "flows",
        sa.Column("state_hash", sa.Text(), nullable=False),
        sa.Column("browser_hash", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("sealed_verifier", sa.LargeBinary(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("next_path", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("purpose IN ('sign_in', 'link')", name=op.f("ck_flows_purpose")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_flows_user_id")),
        sa.PrimaryKeyConstraint("state_hash", name=op.f("pk_flows")),
    )
    op.create_index(op.f("ix_flows_expires_at"), "flows", ["expires_at"], unique=False)
    op.create_table(
        "grants",
        sa.Column("portal_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sealed_refresh_token", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_access_token", sa.LargeBinary(), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("renewer", sa.Text(), nullable=True),
        sa.Column("renewing_until", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("closed_until", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("renewals", sa.Text(), server_default="[]", nullable=False),
        sa.ForeignKeyConstraint(["portal_id"], ["portals.id"], name=op.f("fk_grants_portal_id")),
        sa.PrimaryKeyConstraint("portal_id", name=op.f("pk_grants")),
    )
    op.create_table(
        "limits",
        sa.Column("portal_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("narrowed_to", sa.Integer(), nullable=True),
        sa.Column("narrowed_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("closed_until", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("credits_left", sa.BigInteger(), nullable=True),
        sa.Column("credits_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("rests_until", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["portal_id"], ["portals.id"], name=op.f("fk_limits_portal_id")),
        sa.PrimaryKeyConstraint("portal_id", name=op.f("pk_limits")),
    )
    op.create_table(
        "phone_systems",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("portal_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("dialect", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), server_default="UTC", nullable=False),
        sa.Column("department_id", sa.Text(), nullable=True),
        sa.Column("tells_names", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("routes_to_owners", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["portal_id"], ["portals.id"], name=op.f("fk_phone_systems_portal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phone_systems")),
        sa.UniqueConstraint("slug", name=op.f("uq_phone_systems_slug")),
        sa.UniqueConstraint("uid", name=op.f("uq_phone_systems_uid")),
    )
    op.create_table(
        "queue_members",
        sa.Column("phone_system_id", sa.BigInteger(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_queue_members_user_id")),
        sa.PrimaryKeyConstraint("phone_system_id", "queue", "user_id", name=op.f("pk_queue_members")),
    )
    op.create_table(
        "sessions",
        sa.Column("id_hash", sa.Text(), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sessions_user_id")),
        sa.PrimaryKeyConstraint("id_hash", name=op.f("pk_sessions")),
    )
    op.create_index(op.f("ix_sessions_user_id"), "sessions", ["user_id"], unique=False)
    op.create_table(
        "slots",
        sa.Column("portal_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("slots", sa.Integer(), nullable=False),
        sa.Column("wanted", sa.Integer(), nullable=False),
        sa.Column("lease_until", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["portal_id"], ["portals.id"], name=op.f("fk_slots_portal_id")),
        sa.PrimaryKeyConstraint("portal_id", "holder", name=op.f("pk_slots")),
    )
    op.create_table(
        "activity",
        sa.Column("phone_system_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("hour_at", sa.BigInteger(), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("longest_gap", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["phone_system_id"], ["phone_systems.id"], name=op.f("fk_activity_phone_system_id")
        ),
        sa.PrimaryKeyConstraint("phone_system_id", "hour_at", name=op.f("pk_activity")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "caller_ids",
        sa.Column("phone_system_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("pattern", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["phone_system_id"], ["phone_systems.id"], name=op.f("fk_caller_ids_phone_system_id")
        ),
        sa.PrimaryKeyConstraint("phone_system_id", "pattern", name=op.f("pk_caller_ids")),
    )
    op.create_table(
        "calls",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("phone_system_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("root_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("state", sa.Text(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("revision", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("chosen_contact_id", sa.Text(), nullable=True),
        sa.Column("lookup", sa.Text(), server_default="pending", nullable=False),
        sa.Column("found", sa.LargeBinary(), nullable=True),
        sa.Column("asked_until", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("closes_at", sa.BigInteger(), nullable=True),
        sa.Column("erased_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "lookup IN ('pending', 'found', 'none', 'failed', 'skipped')", name=op.f("ck_calls_lookup")
        ),
        sa.CheckConstraint("state IN ('ringing', 'answered', 'ended')", name=op.f("ck_calls_state")),
        sa.ForeignKeyConstraint(
            ["phone_system_id"], ["phone_systems.id"], name=op.f("fk_calls_phone_system_id")
        ),
        sa.ForeignKeyConstraint(["root_id"], ["calls.id"], name=op.f("fk_calls_root_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calls")),
        sa.UniqueConstraint("key", name=op.f("uq_calls_key")),
        sa.UniqueConstraint("phone_system_id", "call_id", name=op.f("uq_calls_phone_system_id_call_id")),
    )
    op.create_index("ix_calls_changed_at", "calls", ["changed_at"], unique=False)
    op.create_index(
        "ix_calls_erased",
        "calls",
        ["id"],
        unique=False,
        sqlite_where=sa.text("erased_at IS NOT NULL"),
        postgresql_where=sa.text("erased_at IS NOT NULL"),
    )
    op.create_index(
        "ix_calls_open",
        "calls",
        ["closes_at"],
        unique=False,
        sqlite_where=sa.text("closes_at IS NOT NULL"),
        postgresql_where=sa.text("closes_at IS NOT NULL"),
    )
    op.create_index(op.f("ix_calls_root_id"), "calls", ["root_id"], unique=False)
    op.create_table(
        "lines",
        sa.Column("phone_system_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("department_id", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["phone_system_id"], ["phone_systems.id"], name=op.f("fk_lines_phone_system_id")
        ),
        sa.PrimaryKeyConstraint("phone_system_id", "number", name=op.f("pk_lines")),
    )
    op.create_table(
        "phone_secrets",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("phone_system_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.Text(), server_default="signing", nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("valid_until", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("kind IN ('signing', 'address')", name=op.f("ck_phone_secrets_kind")),
        sa.ForeignKeyConstraint(
            ["phone_system_id"], ["phone_systems.id"], name=op.f("fk_phone_secrets_phone_system_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phone_secrets")),
    )
    op.create_index(
        op.f("ix_phone_secrets_phone_system_id"), "phone_secrets", ["phone_system_id"], unique=False
    )
    op.create_table(
        "queues",
        sa.Column("phone_system_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("department_id", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["phone_system_id"], ["phone_systems.id"], name=op.f("fk_queues_phone_system_id")
        ),
        sa.PrimaryKeyConstraint("phone_system_id", "queue", name=op.f("pk_queues")),
    )
    op.create_table(
        "senders",
        sa.Column("phone_system_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("network", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["phone_system_id"], ["phone_systems.id"], name=op.f("fk_senders_phone_system_id")
        ),
        sa.PrimaryKeyConstraint("phone_system_id", "network", name=op.f("pk_senders")),
    )
    op.create_table(
        "unread",
        sa.Column("phone_system_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("body_hash", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("times", sa.Integer(), server_default="1", nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["phone_system_id"], ["phone_systems.id"], name=op.f("fk_unread_phone_system_id")
        ),
        sa.PrimaryKeyConstraint("phone_system_id", "body_hash", name=op.f("pk_unread")),
    )
    op.create_index(op.f("ix_unread_last_at"), "unread", ["last_at"], unique=False)
    op.create_table(
        "events",
        sa.Column("phone_system_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("call_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=op.f("fk_events_call_id")),
        sa.ForeignKeyConstraint(
            ["phone_system_id"], ["phone_systems.id"], name=op.f("fk_events_phone_system_id")
        ),
        sa.PrimaryKeyConstraint("phone_system_id", "source", "event_id", name=op.f("pk_events")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_events_call_id"), "events", ["call_id"], unique=False)
    op.create_index(
        "ix_events_ignored",
        "events",
        ["received_at"],
        unique=False,
        sqlite_where=sa.text("call_id IS NULL"),
        postgresql_where=sa.text("call_id IS NULL"),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("portal_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("call_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("wanted", sa.LargeBinary(), nullable=False),
        sa.Column("revision", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("sent_revision", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("step", sa.Text(), server_default="", nullable=False),
        sa.Column("sent", sa.LargeBinary(), nullable=True),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("desk_id", sa.Text(), nullable=True),
        sa.Column("desk_url", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(state = 'sending') = (lease_until IS NOT NULL)", name=op.f("ck_outbox_lease_end")
        ),
        sa.CheckConstraint("(state = 'sending') = (owner IS NOT NULL)", name=op.f("ck_outbox_lease_owner")),
        sa.CheckConstraint("kind IN ('call', 'contact')", name=op.f("ck_outbox_kind")),
        sa.CheckConstraint(
            "state IN ('due', 'sending', 'unknown', 'done', 'dead', 'dropped')", name=op.f("ck_outbox_state")
        ),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=op.f("fk_outbox_call_id")),
        sa.ForeignKeyConstraint(["portal_id"], ["portals.id"], name=op.f("fk_outbox_portal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("portal_id", "kind", "key", name=op.f("uq_outbox_portal_id_kind_key")),
    )
    op.create_index(op.f("ix_outbox_call_id"), "outbox", ["call_id"], unique=False)
    op.create_index(
        "ix_outbox_contacts",
        "outbox",
        ["changed_at"],
        unique=False,
        sqlite_where=sa.text("kind = 'contact'"),
        postgresql_where=sa.text("kind = 'contact'"),
    )
    op.create_index(
        "ix_outbox_dead",
        "outbox",
        ["changed_at"],
        unique=False,
        sqlite_where=sa.text("state = 'dead'"),
        postgresql_where=sa.text("state = 'dead'"),
    )
    op.create_index(
        "ix_outbox_due",
        "outbox",
        ["portal_id", "due_at"],
        unique=False,
        sqlite_where=sa.text("state = 'due'"),
        postgresql_where=sa.text("state = 'due'"),
    )
    op.create_index(
        "ix_outbox_held",
        "outbox",
        ["portal_id"],
        unique=False,
        sqlite_where=sa.text("state IN ('sending', 'unknown')"),
        postgresql_where=sa.text("state IN ('sending', 'unknown')"),
    )
    op.create_index(
        "ix_outbox_not_yet_there",
        "outbox",
        ["created_at"],
        unique=False,
        sqlite_where=sa.text("desk_id IS NULL AND state IN ('due', 'sending', 'unknown')"),
        postgresql_where=sa.text("desk_id IS NULL AND state IN ('due', 'sending', 'unknown')"),
    )

    for statement in _APPEND_ONLY[op.get_bind().dialect.name]:
        op.execute(statement)


_REFUSE = "BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END"
_RAISE = "BEGIN RAISE EXCEPTION 'audit is append-only'; END"
_APPEND_ONLY = {
    "sqlite": (
        f"CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit {_REFUSE}",
        f"CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit {_REFUSE}",
    ),
    "postgresql": (
        f"CREATE FUNCTION audit_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$ {_RAISE} $$",
        "CREATE TRIGGER audit_kept BEFORE UPDATE OR DELETE ON audit EXECUTE FUNCTION audit_is_kept()",
    ),
}
