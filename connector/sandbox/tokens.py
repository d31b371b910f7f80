"""OAuth scopes (case never matters), codes, refresh tokens and access tokens, with every limit of Zoho's.

Per user and client: 10 codes in 10 minutes, 20 refresh tokens (the 21st silently deletes the oldest).
Per refresh token: 10 access tokens in 10 minutes, then Access Denied until the window is over; 10 active
access tokens, the 11th invalidates the oldest. (accounts.md section 3; all numbers come from `Config`.)
"""

import re
import secrets
from collections.abc import Callable

import msgspec

from connector.sandbox.config import Config

_OPERATIONS = ("all", "read", "create", "update", "write", "delete")

_DESK_MODULES = (
    "accounts",
    "activities",
    "activities.calls",
    "activities.events",
    "activities.tasks",
    "agents",
    "articles",
    "automations",
    "basic",
    "calls",
    "community",
    "contacts",
    "contracts",
    "departments",
    "events",
    "extensions",
    "feeds",
    "fields",
    "integrations",
    "organization",
    "permissions",
    "phonebridge",
    "products",
    "settings",
    "settings.extension",
    "tasks",
    "tickets",
    "webhooks",
    "zia",
)

OPENID_SCOPES = frozenset({"openid", "email", "profile", "phone"})
PROFILE_SCOPES = frozenset({"aaaserver.profile.read", "aaaserver.profile.all"})

KNOWN_SCOPES = frozenset(
    {
        *OPENID_SCOPES,
        *PROFILE_SCOPES,
        *(f"desk.{module}.{operation}" for module in _DESK_MODULES for operation in _OPERATIONS),
        "desk.search.read",
        "phonebridge.call.log",
        "phonebridge.zohoone.search",
        "zohocrm.modules.all",
        "zohocrm.modules.read",
        "zohocrm.org.read",
        "zohocrm.users.read",
    }
)

_SERVICES = {"desk": "Desk", "phonebridge": "PhoneBridge", "zohocrm": "CRM"}


class Scopes(msgspec.Struct, kw_only=True, frozen=True):
    """Scopes as asked for, in order, and lower-cased."""

    asked: tuple[str, ...]

    @property
    def names(self) -> frozenset[str]:
        """Return them lower-cased."""
        return frozenset(scope.lower() for scope in self.asked)

    @property
    def text(self) -> str:
        """Return them as a token answer lists them: as asked for, separated by spaces."""
        return " ".join(self.asked)

    @property
    def services(self) -> frozenset[str]:
        """Return the apps in which the user must own an account."""
        prefixes = (name.partition(".")[0] for name in self.names)
        return frozenset(_SERVICES[prefix] for prefix in prefixes if prefix in _SERVICES)


def parse_scopes(text: str) -> Scopes | None:
    """Read scopes separated by commas or white space; None if there is none or one is unknown."""
    scopes = Scopes(asked=tuple(part for part in re.split(r"[,\s]+", text) if part))
    return scopes if scopes.asked and scopes.names <= KNOWN_SCOPES else None


class Throttled(Exception):
    """Too many codes or access tokens were asked for within the window."""


class Grant(msgspec.Struct, kw_only=True, frozen=True):
    """What a token stands for; `scopes` are lower-cased, `org_id` is the portal chosen at consent."""

    client_id: str
    zuid: str
    location: str
    scopes: frozenset[str]
    scope_text: str
    org_id: str | None = None

    def allows(self, scope: str) -> bool:
        """Tell whether this grant covers a scope, itself or through `Service.module.ALL`; case is ignored."""
        wanted = scope.lower()
        return wanted in self.scopes or f"{wanted.rpartition('.')[0]}.all" in self.scopes


class Code(msgspec.Struct, kw_only=True):
    """An authorization code; `refreshable` says whether its exchange also gives a refresh token.

    A self client's code has no `redirect_uri`: "".
    """

    grant: Grant
    redirect_uri: str
    expires_at: int
    refreshable: bool
    nonce: str | None = None
    challenge: str | None = None
    challenge_method: str = "plain"


class AccessToken(msgspec.Struct, kw_only=True):
    """An access token; `refresh_token` is the one it came from, if any."""

    token: str
    grant: Grant
    expires_at: int
    refresh_token: str | None = None


class RefreshToken(msgspec.Struct, kw_only=True):
    """A refresh token and its throttle; it lives until it is revoked or evicted."""

    token: str
    grant: Grant
    window_started_at: int = 0
    made_in_window: int = 0


