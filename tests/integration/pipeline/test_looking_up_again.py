"""A look-up that fails is asked again while it rings, and costs nothing but its own requests."""

import asyncio

import pytest

from connector.sandbox.faults import FaultKind, Rule
from connector.store import calls
from connector.store.calls import CallRow
from tests.integration.pipeline.place import Banner, Place

pytestmark = pytest.mark.anyio

CALLER = "+442079460811"


@pytest.fixture(autouse=True)
def grace(place: Place) -> None:
    """Have a contact with the caller's number."""
    place.sandbox.state.desk.add_contact(first_name="Grace", last_name="Hopper", phone="020 7946 0811")


def fail(place: Place, kind: FaultKind, times: int | None = None, seconds: float | None = None) -> None:
    """Let Desk's search of contacts fail."""
    rule = Rule(kind=kind, path_prefix="/api/v1/contacts/search", times=times, seconds=seconds)
    place.sandbox.state.faults.add(rule)


def searches(place: Place) -> int:
    """Count what Desk was asked about callers."""
    return place.sandbox.state.requests.count(path="/api/v1/contacts/search")


async def ring(place: Place, call: str = "c-1") -> None:
    """Let Ada's telephone ring."""
    await place.post(place.event("ringing", call, agent="1001", **{"from": CALLER}))


async def named(banner: Banner) -> str:
    """Wait for the name."""
    name: str = (await banner.until(lookup="found"))["contacts"][0]["name"]
    return name


@pytest.mark.parametrize("kind", ["server_error", "html", "reset", "too_many_requests"])
async def test_one_failure_does_not_cost_the_ring(place: Place, kind: FaultKind) -> None:
    """Two answers went wrong: the number stands there, then the name comes, with no other event."""
    fail(place, kind, times=2)
    async with place.banner("ada@example.com") as banner:
        await ring(place)
        failed = await banner.until(lookup="failed")
        assert (failed["number"]["e164"], failed["asks_again"]) == (CALLER, True)
        assert await named(banner) == "Grace Hopper"


@pytest.mark.both_engines
async def test_several_failures_in_a_row(place: Place) -> None:
    """Each pause is longer than the one before; the banner is not told the same again and again."""
    fail(place, "server_error", times=6)
    async with place.banner("ada@example.com") as banner:
        await ring(place)
        failed = await banner.until(lookup="failed")
        found = await banner.until(lookup="found", tickets=None)
        assert found["revision"] == failed["revision"] + 1
        assert 6 <= searches(place) <= 14


@pytest.mark.both_engines
async def test_a_lost_grant_is_not_asked_again(place: Place) -> None:
    """What stays as it is while it rings costs one question, and its reason is told."""
    await place.services.store.write(
        lambda c: c.exec_driver_sql("UPDATE portals SET state = 'grant_lost'").rowcount
    )
    async with place.banner("ada@example.com") as banner:
        await ring(place)
        failed = await banner.until(lookup="failed")
        assert (failed["problem"], failed["asks_again"]) == ("grant_lost", False)


async def test_the_end_of_the_ring_ends_the_look_up(place: Place) -> None:
    """Once it is over nobody is asked, and nothing is held: the next call is looked up as ever."""
    fail(place, "server_error", times=2)
    async with place.banner("ada@example.com") as banner:
        await ring(place)
        await banner.until(lookup="failed")
        await place.post(place.event("ended", "c-1", cause="cancelled"))
        over = await banner.until(state="ended")
        assert (over["lookup"], over["asks_again"]) == ("failed", False)
        asked = searches(place)
        await asyncio.wait_for(place.services.pipeline.settle(), 5)
        assert searches(place) == asked
        await ring(place, "c-2")
        assert await named(banner) == "Grace Hopper"


@pytest.mark.both_engines
async def test_an_answered_call_is_asked_about_at_once(place: Place) -> None:
    """The event that ends the ring asks a last time, whatever the pause."""
    fail(place, "server_error", times=2)
    async with place.banner("ada@example.com") as banner:
        await ring(place)
        await banner.until(lookup="failed")
        await place.post(place.event("answered", "c-1", agent="1001"))
        assert await named(banner) == "Grace Hopper"


