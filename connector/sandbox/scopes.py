"""The OAuth scopes this sandbox knows, by service; case never matters."""

import re

import msgspec

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
