"""The pop policy: whether a card pops now, what pops, and which of several matches is taken; pure."""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Literal

import msgspec

from connector.calls import CallState
from connector.casing import ascii_lower
from connector.crm.model import PopPolicy

Then = Literal["nothing", "new_card", "search", "card", "card_and_open", "open", "choose"]


class Pop(msgspec.Struct, frozen=True):
    """Whether the call pops `now`, what does `then`, and the record that was `chosen` by the policy.

    A policy that is off pops nothing and still chooses, for the record of the call. With "choose" an agent
    says which of the matches it is.
    """

    now: bool
    then: Then
    chosen: str | None


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A record that matched a call, as far as a policy looks at it; moments are epoch milliseconds."""

    id: str
    name: str
    modified_at: int
    created_at: int
    owner_id: str | None


def pop(policy: PopPolicy, *, state: CallState, matches: Sequence[Candidate], owner: str | None) -> Pop:
    """Return what pops for a call; `owner` is the Desk id of the agent who looks, None where it is unknown.

    The order of the matches changes nothing, nor does one that is there twice.
    """
    chosen = _chosen(policy, matches, owner)
    if policy.when == "off":
        return Pop(False, "nothing", chosen)
    now = state is CallState.ANSWERED or (state is CallState.RINGING and policy.when == "ring")
    if not matches:
        return Pop(now, policy.none, None)
    return Pop(now, "choose" if chosen is None else policy.one, chosen)


def _chosen(policy: PopPolicy, matches: Sequence[Candidate], owner: str | None) -> str | None:
    """Return the only match, or the one that the policy takes of many; None where an agent does."""
    found = {each.id: each for each in matches}
    if len(found) == 1:
        return next(iter(found))
    if not found or policy.many == "agent":
        return None
    order = _ORDERS[policy.many]
    return min(found.values(), key=lambda each: (order(each, owner), each.id)).id


_Order = Callable[[Candidate, str | None], tuple[object, ...]]

_ORDERS: Mapping[str, _Order] = MappingProxyType(
    {
        "last_modified": lambda each, _owner: (-each.modified_at,),
        "earliest_created": lambda each, _owner: (each.created_at,),
        "alphabetical": lambda each, _owner: (_letters(each.name), each.name),
        "mine_first": lambda each, owner: (owner is None or each.owner_id != owner, -each.modified_at),
    }
)


def _letters(name: str) -> str:
    """Return a name as it is sorted: whatever its case, and its letters without their accents."""
    apart = unicodedata.normalize("NFKD", name)
    return ascii_lower("".join(letter for letter in apart if not unicodedata.combining(letter)).strip())
