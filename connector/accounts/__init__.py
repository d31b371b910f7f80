"""Users, roles, sign-in, sessions and API keys."""

from connector.accounts.agents import Agent, Agents
from connector.accounts.keys import Keys
from connector.accounts.links import OneTimeLinks
from connector.accounts.sign_in import SESSION_SECONDS, Flows, Sessions, SignIn
from connector.accounts.sign_in_connectors import SignInConnectors

__all__ = [
    "SESSION_SECONDS",
    "Agent",
    "Agents",
    "Flows",
    "Keys",
    "OneTimeLinks",
    "Sessions",
    "SignIn",
    "SignInConnectors",
]
