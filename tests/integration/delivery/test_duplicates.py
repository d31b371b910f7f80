"""Desk says that a record is there which cannot be found yet: it is looked for again, and made only once."""

import pytest

from tests.integration.delivery.stage import CONTACTS, STRANGER, Stage

pytestmark = pytest.mark.anyio

INDEX_SECONDS = 120


async def test_a_contact_that_the_search_does_not_find_yet(stage: Stage) -> None:
    """Made a moment ago by somebody else, it is waited for; the call lands on it, and nothing was dead."""
    stage.world.config.contact_phones_unique = True
    stage.world.config.index_delay_seconds = 100
    desk = await stage.portals.desk(1)
    theirs = await desk.create_contact({"lastName": "By hand", "phone": STRANGER})
    await stage.want(stage.record())
    await stage.drain()
    contact = await stage.contact_row()
    assert (contact.state, contact.reason) == ("due", "duplicate")
    assert contact.due_at == stage.clock() + INDEX_SECONDS * 1_000
    stage.advance(INDEX_SECONDS)
    await stage.settle()
    assert stage.call.contact_id == theirs.id
    assert len(stage.contacts_of(STRANGER)) == 1
    assert stage.posts(CONTACTS) == 2


@pytest.mark.parametrize("number", [STRANGER, "anonymous"])
async def test_one_that_is_never_found_is_for_a_person(stage: Stage, number: str) -> None:
    """After some looks somebody is asked; never is a second one made."""
    stage.strike("refusal", CONTACTS, times=None, fields={"/lastName": "duplicate"})
    await stage.want(stage.record(customer=number))
    await stage.settle()
    row = await stage.row()
    assert (row.state, row.reason) == ("dead", "contact_duplicate")
    assert stage.calls == []
    assert stage.posts(CONTACTS) == 4


async def test_a_record_that_desk_calls_a_duplicate(stage: Stage) -> None:
    """Where the key is unique in Desk, the record that has it is ours: it is found, and not made anew."""
    await stage.configure(key_field="cf_callkey")
    stage.world.desk.add_contact(last_name="Known", phone=STRANGER)
    stage.strike("drop")
    await stage.want(stage.record())
    await stage.drain()
    before = stage.call
    # As if the answer's loss had never been noted: the row says that nothing was sent.
    await stage.store.write(
        lambda c: c.exec_driver_sql("UPDATE outbox SET state = 'due', sent_at = NULL WHERE kind = 'call'")
    )
    stage.strike("refusal", fields={"/cf/cf_callkey": "duplicate"}, times=None)
    await stage.settle()
    row = await stage.row()
    assert (row.state, row.desk_id) == ("done", before.id)
    assert len(stage.calls) == 1


async def test_a_duplicate_that_is_never_found(stage: Stage) -> None:
    """Somebody else's record has our key: a person is asked, and no record without the key is written."""
    await stage.configure(key_field="cf_callkey")
    stage.strike("refusal", "/api/v1/calls", fields={"/cf/cf_callkey": "duplicate"}, times=None)
    await stage.want(stage.record())
    await stage.settle()
    row = await stage.row()
    assert (row.state, row.reason, stage.calls) == ("dead", "duplicate", [])
    assert row.sent_at is not None
