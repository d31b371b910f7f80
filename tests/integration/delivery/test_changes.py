"""What becomes of a record that changes after it was delivered, and of what agents write in Desk."""

from itertools import permutations

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.calls import CallRecord, CallStatus, Recording
from connector.sandbox.faults import FaultKind
from tests.integration.delivery.stage import CALLS, CONTACTS, STRANGER, Stage

pytestmark = pytest.mark.anyio

RECORDED = (Recording(url="https://pbx.example/r/1"),)


def _page(stage: Stage, record: CallRecord) -> str:
    """Answer where Desk's people are sent to hear a call."""
    return f"{stage.settings.public_url}/recordings/{record.key}"


async def _written(stage: Stage, **fields: object) -> CallRecord:
    record = stage.record("c-1", **fields)
    await stage.want(record)
    await stage.drain()
    return record


async def _change(stage: Stage, record: CallRecord, **changes: object) -> CallRecord:
    changed: CallRecord = msgspec.structs.replace(record, **changes)
    await stage.want(changed)
    await stage.drain()
    return changed


async def test_late_recording(stage: Stage) -> None:
    """The recording comes after the record: two requests add it, and everything else stays."""
    await stage.configure(partial_patches=False)
    record = await _written(stage)
    before = stage.call
    stage.world.requests.reset()
    await _change(stage, record, recordings=RECORDED)
    after = stage.call
    assert after.recording_url == _page(stage, record)
    assert f"Recording: {after.recording_url}\n" in (after.description or "")
    assert RECORDED[0].url not in (after.description or "")
    changed = {name for name in after.__struct_fields__ if getattr(after, name) != getattr(before, name)}
    assert changed == {"recording_url", "description"}
    assert stage.world.requests.counts == {
        ("GET", f"{CALLS}/{{id}}", 200): 1,
        ("PATCH", f"{CALLS}/{{id}}", 200): 1,
    }
    row = await stage.row()
    assert (row.state, row.revision, row.sent_revision) == ("done", 2, 2)


async def test_second_recording_changes_no_link(stage: Stage) -> None:
    """However many recordings a call gets, Desk's link stays, because it names the call alone."""
    record = await _written(stage, recordings=RECORDED)
    stage.world.requests.reset()
    more = (*RECORDED, Recording(url="https://pbx.example/r/2", seconds=5))
    await _change(stage, record, recordings=more)
    assert stage.call.recording_url == _page(stage, record)
    assert f"Recording: {_page(stage, record)} (2 in all)\n" in (stage.call.description or "")


async def test_links_of_before_are_replaced(stage: Stage) -> None:
    """A record that was given the phone system's own address gets ours once it changes."""
    await stage.configure(recording_links="original")
    record = await _written(stage, recordings=RECORDED)
    assert stage.call.recording_url == RECORDED[0].url
    await stage.configure(recording_links="connector")
    await _change(stage, record, duration_seconds=43)
    assert stage.call.recording_url == _page(stage, record)
    assert RECORDED[0].url not in (stage.call.description or "")


async def test_late_answer(stage: Stage) -> None:
    """A call that counted as missed was answered: everything that follows from it is put right."""
    record = await _written(stage, status=CallStatus.MISSED, duration_seconds=0)
    await _change(stage, record, status=CallStatus.COMPLETED, duration_seconds=30, agents=("1002",))
    call = stage.call
    assert (call.status, call.duration, call.subject) == (
        "Completed",
        "30",
        "Inbound call from +33 6 12 34 56 78",
    )
    assert call.owner_id == stage.agent("Bruno")
    assert (call.description or "").startswith("Answered by: Bruno Keller")


async def test_what_agents_wrote_stays(stage: Stage) -> None:
    """Subject, status, owner, contact and words around our own are theirs once they have touched them."""
    record = await _written(stage)
    other = stage.world.desk.add_contact(last_name="Other")
    stage.edit(
        stage.call,
        subject="About the invoice",
        status="Scheduled",
        owner_id=stage.agent("Chiara"),
        contact_id=other.id,
        priority="High",
        description=f"Please call back.\n\n{stage.call.description}\n\nDone.",
    )
    await _change(stage, record, recordings=RECORDED, duration_seconds=50, agents=("1002",))
    call = stage.call
    assert (call.subject, call.status, call.priority) == ("About the invoice", "Scheduled", "High")
    assert (call.owner_id, call.contact_id) == (stage.agent("Chiara"), other.id)
    assert call.duration == "50"
    assert (call.description or "").startswith("Please call back.\n\nAnswered by: Bruno Keller")
    assert (call.description or "").endswith("\n\nDone.")
    assert (call.description or "").count("Call key:") == 1
    assert "ownerId: edited in Desk" in (await stage.row()).detail


async def test_description_written_anew_stays(stage: Stage) -> None:
    """Where our block is gone, nothing is put in its place."""
    record = await _written(stage)
    stage.edit(stage.call, description="Mine.")
    await _change(stage, record, recordings=RECORDED)
    assert stage.call.description == "Mine."
    assert stage.call.recording_url == _page(stage, record)


async def test_edits_outlive_two_changes(stage: Stage) -> None:
    """An edit that one change left alone is left alone by the next one too."""
    record = await _written(stage)
    stage.edit(stage.call, subject="Mine")
    record = await _change(stage, record, status=CallStatus.MISSED)
    await _change(stage, record, status=CallStatus.COMPLETED, duration_seconds=1)
    assert stage.call.subject == "Mine"
    assert stage.call.status == "Completed"


