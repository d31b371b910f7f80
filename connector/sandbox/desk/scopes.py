"""Which scopes an operation needs: alternatives within a group, and every group is needed.

The official files put all scopes of an operation into one requirement, which read literally means all of
them; accounts.md section 5 says which are alternatives in fact. `Module.ALL` covers each operation of its
module, and the scope of all activities covers calls and tasks.
"""

from connector.sandbox.tokens import Grant

Scopes = tuple[tuple[str, ...], ...]


def _any(operation: str, *modules: str) -> tuple[str, ...]:
    return tuple(f"Desk.{module}.{operation}" for module in modules)


def _calls(operation: str) -> tuple[str, ...]:
    return _any(operation, "calls", "activities.calls", "activities")


def _comments(operation: str) -> tuple[str, ...]:
    return (*_calls(operation), *_any(operation, "tasks"))


_SEARCH = _any("READ", "search")
_READ_TICKETS = _any("READ", "tickets")

ORGANIZATIONS: Scopes = (_any("READ", "basic", "organization", "settings"),)
AGENTS: Scopes = (_any("READ", "agents", "basic", "settings"),)
MY_INFO: Scopes = (_any("READ", "basic", "settings"),)
PERMISSIONS: Scopes = (_any("READ", "basic", "permissions", "settings"),)
CREATE_FIELDS: Scopes = (_any("CREATE", "fields", "settings"),)
FIELDS: Scopes = (_any("READ", "basic", "fields"),)
LAYOUTS: Scopes = (_any("READ", "basic", "layouts"),)
DEPARTMENTS: Scopes = (_any("READ", "basic", "departments", "settings"),)
READ_CONTACTS: Scopes = (_any("READ", "contacts"),)
CREATE_CONTACTS: Scopes = (_any("CREATE", "contacts"),)
UPDATE_CONTACTS: Scopes = (_any("UPDATE", "contacts"),)
DELETE_CONTACTS: Scopes = (_any("DELETE", "contacts"),)
SEARCH_CONTACTS: Scopes = (*READ_CONTACTS, _SEARCH)
READ_TICKETS: Scopes = (_READ_TICKETS,)
CREATE_TICKETS: Scopes = (_any("CREATE", "tickets"),)
UPDATE_TICKETS: Scopes = (_any("UPDATE", "tickets"),)
SEARCH_TICKETS: Scopes = (*READ_TICKETS, _SEARCH)
TICKETS_OF_CONTACT: Scopes = (*READ_CONTACTS, _READ_TICKETS, _SEARCH)
READ_CALLS: Scopes = (_calls("READ"),)
CREATE_CALLS: Scopes = (_calls("CREATE"),)
UPDATE_CALLS: Scopes = (_calls("UPDATE"),)
DELETE_CALLS: Scopes = (_calls("DELETE"),)
SEARCH_CALLS: Scopes = (*READ_CALLS, _SEARCH)
CALLS_OF_TICKET: Scopes = (*READ_CALLS, _READ_TICKETS)
READ_COMMENTS: Scopes = (_comments("READ"),)
CREATE_COMMENTS: Scopes = (_comments("UPDATE"),)
READ_WEBHOOKS: Scopes = (_any("READ", "webhooks", "events", "settings"),)
CREATE_WEBHOOKS: Scopes = (_any("CREATE", "webhooks", "events", "settings"),)
UPDATE_WEBHOOKS: Scopes = (_any("UPDATE", "webhooks", "events", "settings"),)
DELETE_WEBHOOKS: Scopes = (_any("DELETE", "webhooks", "events", "settings"),)


def covers(grant: Grant, scopes: Scopes) -> bool:
    """Tell whether a grant holds at least one scope of every group."""
    return all(any(grant.allows(scope) for scope in group) for group in scopes)
