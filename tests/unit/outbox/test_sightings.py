"""Since when others' requests have been under way."""

import msgspec

from connector.clock import SECOND, machine_name, machine_of, steady_clock, system_clock
from connector.outbox.send_once import Sent
from connector.outbox.sightings import Sightings
from connector.store.in_flight import UnderWay

AFTER = 97 * SECOND


class Time:
    """A clock that is moved by hand."""

    def __init__(self, now: int) -> None:
        self.now = now

    def __call__(self) -> int:
        """Return the moment."""
        return self.now


def noted(sightings: Sightings) -> UnderWay:
    """Make what a process with these sightings has noted just now."""
    stamp = sightings.stamp()
    sent = msgspec.json.encode(Sent(body={"subject": "a"}, noted=stamp))
    return UnderWay(1, 5, "sending", 1, f"owner{stamp}", 9, 7, sent)


def test_a_restarted_process_goes_on_counting() -> None:
    """Its predecessor's note says when it was made, by the clock that both read."""
    time = Time(1_000_000)
    row = noted(Sightings(time, "here"))
    time.now += AFTER
    successor = Sightings(time, "here")
    successor.see([row])
    assert successor.abandoned([row], set(), AFTER) == [row]
    assert successor._requests == {(1, 5, 1, 7): time.now - AFTER}


def test_another_machine_counts_from_its_own_first_sight() -> None:
    """What its clock would say of the note means nothing."""
    time = Time(1_000_000)
    row = noted(Sightings(time, "there"))
    time.now += AFTER
    for stranger in (Sightings(time, "here"), Sightings(time, "")):
        stranger.see([row])
        assert stranger.abandoned([row], set(), AFTER) == []
        time.now += AFTER
        stranger.see([row])
        assert stranger.abandoned([row], set(), AFTER) == [row]


def test_who_claims_the_row_anew_is_counted_anew() -> None:
    """The release before writes an owner of its own, and keeps what was sent until it notes."""
    time = Time(1_000_000)
    row = noted(Sightings(time, "here"))
    time.now += AFTER
    sightings = Sightings(time, "here")
    claimed = msgspec.structs.replace(row, owner="of the release before", lease_until=10)
    sightings.see([claimed])
    assert sightings.abandoned([claimed], set(), 1) == []
    # What was sent may have been applied for as long as before.
    assert sightings._requests == {(1, 5, 1, 7): time.now - AFTER}


def test_a_note_of_the_future_counts_from_now() -> None:
    """No clock goes back; one that seems to is another one."""
    time = Time(1_000_000)
    row = noted(Sightings(time, "here"))
    time.now -= SECOND
    sightings = Sightings(time, "here")
    sightings.see([row])
    assert sightings.abandoned([row], set(), 1) == []


def test_only_the_steady_clock_is_a_machines() -> None:
    """A simulated clock, and the one that can be set, are nobody else's."""
    assert machine_of(steady_clock) == machine_name()
    assert machine_of(system_clock) == ""
    assert Sightings(Time(0)).stamp() == ""
