"""What becomes of a record that changes after it was delivered, and of what agents write in Desk."""

from itertools import permutations

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from connector.calls import CallRecord, CallStatus, Recording
from connector.sandbox.faults import FaultKind
from connector.store.calls import NOBODY
from connector.store.tables import outbox as outbox_rows
from tests.integration.delivery.env import CALLS, CONTACTS, STRANGER, Environment

pytestmark = [pytest.mark.anyio, pytest.mark.both_engines(first=True)]

LANDLINE = "+541155554321"
RECORDED = (Recording(url="https://pbx.example/r/1"),)


def _page(env: Environment, record: CallRecord) -> str:
    """Return where Desk's people are sent to hear a call."""
    return f"{env.settings.public_url}/recordings/{record.key}"


async def _written(env: Environment, **fields: object) -> CallRecord:
    record = env.record("c-1", **fields)
    await env.want(record)
    await env.drain()
    return record


async def _change(env: Environment, record: CallRecord, **changes: object) -> CallRecord:
    changed: CallRecord = msgspec.structs.replace(record, **changes)
    await env.want(changed)
    await env.drain()
    return changed


async def test_late_recording(env: Environment) -> None:
    """The recording comes after the record: two requests add it, and everything else stays."""
    record = await _written(env)
    before = env.call
    env.state.requests.reset()
    await _change(env, record, recordings=RECORDED)
    after = env.call
    assert after.recording_url == _page(env, record)
    assert f"Recording: {after.recording_url}\n" in (after.description or "")
    assert RECORDED[0].url not in (after.description or "")
    changed = {name for name in after.__struct_fields__ if getattr(after, name) != getattr(before, name)}
    assert changed == {"recording_url", "description"}
    assert env.state.requests.counts == {
        ("GET", f"{CALLS}/{{id}}", 200): 1,
        ("PATCH", f"{CALLS}/{{id}}", 200): 1,
    }
    row = await env.row()
    assert (row.state, row.revision, row.sent_revision) == ("done", 2, 2)


async def test_second_recording_changes_no_link(env: Environment) -> None:
    """However many recordings a call gets, Desk's link stays, because it names the call alone."""
    record = await _written(env, recordings=RECORDED)
    env.state.requests.reset()
    more = (*RECORDED, Recording(url="https://pbx.example/r/2", seconds=5))
    await _change(env, record, recordings=more)
    assert env.call.recording_url == _page(env, record)
    assert f"Recording: {_page(env, record)} (2 in all)\n" in (env.call.description or "")


async def test_links_of_before_are_replaced(env: Environment) -> None:
    """A record that was given the phone system's own address gets ours once it changes."""
    await env.configure(recording_links="original")
    record = await _written(env, recordings=RECORDED)
    assert env.call.recording_url == RECORDED[0].url
    await env.configure(recording_links="connector")
    await _change(env, record, duration_seconds=43)
    assert env.call.recording_url == _page(env, record)
    assert RECORDED[0].url not in (env.call.description or "")


async def test_late_answer(env: Environment) -> None:
    """A call that counted as missed was answered: everything that follows from it is put right."""
    record = await _written(env, status=CallStatus.MISSED, duration_seconds=0)
    await _change(env, record, status=CallStatus.COMPLETED, duration_seconds=30, agents=("1002",))
    call = env.call
    assert (call.status, call.duration, call.subject) == (
        "Completed",
        "30",
        "Inbound call from +33 6 12 34 56 78",
    )
    assert call.owner_id == env.agent("Bruno")
    assert (call.description or "").startswith("Answered by: Bruno Keller")


async def test_what_agents_wrote_stays(env: Environment) -> None:
    """Subject, status, owner, contact and words around our own are theirs once they have touched them."""
    record = await _written(env)
    other = env.state.desk.add_contact(last_name="Other")
    env.edit(
        env.call,
        subject="About the invoice",
        status="Scheduled",
        owner_id=env.agent("Chiara"),
        contact_id=other.id,
        priority="High",
        description=f"Please call back.\n\n{env.call.description}\n\nDone.",
    )
    await _change(env, record, recordings=RECORDED, duration_seconds=50, agents=("1002",))
    call = env.call
    assert (call.subject, call.status, call.priority) == ("About the invoice", "Scheduled", "High")
    assert (call.owner_id, call.contact_id) == (env.agent("Chiara"), other.id)
    assert call.duration == "50"
    assert (call.description or "").startswith("Please call back.\n\nAnswered by: Bruno Keller")
    assert (call.description or "").endswith("\n\nDone.")
    assert (call.description or "").count("Call key:") == 1
    assert "ownerId: edited in Desk" in (await env.row()).detail


