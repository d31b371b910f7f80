"""The search order: which rows are tried, in which order, and when the search ends."""

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.banner.caller_search import (
    Caller,
    FoundCaller,
    Matches,
    address_of,
    rows_for,
    rules_of,
    searching,
)
from connector.calls import Flow
from connector.contacts import Account, Contact
from connector.crm.defaults import RULES
from connector.crm.model import Rules, SearchRow
from tests.unit.banner.calls import CRM

CALLER = Caller(portal_id=1, country="FR", e164="+33199000001")
BY_ADDRESS = Caller(portal_id=1, country="FR", email="noor@wexcombe.example")

names = st.lists(st.sampled_from("abcdef"), max_size=3, unique=True)
contacts = names.map(lambda ids: tuple(Contact(id=each, name=each.upper()) for each in ids))
accounts = names.map(lambda ids: tuple(Account(id=f"A{each}", name=each.upper()) for each in ids))
matches = st.builds(Matches, contacts=contacts, accounts=accounts, is_desks=st.booleans())
rows = st.lists(
    st.builds(
        SearchRow,
        object=st.sampled_from(("contacts", "accounts", "tickets")),
        match=st.sampled_from(("number", "email")),
        flows=st.sampled_from(((), (Flow.QUEUE,), (Flow.DIRECT, Flow.OUTBOUND))),
        search_on=st.booleans(),
        enabled=st.booleans(),
    ),
    max_size=6,
)


def run(order: Sequence[SearchRow], found: Sequence[Matches]) -> tuple[list[SearchRow], FoundCaller]:
    """Go through a search whose rows find these matches, one after the other."""
    search, asked = searching(order), list[SearchRow]()
    answers = iter(found)
    try:
        row = next(search)
        while True:
            asked.append(row)
            row = search.send(next(answers))
    except StopIteration as end:
        outcome: FoundCaller = end.value
        return asked, outcome


@given(rows, st.lists(matches, min_size=6, max_size=6))
def test_any_rows_and_any_matches_have_one_outcome(order: list[SearchRow], found: list[Matches]) -> None:
    """Rows are tried in order up to the first match that does not search on, tickets only for nobody."""
    asked, outcome = run(order, found)
    tried = list(zip(asked, found, strict=False))
    hits = [(row, each) for row, each in tried if each.hits]
    assert all(not each.hits or row.search_on for row, each in tried[:-1])
    for place, (row, _) in enumerate(tried):
        assert row.object != "tickets" or not any(each.hits for _, each in tried[:place])
    assert outcome.matched == (hits[0][0].object if hits else "")
    assert {each.id for each in outcome.contacts} == {one.id for _, each in tried for one in each.contacts}
    assert {each.id for each in outcome.accounts} == {one.id for _, each in tried for one in each.accounts}
    assert len({each.id for each in outcome.contacts}) == len(outcome.contacts)
    assert [each.hits for each in outcome.tried] == [each.hits for _, each in tried]
    assert outcome.source == ("desk" if any(each.is_desks for _, each in tried) else "cache")


@given(rows, st.lists(matches, min_size=6, max_size=6))
def test_no_row_is_left_out_before_the_end(order: list[SearchRow], found: list[Matches]) -> None:
    """What is not tried stands behind the end of the search, or is about tickets and somebody is known."""
    asked, outcome = run(order, found)
    left = list(order)
    for row in asked:
        while left[0] is not row:
            assert left.pop(0).object == "tickets"
            assert outcome.matched
        left.pop(0)
    is_over = bool(asked) and bool(outcome.tried[-1].hits) and not asked[-1].search_on
    assert is_over or all(row.object == "tickets" for row in left)


@given(rows, st.sampled_from(Flow), st.sampled_from((CALLER, BY_ADDRESS)))
def test_flows_and_what_is_known_restrict_rows(order: list[SearchRow], flow: Flow, caller: Caller) -> None:
    """A row counts that is on, for this way in, and that looks for what the phone system gave."""
    crm = msgspec.structs.replace(CRM, rules=msgspec.structs.replace(RULES, search=tuple(order)))
    wanted = "number" if caller is CALLER else "email"
    assert list(rows_for(crm, flow, caller)) == [
        row for row in order if row.enabled and row.match == wanted and (not row.flows or flow in row.flows)
    ]


def test_usual_rules_ask_for_contacts_alone() -> None:
    """Who has set nothing pays for nothing: one row, of contacts, by both fields; so too where it is off."""
    (row,) = rows_for(CRM, Flow.QUEUE, CALLER)
    assert (row.object, row.fields) == ("contacts", ("phone", "mobile"))
    nothing = msgspec.structs.replace(CRM, rules=Rules(), enabled=False)
    assert rows_for(nothing, Flow.QUEUE, CALLER) == (row,)
    assert rules_of(nothing) is RULES
    assert rows_for(msgspec.structs.replace(nothing, enabled=True), Flow.QUEUE, CALLER) == ()


@pytest.mark.parametrize(
    ("given_text", "address"),
    [
        ("Noor@Wexcombe.example", "noor@wexcombe.example"),
        ("bob@192.0.2.7", ""),
        ("bob@pbx", ""),
        ("a*@wexcombe.example", ""),
        ("a,b@wexcombe.example", ""),
        ("a b@wexcombe.example", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_addresses(given_text: str | None, address: str) -> None:
    """An address is one that Desk can search for: no telephone's host, no star, no list."""
    assert address_of(given_text) == address
