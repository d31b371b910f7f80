"""The configuration of a sandbox: data centres, clients, users, orgs, and every switch with its default.

The switches are those of accounts.md section 9, the limits those of its sections 3 and 6.
A `Config` may be changed while the sandbox runs; every request reads it anew.
"""

from typing import Any, Literal

import msgspec


class DataCenter(msgspec.Struct, kw_only=True, frozen=True):
    """One data centre; origins are `scheme://host[:port]`, `desk` is None where Desk does not exist."""

    location: str
    accounts: str
    desk: str | None
    api_domain: str
    name: str = ""


class Client(msgspec.Struct, kw_only=True):
    """An OAuth client as registered in the API console.

    `secret` is the home data centre's; `secrets` maps other locations to theirs.
    `locations` are the data centres it is enabled for, None for all. A self client has no redirect address:
    its codes are made at the console, by its owner alone (a ZUID; "" is anybody).
    """

    client_id: str
    secret: str
    redirect_uris: list[str]
    name: str = "Connector"
    secrets: dict[str, str] = {}
    locations: list[str] | None = None
    is_self_client: bool = False
    owner: str = ""


class User(msgspec.Struct, kw_only=True):
    """A person with a Zoho account; `orgs` are the portals where they are an agent, perhaps a light one.

    `services` are apps beside Desk in which they own an account, such as `PhoneBridge`.
    """

    zuid: str
    email: str
    first_name: str
    last_name: str
    location: str
    orgs: list[str] = []
    services: list[str] = []
    email_verified: bool = True
    active: bool = True
    light: bool = False
    extension: str = ""

    @property
    def display_name(self) -> str:
        """Return first and last name, as Zoho shows them."""
        return f"{self.first_name} {self.last_name}".strip()


class Edition(msgspec.Struct, kw_only=True, frozen=True):
    """What an edition of Desk allows a portal: credits a day, requests at a time, enabled webhooks."""

    base_credits: int
    credits_per_agent: int
    concurrency: int
    webhooks: int = 0


OrgMismatchCode = Literal[
    "OAUTH_ORG_MISMATCH",
    "UNPROCESSABLE_ENTITY",
    "FORBIDDEN",
    "UNAUTHORIZED",
    "URL_NOT_FOUND",
    "INTERNAL_SERVER_ERROR",
]
"""What an orgId that is not the token's has been seen to be answered with."""

SharingLevel = Literal["public", "public read only", "private"]

EditionName = Literal["Free", "Express", "Standard", "Professional", "Enterprise"]

EDITIONS: dict[EditionName, Edition] = {
    "Free": Edition(base_credits=5_000, credits_per_agent=0, concurrency=5),
    "Express": Edition(base_credits=25_000, credits_per_agent=100, concurrency=10),
    "Standard": Edition(base_credits=50_000, credits_per_agent=250, concurrency=10),
    "Professional": Edition(base_credits=75_000, credits_per_agent=500, concurrency=15, webhooks=5),
    "Enterprise": Edition(base_credits=100_000, credits_per_agent=1_000, concurrency=25, webhooks=10),
}


class Org(msgspec.Struct, kw_only=True):
    """One Desk portal."""

    org_id: str
    name: str
    location: str
    edition: EditionName = "Enterprise"


class CustomField(msgspec.Struct, kw_only=True, frozen=True):
    """A custom field of a module; `options` are what a picklist allows."""

    module: Literal["contacts", "accounts", "tickets", "calls"]
    name: str
    label: str
    type: str = "Text"
    most: int = 100
    options: list[str] = []


def _custom_fields() -> list[CustomField]:
    return [
        CustomField(
            module="contacts", name="cf_plan", label="Plan", type="Picklist", options=["Basic", "Premium"]
        ),
        CustomField(module="accounts", name="cf_region", label="Region"),
        CustomField(
            module="calls",
            name="cf_outcome",
            label="Outcome",
            type="Picklist",
            options=["Solved", "Call back", "Voicemail"],
        ),
    ]


