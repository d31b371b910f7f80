"""A phone system that has fallen silent is shown, counted, and logged once."""

import logging

import pytest

from connector.clock import DAY, HOUR, MINUTE
from connector.maintenance import Silence
from connector.metrics import Metrics
from connector.store import silence
from tests.integration.operations.conftest import NOW, SENDER, Desk, Time

pytestmark = pytest.mark.anyio


def gauge(metrics: Metrics) -> float:
    """Return how many phone systems the metrics call silent."""
    return metrics.registry.get_sample_value("connector_silent_phone_systems") or 0.0


def note(desk: Desk, *moments: int) -> None:
    """Have the phone system heard at these moments."""
    desk.store.write_now(lambda c: silence.note(c, {SENDER.id: moments}, 0))


async def test_hears_what_calls_tell(desk: Desk, time: Time) -> None:
    """Each step notes when events arrived since the last one, in hours."""
    watcher = Silence(desk.store, time)
    for number, minutes in enumerate((0, 10, 60)):
        time.now = NOW + minutes * MINUTE
        desk.call(f"call-{number}")
        await watcher.step()
    [known] = desk.store.read_now(silence.read_activity)
    assert [(hour.first_at, hour.last_at, hour.longest_gap) for hour in known.hours] == [
        (NOW, NOW + 10 * MINUTE, 10 * MINUTE),
        (NOW + HOUR, NOW + HOUR, 0),
    ]
    [status] = await watcher.statuses()
    assert (status.state, status.last_at) == ("learning", NOW + HOUR)


@pytest.mark.both_engines
async def test_what_we_do_ourselves_is_no_sign_of_life(desk: Desk, time: Time) -> None:
    """A call that changes without its phone system saying anything does not count."""
    desk.call("one")
    time.now += HOUR
    desk.change("calls", 1, changed_at=time.now)
    await Silence(desk.store, time).step()
    assert desk.store.read_now(silence.read_activity)[0].hours == ()


async def test_is_heard_at_once(desk: Desk, time: Time) -> None:
    """Nobody waits for the next step to see whether the first event came, here or by a command beside it."""
    assert [each.state for each in await Silence(desk.store, time).statuses()] == ["never"]
    serving = Silence(desk.store, time)
    await serving.step()
    time.now += MINUTE // 2
    desk.call("one")
    for watcher in (serving, Silence(desk.store, time)):
        assert [(each.state, each.last_at) for each in await watcher.statuses()] == [("learning", time.now)]


async def test_says_it_once(desk: Desk, time: Time, caplog: pytest.LogCaptureFixture) -> None:
    """Silence is logged when it begins and when it ends, and counted meanwhile."""
    caplog.set_level(logging.INFO)
    hours = range(NOW - 8 * DAY, NOW, HOUR)
    for at in hours:
        note(desk, at, at + 50 * MINUTE)
    metrics = Metrics()
    watcher = Silence(desk.store, time, metrics)
    seen = []
    for minutes in (10, 100, 120, 140):
        time.now = NOW + minutes * MINUTE
        if minutes == 140:
            desk.call("back")
        await watcher.step()
        seen.append(gauge(metrics))
    assert seen == [0, 1, 1, 0]
    told = [
        record.getMessage() for record in caplog.records if record.getMessage().startswith("phone_system")
    ]
    assert told == ["phone_system_silent", "phone_system_heard_again"]


@pytest.mark.both_engines
async def test_forgets_old_hours(desk: Desk, time: Time) -> None:
    """Hours that are too old to compare with are deleted along the way."""
    note(desk, NOW - 15 * DAY)
    desk.call("one")
    await Silence(desk.store, time).step()
    assert len(desk.store.read_now(silence.read_activity)[0].hours) == 1
