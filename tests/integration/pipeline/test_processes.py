"""Two processes that serve one company: what one hears, the banners of the other show."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import text

from connector.banner.bus import CHANNEL, IDS_IN_A_NOTICE, Listener, PostgresqlBus
from connector.store import Store, calls
from tests.integration.databases import Databases, PostgresqlDatabases, name_of
from tests.integration.pipeline.place import Place

pytestmark = [pytest.mark.anyio, pytest.mark.postgresql]


@pytest.fixture
def server(databases_of: Callable[[str], Databases]) -> PostgresqlDatabases:
    """Return where the databases come from; only PostgreSQL is for several processes."""
    found = databases_of("postgresql")
    assert isinstance(found, PostgresqlDatabases)
    return found


@pytest.fixture
def database_url(server: PostgresqlDatabases) -> Iterator[str]:
    """Give each test a database of its own."""
    with server.fresh() as url:
        yield url


def searches(place: Place) -> int:
    """Count what Desk was asked about callers."""
    return place.sandbox.state.requests.count(path="/api/v1/contacts/search")


async def test_banner_of_another_process(place: Place, neighbour: Place) -> None:
    """A call rings at the banner that another process serves, with number, name and end."""
    place.sandbox.state.desk.add_contact(first_name="Grace", last_name="Hopper", phone="020 7946 0811")
    async with neighbour.banner("ada@example.com") as banner:
        await place.post(place.event("ringing", "c-1", agent="1001", **{"from": "+442079460811"}))
        assert (await banner.next("call"))["mine"] == "offered"
        assert (await banner.until(lookup="found"))["contacts"][0]["name"] == "Grace Hopper"
        await place.post(place.event("answered", "c-1", agent="1002"))
        assert (await banner.next("gone"))["reason"] == "answered_elsewhere"


async def test_two_processes_ask_once(place: Place, neighbour: Place) -> None:
    """Two processes show the call, one of them asks who it is, both show the answer."""
    async with place.banner("ada@example.com") as ada, neighbour.banner("bruno@example.com") as bruno:
        for number in range(1, 6):
            facts = {"from": f"+44207946071{number}"}
            await place.post(
                place.event("ringing", f"c-{number}", agent="1001", **facts),
                place.event("ringing", f"c-{number}", agent="1002", **facts),
            )
            for banner in (ada, bruno):
                await banner.until(lookup="none")
            cost_of_one = searches(place) // number
            assert searches(place) == number * cost_of_one
    assert cost_of_one == await cost_of_a_look_up(place)


async def cost_of_a_look_up(place: Place) -> int:
    """Count what one process alone asks Desk about one caller."""
    before = searches(place)
    await place.services.contact_lookup.look_up(1, "+442079460719", country="GB", live=True)
    return searches(place) - before


async def test_notice_that_never_came(place: Place, neighbour: Place) -> None:
    """What a process changed just before it died is found by looking."""
    await place.post(place.event("ringing", "c-1", agent="1001"))
    async with neighbour.banner("ada@example.com") as banner:
        await banner.until(lookup="none")
        await place.services.store.write(lambda c: calls.touch(c, [1], place.services.clock()))
        revision = (await neighbour.services.store.read(lambda c: calls.by_ids(c, [1])))[0].revision
        await neighbour.services.pipeline.resync()
        assert (await banner.next("call"))["revision"] == revision


async def test_lost_connection_is_made_up_for(
    place: Place, neighbour: Place, server: PostgresqlDatabases, database_url: str
) -> None:
    """Cut off from the database, a process listens again and shows what happened meanwhile."""
    async with neighbour.banner("ada@example.com") as banner:
        await place.post(place.event("ringing", "c-1", agent="1001"))
        await banner.until(lookup="none")
        server.server.cut(name_of(database_url))
        await place.post(place.event("answered", "c-1", agent="1001"))
        assert (await banner.until(state="answered"))["answered_by"] == ["Ada"]
        await place.post(place.event("ended", "c-1"))
        await banner.until(state="ended")


async def test_lost_database_is_503(
    place: Place, server: PostgresqlDatabases, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Without its database it asks to be asked again, says so once, and goes on by itself after it."""
    name = name_of(database_url)
    server.server.run(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    server.server.cut(name)
    for number in range(5):
        answer = await place.post(place.event("ringing", f"c-{number}"))
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert (await place.client.get("/readyz")).status_code == 503
    assert (await place.client.get("/healthz")).status_code == 200
    server.server.run(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    assert (await place.post(place.event("ringing", "c-6"))).status_code == 202
    assert (await place.client.get("/readyz")).status_code == 200
    said = Counter(record.getMessage().partition(":")[0] for record in caplog.records
                   if record.levelno >= logging.WARNING)  # fmt: skip
    assert said["store_lost"] <= 2
    assert said.total() <= 6, said


async def test_deliveries_are_published(place: Place, neighbour: Place) -> None:
    """A record written by a process that only delivers shows on the banner of one that serves."""
    async with neighbour.banner("ada@example.com") as banner:
        await place.post(
            place.event("ringing", "c-1", agent="1001"),
            place.event("answered", "c-1", agent="1001"),
            place.event("ended", "c-1"),
        )
        delivering = asyncio.create_task(place.services.deliverer.run())
        while (await banner.next("call"))["record"]["state"] != "written":
            pass
        await place.services.deliverer.stop()
        await delivering


async def test_orders_reach_the_process_that_is_asked(place: Place, neighbour: Place) -> None:
    """An order given to one process reaches the program that hangs on another, and its end comes back."""
    await place.fetch()
    waiting = asyncio.create_task(place.fetch(wait=30))
    given = (await neighbour.ask("ada@example.com", "/api/calls", {"number": "+442079460811"})).json()
    (todo,) = await asyncio.wait_for(waiting, 10)
    watching = asyncio.create_task(neighbour.ask("ada@example.com", f"/api/orders/{given['id']}?wait=30"))
    await place.report(todo["id"], "taken")
    await place.report(todo["id"], "done")
    assert (await asyncio.wait_for(watching, 10)).json()["state"] == "done"


async def test_clicked_again_at_two_processes(place: Place, neighbour: Place) -> None:
    """Clicks that reach several processes at once are one order, and one program of several gets it."""
    await place.fetch()
    clicks = [
        process.ask("ada@example.com", "/api/calls", {"number": "+442079460811"})
        for process in (place, neighbour) * 6
    ]
    answers = await asyncio.gather(*clicks)
    assert {answer.status_code for answer in answers} == {202}
    (uid,) = {answer.json()["id"] for answer in answers}
    takes = [
        process.report(uid, "taken", f"b-{number}") for number, process in enumerate((place, neighbour) * 6)
    ]
    statuses = sorted([answer.status_code for answer in await asyncio.gather(*takes)])
    assert statuses == [200, *[409] * 11]


async def test_notices_fit(server: PostgresqlDatabases) -> None:
    """However many calls change at once, and whatever else comes, everyone hears of each."""
    with server.fresh() as url:
        stores = [Store(url) for _ in range(2)]
        teller, listener = (PostgresqlBus(store) for store in stores)
        heard: set[int] = set()
        ready, complete = asyncio.Event(), asyncio.Event()
        ids = range(10**18, 10**18 + 5 * IDS_IN_A_NOTICE)

        def hear(call_ids: object) -> None:
            assert isinstance(call_ids, list)
            heard.update(call_ids)
            if len(heard) == len(ids):
                complete.set()

        working = asyncio.create_task(listener.run(Listener(hear, ready.set, ready.set)))
        await asyncio.wait_for(ready.wait(), 10)
        stores[0].read_now(lambda c: c.execute(text(f"NOTIFY {CHANNEL}, 'nonsense,x,'")))
        teller.notify_calls(ids)
        await teller.close()
        await asyncio.wait_for(complete.wait(), 10)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        assert heard == set(ids)
        for store in stores:
            store.close()
