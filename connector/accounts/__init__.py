"""Users, roles, sign-in, sessions and API keys."""

from connector.accounts.agents import Agents
from connector.accounts.keys import Keys
from connector.accounts.links import OneTimeLinks
from connector.accounts.sign_in import SESSION_SECONDS, Flows, Sessions, SignIn
from connector.accounts.sign_in_connectors import SignInConnectors
from connector.store.people import Person

__all__ = [
    "SESSION_SECONDS",
    "Agents",
    "Flows",
    "Keys",
    "OneTimeLinks",
    "Person",
    "Sessions",
    "SignIn",
    "SignInConnectors",
]
