"""Slots and credits of a portal."""

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.errors import ConcurrencyExceeded, CreditsExhausted, OutcomeUnknown, ZohoError
from connector.zoho.budget import CLOSED_SECONDS, FORGET_AFTER, WIDEN_AFTER, LocalBudget

pytestmark = pytest.mark.anyio


class Hand:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1_767_603_600_000

    def __call__(self) -> int:
        """Return the moment that the hand shows."""
        return self.now


@pytest.fixture
def clock() -> Hand:
    """Hold time still."""
    return Hand()


async def use(
    budget: LocalBudget,
    problem: ZohoError | None = None,
    *,
    live: bool = True,
    until: anyio.Event | None = None,
) -> None:
    """Take a slot, keep it until told, and leave it with an outcome."""
    async with budget.slot(1, live=live):
        if until is not None:
            await until.wait()
        if problem is not None:
            raise problem


async def fail(budget: LocalBudget, problem: ZohoError, until: anyio.Event | None = None) -> None:
    """Take a slot, and leave it with an exception that is expected."""
    with pytest.raises(type(problem)):
        await use(budget, problem, until=until)


async def occupy(budget: LocalBudget, done: anyio.Event, order: list[str], name: str) -> None:
    """Take a slot, say so, and keep it until the end."""
    async with budget.slot(1, live=name == "look-up"):
        order.append(name)
        await done.wait()


async def test_deliveries_leave_the_reserve_alone(clock: Hand) -> None:
    """Of three slots with one in reserve, two are the deliveries'; the third takes a look-up at once."""
    budget = LocalBudget(3, reserve=1, clock=clock)
    done, order = anyio.Event(), list[str]()
    async with anyio.create_task_group() as tasks:
        for number in range(3):
            tasks.start_soon(occupy, budget, done, order, f"delivery {number}")
        await anyio.wait_all_tasks_blocked()
        assert order == ["delivery 0", "delivery 1"]
        tasks.start_soon(occupy, budget, done, order, "look-up")
        await anyio.wait_all_tasks_blocked()
        assert order[-1] == "look-up"
        assert budget.taken == 3
        done.set()
    assert order[-1] == "delivery 2"
    assert budget.taken == 0


async def test_look_ups_go_first_where_both_wait(clock: Hand) -> None:
    """A freed slot goes to the look-up, though the delivery has waited longer."""
    budget = LocalBudget(1, reserve=0, clock=clock)
    first, rest, order = anyio.Event(), anyio.Event(), list[str]()
    rest.set()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(occupy, budget, first, order, "first")
        await anyio.wait_all_tasks_blocked()
        tasks.start_soon(occupy, budget, rest, order, "delivery")
        tasks.start_soon(occupy, budget, rest, order, "look-up")
        await anyio.wait_all_tasks_blocked()
        first.set()
    assert order == ["first", "look-up", "delivery"]


async def test_who_gives_up_waiting_leaves_no_trace(clock: Hand) -> None:
    """A look-up that is cancelled in the queue takes no slot with it."""
    budget = LocalBudget(1, reserve=0, clock=clock)
    done, order = anyio.Event(), list[str]()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(occupy, budget, done, order, "first")
        await anyio.wait_all_tasks_blocked()
        with anyio.CancelScope() as impatient:
            impatient.cancel()
            await use(budget)
        done.set()
    assert budget.taken == 0
    await use(budget)


async def test_nobody_waits_for_ever(clock: Hand) -> None:
    """Where no slot comes free the request is not sent, and that narrows nothing."""
    budget = LocalBudget(1, clock=clock, reserve=0, patience_seconds=0)
    async with budget.slot(1, live=False):
        with pytest.raises(ConcurrencyExceeded, match="slots are taken"):
            await use(budget)
        assert (budget.taken, budget.width) == (1, 1)
    await use(budget)