async def test_settling_does_not_wait_for_pauses(place: Place) -> None:
    """Whoever stops the service does not wait until the phones have stopped ringing."""
    fail(place, "server_error", seconds=60)
    async with place.banner("ada@example.com") as banner:
        await ring(place)
        await banner.until(lookup="failed")
        await asyncio.wait_for(place.services.pipeline.settle(), 5)


async def released(place: Place) -> None:
    """Wait until no process holds the question, sooner than its time is over."""
    asked = "SELECT asked_until FROM calls WHERE id = 1"
    async with asyncio.timeout(10):
        while place.services.store.read_now(lambda c: c.exec_driver_sql(asked).scalar()) is not None:
            await place.client.get("/healthz")
    await place.services.pipeline.settle()


async def test_a_page_that_opens_after_the_pause(place: Place) -> None:
    """Whoever reloads the page while Desk is not asked gets the name as soon as Desk answers."""
    fail(place, "server_error", times=2)
    async with place.banner("ada@example.com") as banner:
        await ring(place)
        await banner.until(lookup="failed")
    await released(place)
    async with place.banner("ada@example.com") as banner:
        assert await named(banner) == "Grace Hopper"


@pytest.mark.both_engines
async def test_a_page_that_opens_at_another_process(place: Place) -> None:
    """Nobody is there any more for whom this process would ask: another may, and hears that it may."""
    fail(place, "server_error")
    async with place.banner("ada@example.com") as banner:
        await ring(place)
        failed = await banner.until(lookup="failed")
    await released(place)
    row = await place.services.store.read(lambda c: calls.by_ids(c, [1]))
    assert row[0].revision > failed["revision"], "nothing tells the others"


async def test_calls_that_end_in_their_pause_leave_nothing(place: Place) -> None:
    """However many end while Desk is down: nothing is remembered of them."""
    fail(place, "server_error")
    async with place.banner("ada@example.com") as banner:
        for number in range(3):
            await ring(place, f"c-{number}")
            await banner.until(lookup="failed")
            await place.post(place.event("ended", f"c-{number}", cause="cancelled"))
            await banner.until(state="ended")
    async with asyncio.timeout(10):
        while place.services.pipeline._caller_lookup._retries:
            await place.client.get("/healthz")


async def test_others_wait_for_the_one_who_asks(place: Place) -> None:
    """Another process does not ask in the pause, and does once this one has not asked for long."""
    fail(place, "server_error", seconds=60)
    async with place.banner("ada@example.com") as banner:
        await ring(place)
        await banner.until(lookup="failed")
        now = place.services.clock()

        async def may_take(at: int) -> bool:
            return await place.services.store.write(lambda c: calls.take_question(c, 1, at, at + 1))

        assert not await may_take(now + 1_000)
        assert await may_take(now + 60_000)


async def test_what_our_tables_know_replaces_no_answer(place: Place) -> None:
    """Who finds a caller there while another process has an answer with tickets changes nothing."""
    await ring(place)
    answer, late = b'{"contacts":[{"id":"7","name":"Ada"}],"tickets":{"7":[]}}', b'{"contacts":[]}'

    async def note(lookup: str, found: bytes) -> CallRow | None:
        return await place.services.store.write(
            lambda c: calls.note_lookup(c, 1, 5, lookup=lookup, found=found, asked_until=None, only_open=True)
        )

    first = await note("found", answer)
    assert first is not None
    assert (first.lookup, first.found) == ("found", answer)
    assert await note("none", late) is None
    (row,) = await place.services.store.read(lambda c: calls.by_ids(c, [1]))
    assert (row.found, row.revision) == (answer, first.revision)


async def test_a_known_caller_is_named_without_a_claim(place: Place) -> None:
    """Our own tables are read though another process holds the question: the name waits for nobody."""
    await place.services.contact_lookup.look_up(1, CALLER, country="GB", live=True)
    asked, occupied = searches(place), 10**15
    fail(place, "server_error")
    await ring(place)
    taken = await place.services.store.write(lambda c: calls.take_question(c, 1, 1, occupied))
    assert taken
    async with place.banner("ada@example.com") as banner:
        assert (await banner.until(lookup="found"))["contacts"][0]["name"] == "Grace Hopper"
    assert searches(place) == asked
