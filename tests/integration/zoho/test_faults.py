"""What the weather does to requests: tokens that die, limits, lost answers."""

import anyio
import httpx2
import pytest

from connector import errors
from connector.sandbox.faults import Rule
from connector.sandbox.serve import RunningSandbox
from connector.zoho import fields
from connector.zoho.budget import LocalBudget
from connector.zoho.client import Desk
from connector.zoho.data_centers import parse_row
from tests.integration.zoho.person import PersonTokens
from tests.integration.zoho.test_desk import a_call

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("html", [False, True])
async def test_a_token_that_died_early(
    desk: Desk, sandbox: RunningSandbox, tokens: PersonTokens, html: object
) -> None:
    """Renewed once, sent once more: the record is written, once."""
    body = fields.call_body(await a_call(desk)).body
    sandbox.state.config.desk_401_html = bool(html)
    sandbox.state.faults.add(Rule(kind="unauthorized", times=1))
    await desk.create_call(body)
    assert tokens.renewals == 1
    assert len(sandbox.state.desk.dump_calls()) == 1


async def test_a_token_that_expired(desk: Desk, sandbox: RunningSandbox, tokens: PersonTokens) -> None:
    """After an hour the tokens has another one."""
    sandbox.state.clock.advance(3_600)
    await desk.my_info()
    assert tokens.renewals == 1


async def test_every_token_refused(desk: Desk, sandbox: RunningSandbox, tokens: PersonTokens) -> None:
    """A fresh token that is refused too is a lost grant, after one renewal."""
    sandbox.state.faults.add(Rule(kind="unauthorized"))
    with pytest.raises(errors.GrantLost):
        await desk.my_info()
    assert tokens.renewals == 1


async def test_a_revoked_grant(desk: Desk, sandbox: RunningSandbox) -> None:
    """Desk refuses the token, Accounts refuses another: the grant is lost."""
    sandbox.state.revoke_all_grants()
    with pytest.raises(errors.GrantLost):
        await desk.my_info()


async def test_too_many_at_a_time(desk: Desk, sandbox: RunningSandbox, budget: LocalBudget) -> None:
    """The budget narrows, and nothing was applied."""
    body = fields.call_body(await a_call(desk)).body
    sandbox.state.faults.add(Rule(kind="too_many_requests", times=1))
    with pytest.raises(errors.ConcurrencyExceeded) as caught:
        await desk.create_call(body)
    assert caught.value.retry_after_seconds is None
    assert budget.width == 5
    assert sandbox.state.desk.dump_calls() == []


async def test_the_budget_keeps_within_the_portals_concurrency(desk: Desk, sandbox: RunningSandbox) -> None:
    """Thirty look-ups at once are ten at a time, and none is refused."""
    sandbox.state.config.concurrency_override = 10
    sandbox.state.config.latency_ms = 10
    async with anyio.create_task_group() as tasks:
        for _ in range(30):
            tasks.start_soon(lambda: desk.search_contacts("phone", ["123"], live=True))
    assert max(sandbox.state.requests.max_concurrency.values()) <= 10


async def test_exhausted_credits(desk: Desk, sandbox: RunningSandbox) -> None:
    """Desk says when to come back; until then nobody asks it."""
    sandbox.state.faults.add(Rule(kind="threshold", times=1, seconds=7200))
    with pytest.raises(errors.CreditsExhausted) as caught:
        await desk.my_info()
    assert caught.value.retry_after_seconds == 7200
    sandbox.state.requests.reset()
    with pytest.raises(errors.CreditsExhausted):
        await desk.search_contacts("phone", ["123"], live=True)
    assert sandbox.state.requests.listing() == []
    sandbox.state.clock.advance(7_200)
    await desk.my_info()


async def test_the_header_guards_the_reserve(desk: Desk, sandbox: RunningSandbox) -> None:
    """When Desk says that little is left, deliveries wait and look-ups go on."""
    wanted = await a_call(desk)
    sandbox.state.desk.use_up_credits(leave=300)
    await desk.get_contact(wanted.contact_id, live=True)
    with pytest.raises(errors.CreditsExhausted):
        await desk.create_call(fields.call_body(wanted).body)
    await desk.get_contact(wanted.contact_id, live=True)


@pytest.mark.parametrize("kind", ["server_error", "html", "reset", "drop"])
async def test_a_lost_answer(desk: Desk, sandbox: RunningSandbox, budget: LocalBudget, kind: str) -> None:
    """A read is down and may be repeated; a write's outcome is unknown."""
    body = fields.call_body(await a_call(desk)).body
    sandbox.state.faults.add(Rule(kind=kind, times=2))  # type: ignore[arg-type]
    with pytest.raises(errors.ZohoDown):
        await desk.my_info()
    with pytest.raises(errors.OutcomeUnknown):
        await desk.create_call(body)
    assert len(sandbox.state.desk.dump_calls()) == (1 if kind == "drop" else 0)
    assert budget.taken == 0


async def test_an_answer_that_does_not_come_in_time(
    desk: Desk, http: httpx2.AsyncClient, sandbox: RunningSandbox
) -> None:
    """A read time-out after sending leaves the outcome unknown."""
    body = fields.call_body(await a_call(desk)).body
    http.timeout = httpx2.Timeout(0.2)
    sandbox.state.faults.add(Rule(kind="latency", seconds=1, times=1))
    with pytest.raises(errors.OutcomeUnknown, match="ReadTimeout"):
        await desk.create_call(body)


async def test_nobody_there(http: httpx2.AsyncClient, tokens: PersonTokens, budget: LocalBudget) -> None:
    """What cannot connect was not sent, a write included."""
    gone = parse_row("gone=http://127.0.0.1:1|http://127.0.0.1:1")
    with pytest.raises(errors.ZohoDown, match="not reached"):
        await Desk(http, gone, "1", tokens, budget).create_call({})
    assert budget.taken == 0
