"""Records whose answers hold a member that is not as the contract has it."""

import pytest

from connector.sandbox.faults import Rule
from tests.integration.delivery.env import CALLS, CONTACTS, STRANGER, Environment

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("path", "member", "value"),
    [
        (CALLS, "duration", "300.0"),
        (CALLS, "cf", []),
        (CALLS, "createdTime", ""),
        (CALLS, "ownerId", ""),
        (CONTACTS, "phone", 142006666),
        (CONTACTS, "account", ""),
        (CONTACTS, "lastName", None),
    ],
)
async def test_what_was_made_is_known(env: Environment, path: str, member: str, value: object) -> None:
    """A create needs an id alone: nothing is looked for, and nothing is sent a second time."""
    env.state.faults.add(Rule(kind="odd_member", path_prefix=path, member=member, value=value))
    await env.want(env.record())
    await env.drain()
    assert (await env.row()).state == "done"
    assert env.call.contact_id == env.contacts_of(STRANGER)[0].id


@pytest.mark.both_engines
@pytest.mark.parametrize(("member", "value"), [("errors", None), ("errors", "x"), ("message", None)])
async def test_a_refusal_is_one(env: Environment, member: str, value: object) -> None:
    """Its errorCode says so: a person is told, and no outcome is unknown."""
    env.state.desk.add_contact(last_name="Known", phone=STRANGER)
    env.state.desk.deny("calls.create")
    env.state.faults.add(
        Rule(kind="odd_member", path_prefix=CALLS, method="POST", member=member, value=value)
    )
    await env.want(env.record())
    await env.drain()
    row = await env.row()
    assert (row.state != "unknown", row.reason) == (True, "forbidden")