async def test_too_many_requests_narrows_and_success_widens(clock: Hand) -> None:
    """The width is halved, and comes back one by one."""
    budget = LocalBudget(8, clock=clock)
    await fail(budget, ConcurrencyExceeded("x"))
    assert budget.width == 4
    for _ in range(WIDEN_AFTER - 1):
        await use(budget)
    assert budget.width == 4
    await use(budget)
    assert budget.width == 5


async def test_refusals_of_one_moment_narrow_once(clock: Hand) -> None:
    """Eight requests that are refused together halve the width, and do not bring it to one."""
    budget = LocalBudget(8, clock=clock)
    together = anyio.Event()

    async with anyio.create_task_group() as tasks:
        for _ in range(8):
            tasks.start_soon(fail, budget, ConcurrencyExceeded("x"), together)
        await anyio.wait_all_tasks_blocked()
        together.set()
    assert budget.width == 4


async def test_at_its_narrowest_a_delivery_still_goes(clock: Hand) -> None:
    """One at a time is the least, reserve or not."""
    budget = LocalBudget(2, reserve=2, clock=clock)
    for _ in range(3):
        await fail(budget, ConcurrencyExceeded("x"))
    assert budget.width == 1
    await use(budget, live=False)


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize(("told", "wait"), [(7200, 7200), (None, CLOSED_SECONDS)])
async def test_exhausted_credits_close_until_retry_after(
    clock: Hand, told: int | None, wait: int, live: object
) -> None:
    """Everybody is refused at once and told how long it lasts; then it is open again."""
    budget = LocalBudget(4, clock=clock)
    await fail(budget, CreditsExhausted("x", told))
    clock.now += 1_000
    with pytest.raises(CreditsExhausted) as caught:
        await use(budget, live=bool(live))
    assert caught.value.retry_after_seconds == wait - 1
    clock.now += (wait - 1) * 1_000
    await use(budget, live=bool(live))


async def test_who_waits_hears_that_the_credits_are_gone(clock: Hand) -> None:
    """A request that stood in the queue when the portal closed is refused, and its slot is free."""
    budget = LocalBudget(1, reserve=0, clock=clock)
    go = anyio.Event()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(fail, budget, CreditsExhausted("x", 60), go)
        await anyio.wait_all_tasks_blocked()
        tasks.start_soon(fail, budget, CreditsExhausted("x"))
        await anyio.wait_all_tasks_blocked()
        go.set()
    assert budget.taken == 0


async def test_the_last_credits_are_for_look_ups(clock: Hand) -> None:
    """Deliveries stop at the reserve, look-ups at nothing; the header is forgotten after a while."""
    budget = LocalBudget(4, reserve_credits=100, clock=clock)
    budget.observe(3, 101)
    await use(budget, live=False)
    budget.observe(1, 100)
    with pytest.raises(CreditsExhausted) as caught:
        await use(budget, live=False)
    assert caught.value.retry_after_seconds == FORGET_AFTER // 1000
    await use(budget)
    budget.observe(1, 0)
    with pytest.raises(CreditsExhausted):
        await use(budget)
    clock.now += FORGET_AFTER
    await use(budget, live=False)


async def test_without_a_header_the_weight_is_counted(clock: Hand) -> None:
    """Between two headers our own count goes on from the last."""
    budget = LocalBudget(4, reserve_credits=100, clock=clock)
    budget.observe(1, None)
    await use(budget, live=False)
    budget.observe(1, 102)
    budget.observe(3, None)
    with pytest.raises(CreditsExhausted):
        await use(budget, live=False)


@settings(deadline=None)
@given(st.lists(st.sampled_from(["good", "busy", "unknown"]), max_size=80))
async def test_slots_are_never_lost(outcomes: list[str]) -> None:
    """Whatever the requests come to, all slots come back and the width stays within its bounds."""
    budget = LocalBudget(5, clock=Hand())
    problems = {"good": None, "busy": ConcurrencyExceeded("x"), "unknown": OutcomeUnknown("x")}
    for outcome in outcomes:
        try:
            await use(budget, problems[outcome])
        except ZohoError:
            continue
    assert budget.taken == 0
    assert 1 <= budget.width <= 5
