"""How far the set-up is: nothing is done that was not seen to work."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.maintenance.setting_up import progress_of
from connector.store.setup_facts import SetupFacts, TestCall

EMPTY = SetupFacts()
RUNG = TestCall(key="zpc1", phone_system_id=1, call_id="test-1", is_open=False, state="done")
WHOLE = SetupFacts(
    portal=(1, "Harbour"),
    portal_works=True,
    signed_in=1,
    people=2,
    reachable=1,
    phone_system=("paris", "Paris"),
    phone_system_heard=True,
    test_call=RUNG,
)


def states(facts: SetupFacts, *, has_client: bool = True) -> list[str]:
    """Return the states of the steps, in their order."""
    return [step.state for step in progress_of(facts, has_client=has_client).steps]


@pytest.mark.parametrize(
    ("facts", "has_client", "expected"),
    [
        (EMPTY, False, ["current", "later", "later", "later", "later", "later"]),
        (EMPTY, True, ["later", "current", "later", "later", "later", "later"]),
        (SetupFacts(signed_in=1), True, ["done", "current", "done", "later", "later", "later"]),
        (
            SetupFacts(portal=(1, "H"), portal_works=True),
            True,
            ["done", "done", "current", "later", "later", "later"],
        ),
        (WHOLE, True, ["done"] * 6),
    ],
    ids=["nothing", "client only", "signed in", "linked", "whole"],
)
def test_first_that_is_missing_is_current(
    facts: SetupFacts, expected: list[str], *, has_client: bool
) -> None:
    """What comes after it waits; what works already is done."""
    assert states(facts, has_client=has_client) == expected


def test_a_portal_with_something_in_its_way_is_not_done() -> None:
    """Zoho took the client, so that works; the portal does only when nothing stands in its way."""
    progress = progress_of(WHOLE, has_client=True, is_hindered=True)
    assert [step.state for step in progress.steps] == ["done", "current", "done", "done", "done", "done"]
    assert not progress.is_complete


@given(
    st.builds(
        SetupFacts,
        portal_works=st.booleans(),
        signed_in=st.integers(0, 1),
        reachable=st.integers(0, 1),
        phone_system_heard=st.booleans(),
        test_call=st.sampled_from([None, RUNG]),
    ),
    st.booleans(),
    st.booleans(),
)
def test_complete_is_when_no_step_is_left(facts: SetupFacts, has_client: bool, is_hindered: bool) -> None:  # noqa: FBT001 - hypothesis'
    """One step at most is current, and one is wherever something can be done."""
    progress = progress_of(facts, has_client=has_client, is_hindered=is_hindered)
    current = [step for step in progress.steps if step.state == "current"]
    assert len(current) <= 1
    assert progress.is_complete == (progress.done == 6)
    assert progress.is_complete or current
