"""Records that are due while Zoho Accounts gives no token: it concerns none of them."""

import msgspec
import pytest

from connector.sandbox.faults import Rule
from connector.store import outbox
from tests.integration.delivery.env import STRANGER, Environment

pytestmark = pytest.mark.anyio
TOKEN = "/oauth/v2/token"
HOUR = 3_600

TROUBLES = [
    Rule(kind="token_error", error="server_error"),
    Rule(kind="token_error", error="invalid_client"),
    Rule(kind="token_error", error="invalid_client_secret"),
    Rule(kind="token_error", error="access_denied", status=400),
    Rule(kind="token_error", error="something_new", status=403),
    Rule(kind="html", status=404),
    Rule(kind="odd_member", member="access_token", value=None),
]


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda rule: f"{rule.kind} {rule.error}")
async def test_no_record_suffers(env: Environment, trouble: Rule) -> None:
    """A contact, a record and a change are due: the portal rests, nothing dies, and no outcome is unknown."""
    old = env.record("c-old")
    await env.want(old)
    await env.settle()
    env.advance(2 * HOUR)
    env.state.faults.add(rule := msgspec.structs.replace(trouble, path_prefix=TOKEN, times=6))
    changed = msgspec.structs.replace(old, duration_seconds=77)
    await env.want(changed, env.record("c-new"), env.record("c-other", customer="+33612345679"))
    for _ in range(3):
        await env.drain()
        for row in (await env.row(old), await env.row(env.record("c-new"))):
            assert row.state == "due"
    assert (rule.times or 0) >= 3, "the portal rests, and does not ask again and again"
    await env.settle()
    assert await env.store.read(outbox.count_by_state) == {"done": 5}
    assert sorted(call.duration or "" for call in env.calls) == ["42", "42", "77"]
    assert len(env.contacts_of(STRANGER)) == 1


@pytest.mark.parametrize("error", ["server_error", "invalid_client"])
async def test_no_owner_is_forgotten(env: Environment, error: str) -> None:
    """That nobody could ask who answered is no reason to write a record without an owner, for a day."""
    env.state.desk.add_contact(last_name="Known", phone=STRANGER)
    env.advance(HOUR - 290)
    await env.want(env.record())
    env.state.faults.add(Rule(kind="unauthorized", path_prefix="/api/v1/agents/email", times=1))
    env.state.faults.add(Rule(kind="token_error", path_prefix=TOKEN, error=error, times=4))
    await env.settle()
    assert env.call.owner_id == env.agent("Ada")
