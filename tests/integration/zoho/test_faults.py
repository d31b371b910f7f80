"""What the weather does to requests: tokens that die, limits, lost answers."""

import httpx2
import pytest

from connector import errors
from connector.sandbox.faults import Rule
from connector.sandbox.serve import RunningSandbox
from connector.zoho import fields
from connector.zoho.client import Desk
from connector.zoho.data_centers import parse_row
from tests.integration.zoho.person import PersonTokens
from tests.integration.zoho.test_desk import a_call
from tests.unit.zoho.fakes import FreeBudget

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


async def test_too_many_at_a_time(desk: Desk, sandbox: RunningSandbox) -> None:
    """The refusal has its own exception, and nothing was applied."""
    body = fields.call_body(await a_call(desk)).body
    sandbox.state.faults.add(Rule(kind="too_many_requests", times=1))
    with pytest.raises(errors.ConcurrencyExceeded) as caught:
        await desk.create_call(body)
    assert caught.value.retry_after_seconds is None
    assert sandbox.state.desk.dump_calls() == []


@pytest.mark.parametrize("kind", ["server_error", "html", "reset", "drop"])
async def test_a_lost_answer(desk: Desk, sandbox: RunningSandbox, kind: str) -> None:
    """A read is down and may be repeated; a write's outcome is unknown."""
    body = fields.call_body(await a_call(desk)).body
    sandbox.state.faults.add(Rule(kind=kind, times=2))  # type: ignore[arg-type]
    with pytest.raises(errors.ZohoDown):
        await desk.my_info()
    with pytest.raises(errors.OutcomeUnknown):
        await desk.create_call(body)
    assert len(sandbox.state.desk.dump_calls()) == (1 if kind == "drop" else 0)


async def test_an_answer_that_does_not_come_in_time(
    desk: Desk, http: httpx2.AsyncClient, sandbox: RunningSandbox
) -> None:
    """A read time-out after sending leaves the outcome unknown."""
    body = fields.call_body(await a_call(desk)).body
    http.timeout = httpx2.Timeout(0.2)
    sandbox.state.faults.add(Rule(kind="latency", seconds=1, times=1))
    with pytest.raises(errors.OutcomeUnknown, match="ReadTimeout"):
        await desk.create_call(body)


async def test_nobody_there(http: httpx2.AsyncClient, tokens: PersonTokens, budget: FreeBudget) -> None:
    """What cannot connect was not sent, a write included."""
    gone = parse_row("gone=http://127.0.0.1:1|http://127.0.0.1:1")
    with pytest.raises(errors.ZohoDown, match="not reached"):
        await Desk(http, gone, "1", tokens, budget).create_call({})
