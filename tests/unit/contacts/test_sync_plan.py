"""What an index needs next, and where a page has brought us."""

from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.clock import DAY, SECOND
from connector.contacts.sync_plan import (
    AGAIN_AFTER,
    FETCHED_AT_ONCE,
    Position,
    Task,
    Terms,
    is_out_of_credits,
    next_task,
    pace_of,
    position_after,
    reading,
    spending,
    spent_today,
    terms_of,
)
from connector.store.syncs import OF, Sync
from connector.zoho.models import Contact
from connector.zoho.operations import LIST_LIMIT, PAGE_COST

NOW = 1_767_600_000_000
TERMS = Terms(credits_a_day=1_500, refresh_seconds=300)
KEPT: dict[str, Any] = {
    "phase": "kept",
    "finished_at": NOW - DAY,
    "refreshed_at": NOW,
    "countries": reading(["DE"]),
}

TODAY = {"credits_day": NOW // DAY, "credits_today": PAGE_COST}


def _next(waiting: int = 0, **facts: Any) -> Task | None:
    values: dict[str, Any] = {
        "portal_id": 1,
        "phase": "filling",
        "started_at": NOW,
        "countries": reading(["DE"]),
    }
    return next_task(Sync(**values | facts), TERMS, ["DE"], waiting, NOW)


@pytest.mark.parametrize(
    ("facts", "task"),
    [
        ({}, Task.FILL),
        ({"waits_until": NOW + 1}, None),
        ({"phase": "sweeping"}, Task.SWEEP),
        (KEPT, None),
        (KEPT | {"refreshed_at": NOW - 300 * SECOND}, Task.REFRESH),
        (KEPT | {"waiting": 1}, Task.FETCH),
        (KEPT | {"countries": "FR"}, Task.REREAD),
        (KEPT | {"finished_at": NOW - AGAIN_AFTER}, Task.RESTART),
        ({"finished_at": NOW - DAY}, Task.FILL),
        ({"finished_at": NOW - DAY} | TODAY, Task.REFRESH),
        ({"finished_at": NOW - DAY, "waiting": 1} | TODAY, Task.FETCH),
        ({"finished_at": NOW - DAY, "refreshed_at": NOW} | TODAY, Task.FILL),
    ],
)
def test_what_is_next(facts: dict[str, Any], task: Task | None) -> None:
    """The day's first page comes first, then told changes, the refresh, filling and what is left."""
    assert _next(**facts) is task


def test_credits() -> None:
    """Filling leaves the day's refreshes their credits; at midnight all begins anew."""
    today = {"credits_day": NOW // DAY}
    to_fill = 1_500 - 864
    assert TERMS.credits_to_fill == to_fill
    assert _next(**today, credits_today=to_fill - PAGE_COST) is Task.FILL
    assert _next(**today, credits_today=to_fill - PAGE_COST + 1) is None
    assert _next(credits_day=NOW // DAY - 1, credits_today=5_000) is Task.FILL
    due = KEPT | {"refreshed_at": 0}
    assert _next(**due, **today, credits_today=1_497) is Task.REFRESH
    assert _next(**due, **today, credits_today=1_498) is None
    assert _next(5, **KEPT, **today, credits_today=1_496) is None


LITTLE = st.integers(50, 30_000)


@given(
    credits_a_day=LITTLE, seconds=st.integers(10, 10 * 86_400), waiting=st.integers(0, 300), data=st.data()
)
def test_filling_goes_on_each_day(
    credits_a_day: int, seconds: int, waiting: int, data: st.DataObject
) -> None:
    """However often refreshes are wanted, and contacts change, at least one page of a day fills the index."""
    terms = Terms(credits_a_day=credits_a_day, refresh_seconds=seconds)
    now, done = NOW // DAY * DAY, list[Task]()
    sync = Sync(
        portal_id=1,
        phase="filling",
        started_at=NOW,
        finished_at=NOW - DAY,
        refreshed_at=now - seconds * SECOND,
        countries=reading(["DE"]),
        credits_day=now // DAY,
    )
    step = max(terms.every_seconds, 600) * SECOND
    while now < NOW // DAY * DAY + DAY:
        task = next_task(sync, terms, ["DE"], data.draw(st.integers(0, waiting)), now)
        if task is None:
            now += step
            continue
        done.append(task)
        cost = 5 if task is Task.FETCH else PAGE_COST
        changes = spending(sync, cost, now) | ({"refreshed_at": now} if task is Task.REFRESH else {})
        sync = msgspec.structs.replace(sync, **changes)
        if Task.FILL in done:
            return
    raise AssertionError(done)


@given(st.integers(50, 3_000), st.integers(10, 86_400), st.integers(0, 10_000))
def test_two_indexes_live_on_one_allowance(credits_a_day: int, seconds: int, seed: int) -> None:
    """Whatever is due of both, a day costs what is allowed, and a page at most for the day's beginning."""
    chance = Random(seed)  # noqa: S311 - it repeats; nothing is secret
    began = NOW // DAY * DAY
    syncs = [
        Sync(
            portal_id=1,
            phase=chance.choice(("filling", "kept")),
            started_at=began - DAY,
            finished_at=began - DAY,
            refreshed_at=began - DAY,
            countries=reading(["DE"]),
        )
        for _ in range(2)
    ]
    for now in range(began, began + DAY, DAY // 24):
        for place in (0, 1, 0, 1):
            spent = spent_today(syncs[1 - place], now)
            terms = terms_of(OF[place], credits_a_day, seconds, has_accounts=True, spent_elsewhere=spent)
            waiting = chance.randint(0, 9)
            task = next_task(syncs[place], terms, ["DE"], waiting, now)
            if task is None:
                continue
            cost = min(waiting, FETCHED_AT_ONCE) if task is Task.FETCH else PAGE_COST
            changes = spending(syncs[place], cost, now)
            if task is Task.REFRESH:
                changes |= {"refreshed_at": now}
            syncs[place] = msgspec.structs.replace(syncs[place], **changes)
    assert sum(each.credits_today for each in syncs) <= credits_a_day + PAGE_COST


@given(st.integers(50, 30_000), st.integers(10, 86_400))
def test_each_of_two_indexes_has_its_part(credits_a_day: int, seconds: int) -> None:
    """The refreshes of both are kept from filling; accounts take a tenth of all for theirs at most."""
    contacts, accounts = (terms_of(of, credits_a_day, seconds, has_accounts=True) for of in OF)
    alone = terms_of("contacts", credits_a_day, seconds, has_accounts=False)
    assert alone == Terms(credits_a_day=credits_a_day, refresh_seconds=seconds)
    assert accounts.credits_to_refresh <= max(PAGE_COST, credits_a_day // 10)
    assert contacts.kept_elsewhere >= accounts.credits_to_refresh
    assert accounts.kept_elsewhere == contacts.credits_to_refresh
    assert min(contacts.credits_to_fill, accounts.credits_to_fill) >= PAGE_COST
    spent = msgspec.structs.replace(contacts, spent_elsewhere=contacts.credits_to_fill)
    filling = Sync(
        portal_id=1, phase="filling", started_at=0, credits_day=NOW // DAY, credits_today=PAGE_COST
    )
    assert is_out_of_credits(filling, spent, NOW)


def test_the_pace() -> None:
    """It is what is set, or what nine tenths of the credits allow; the words say which."""
    assert TERMS.every_seconds == 300
    assert pace_of(TERMS) == "refreshed every 300 s"
    greedy = Terms(credits_a_day=1_500, refresh_seconds=10)
    assert greedy.every_seconds == 174
    assert pace_of(greedy).startswith("refreshed every 174 s: SYNC_EVERY_SECONDS=10 would take all")
    for credits_a_day in range(50, 30_000, 7):
        assert Terms(credits_a_day=credits_a_day, refresh_seconds=10).credits_to_fill >= PAGE_COST


def test_spending() -> None:
    """Credits are counted by the day and by the sync."""
    sync = Sync(portal_id=1, phase="filling", started_at=0, credits_day=NOW // DAY - 1, credits_today=9)
    assert spent_today(sync, NOW) == 0
    assert spending(sync, 3, NOW) == {"credits_day": NOW // DAY, "credits_today": 3, "credits_used": 3}
    spent = Sync(portal_id=1, phase="filling", started_at=0, credits_day=NOW // DAY, credits_today=700)
    assert is_out_of_credits(spent, TERMS, NOW)


def _made(*moments: int | None) -> list[Contact]:
    return [Contact(id=str(index), created_at=at) for index, at in enumerate(moments)]


def _after(here: Position, *moments: int | None) -> Position | None:
    return position_after(_made(*moments), lambda contact: contact.created_at, here)


def test_positions() -> None:
    """A page begins anew at the last moment seen; within one moment, at an offset; at the end, nowhere."""
    assert _after(Position(0), *range(100)) == Position(99)
    assert _after(Position(5), 5, 6) == Position(6)
    assert _after(Position(6), 6) is None
    assert _after(Position(6)) is None
    assert _after(Position(7), *[7] * 100) == Position(7, 95)
    assert _after(Position(7, 95), *[7] * 60, 8) == Position(8)
    assert _after(Position(7, 950), *[7] * 100) == Position(8)
    assert _after(Position(0), *[None] * 100) is None


@given(st.lists(st.integers(1, 40), max_size=600), st.randoms(use_true_random=False))
def test_every_contact_is_read(moments: list[int], chance: Random) -> None:
    """Whatever the moments, and whatever is deleted meanwhile, the pages hold all that remain."""
    left = sorted(moments)
    everything, read = _made(*left), set()
    here: Position | None = Position(0)
    for _ in range(1_000):
        if here is None:
            break
        found = [each for each in everything if (each.created_at or 0) >= here.at]
        page = found[here.offset : here.offset + LIST_LIMIT]
        read |= {each.id for each in page}
        here = position_after(page, lambda contact: contact.created_at, here)
        if everything and chance.random() < 0.5:
            everything.remove(chance.choice(everything))
    assert here is None
    assert {each.id for each in everything} <= read
