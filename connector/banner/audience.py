"""Decide who sees a call, and how far each one's own part of it is; pure."""

from typing import Literal

from connector.calls import Call, CallState, Direction, Leg
from connector.store.users import Team

Mine = Literal["offered", "answered", "over"]
"""How far this agent's part of the call is."""


def audience(call: Call, phone_id: int, team: Team) -> dict[int, Mine | None]:
    """Return the ids of the users who see the call now, and how far each one's own part is.

    The agents of the legs; where no leg rings yet, the queue's agents; without a queue, everyone who takes
    calls. The moment one answers it is gone from the others, unless it was offered to them again since.
    """
    if _is_mere_part(call):
        return {}
    user_of = team.users(phone_id, (leg.agent for leg in call.legs))
    legs = {user_of[leg.agent]: leg for leg in call.legs if leg.agent in user_of}
    concerned: dict[int, Mine | None] = {
        user: leg.state.value for user, leg in legs.items() if _concerns(call, leg)
    }
    if concerned or call.answered_at is not None or call.direction is Direction.OUTBOUND:
        return concerned
    if call.queue is not None:
        return dict.fromkeys(team.members(phone_id, call.queue))
    return {} if call.legs else dict.fromkeys(team.agents)


def _is_mere_part(call: Call) -> bool:
    """Tell whether nothing is told of a call but to which other it belongs, or where its recording is."""
    is_told = call.legs or call.queue or call.direction is not None or call.from_number is not None
    return not is_told and (call.parent is not None or bool(call.recordings))


def _concerns(call: Call, leg: Leg) -> bool:
    if leg.answered_at is not None:
        return True
    if call.answered_at is not None:
        answered_by_someone = any(other.answered_at is not None for other in call.legs)
        offered_since = leg.offered_at is not None and leg.offered_at > call.answered_at
        return (offered_since and leg.over_at is None) or not answered_by_someone
    return leg.over_at is None or call.state is CallState.ENDED
