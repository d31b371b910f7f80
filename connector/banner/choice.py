"""Choose one of several contacts by the pop policy of the call's flow: once a call, and never again.

Where the agent's own contacts come first, it has to be known whose call it is. That is so once one agent is
rung alone, or has answered; until then nobody is chosen, and the owners are kept with the call.
"""

from collections.abc import Callable, Iterable

import msgspec
from sqlalchemy import Connection

from connector.banner.caller_search import rules_of
from connector.banner.views import Snapshot, lookup_result
from connector.calls import CallState, LegState
from connector.contacts import Contact
from connector.crm.choosing import Candidate, pop
from connector.store import desk_agents

UNKNOWN_AGE = 2**53
"""Stands for a moment that nobody has told: those who are known to be earlier come first."""


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """The contact that a policy chose, None for nobody, and the owners where it cannot tell yet."""

    contact_id: str | None = None
    owners: dict[str, str] = {}


def candidate(contact: Contact, owner_id: str | None = None) -> Candidate:
    """Return a contact as a policy looks at it."""
    return Candidate(
        id=contact.id,
        name=contact.name,
        modified_at=contact.modified_at,
        created_at=UNKNOWN_AGE if contact.created_at is None else contact.created_at,
        owner_id=owner_id or contact.owner_id,
    )


def choice(snapshot: Snapshot, known: Iterable[Candidate], owner: Callable[[], str | None]) -> Choice:
    """Return which of several contacts it is by the policy; `owner` reads the Desk id of its agent."""
    policy, matches = rules_of(snapshot.crm).policy(snapshot.flow), tuple(known)
    if not snapshot.crm.enabled or policy.many == "agent":
        return Choice()
    if policy.many != "mine_first":
        return Choice(contact_id=pop(policy, state=snapshot.call.state, matches=matches, owner=None).chosen)
    owners = {each.id: each.owner_id for each in matches if each.owner_id}
    if owners and _user(snapshot) is None:
        return Choice(owners=owners)
    told = pop(policy, state=snapshot.call.state, matches=matches, owner=owner())
    return Choice(contact_id=told.chosen)


def is_undecided(snapshot: Snapshot) -> bool:
    """Tell whether a choice was put off that can be made now."""
    row = snapshot.row
    if row.lookup != "found" or row.chosen_contact_id is not None or _user(snapshot) is None:
        return False
    return bool(lookup_result(row).owners)


def owner_in(connection: Connection, snapshot: Snapshot) -> str | None:
    """Return the Desk id of the agent whose call it is, None where it is not known."""
    user = _user(snapshot)
    known = None if user is None else desk_agents.get(connection, snapshot.phone.portal_id, user)
    return None if known is None else known.desk_agent_id


def _user(snapshot: Snapshot) -> int | None:
    """Return the user whose call it is: who has it, else the only one whom it rings; None for several."""
    legs, phone_id = snapshot.call.legs, snapshot.phone.id
    answered = [leg.agent for leg in legs if leg.answered_at is not None]
    is_ringing = snapshot.call.state is CallState.RINGING
    rung = [leg.agent for leg in legs if leg.state is LegState.OFFERED] if is_ringing else []
    users = set(snapshot.team.users(phone_id, answered or rung).values())
    return next(iter(users)) if len(users) == 1 else None
