"""What pops for none, one and many matches, and which of them is taken."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.calls import CallState, Flow
from connector.crm import defaults
from connector.crm.choosing import Candidate, Pop, pop
from connector.crm.model import ManyMatches, NoMatch, OneMatch, PopPolicy, When

RINGING, ANSWERED, ENDED = CallState.RINGING, CallState.ANSWERED, CallState.ENDED


def candidate(id_: str, name: str = "", *, modified: int = 0, created: int = 0, owner: str = "") -> Candidate:
    """Return a record that matched."""
    return Candidate(
        id=id_, name=name or id_, modified_at=modified, created_at=created, owner_id=owner or None
    )


ZOE = candidate("1", "Zoé", modified=10, created=3, owner="me")
EMILE = candidate("2", "Émile", modified=30, created=2, owner="other")
FAY = candidate("3", "fay", modified=20, created=1)
ALL = [ZOE, EMILE, FAY]


@pytest.mark.parametrize(
    ("when", "now"),
    [("off", (False, False, False)), ("ring", (True, True, False)), ("answer", (False, True, False))],
)
def test_when_a_card_is_shown(when: When, now: tuple[bool, bool, bool]) -> None:
    """Never, from the first ring on or once somebody answers, and not when it is over."""
    found = [pop(PopPolicy(when=when), state=state, matches=[ZOE], owner=None) for state in CallState]
    assert tuple(each.now for each in found) == now
    assert {each.chosen for each in found} == {"1"}
    assert {each.then for each in found} == {"nothing" if when == "off" else "card"}


@pytest.mark.parametrize("none", get_args(NoMatch))
def test_without_a_match(none: NoMatch) -> None:
    """Nothing, a new card or the search, as it is set."""
    found = pop(PopPolicy(none=none), state=RINGING, matches=[], owner="me")
    assert found == Pop(True, none, None)


@pytest.mark.parametrize("one", get_args(OneMatch))
def test_with_one_match(one: OneMatch) -> None:
    """Its card or its page in Desk; a record that two searches found is one."""
    policy = PopPolicy(one=one, many="agent")
    assert pop(policy, state=RINGING, matches=[ZOE], owner=None) == Pop(True, one, "1")
    assert pop(policy, state=RINGING, matches=[ZOE, ZOE], owner=None) == Pop(True, one, "1")


@pytest.mark.parametrize(
    ("many", "owner", "chosen"),
    [
        ("agent", "me", None),
        ("last_modified", None, "2"),
        ("earliest_created", None, "3"),
        ("alphabetical", None, "2"),
        ("mine_first", "me", "1"),
        ("mine_first", "nobody", "2"),
        ("mine_first", None, "2"),
    ],
)
def test_with_many(many: ManyMatches, owner: str | None, chosen: str | None) -> None:
    """The agent chooses, or the policy does; É stands with E, and small letters with capitals."""
    found = pop(PopPolicy(many=many), state=RINGING, matches=ALL, owner=owner)
    assert found == Pop(True, "choose" if chosen is None else "card", chosen)


def test_the_usual_policy() -> None:
    """Cards pop when it rings, and nothing else does, as before there were policies."""
    found = {
        flow: pop(policy, state=RINGING, matches=ALL, owner=None)
        for flow, policy in defaults.RULES.pop.items()
    }
    assert {(each.now, each.then) for each in found.values()} == {(True, "choose")}
    assert found.keys() == set(Flow)


candidates = st.builds(
    Candidate,
    id=st.sampled_from("abcd"),
    name=st.sampled_from(["Zoé", "Émile", "emile", "Emile", ""]),
    modified_at=st.integers(0, 2),
    created_at=st.integers(0, 2),
    owner_id=st.none() | st.sampled_from(["me", "other"]),
)
policies = st.builds(
    PopPolicy,
    when=st.sampled_from(get_args(When)),
    none=st.sampled_from(get_args(NoMatch)),
    one=st.sampled_from(get_args(OneMatch)),
    many=st.sampled_from(get_args(ManyMatches)),
)


@given(
    policies,
    st.sampled_from(list(CallState)),
    st.lists(candidates, unique_by=lambda each: each.id),
    st.none() | st.just("me"),
    st.randoms(),
)
def test_the_order_of_matches_changes_nothing(
    policy: PopPolicy, state: CallState, matches: list[Candidate], owner: str | None, chance: st.DataObject
) -> None:
    """Every process, and every banner, takes the same one; what is chosen is one of them."""
    found = pop(policy, state=state, matches=matches, owner=owner)
    chance.shuffle(matches)  # type: ignore[attr-defined]
    assert pop(policy, state=state, matches=[*matches, *matches], owner=owner) == found
    assert found.chosen is None or found.chosen in {each.id for each in matches}
    assert policy.when != "off" or not found.now