class Tokens:
    """Keeps every code and token of this sandbox."""

    def __init__(self, config: Config, now: Callable[[], int]) -> None:
        self._config = config
        self._now = now
        self._codes: dict[str, Code] = {}
        self._codes_made: dict[tuple[str, str], list[int]] = {}
        self._refresh: dict[str, RefreshToken] = {}
        self._access: dict[str, AccessToken] = {}

    def add_code(self, code: Code) -> str:
        """Keep a code and return its text; Throttled past ten in ten minutes for one user and client."""
        key = (code.grant.zuid, code.grant.client_id)
        window_start = self._now() - self._config.window_seconds * 1000
        made = [at for at in self._codes_made.get(key, []) if at > window_start]
        if len(made) >= self._config.codes_per_window:
            raise Throttled
        self._codes_made[key] = [*made, self._now()]
        text = _new_token()
        self._codes[text] = code
        return text

    def find_code(self, text: str) -> Code | None:
        """Look a code up without using it; None if unknown, used, expired or its user is gone."""
        code = self._codes.get(text)
        if code is None or code.expires_at <= self._now() or not self._lives(code.grant):
            return None
        return code

    def use_code(self, text: str) -> None:
        """Use a code up."""
        self._codes.pop(text, None)

    def add_refresh_token(self, grant: Grant) -> RefreshToken:
        """Make a refresh token; the oldest of this user and client goes silently if there are too many."""
        own = [
            token
            for token in self._refresh.values()
            if (token.grant.zuid, token.grant.client_id) == (grant.zuid, grant.client_id)
        ]
        for oldest in own[: max(0, len(own) + 1 - self._config.refresh_tokens_per_user)]:
            self.revoke_refresh(oldest.token)
        made = RefreshToken(token=_new_token(), grant=grant)
        self._refresh[made.token] = made
        return made

    def find_refresh_token(self, text: str) -> RefreshToken | None:
        """Look a refresh token up; None if unknown, revoked, evicted or its user is gone."""
        token = self._refresh.get(text)
        return token if token is not None and self._lives(token.grant) else None

    def add_access_token(self, grant: Grant, refresh: RefreshToken | None = None) -> AccessToken:
        """Make an access token; past ten active ones of a refresh token, the oldest becomes invalid."""
        if refresh is not None:
            active = [t for t in self._of(refresh.token) if t.expires_at > self._now()]
            for oldest in active[: max(0, len(active) + 1 - self._config.active_access_tokens)]:
                del self._access[oldest.token]
        made = AccessToken(
            token=_new_token(),
            grant=grant,
            expires_at=self._now() + self._config.access_token_life_seconds * 1000,
            refresh_token=None if refresh is None else refresh.token,
        )
        self._access[made.token] = made
        return made

    def refresh(self, token: RefreshToken) -> AccessToken:
        """Make an access token from a refresh token; Throttled past ten in ten minutes.

        The window opens with its first token and is over ten minutes later; with the switch
        `retry_lengthens_throttle` each try while throttled opens a full window anew.
        """
        if self._now() >= token.window_started_at + self._config.window_seconds * 1000:
            token.window_started_at, token.made_in_window = self._now(), 0
        if token.made_in_window >= self._config.access_tokens_per_window:
            if self._config.retry_lengthens_throttle:
                token.window_started_at = self._now()
            raise Throttled
        token.made_in_window += 1
        return self.add_access_token(token.grant, token)

    def resolve(self, token: str) -> Grant | None:
        """Return the grant of an access token; None if unknown, expired, revoked, evicted or orphaned."""
        found = self._access.get(token)
        if found is None or found.expires_at <= self._now() or not self._lives(found.grant):
            return None
        return found.grant

    def grant_of(self, token: str) -> Grant | None:
        """Return the grant of a refresh or access token, even of one that no longer works."""
        found = self._refresh.get(token) or self._access.get(token)
        return None if found is None else found.grant

    def expires_at(self, token: str) -> int | None:
        """Return when an access token ends, None if it is unknown."""
        found = self._access.get(token)
        return None if found is None else found.expires_at

    def revoke(self, token: str) -> bool:
        """Revoke a refresh token with its access tokens, or one access token; return whether it was known."""
        if token in self._refresh:
            self.revoke_refresh(token)
            return True
        return self._access.pop(token, None) is not None

    def revoke_refresh(self, token: str) -> None:
        """Delete a refresh token and every access token made from it."""
        self._refresh.pop(token, None)
        for child in self._of(token):
            del self._access[child.token]

    def revoke_all(self) -> None:
        """Delete every code and token, as if each user had removed the app from their account."""
        self._codes.clear()
        self._refresh.clear()
        self._access.clear()

    def _of(self, refresh_token: str) -> list[AccessToken]:
        return [token for token in self._access.values() if token.refresh_token == refresh_token]

    def _lives(self, grant: Grant) -> bool:
        user = self._config.user(grant.zuid)
        return user is not None and user.active


def _new_token() -> str:
    return f"1000.{secrets.token_hex(16)}.{secrets.token_hex(16)}"