async def test_choice_after_delivery(stage: Stage) -> None:
    """The agent's choice moves the record to that contact."""
    record = await _written(stage)
    chosen = stage.world.desk.add_contact(last_name="Chosen")
    await stage.choose(record, chosen.id)
    await stage.drain()
    assert stage.call.contact_id == chosen.id
    assert (await stage.row()).state == "done"


async def test_number_learnt_late(stage: Stage) -> None:
    """A record on the contact for withheld numbers moves once the number is known."""
    record = await _written(stage, customer=None)
    await _change(stage, record, customer=STRANGER)
    (contact,) = stage.contacts_of(STRANGER)
    assert stage.call.contact_id == contact.id
    assert stage.call.subject == "Inbound call from +33 6 12 34 56 78"


async def test_contact_of_before_stays(stage: Stage) -> None:
    """A contact that was modified since, and would win now, does not draw old records to it."""
    await _written(stage)
    stage.world.desk.add_contact(last_name="Newer", phone="06 12 34 56 78")
    stage.advance(7_200)
    await _change(stage, stage.record(), recordings=RECORDED)
    assert stage.call.contact_id == stage.contacts_of(STRANGER)[0].id


async def test_deleted_in_desk(stage: Stage) -> None:
    """A record that somebody deleted is not made again."""
    record = await _written(stage)
    stage.edit(stage.call, is_trashed=True)
    await _change(stage, record, recordings=RECORDED)
    assert stage.call.is_trashed
    row = await stage.row()
    assert (row.state, row.reason) == ("done", "record_not_found")


async def test_same_record_wanted_again(stage: Stage) -> None:
    """What stands in Desk already needs no request."""
    record = await _written(stage)
    stage.world.requests.reset()
    await _change(stage, record)
    assert not stage.world.requests.counts


@pytest.mark.parametrize("kind", ["drop", "server_error", "reset", "html"])
async def test_change_of_unknown_outcome(stage: Stage, kind: FaultKind) -> None:
    """A change whose answer was lost is compared with what Desk has then."""
    record = await _written(stage)
    stage.strike(kind, method="PATCH")
    record = await _change(stage, record, recordings=RECORDED, duration_seconds=43)
    assert (await stage.row()).state == "unknown"
    await _change(stage, record, duration_seconds=44)
    await stage.settle()
    call = stage.call
    assert (call.duration, call.recording_url) == ("44", _page(stage, record))
    assert (call.description or "").count("Recording:") == 1
    assert (await stage.row()).state == "done"


async def test_late_change(stage: Stage) -> None:
    """A change that is applied late cannot undo a later one, because that one waits for it."""
    await stage.configure(partial_patches=False)
    record = await _written(stage)
    stage.strike("late", method="PATCH", seconds=59)
    record = await _change(stage, record, status=CallStatus.MISSED)
    await _change(stage, record, status=CallStatus.COMPLETED, duration_seconds=99)
    stage.advance(59)
    await stage.late_writes()
    assert stage.call.status == "Missed"
    await stage.settle()
    assert (stage.call.status, stage.call.duration) == ("Completed", "99")
    assert stage.call.subject.startswith("Inbound")


async def test_changed_while_unknown(stage: Stage) -> None:
    """What was wanted while nobody knew is written once the record is found."""
    stage.strike("drop")
    record = await _written(stage)
    await _change(stage, record, recordings=RECORDED)
    await stage.settle()
    assert stage.call.recording_url == _page(stage, record)
    assert (await stage.row()).sent_revision == 2


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_order_of_changes(stage: Stage, order: tuple[int, ...]) -> None:
    """In whatever order things are learnt, the record is the same in the end."""
    changes: list[dict[str, object]] = [
        {"recordings": RECORDED},
        {"status": CallStatus.COMPLETED, "duration_seconds": 12},
        {"agents": ("1002",), "queue": "support"},
    ]
    # Our own address of a recording names the call, and so would differ.
    await stage.configure(recording_links="original")
    record = await _written(stage, status=CallStatus.MISSED, duration_seconds=0)
    for index in order:
        record = await _change(stage, record, **changes[index])
    await stage.want(stage.record("twin", **{k: v for change in changes for k, v in change.items()}))
    await stage.drain()
    ours, twin = stage.calls
    differ = {name for name in ours.__struct_fields__ if getattr(ours, name) != getattr(twin, name)}
    assert differ == {"id", "description"}
    assert (ours.description or "").splitlines()[:-1] == (twin.description or "").splitlines()[:-1]


FAULTS = st.sampled_from(["", "drop", "server_error", "reset", "html", "too_many_requests", "unauthorized"])
STEPS = st.lists(
    st.tuples(st.integers(0, 99), st.sampled_from(CallStatus), FAULTS, st.booleans()), min_size=1, max_size=5
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
async def test_any_history(stage: Stage, steps: list[tuple[int, CallStatus, FaultKind | str, bool]]) -> None:
    """Whatever is wanted and whatever goes wrong, one record stands in the end, and it is the last one."""
    record = stage.record(f"h-{len(stage.calls)}")
    known = len(stage.calls)
    for duration, status, fault, settles in steps:
        record = msgspec.structs.replace(record, duration_seconds=duration, status=status)
        for method, path in (("POST", CALLS), ("PATCH", CALLS), ("POST", CONTACTS)) if fault else ():
            stage.strike(fault, path, method)  # type: ignore[arg-type]
        await stage.want(record)
        await stage.drain()
        if settles:
            await stage.settle()
    stage.world.faults.clear()
    await stage.settle()
    assert len(stage.calls) == known + 1
    call = stage.calls[-1]
    assert (call.duration, call.status) == (str(record.duration_seconds), record.status)
    assert record.key in (call.description or "")
    assert len(stage.contacts_of(STRANGER)) == 1