async def test_description_written_anew_stays(env: Environment) -> None:
    """Where our block is gone, nothing is put in its place."""
    record = await _written(env)
    env.edit(env.call, description="Mine.")
    await _change(env, record, recordings=RECORDED)
    assert env.call.description == "Mine."
    assert env.call.recording_url == _page(env, record)


async def test_edits_outlive_two_changes(env: Environment) -> None:
    """An edit that one change left alone is left alone by the next one too."""
    record = await _written(env)
    env.edit(env.call, subject="Mine")
    record = await _change(env, record, status=CallStatus.MISSED)
    await _change(env, record, status=CallStatus.COMPLETED, duration_seconds=1)
    assert env.call.subject == "Mine"
    assert env.call.status == "Completed"


async def test_choice_after_delivery(env: Environment) -> None:
    """The agent's choice moves the record to that contact."""
    record = await _written(env)
    chosen = env.state.desk.add_contact(last_name="Chosen")
    await env.choose(record, chosen.id)
    await env.drain()
    assert env.call.contact_id == chosen.id
    assert (await env.row()).state == "done"


@pytest.mark.parametrize("how", ["deleted", "merged", "not found"])
async def test_a_chosen_contact_that_is_gone(env: Environment, how: str) -> None:
    """The record goes to whom the number belongs to, and takes each later change; the reason is shown."""
    chosen = env.state.desk.add_contact(last_name="Chosen")
    record = await _written(env)
    await env.choose(record, chosen.id)
    await env.drain()
    (made,) = env.contacts_of(STRANGER)
    if how == "merged":
        env.state.desk.merge_contacts(made.id, chosen.id)
    else:
        env.state.desk.change_contact(chosen, is_trashed=True)
    if how == "not found":
        env.strike("refusal", method="PATCH", code="URL_NOT_FOUND", status=404)
    for number in range(3):
        record = await _change(env, record, duration_seconds=50 + number)
        row = await env.row()
        assert (row.state, row.reason) == ("done", "left_out")
        moved_by_desk = how == "merged"
        assert ("edited in Desk" if moved_by_desk else "that was chosen is no longer in Desk") in row.detail
        assert (env.call.duration, env.call.contact_id) == (str(50 + number), made.id)


async def test_a_choice_that_is_gone_at_once(env: Environment) -> None:
    """Chosen after the delivery and deleted before the change: the record stays where it is."""
    record = await _written(env)
    chosen = env.state.desk.add_contact(last_name="Chosen")
    env.state.desk.change_contact(chosen, is_trashed=True)
    await env.choose(record, chosen.id)
    await env.drain()
    (made,) = env.contacts_of(STRANGER)
    assert ((await env.row()).state, env.call.contact_id) == ("done", made.id)


@pytest.mark.parametrize("edited", [False, True])
async def test_the_contact_of_a_record_that_is_gone(env: Environment, edited: bool) -> None:  # noqa: FBT001
    """Nobody chose it, we or somebody in Desk put the record there: another one is made, and all goes on."""
    record = await _written(env)
    (made,) = env.contacts_of(STRANGER)
    theirs = env.state.desk.add_contact(last_name="Theirs")
    if edited:
        env.edit(env.call, contact_id=theirs.id)
    env.state.desk.change_contact(theirs if edited else made, is_trashed=True)
    await _change(env, record, recordings=RECORDED, duration_seconds=77)
    await env.settle()
    (living,) = env.contacts_of(STRANGER)
    assert ((await env.row()).state, env.call.duration, env.call.contact_id) == ("done", "77", living.id)
    assert (living.id == made.id) is edited
    known = await env.contact_lookup.recall(1, STRANGER, country="FR")
    assert known is not None
    assert [contact.id for contact in known.contacts] == [living.id]


@pytest.mark.parametrize(
    "refusal", [{"code": "URL_NOT_FOUND", "status": 404}, {"fields": {"/contactId": "invalid"}}]
)
async def test_an_edit_that_we_may_not_see(env: Environment, refusal: dict[str, object]) -> None:
    """The record stays with whom somebody in Desk put it on; what is not written is shown."""
    record = await _written(env)
    right = env.state.desk.add_contact(last_name="Right")
    env.edit(env.call, contact_id=right.id)
    env.strike("refusal", method="PATCH", times=None, **refusal)  # type: ignore[arg-type]
    env.strike("refusal", f"{CONTACTS}/{right.id}", "GET", times=None, code="FORBIDDEN", status=403)
    await _change(env, record, duration_seconds=77)
    await env.settle()
    row = await env.row()
    assert (row.state, env.call.contact_id) == ("dead", right.id)
    assert "the linking agent may not see" in row.detail
    env.state.faults.clear()
    await env.retry(row)
    await env.settle()
    assert (env.call.duration, env.call.contact_id) == ("77", right.id)
    assert len(env.contacts_of(STRANGER)) == 1


