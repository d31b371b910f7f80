"""Know the people: who may sign in and as whom, which agents there are, who holds an API key."""

from connector.people.agents import Agent, Agents
from connector.people.flows import Flows
from connector.people.keys import Keys
from connector.people.people import SESSION_SECONDS, People

__all__ = ["SESSION_SECONDS", "Agent", "Agents", "Flows", "Keys", "People"]