class Config(msgspec.Struct, kw_only=True):
    """Everything that can be set; the first data centre is the home one, where clients are registered."""

    data_centers: list[DataCenter]
    clients: list[Client]
    users: list[User]
    orgs: list[Org]

    # Zoho Accounts
    access_denied_status: Literal[200, 400] = 200
    scope_in_token_answer: bool = True
    older_expiry: bool = False  # `expires_in` in milliseconds, with `expires_in_sec` beside it
    nonce_echoed: bool = False
    jwt_key_named: Literal["kid", "key_id", "both", "neither"] = "kid"
    jwt_padded: bool = False
    jwt_sub_number: bool = False
    odd_keys: bool = False
    jwt_claims: dict[str, Any] = msgspec.field(default_factory=dict)  # in place of, or beside, the usual ones
    key_set: Literal["good", "packed", "nested", "short"] = "good"  # all but the first are an attacker's
    api_domain_style: Literal["www.zohoapis", "api.zoho"] = "www.zohoapis"
    secret_per_data_center: bool = True
    code_life_seconds: int = 120
    access_token_life_seconds: int = 3_600
    access_tokens_per_window: int = 10
    active_access_tokens: int = 10
    refresh_tokens_per_user: int = 20
    codes_per_window: int = 10
    window_seconds: int = 600
    retry_lengthens_throttle: bool = False
    hostile_accounts_server: str | None = None
    denial_with_state: bool = True
    stray_ampersand: bool = True

    # Zoho Desk
    desk_401_html: bool = False
    scope_mismatch_status: Literal[401, 403] = 403
    org_mismatch_status: Literal[401, 403] = 403
    org_mismatch_code: OrgMismatchCode = "OAUTH_ORG_MISMATCH"
    threshold_retry_after: bool = True
    patch_requires_all: bool = True
    older_contract: bool = False  # a call's body must name direction and duration too
    patch_requires_more: list[str] = msgspec.field(default_factory=list)  # and a PATCH these, as cf/cf_name
    patch_replaces_cf: bool = False  # custom fields that a PATCH with `cf` does not name are emptied
    description_as_html: bool = False  # a description comes back as an editor's HTML
    contact_phones_unique: bool = False  # a second contact with a phone number is refused as duplicate
    descending_sort_refused: bool = False
    index_delay_seconds: float = 15
    call_custom_fields: list[str] = msgspec.field(default_factory=lambda: ["cf_callkey", "cf_recordingurl"])
    call_field_types: dict[str, str] = msgspec.field(default_factory=dict)  # where it is not Text
    lists_fields: bool = True  # GET /fields, which portals of before have not
    custom_fields: list[CustomField] = msgspec.field(default_factory=_custom_fields)  # beside those of calls
    # What layouts want beside what Desk itself does: "tickets" of all departments, "tickets/Billing" of one.
    mandatory_fields: dict[str, list[str]] = msgspec.field(
        default_factory=lambda: {"tickets/Billing": ["category"]}
    )
    credits_override: int | None = None
    concurrency_override: int | None = None
    time_zone: str = "UTC"
    credit_headers: bool = True
    empty_lists_answered: bool = False  # 200 with an empty list, where Desk has 204 without a body
    hidden_members: list[str] = msgspec.field(default_factory=list)  # what the profile hides is left out
    times_as_numbers: bool = False  # epoch milliseconds, as the contract's examples have them
    # How modules are shared among agents, "public" where nothing is set; permissions that all profiles lack.
    data_sharing: dict[str, SharingLevel] = msgspec.field(default_factory=dict)
    denied_permissions: list[str] = msgspec.field(default_factory=list)
    webhook_token_life_seconds: int = 300
    webhook_times_in_ms: bool = False

    # Latency and faults of `/api/*`
    latency_ms: int = 200
    latency_jitter_ms: int = 100
    seed: int = 1

    def org(self, org_id: str) -> Org | None:
        """Find a portal by its id."""
        return next((org for org in self.orgs if org.org_id == org_id), None)

    def user(self, zuid: str) -> User | None:
        """Find a user by ZUID."""
        return next((user for user in self.users if user.zuid == zuid), None)

    def client(self, client_id: str) -> Client | None:
        """Find a client by its id."""
        return next((client for client in self.clients if client.client_id == client_id), None)

    def agents_of(self, org_id: str) -> list[User]:
        """List the users who are agents of a portal."""
        return [user for user in self.users if org_id in user.orgs]

    def data_center(self, location: str) -> DataCenter:
        """Return the data centre of a location; KeyError if there is none."""
        for data_center in self.data_centers:
            if data_center.location == location:
                return data_center
        raise KeyError(location)

    def data_center_of_host(self, host: str) -> DataCenter:
        """Return the data centre that answers at a Host header; an unknown host is the home one."""
        for data_center in self.data_centers:
            origins = (data_center.accounts, data_center.desk or "")
            if any(origin.partition("://")[2] == host for origin in origins):
                return data_center
        return self.data_centers[0]

    def secret_of(self, client: Client, location: str) -> str | None:
        """Return the secret that this data centre takes from a client, None where it has none."""
        home = self.data_centers[0].location
        if location == home or not self.secret_per_data_center:
            return client.secret
        return client.secrets.get(location)

    def daily_credits(self, org_id: str) -> int:
        """Return the API credits a portal has a day: base and per agent, unless overridden."""
        org = self.org(org_id)
        if self.credits_override is not None or org is None:
            return self.credits_override or 0
        edition = EDITIONS[org.edition]
        return edition.base_credits + edition.credits_per_agent * len(self.agents_of(org_id))

    def concurrency(self, org_id: str) -> int:
        """Return how many requests a portal may have under way at once, unless overridden."""
        org = self.org(org_id)
        if self.concurrency_override is not None or org is None:
            return self.concurrency_override or 0
        return EDITIONS[org.edition].concurrency
