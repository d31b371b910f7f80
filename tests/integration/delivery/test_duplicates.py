"""Desk says that a record is there which cannot be found yet: it is looked for again, and made only once."""

import pytest

from tests.integration.delivery.env import CONTACTS, STRANGER, Environment

pytestmark = pytest.mark.anyio

INDEX_SECONDS = 120


async def test_a_contact_that_the_search_does_not_find_yet(env: Environment) -> None:
    """Made a moment ago by somebody else, it is waited for; the call lands on it, and nothing was dead."""
    env.state.config.contact_phones_unique = True
    env.state.config.index_delay_seconds = 100
    desk = await env.portals.desk(1)
    theirs = await desk.create_contact({"lastName": "By hand", "phone": STRANGER})
    await env.want(env.record())
    await env.drain()
    contact = await env.contact_row()
    assert (contact.state, contact.reason) == ("due", "duplicate")
    assert contact.due_at == env.clock() + INDEX_SECONDS * 1_000
    env.advance(INDEX_SECONDS)
    await env.settle()
    assert env.call.contact_id == theirs.id
    assert len(env.contacts_of(STRANGER)) == 1
    assert env.posts(CONTACTS) == 2


@pytest.mark.parametrize("number", [STRANGER, "anonymous"])
async def test_one_that_is_never_found_is_for_a_person(env: Environment, number: str) -> None:
    """After some looks somebody is asked; never is a second one made."""
    env.strike("refusal", CONTACTS, times=None, fields={"/lastName": "duplicate"})
    await env.want(env.record(customer=number))
    await env.settle()
    row = await env.row()
    assert (row.state, row.reason) == ("dead", "contact_duplicate")
    assert env.calls == []
    assert env.posts(CONTACTS) == 4


async def test_a_record_that_desk_calls_a_duplicate(env: Environment) -> None:
    """Where the key is unique in Desk, the record that has it is ours: it is found, and not made anew."""
    await env.configure(key_field="cf_callkey")
    env.state.desk.add_contact(last_name="Known", phone=STRANGER)
    env.strike("drop")
    await env.want(env.record())
    await env.drain()
    before = env.call
    # As if the answer's loss had never been noted: the row says that nothing was sent.
    await env.store.write(
        lambda c: c.exec_driver_sql("UPDATE outbox SET state = 'due', sent_at = NULL WHERE kind = 'call'")
    )
    env.strike("refusal", fields={"/cf/cf_callkey": "duplicate"}, times=None)
    await env.settle()
    row = await env.row()
    assert (row.state, row.desk_id) == ("done", before.id)
    assert len(env.calls) == 1


async def test_a_duplicate_that_is_never_found(env: Environment) -> None:
    """Somebody else's record has our key: a person is asked, and no record without the key is written."""
    await env.configure(key_field="cf_callkey")
    env.strike("refusal", "/api/v1/calls", fields={"/cf/cf_callkey": "duplicate"}, times=None)
    await env.want(env.record())
    await env.settle()
    row = await env.row()
    assert (row.state, row.reason, env.calls) == ("dead", "duplicate", [])
    assert row.sent_at is not None