@pytest.mark.parametrize("customer", [STRANGER, None])
@pytest.mark.parametrize(("shown", "made"), [("there", 0), ("hidden", 1), ("gone", 1)])
@pytest.mark.parametrize("moves", [False, True])
async def test_a_desk_that_takes_no_contact(
    env: Environment,
    customer: str | None,
    shown: str,
    made: int,
    moves: bool,  # noqa: FBT001
) -> None:
    """One other is tried where the contact is gone; then a person must look, and no more are made."""
    record = await _written(env, customer="+33698765432" if moves else customer)
    first = env.call.contact_id
    before = len(list(env.portal.contacts.present()))
    env.strike("refusal", method="PATCH", times=None, fields={"/contactId": "invalid"})
    if shown != "there":
        gone = (
            {"code": "URL_NOT_FOUND", "status": 404}
            if shown == "gone"
            else {"code": "FORBIDDEN", "status": 403}
        )
        env.strike("refusal", f"{CONTACTS}/{first[:6]}", "GET", times=None, **gone)
    await _change(env, record, duration_seconds=77, customer=customer)
    for _ in range(3):
        await env.settle()
        row = await env.row()
        assert (row.state, row.reason) == ("dead", "invalid_data")
        await env.retry(row)
    await env.settle()
    assert len(list(env.portal.contacts.present())) == before + made + moves
    assert env.call.contact_id == first


async def test_a_contact_that_is_there_is_no_reason(env: Environment) -> None:
    """A record that is deleted while it is changed stays so, and its contact is left alone."""
    record = await _written(env)
    env.strike("refusal", method="PATCH", code="URL_NOT_FOUND", status=404)
    await _change(env, record, duration_seconds=77)
    row = await env.row()
    assert (row.state, row.reason) == ("done", "record_not_found")
    assert len(env.contacts_of(STRANGER)) == 1


async def test_number_learnt_late(env: Environment) -> None:
    """A record on the contact for withheld numbers moves once the number is known."""
    record = await _written(env, customer=None)
    await _change(env, record, customer=STRANGER)
    (contact,) = env.contacts_of(STRANGER)
    assert env.call.contact_id == contact.id
    assert env.call.subject == "Inbound call from +33 6 12 34 56 78"


FAILURES: list[tuple[FaultKind, dict[str, object]]] = [
    ("refusal", {"code": "TOO_MANY_REQUESTS", "status": 429}),
    ("refusal", {"code": "FORBIDDEN", "status": 403}),
    ("server_error", {}),
    ("drop", {}),
]


@pytest.mark.parametrize(("kind", "more"), FAILURES)
@pytest.mark.parametrize("learnt", ["the number", "nobody known", "the number, by the release before"])
async def test_another_contact_at_the_second_try(
    env: Environment, kind: FaultKind, more: dict[str, object], learnt: str
) -> None:
    """A change of contact that failed once has not been made: the record moves all the same, and stays."""
    known = env.state.desk.add_contact(last_name="Known", phone=LANDLINE)
    late = learnt != "nobody known"
    record = await _written(env, customer=None if late else LANDLINE)
    before = env.call.contact_id
    env.strike(kind, method="PATCH", **more)  # type: ignore[arg-type]
    if late:
        record = await _change(env, record, customer=STRANGER)
    else:
        await env.choose(record, NOBODY)
        await env.drain()
    if learnt.endswith("before"):
        sent = msgspec.json.decode((await env.row()).sent or b"{}")
        assert sent.pop("found_by") == "withheld"
        noted = update(outbox_rows).where(outbox_rows.c.kind == "call").values(sent=msgspec.json.encode(sent))
        await env.store.write(lambda c: c.execute(noted))
    await env.settle()
    for seconds in (42, 91):
        await _change(env, record, duration_seconds=seconds)
        bearers = {contact.id for contact in env.contacts_of(STRANGER if late else LANDLINE)}
        assert bearers - {known.id} == {env.call.contact_id}
        assert env.call.contact_id != before
        assert (env.call.duration, (await env.row()).state) == (str(seconds), "done")


async def test_contact_of_before_stays(env: Environment) -> None:
    """A contact that was modified since, and would win now, does not draw old records to it."""
    await _written(env)
    env.state.desk.add_contact(last_name="Newer", phone="06 12 34 56 78")
    env.advance(7_200)
    await _change(env, env.record(), recordings=RECORDED)
    assert env.call.contact_id == env.contacts_of(STRANGER)[0].id


