"""Draw every table; invariants are constraints, with the reason beside each.

Moments (`*_at`, `*_until`) are epoch milliseconds UTC.
Columns named `sealed_*` hold Fernet tokens, `*_hash` hold SHA-256 digests in hex.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite numbers rows by itself only where the key is an INTEGER, PostgreSQL shall not run out of them.
Id = BigInteger().with_variant(Integer, "sqlite")

ANY_PHONE_SYSTEM = 0
"""Stands in `extensions`, `queue_members` and `blocked_numbers` for 'whichever phone system says so'."""

ANY_PORTAL = 0
"""Stands in `rights` for all portals, those to come too."""


def _one_of(column: str, *values: str) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


authentication_methods = Table(
    "authentication_methods",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("type", Text, nullable=False),
    Column("mode", Text, nullable=False),
    # The data centre where the client is registered, at which its flows begin.
    Column("location", Text, nullable=False),
    # Where people open Zoho Desk; nothing is ever sent there.
    Column("environment_url", Text, nullable=False, server_default=""),
    Column("client_id", Text, nullable=False),
    Column("sealed_secret", LargeBinary, nullable=False),
    # JSON: the secrets of data centres that have one of their own.
    Column("sealed_secrets", LargeBinary),
    # Said when it is enabled, so that nobody takes a sandbox for the real thing.
    Column("environment", Text, nullable=False, server_default=""),
    Column("enabled", Boolean, nullable=False, server_default=text("false")),
    # With spaces between: what its portals may do beside the usual, and further scopes to ask for.
    Column("features", Text, nullable=False, server_default=""),
    Column("extra_scopes", Text, nullable=False, server_default=""),
    Column("created_at", BigInteger, nullable=False),
    _one_of("type", "desk"),
    _one_of("mode", "oauth", "self_client"),
    _one_of("environment", "", "production", "sandbox"),
    CheckConstraint("environment <> '' OR NOT enabled", name="confirmed"),
)

portals = Table(
    "portals",
    metadata,
    Column("id", Id, primary_key=True),
    Column("location", Text, nullable=False),
    Column("org_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("edition", Text, nullable=False, server_default=""),
    Column("client_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("scopes", Text, nullable=False, server_default=""),
    Column("default_department_id", Text),
    Column("default_owner_id", Text),
    Column("recording_field", Text),
    Column("key_field", Text),
    # Requests at a time, where Zoho allows this portal other than its edition; else the edition's.
    Column("concurrency", Integer),
    # Read and written by the release before alone: whether Desk takes changes that name only what changes.
    Column("partial_patches", Boolean),
    # What Desk wants named in every change beside what its contract says; learnt from its refusals.
    Column("required_fields", Text, nullable=False, server_default=""),
    # Custom fields that Desk does not know, and lists that it does not sort the newest first; learnt too.
    Column("refused_fields", Text, nullable=False, server_default=""),
    Column("refused_sorts", Text, nullable=False, server_default=""),
    Column("linked_by", Text, nullable=False),
    Column("linked_at", BigInteger, nullable=False),
    # Whether Desk is given our address of a recording or the phone system's own, and who may keep a copy.
    Column("recording_links", Text, nullable=False, server_default="connector"),
    Column("recording_downloads", Text, nullable=False, server_default="nobody"),
    # What Desk said last (JSON) that the agent who linked the portal may do there.
    Column("rights", Text, nullable=False, server_default=""),
    # Empty: the client of the settings.
    Column("method_id", ForeignKey(authentication_methods.c.id)),
    # An organisation is linked once: two rows would write each call twice.
    UniqueConstraint("location", "org_id"),
    _one_of("state", "linked", "grant_lost", "unlinked"),
    _one_of("recording_links", "connector", "original"),
    _one_of("recording_downloads", "nobody", "supervisors", "listeners"),
)

grants = Table(
    "grants",
    metadata,
    # A portal has one grant; linking again replaces it.
    Column("portal_id", ForeignKey(portals.c.id), primary_key=True),
    Column("sealed_refresh_token", LargeBinary, nullable=False),
    Column("sealed_access_token", LargeBinary),
    Column("expires_at", BigInteger, nullable=False, server_default="0"),
    # Tokens live for different times, so this cannot be told from their end.
    Column("renew_at", BigInteger, nullable=False, server_default="0"),
    # Zoho gives ten tokens in ten minutes, so one process at a time refreshes.
    Column("renewer", Text),
    Column("renewing_until", BigInteger, nullable=False, server_default="0"),
    Column("closed_until", BigInteger, nullable=False, server_default="0"),
    # The moments (JSON) of the tokens asked for in the last ten minutes, so that we stop before Zoho does.
    Column("renewals", Text, nullable=False, server_default="[]"),
)

phone_systems = Table(
    "phone_systems",
    metadata,
    Column("id", Id, primary_key=True),
    # The call key is made of this, so it never changes and is never used again.
    Column("uid", Text, nullable=False, unique=True),
    Column("slug", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("portal_id", ForeignKey(portals.c.id), nullable=False),
    Column("dialect", Text, nullable=False),
    Column("country", Text, nullable=False),
    Column("time_zone", Text, nullable=False, server_default="UTC"),
    Column("department_id", Text),
    # What its answers may say, where its dialect can: the caller's name, the contact's owner to be rung.
    Column("tells_names", Boolean, nullable=False, server_default=text("false")),
    Column("routes_to_owners", Boolean, nullable=False, server_default=text("false")),
    # Whether a program of its own fetches what it shall do: dial, hang up, transfer.
    Column("takes_orders", Boolean, nullable=False, server_default=text("false")),
    # Whether calls among colleagues are recorded in Desk too.
    Column("records_internal", Boolean, nullable=False, server_default=text("false")),
    # With spaces between: what is dialled before a number, such as 9 for an outside line.
    Column("prefixes", Text, nullable=False, server_default=""),
    # Whether its numbers have their country code and no plus: else they may be anything.
    Column("without_plus", Boolean, nullable=False, server_default=text("false")),
    # JSON: what the programs beside it have reported of themselves, such as a bridge of what it lacks.
    Column("programs", Text),
    Column("created_at", BigInteger, nullable=False),
    # Its row stays for its calls; its slug is none that an address could have.
    Column("removed_at", BigInteger),
)

phone_secrets = Table(
    "phone_secrets",
    metadata,
    Column("id", Id, primary_key=True),
    Column("phone_system_id", ForeignKey(phone_systems.c.id), nullable=False, index=True),
    # What signs the body, or what stands in the address where the vendor signs nothing.
    Column("kind", Text, nullable=False, server_default="signing"),
    # Empty once it was removed: when it was valid is kept for the histories of calls.
    Column("sealed_secret", LargeBinary, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    # Empty while it is the newest; a rotation leaves the older one valid for a while.
    Column("valid_until", BigInteger),
    _one_of("kind", "signing", "address"),
)

senders = Table(
    "senders",
    metadata,
    # From where a phone system may post; without a row, from anywhere.
    Column("phone_system_id", ForeignKey(phone_systems.c.id), primary_key=True),
    Column("network", Text, primary_key=True),
)

blocked_numbers = Table(
    "blocked_numbers",
    metadata,
    Column("portal_id", ForeignKey(portals.c.id), primary_key=True),
    # Of one phone system, or of all of the portal.
    Column("phone_system_id", BigInteger, primary_key=True),
    # E.164, with * for any digits, or 'withheld'.
    Column("pattern", Text, primary_key=True),
    Column("reason", Text, nullable=False, server_default=""),
    Column("created_at", BigInteger, nullable=False),
)

caller_ids = Table(
    "caller_ids",
    metadata,
    # Which of our numbers is shown to whom we call.
    Column("phone_system_id", ForeignKey(phone_systems.c.id), primary_key=True),
    Column("pattern", Text, primary_key=True),
    Column("number", Text, nullable=False),
)

destinations = Table(
    "destinations",
    metadata,
    # Who may call whom with the connector's help: numbers by pattern, from which role on; empty: nobody.
    Column("phone_system_id", ForeignKey(phone_systems.c.id), primary_key=True),
    Column("pattern", Text, primary_key=True),
    Column("role", Text),
    _one_of("role", "agent", "supervisor", "administrator"),
)

takers = Table(
    "takers",
    metadata,
    # When a phone system's program last asked for orders: an order that nobody would fetch is refused.
    Column("phone_system_id", ForeignKey(phone_systems.c.id), primary_key=True),
    Column("asked_at", BigInteger, nullable=False),
)

orders = Table(
    "orders",
    metadata,
    Column("id", Id, primary_key=True),
    # What both sides call it. It becomes part of the id of the call that it makes, so it is never used again.
    Column("uid", Text, nullable=False, unique=True),
    Column("phone_system_id", ForeignKey(phone_systems.c.id), nullable=False),
    Column("asker", Text, nullable=False),
    # What the asker calls it: asked again under the same key, it is the same order.
    Column("key", Text, nullable=False),
    # A digest of all that was asked, so that nothing else passes for it under the same key.
    Column("asked", Text),
    Column("kind", Text, nullable=False),
    # The agent whose telephone it is about, in the phone system's word; empty for the whole call.
    Column("agent", Text, nullable=False),
    # Whom to call, or to whom the call goes: E.164 or an extension.
    Column("number", Text, nullable=False, server_default=""),
    Column("caller_id", Text),
    # The Desk contact whom the asker calls: the call is theirs from its beginning.
    Column("contact_id", Text),
    # The phone system's id of the call that it makes or is about.
    Column("call_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    # Who fetched it: nobody else is told to do it.
    Column("taken_by", Text),
    Column("reason", Text, nullable=False, server_default=""),
    Column("detail", Text, nullable=False, server_default=""),
    Column("created_at", BigInteger, nullable=False, index=True),
    # Until when it may be fetched; once it is, until when its outcome is waited for.
    Column("ends_at", BigInteger, nullable=False),
    UniqueConstraint("asker", "key"),
    _one_of("kind", "dial", "hang_up", "transfer"),
    _one_of("state", "waiting", "taken", "done", "refused", "expired", "unknown"),
    # Nobody's telephone is rung for two calls at once, however often somebody clicks.
    Index("uq_orders_ringing", "phone_system_id", "agent", unique=True,
          sqlite_where=text("kind = 'dial' AND state IN ('waiting', 'taken')"),
          postgresql_where=text("kind = 'dial' AND state IN ('waiting', 'taken')")),
    # Nor is a call handed over twice at once.
    Index("uq_orders_acting", "phone_system_id", "call_id", "agent", "kind", unique=True,
          sqlite_where=text("kind <> 'dial' AND state IN ('waiting', 'taken')"),
          postgresql_where=text("kind <> 'dial' AND state IN ('waiting', 'taken')")),
    # What a call's history tells, and whom a telephone has called before.
    Index("ix_orders_call", "phone_system_id", "call_id"),
    Index("ix_orders_dialled", "phone_system_id", "agent", "number"),
    # Read again and again, and these are few.
    Index("ix_orders_open", "ends_at", sqlite_where=text("state IN ('waiting', 'taken')"),
          postgresql_where=text("state IN ('waiting', 'taken')")),
)  # fmt: skip

recording_sources = Table(
    "recording_sources",
    metadata,
    # Where a phone system keeps its recordings; without a row, at public https addresses that it tells.
    Column("phone_system_id", ForeignKey(phone_systems.c.id), primary_key=True),
    # A folder of this machine, and the address that stands for it in events.
    Column("folder", Text),
    Column("folder_address", Text),
    # With spaces between: from where others are fetched, where those may lead, and in which private networks.
    Column("origins", Text, nullable=False, server_default=""),
    Column("redirect_origins", Text, nullable=False, server_default=""),
    Column("networks", Text, nullable=False, server_default=""),
    # The name and the value of the header that the origins, and no others, are shown.
    Column("header", Text),
    Column("sealed_header_value", LargeBinary),
    # An address without its folder would stand for all folders, a header without value for none.
    CheckConstraint("(folder IS NULL) = (folder_address IS NULL)", name="folder_whole"),
    CheckConstraint("(header IS NULL) = (sealed_header_value IS NULL)", name="header_whole"),
)

lines = Table(
    "lines",
    metadata,
    # A number of the company itself: never looked up, and it may decide the department.
    Column("phone_system_id", ForeignKey(phone_systems.c.id), primary_key=True),
    Column("number", Text, primary_key=True),
    Column("department_id", Text),
    # What people call it, such as Front desk.
    Column("name", Text, nullable=False, server_default=""),
)

queues = Table(
    "queues",
    metadata,
    Column("phone_system_id", ForeignKey(phone_systems.c.id), primary_key=True),
    Column("queue", Text, primary_key=True),
    Column("department_id", Text),
    Column("name", Text, nullable=False, server_default=""),
)

users = Table(
    "users",
    metadata,
    Column("id", Id, primary_key=True),
    # Kept in lower case: Zoho's spelling of an address may differ from the administrator's.
    Column("email", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("active", Boolean, nullable=False, server_default=text("true")),
    Column("issuer", Text),
    Column("subject", Text),
    Column("created_at", BigInteger, nullable=False),
    # In lower case: the address at Zoho, for sign-in connectors that compare it with this instead of `email`.
    Column("user_name", Text),
    # The profile that the user works with now; empty: that of everyone.
    Column("profile_id", BigInteger),
    # One Zoho person is one user.
    UniqueConstraint("issuer", "subject"),
    Index("uq_users_user_name", "user_name", unique=True),
    _one_of("role", "agent", "supervisor", "administrator"),
    CheckConstraint("(issuer IS NULL) = (subject IS NULL)", name="identity_whole"),
)

extensions = Table(
    "extensions",
    metadata,
    Column("phone_system_id", BigInteger, primary_key=True),
    # What a phone system calls an agent (extension or login) names one user.
    Column("extension", Text, primary_key=True),
    Column("user_id", ForeignKey(users.c.id), nullable=False, index=True),
    # Calls before that moment were a predecessor's, and are not this user's to hear; empty: always theirs.
    Column("given_at", BigInteger),
)

queue_members = Table(
    "queue_members",
    metadata,
    Column("phone_system_id", BigInteger, primary_key=True),
    Column("queue", Text, primary_key=True),
    Column("user_id", ForeignKey(users.c.id), primary_key=True),
)

rights = Table(
    "rights",
    metadata,
    Column("user_id", ForeignKey(users.c.id), primary_key=True),
    Column("thing", Text, primary_key=True),
    # ANY_PORTAL, or the one for which it was given.
    Column("portal_id", BigInteger, primary_key=True),
    Column("may", Text, primary_key=True),
    _one_of("thing", "authentication_methods", "sign_in_connectors", "crm"),
    _one_of("may", "access", "modify", "create"),
)

crms = Table(
    "crms",
    metadata,
    # A portal without a row has the usual CRM.
    Column("portal_id", ForeignKey(portals.c.id), primary_key=True),
    Column("name", Text, nullable=False),
    Column("enabled", Boolean, nullable=False, server_default=text("true")),
    # JSON: objects and fields, search order, pop policy, assign rules.
    Column("rules", LargeBinary, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
)

crm_fields_off = Table(
    "crm_fields_off",
    metadata,
    # Fields of a CRM that Desk has no more, or has otherwise than they are used: neither shown nor written.
    Column("portal_id", ForeignKey(portals.c.id), primary_key=True),
    Column("object", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
)

card_edits = Table(
    "card_edits",
    metadata,
    # Who changes a record in Desk just now: one at a time, for of two writers there the last wins. A row goes
    # when Desk has answered; where the answer is lost, it keeps others away for as long as it may be applied.
    Column("portal_id", ForeignKey(portals.c.id), primary_key=True),
    Column("object", Text, primary_key=True),
    Column("record_id", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("until", BigInteger, nullable=False),
)

desk_fields = Table(
    "desk_fields",
    metadata,
    # What Desk told of the fields of a module, and of its layout in a department ("" where it has none).
    Column("portal_id", ForeignKey(portals.c.id), primary_key=True),
    Column("module", Text, primary_key=True),
    Column("department_id", Text, primary_key=True),
    Column("told", LargeBinary, nullable=False),
    Column("read_at", BigInteger, nullable=False),
)

profiles = Table(
    "profiles",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    # JSON: the portals, objects and fields that are seen and edited, and what may be done.
    Column("access", LargeBinary, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
)

profile_users = Table(
    "profile_users",
    metadata,
    Column("profile_id", ForeignKey(profiles.c.id), primary_key=True),
    Column("user_id", ForeignKey(users.c.id), primary_key=True, index=True),
)

desk_agents = Table(
    "desk_agents",
    metadata,
    Column("portal_id", ForeignKey(portals.c.id), primary_key=True),
    Column("user_id", ForeignKey(users.c.id), primary_key=True),
    # Empty: Desk knows no agent with this user's e-mail address.
    Column("desk_agent_id", Text),
    Column("checked_at", BigInteger, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id_hash", Text, primary_key=True),
    Column("user_id", ForeignKey(users.c.id), nullable=False, index=True),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
)

nonce_issuers = Table(
    "nonce_issuers",
    metadata,
    # Who has sent a sign-in's nonce back once: from then on none of its id tokens comes without.
    Column("issuer", Text, primary_key=True),
    Column("seen_at", BigInteger, nullable=False),
)

flows = Table(
    "flows",
    metadata,
    # One attempt to sign in or to link; deleted when its callback comes, so a state is used once.
    Column("state_hash", Text, primary_key=True),
    Column("browser_hash", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("location", Text, nullable=False),
    Column("sealed_verifier", LargeBinary, nullable=False),
    Column("nonce", Text, nullable=False),
    Column("user_id", ForeignKey(users.c.id)),
    Column("next_path", Text, nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
    # Whose client it began with: the code that comes back is worth nothing with another one.
    Column("method_id", ForeignKey(authentication_methods.c.id)),
    # The sign-in connector that it goes by; empty where there is none.
    Column("connector_id", BigInteger),
    _one_of("purpose", "sign_in", "link"),
)

sign_in_connectors = Table(
    "sign_in_connectors",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    # Stands in people's bookmarks, so it never changes.
    Column("reference", Text, nullable=False, unique=True),
    # Empty: what is used where nobody chose one.
    Column("method_id", ForeignKey(authentication_methods.c.id)),
    Column("match_by", Text, nullable=False, server_default="email"),
    Column("enabled", Boolean, nullable=False, server_default=text("true")),
    Column("is_default", Boolean, nullable=False, server_default=text("false")),
    Column("created_at", BigInteger, nullable=False),
    # One at most is taken where nobody chooses.
    Index(
        "uq_sign_in_connectors_default",
        "is_default",
        unique=True,
        sqlite_where=text("is_default"),
        postgresql_where=text("is_default"),
    ),
    _one_of("match_by", "email", "user_name"),
)

sign_in_connector_users = Table(
    "sign_in_connector_users",
    metadata,
    # Who has a row signs in by these connectors alone, who has none by any.
    Column("connector_id", ForeignKey(sign_in_connectors.c.id), primary_key=True),
    Column("user_id", ForeignKey(users.c.id), primary_key=True, index=True),
)

sign_in_connector_portals = Table(
    "sign_in_connector_portals",
    metadata,
    # With rows, only agents of these portals' Desk sign in by it.
    Column("connector_id", ForeignKey(sign_in_connectors.c.id), primary_key=True),
    Column("portal_id", ForeignKey(portals.c.id), primary_key=True),
)

one_time_links = Table(
    "one_time_links",
    metadata,
    # Deleted when it is used, so each is used once.
    Column("token_hash", Text, primary_key=True),
    Column("purpose", Text, nullable=False),
    # Whom it signs in; empty where it adds the first administrator.
    Column("user_id", ForeignKey(users.c.id)),
    Column("expires_at", BigInteger, nullable=False),
    _one_of("purpose", "sign_in", "first_administrator"),
    CheckConstraint("(purpose = 'sign_in') = (user_id IS NOT NULL)", name="user"),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("role", Text, nullable=False),
    Column("key_hash", Text, nullable=False, unique=True),
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    # With spaces between: patterns of the actions that it may call; empty: none.
    Column("actions", Text, nullable=False, server_default=""),
    Column("expires_at", BigInteger),
    # To the minute: it is not written with each request.
    Column("last_used_at", BigInteger),
    _one_of("role", "agent", "supervisor", "administrator"),
)

api_key_portals = Table(
    "api_key_portals",
    metadata,
    # With rows, the key is for these portals alone.
    Column("key_id", ForeignKey(api_keys.c.id), primary_key=True),
    Column("portal_id", ForeignKey(portals.c.id), primary_key=True),
)

audit = Table(
    "audit",
    metadata,
    # Append-only: triggers in the migration refuse changes.
    Column("id", Id, primary_key=True),
    Column("at", BigInteger, nullable=False, index=True),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Text, nullable=False, server_default=""),
)

calls = Table(
    "calls",
    metadata,
    Column("id", Id, primary_key=True),
    Column("phone_system_id", ForeignKey(phone_systems.c.id), nullable=False),
    Column("call_id", Text, nullable=False),
    # What marks the call's record in Desk.
    Column("key", Text, nullable=False, unique=True),
    # The root of the call group that transfers made; empty for the root itself.
    Column("root_id", ForeignKey("calls.id"), index=True),
    # Empty on a stub: a parent that was named but never heard of.
    Column("state", Text),
    Column("body", LargeBinary),
    Column("revision", BigInteger, nullable=False, server_default="0"),
    Column("chosen_contact_id", Text),
    # What the look-up for the banner came to, and what it found (JSON).
    Column("lookup", Text, nullable=False, server_default="pending"),
    Column("found", LargeBinary),
    # While one process asks who is calling, no other does.
    Column("asked_until", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    # When the watchdog looks at an open call.
    Column("closes_at", BigInteger),
    # When all that was known of it was erased: its key stays, and nothing that is still told of it is kept.
    Column("erased_at", BigInteger),
    # Why no record comes of it, on the root of a call group that is over; empty where one does.
    Column("not_recorded", Text),
    # A call is (phone system, call id), whichever process hears of it first.
    UniqueConstraint("phone_system_id", "call_id"),
    _one_of("state", "ringing", "answered", "ended"),
    _one_of("lookup", "pending", "found", "none", "failed", "skipped"),
    _one_of("not_recorded", "internal", "not_taken", "nothing_told", "erased", "earlier"),
    # The watchdog and the snapshots read open calls only, and these are few.
    Index("ix_calls_open", "closes_at", sqlite_where=text("closes_at IS NOT NULL"),
          postgresql_where=text("closes_at IS NOT NULL")),
    Index("ix_calls_changed_at", "changed_at"),
    # Asked whenever events come, and these are few.
    Index("ix_calls_erased", "id", sqlite_where=text("erased_at IS NOT NULL"),
          postgresql_where=text("erased_at IS NOT NULL")),
    # Listed by the latest, without reading the calls that were recorded.
    Index("ix_calls_not_recorded", "id", sqlite_where=text("not_recorded IS NOT NULL"),
          postgresql_where=text("not_recorded IS NOT NULL")),
)  # fmt: skip

assignments = Table(
    "assignments",
    metadata,
    # To which object a call goes: by which rule, once, or as an agent chose. Goes with its call.
    Column("call_id", ForeignKey(calls.c.id, ondelete="CASCADE"), primary_key=True),
    Column("rule", Text, nullable=False, server_default=""),
    Column("target", Text, nullable=False, server_default=""),
    # JSON: of each rule that was tried, whether each of its rows was true.
    Column("truths", LargeBinary),
    # The ticket that the record names, and who chose it; "" where a rule did.
    Column("ticket_id", Text),
    Column("chosen_by", Text, nullable=False, server_default=""),
    # Empty as long as no rule has decided.
    Column("decided_at", BigInteger),
    Column("changed_at", BigInteger, nullable=False),
)

events = Table(
    "events",
    metadata,
    # An event is (phone system, source, id): said again it is the same event.
    Column("phone_system_id", ForeignKey(phone_systems.c.id), primary_key=True),
    Column("source", Text, primary_key=True),
    Column("event_id", Text, primary_key=True),
    # Empty for an event of a type that we do not know.
    Column("call_id", ForeignKey(calls.c.id), index=True),
    Column("received_at", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    # Those of a call go with it; the others, which are few, by their age.
    Index("ix_events_ignored", "received_at", sqlite_where=text("call_id IS NULL"),
          postgresql_where=text("call_id IS NULL")),
    sqlite_with_rowid=False,
)  # fmt: skip

event_repeats = Table(
    "event_repeats",
    metadata,
    # How often an event was said again; without a row, never.
    Column("phone_system_id", Id, primary_key=True, autoincrement=False),
    Column("source", Text, primary_key=True),
    Column("event_id", Text, primary_key=True),
    Column("times", Integer, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    ForeignKeyConstraint(
        ["phone_system_id", "source", "event_id"],
        ["events.phone_system_id", "events.source", "events.event_id"],
        ondelete="CASCADE",
    ),
    sqlite_with_rowid=False,
)

_LISTED = "started_at IS NOT NULL"
_SILENT = "not_recorded IS NOT NULL"
_GOES_ON = "state IN ('ringing', 'answered')"

listed_calls = Table(
    "listed_calls",
    metadata,
    # What lists of calls are sorted and chosen by; written a little after the calls themselves.
    Column("call_id", ForeignKey(calls.c.id, ondelete="CASCADE"), primary_key=True),
    # That of the call when this was written: another one tells that it is out of date.
    Column("revision", BigInteger, nullable=False),
    Column("phone_system_id", BigInteger, nullable=False),
    # Empty on what is not listed itself: calls that came out of others, and stubs.
    Column("started_at", BigInteger),
    Column("state", Text),
    Column("not_recorded", Text),
    # One for each way in which calls are asked for, the newest first.
    Index("ix_listed_calls_started_at", "started_at", "call_id", sqlite_where=text(_LISTED),
          postgresql_where=text(_LISTED)),
    Index("ix_listed_calls_phone", "phone_system_id", "started_at", "call_id", sqlite_where=text(_LISTED),
          postgresql_where=text(_LISTED)),
    Index("ix_listed_calls_reason", "not_recorded", "started_at", "call_id", sqlite_where=text(_SILENT),
          postgresql_where=text(_SILENT)),
    Index("ix_listed_calls_open", "state", "started_at", "call_id", sqlite_where=text(_GOES_ON),
          postgresql_where=text(_GOES_ON)),
)  # fmt: skip

listed_parties = Table(
    "listed_parties",
    metadata,
    # Who took part in a listed call: `number` and the key of a caller, `agent` and the phone system's word.
    Column("call_id", ForeignKey(calls.c.id, ondelete="CASCADE"), primary_key=True),
    Column("party", Text, primary_key=True),
    # As in `listed_calls`: asked of these rows, it hides nothing from who plans the query.
    Column("phone_system_id", BigInteger, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Index("ix_listed_parties_party", "party", "started_at", "call_id"),
    sqlite_with_rowid=False,
)

listed_until = Table(
    "listed_until",
    metadata,
    # Up to which change of a call, roughly, the lists are written: one row.
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("changed_at", BigInteger, nullable=False),
)

recording_accesses = Table(
    "recording_accesses",
    metadata,
    # Who opened, heard, kept or was refused which recording; goes with its call.
    Column("id", Id, primary_key=True),
    # The root of the call group.
    Column("call_id", ForeignKey(calls.c.id), nullable=False, index=True),
    Column("user_id", ForeignKey(users.c.id), nullable=False, index=True),
    Column("what", Text, nullable=False),
    # Which of the call's recordings; "" for its page.
    Column("piece", Text, nullable=False, server_default=""),
    # A player asks many times for what is heard once: those are one access.
    Column("at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False, index=True),
    Column("times", Integer, nullable=False, server_default="1"),
    _one_of("what", "opened", "played", "downloaded", "refused"),
)

unread = Table(
    "unread",
    metadata,
    # Authentic, yet unreadable: one copy, counted.
    Column("phone_system_id", ForeignKey(phone_systems.c.id), primary_key=True),
    Column("body_hash", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("times", Integer, nullable=False, server_default="1"),
    Column("first_at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False, index=True),
)

activity = Table(
    "activity",
    metadata,
    # In which hours a phone system was heard, for as long as its habits are learned from: a few hundred rows.
    Column("phone_system_id", ForeignKey(phone_systems.c.id), primary_key=True),
    Column("hour_at", BigInteger, primary_key=True),
    Column("first_at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    # The longest silence between two events of this hour.
    Column("longest_gap", BigInteger, nullable=False, server_default="0"),
    sqlite_with_rowid=False,
)

directory = Table(
    "directory",
    metadata,
    # What Desk said of a number: contacts as JSON, none as [].
    Column("portal_id", ForeignKey(portals.c.id), primary_key=True),
    Column("number", Text, primary_key=True),
    Column("contacts", LargeBinary, nullable=False),
    Column("asked_at", BigInteger, nullable=False),
)

contacts = Table(
    "contacts",
    metadata,
    # Desk's contacts as the contact index has them; phone and mobile as somebody typed them.
    Column("portal_id", ForeignKey(portals.c.id), primary_key=True),
    Column("contact_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("account", Text),
    Column("url", Text, nullable=False, server_default=""),
    Column("phone", Text),
    Column("mobile", Text),
    # The Desk agent who looks after them.
    Column("owner_id", Text),
    Column("modified_at", BigInteger, nullable=False, server_default="0"),
    # The rows of contact_numbers that lead here (E.164, spaces between), so that they are found again.
    Column("numbers", Text, nullable=False, server_default=""),
    # When Desk was last heard to have it: what a whole sync has not seen is gone.
    Column("seen_at", BigInteger, nullable=False),
    # Of these "" is empty in Desk, and NULL what was not told since the index has the column.
    Column("first_name", Text),
    Column("last_name", Text),
    # In small letters, to be found by.
    Column("email", Text),
    Column("account_id", Text),
    Column("created_at", BigInteger),
    Index(
        "ix_contacts_email",
        "portal_id",
        "email",
        sqlite_where=text("email > ''"),
        postgresql_where=text("email > ''"),
    ),
    Index("ix_contacts_account", "portal_id", "account_id"),
    sqlite_with_rowid=False,
)

contact_numbers = Table(
    "contact_numbers",
    metadata,
    # All that a look-up reads first: the key is the whole row.
    Column("portal_id", ForeignKey(portals.c.id), primary_key=True),
    Column("number", Text, primary_key=True),
    Column("contact_id", Text, primary_key=True),
    sqlite_with_rowid=False,
)

contact_changes = Table(
    "contact_changes",
    metadata,
    # What Desk's webhooks told and nobody has read again yet; told twice it is one change.
    Column("portal_id", ForeignKey(portals.c.id), primary_key=True),
    Column("contact_id", Text, primary_key=True),
    Column("deleted", Boolean, nullable=False),
    Column("told_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

directory_syncs = Table(
    "directory_syncs",
    metadata,
    Column("portal_id", ForeignKey(portals.c.id), primary_key=True),
    Column("phase", Text, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    # Empty until every contact has been read once: until then the index answers nothing.
    Column("finished_at", BigInteger),
    # How far the present sync has come: the moment of making, and how many of that very moment.
    Column("cursor_at", BigInteger, nullable=False, server_default="0"),
    Column("cursor_from", Integer, nullable=False, server_default="0"),
    Column("counted", BigInteger, nullable=False, server_default="0"),
    Column("expected", BigInteger),
    # How far refreshing has come, by Desk's own clock, and when it last reached the end.
    Column("modified_to", BigInteger, nullable=False, server_default="0"),
    Column("modified_from", Integer, nullable=False, server_default="0"),
    Column("refreshed_at", BigInteger, nullable=False, server_default="0"),
    # The countries that typed numbers were read in, and how far reading them anew has come.
    Column("countries", Text, nullable=False, server_default=""),
    Column("reread_to", Text, nullable=False, server_default=""),
    Column("credits_day", BigInteger, nullable=False, server_default="0"),
    Column("credits_today", BigInteger, nullable=False, server_default="0"),
    Column("credits_used", BigInteger, nullable=False, server_default="0"),
    Column("waits_until", BigInteger, nullable=False, server_default="0"),
    Column("reason", Text, nullable=False, server_default=""),
    # Desk's webhook of ours; "" while it is being made, empty where there is none.
    Column("webhook_id", Text),
    # One process at a time works on it; a dead one's lease runs out.
    Column("owner", Text),
    Column("leased_until", BigInteger, nullable=False, server_default="0"),
    _one_of("phase", "filling", "sweeping", "kept"),
)

accounts = Table(
    "accounts",
    metadata,
    # Desk's accounts as their index has them; the phone as somebody typed it.
    Column("portal_id", ForeignKey(portals.c.id), primary_key=True),
    Column("account_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("url", Text, nullable=False, server_default=""),
    Column("phone", Text),
    Column("website", Text),
    # In small letters, to be found by.
    Column("email", Text),
    Column("owner_id", Text),
    Column("modified_at", BigInteger, nullable=False, server_default="0"),
    Column("created_at", BigInteger),
    Column("numbers", Text, nullable=False, server_default=""),
    Column("seen_at", BigInteger, nullable=False),
    Index(
        "ix_accounts_email",
        "portal_id",
        "email",
        sqlite_where=text("email > ''"),
        postgresql_where=text("email > ''"),
    ),
    sqlite_with_rowid=False,
)

account_numbers = Table(
    "account_numbers",
    metadata,
    Column("portal_id", ForeignKey(portals.c.id), primary_key=True),
    Column("number", Text, primary_key=True),
    Column("account_id", Text, primary_key=True),
    sqlite_with_rowid=False,
)

account_changes = Table(
    "account_changes",
    metadata,
    # What Desk's webhooks told of accounts and nobody has read again yet.
    Column("portal_id", ForeignKey(portals.c.id), primary_key=True),
    Column("account_id", Text, primary_key=True),
    Column("deleted", Boolean, nullable=False),
    Column("told_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

account_syncs = Table(
    "account_syncs",
    metadata,
    Column("portal_id", ForeignKey(portals.c.id), primary_key=True),
    Column("phase", Text, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    # As in directory_syncs, for the index of accounts: it is there where a search row needs it.
    Column("finished_at", BigInteger),
    Column("cursor_at", BigInteger, nullable=False, server_default="0"),
    Column("cursor_from", Integer, nullable=False, server_default="0"),
    Column("counted", BigInteger, nullable=False, server_default="0"),
    Column("expected", BigInteger),
    Column("modified_to", BigInteger, nullable=False, server_default="0"),
    Column("modified_from", Integer, nullable=False, server_default="0"),
    Column("refreshed_at", BigInteger, nullable=False, server_default="0"),
    Column("countries", Text, nullable=False, server_default=""),
    Column("reread_to", Text, nullable=False, server_default=""),
    Column("credits_day", BigInteger, nullable=False, server_default="0"),
    Column("credits_today", BigInteger, nullable=False, server_default="0"),
    Column("credits_used", BigInteger, nullable=False, server_default="0"),
    Column("waits_until", BigInteger, nullable=False, server_default="0"),
    Column("reason", Text, nullable=False, server_default=""),
    Column("owner", Text),
    Column("leased_until", BigInteger, nullable=False, server_default="0"),
    _one_of("phase", "filling", "sweeping", "kept"),
)

_NOT_YET_THERE = "desk_id IS NULL AND state IN ('due', 'sending', 'unknown')"

limits = Table(
    "limits",
    metadata,
    # What a portal has met of Zoho's limits, for all processes; without a row, none yet.
    Column("portal_id", ForeignKey(portals.c.id), primary_key=True),
    # TOO_MANY_REQUESTS: so many at a time from that moment on, and widening since.
    Column("narrowed_to", Integer),
    Column("narrowed_at", BigInteger, nullable=False, server_default="0"),
    # THRESHOLD_EXCEEDED: nothing leaves before.
    Column("closed_until", BigInteger, nullable=False, server_default="0"),
    # Today's credits: Desk's word where there is one, our own count from there on.
    Column("credits_left", BigInteger),
    Column("credits_at", BigInteger, nullable=False, server_default="0"),
    # What look-ups of calls have spent of those that are kept for them, since so few were left.
    Column("lookups_short", BigInteger, nullable=False, server_default="0"),
    # Deliveries in a row that found Zoho down; after some of them one at a time tries.
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("rests_until", BigInteger, nullable=False, server_default="0"),
)

caller_credits = Table(
    "caller_credits",
    metadata,
    # What a user or a key has spent of a portal's credits by look-ups and searches, on one day (UTC).
    Column("portal_id", ForeignKey(portals.c.id), primary_key=True),
    Column("caller", Text, primary_key=True),
    Column("day", BigInteger, nullable=False),
    Column("spent", BigInteger, nullable=False),
)

slots = Table(
    "slots",
    metadata,
    # Each process's share of a portal's width: a row for look-ups, one for deliveries and all else.
    Column("portal_id", ForeignKey(portals.c.id), primary_key=True),
    Column("holder", Text, primary_key=True),
    # Whether it is the part for look-ups.
    Column("live", Boolean, nullable=False),
    Column("slots", Integer, nullable=False),
    # Of look-ups all that they want, of all else what is wanted beside `slots`: earlier releases read it so.
    Column("wanted", Integer, nullable=False),
    # Changes with each renewal; who sees it unchanged for a while knows that its process is dead.
    Column("lease_until", BigInteger, nullable=False),
    # Since when it has something, or nothing; empty where the release before wrote it.
    Column("since", BigInteger),
    # When it was renewed, on the steady clock of that machine: no other reads the same.
    Column("machine", Text),
    Column("renewed_at", BigInteger),
)

portal_writes = Table(
    "portal_writes",
    metadata,
    # What became of writes lately, by portal and by kind: made contacts, calls, tickets, changed calls.
    Column("portal_id", ForeignKey(portals.c.id), primary_key=True),
    Column("work", Text, primary_key=True),
    # When Desk last took one, to within a few seconds.
    Column("taken_at", BigInteger, nullable=False, server_default="0"),
    # The refusal of all of them that stands since; none once one is taken.
    Column("reason", Text, nullable=False, server_default=""),
    Column("detail", Text, nullable=False, server_default=""),
    Column("refused_at", BigInteger, nullable=False, server_default="0"),
    _one_of("work", "contact", "call", "change", "ticket", "comment"),
)
outbox = Table(
    "outbox",
    metadata,
    Column("id", Id, primary_key=True),
    Column("portal_id", ForeignKey(portals.c.id), nullable=False),
    Column("kind", Text, nullable=False),
    # A call's key, a contact's number or that of a click: what makes this write one and the same.
    Column("key", Text, nullable=False),
    Column("call_id", ForeignKey(calls.c.id), index=True),
    Column("wanted", LargeBinary, nullable=False),
    # The wanted record has been put into Desk when sent_revision has reached revision.
    Column("revision", BigInteger, nullable=False, server_default="1"),
    Column("sent_revision", BigInteger, nullable=False, server_default="0"),
    Column("state", Text, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("owner", Text),
    Column("lease_until", BigInteger),
    # True wherever this release writes an owner or an unknown outcome: then the one before counts no slot.
    Column("ahead", Boolean, nullable=False, server_default=text("false")),
    # Somebody prepares it, by the database's clock: that spares others the same, and does nothing else.
    Column("picked_until", BigInteger),
    # How many requests were noted for it. Nothing resets it: what was read before the last is out of date.
    Column("attempt", BigInteger, nullable=False, server_default="0"),
    # Failures in a row, for the pauses between them.
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("step", Text, nullable=False, server_default=""),
    # The last request that may have been applied, so that it can be looked for.
    Column("sent", LargeBinary),
    Column("sent_at", BigInteger),
    Column("desk_id", Text),
    Column("desk_url", Text),
    Column("reason", Text, nullable=False, server_default=""),
    Column("detail", Text, nullable=False, server_default=""),
    # Answers that may concern this record alone, counted while Desk took others, and when the last one was.
    Column("strikes", Integer, nullable=False, server_default="0"),
    Column("struck_at", BigInteger, nullable=False, server_default="0"),
    Column("created_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    # The promise itself: a call has one delivery, a number makes one contact.
    UniqueConstraint("portal_id", "kind", "key"),
    _one_of("kind", "call", "contact", "ticket", "comment"),
    _one_of("state", "due", "sending", "unknown", "done", "dead", "dropped"),
    # A request that is noted has an owner; its lease's end is read by the release before alone.
    CheckConstraint("(state = 'sending') = (owner IS NOT NULL)", name="lease_owner"),
    CheckConstraint("(state = 'sending') = (lease_until IS NOT NULL)", name="lease_end"),
    Index("ix_outbox_due", "portal_id", "due_at", sqlite_where=text("state = 'due'"),
          postgresql_where=text("state = 'due'")),
    # Whether anything is due at all is seen at once, however many portals there are. With IS TRUE, PostgreSQL
    # does not take it for what is asked of one portal: it would read the backlogs of all others.
    Index("ix_outbox_waiting", "due_at", sqlite_where=text("(state IN ('due', 'unknown')) IS TRUE"),
          postgresql_where=text("(state IN ('due', 'unknown')) IS TRUE")),
    # Few at any time, however long the queue: what may have been applied is looked at each second.
    Index("ix_outbox_held", "portal_id", sqlite_where=text("state IN ('sending', 'unknown')"),
          postgresql_where=text("state IN ('sending', 'unknown')")),
    # What people are shown and woken for is found without reading what is done.
    # The calls that wait for a contact are woken without reading what else waits; IS TRUE as above.
    Index("ix_outbox_step", "portal_id", "step",
          sqlite_where=text("(state = 'due' AND step <> '') IS TRUE"),
          postgresql_where=text("(state = 'due' AND step <> '') IS TRUE")),
    Index("ix_outbox_dead", "changed_at", sqlite_where=text("state = 'dead'"),
          postgresql_where=text("state = 'dead'")),
    Index("ix_outbox_dropped", "changed_at", sqlite_where=text("state = 'dropped'"),
          postgresql_where=text("state = 'dropped'")),
    Index("ix_outbox_not_yet_there", "created_at", sqlite_where=text(_NOT_YET_THERE),
          postgresql_where=text(_NOT_YET_THERE)),
    # The rows of calls go with their calls, these by their age.
    Index("ix_outbox_contacts", "changed_at", sqlite_where=text("kind = 'contact'"),
          postgresql_where=text("kind = 'contact'")),
)  # fmt: skip

attempts = Table(
    "attempts",
    metadata,
    # What Desk answered to a delivery: the first few attempts and the last, numbered from 1.
    Column("outbox_id", ForeignKey(outbox.c.id, ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("milliseconds", BigInteger, nullable=False),
    # Such as POST /calls; of the record, the revision that was sent or looked for.
    Column("operation", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
    # Empty where no answer came.
    Column("status", Integer),
    Column("error_code", Text, nullable=False, server_default=""),
    Column("request_id", Text, nullable=False, server_default=""),
    # What it came to, empty where the delivery went on; why, as its row had it.
    Column("outcome", Text, nullable=False, server_default=""),
    Column("reason", Text, nullable=False, server_default=""),
    Column("detail", Text, nullable=False, server_default=""),
    sqlite_with_rowid=False,
)

alerts = Table(
    "alerts",
    metadata,
    # What stands in the way, by what it is about: a portal's id, a phone system's slug. One row an episode.
    Column("kind", Text, primary_key=True),
    Column("thing", Text, primary_key=True),
    # What people call it, for the mail that says that it is over.
    Column("name", Text, nullable=False),
    Column("began_at", BigInteger, nullable=False),
    # When administrators were told; since when it is over, and they are to be told that.
    Column("told_at", BigInteger),
    Column("over_at", BigInteger),
    # Who is sending the mail, until when nobody else does, and how often in a row it failed.
    Column("sender", Text, nullable=False, server_default=""),
    Column("sending_until", BigInteger, nullable=False, server_default="0"),
    Column("failures", Integer, nullable=False, server_default="0"),
)
