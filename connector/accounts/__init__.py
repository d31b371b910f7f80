"""Know the people: who may sign in and as whom, which agents there are, who holds an API key."""

from connector.accounts.agents import Agent, Agents
from connector.accounts.flows import Flows
from connector.accounts.keys import Keys
from connector.accounts.people import SESSION_SECONDS, People

__all__ = ["SESSION_SECONDS", "Agent", "Agents", "Flows", "Keys", "People"]