async def test_deleted_in_desk(env: Environment) -> None:
    """A record that somebody deleted is not made again."""
    record = await _written(env)
    env.edit(env.call, is_trashed=True)
    await _change(env, record, recordings=RECORDED)
    assert env.call.is_trashed
    row = await env.row()
    assert (row.state, row.reason) == ("done", "record_not_found")


async def test_same_record_wanted_again(env: Environment) -> None:
    """What stands in Desk already needs no request."""
    record = await _written(env)
    env.state.requests.reset()
    await _change(env, record)
    assert not env.state.requests.counts


@pytest.mark.parametrize("kind", ["drop", "server_error", "reset", "html"])
async def test_change_of_unknown_outcome(env: Environment, kind: FaultKind) -> None:
    """A change whose answer was lost is compared with what Desk has then."""
    record = await _written(env)
    env.strike(kind, method="PATCH")
    record = await _change(env, record, recordings=RECORDED, duration_seconds=43)
    assert (await env.row()).state == "unknown"
    await _change(env, record, duration_seconds=44)
    await env.settle()
    call = env.call
    assert (call.duration, call.recording_url) == ("44", _page(env, record))
    assert (call.description or "").count("Recording:") == 1
    assert (await env.row()).state == "done"


async def test_late_change(env: Environment) -> None:
    """A change that is applied late cannot undo a later one, because that one waits for it."""
    record = await _written(env)
    env.strike("late", method="PATCH", seconds=59)
    record = await _change(env, record, status=CallStatus.MISSED)
    await _change(env, record, status=CallStatus.COMPLETED, duration_seconds=99)
    env.advance(59)
    await env.late_writes()
    assert env.call.status == "Missed"
    await env.settle()
    assert (env.call.status, env.call.duration) == ("Completed", "99")
    assert env.call.subject.startswith("Inbound")


async def test_changed_while_unknown(env: Environment) -> None:
    """What was wanted while nobody knew is written once the record is found."""
    env.strike("drop")
    record = await _written(env)
    await _change(env, record, recordings=RECORDED)
    await env.settle()
    assert env.call.recording_url == _page(env, record)
    assert (await env.row()).sent_revision == 2


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_order_of_changes(env: Environment, order: tuple[int, ...]) -> None:
    """In whatever order things are learnt, the record is the same in the end."""
    changes: list[dict[str, object]] = [
        {"recordings": RECORDED},
        {"status": CallStatus.COMPLETED, "duration_seconds": 12},
        {"agents": ("1002",), "queue": "support"},
    ]
    # Our own address of a recording names the call, and so would differ.
    await env.configure(recording_links="original")
    record = await _written(env, status=CallStatus.MISSED, duration_seconds=0)
    for index in order:
        record = await _change(env, record, **changes[index])
    await env.want(env.record("twin", **{k: v for change in changes for k, v in change.items()}))
    await env.drain()
    ours, twin = env.calls
    differ = {name for name in ours.__struct_fields__ if getattr(ours, name) != getattr(twin, name)}
    assert differ == {"id", "description"}
    assert (ours.description or "").splitlines()[:-1] == (twin.description or "").splitlines()[:-1]


FAULTS = st.sampled_from(["", "drop", "server_error", "reset", "html", "too_many_requests", "unauthorized"])
STEPS = st.lists(
    st.tuples(st.integers(0, 99), st.sampled_from(CallStatus), FAULTS, st.booleans()), min_size=1, max_size=5
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
async def test_any_history(
    env: Environment, steps: list[tuple[int, CallStatus, FaultKind | str, bool]]
) -> None:
    """Whatever is wanted and whatever goes wrong, one record stands in the end, and it is the last one."""
    record = env.record(f"h-{len(env.calls)}")
    known = len(env.calls)
    for duration, status, fault, settles in steps:
        record = msgspec.structs.replace(record, duration_seconds=duration, status=status)
        for method, path in (("POST", CALLS), ("PATCH", CALLS), ("POST", CONTACTS)) if fault else ():
            env.strike(fault, path, method)  # type: ignore[arg-type]
        await env.want(record)
        await env.drain()
        if settles:
            await env.settle()
    env.state.faults.clear()
    await env.settle()
    assert len(env.calls) == known + 1
    call = env.calls[-1]
    assert (call.duration, call.status) == (str(record.duration_seconds), record.status)
    assert record.key in (call.description or "")
    assert len(env.contacts_of(STRANGER)) == 1
