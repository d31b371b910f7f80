"""What the client asks, method by method."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from connector.errors import InvalidData, NoDeskThere
from connector.zoho.client import Desk
from connector.zoho.data_centers import TABLE
from connector.zoho.transport import http_client
from tests.unit.zoho.fakes import FixedTokens, FreeBudget
from tests.unit.zoho.samples import sample
from tests.unit.zoho.test_tokens import Answers

pytestmark = pytest.mark.anyio

CALL = sample("call.json")
SPAN = "1970-01-01T00%3A00%3A00.000Z%2C1970-01-01T00%3A00%3A01.000Z"
Method = Callable[[Desk], Awaitable[Any]]


@pytest.mark.parametrize(
    ("method", "answer", "asked", "cost"),
    [
        (lambda d: d.organizations(), b'{"data":[{"id":1}]}', "GET /organizations", 1),
        (lambda d: d.my_info(), b'{"id":1}', "GET /myinfo", 1),
        (lambda d: d.agents(200, 500), b"", "GET /agents?from=200&limit=200", 3),
        (lambda d: d.agent_by_email("a+b/c@x.example"), b"", "GET /agents/email/a%2Bb%2Fc@x.example", 1),
        (lambda d: d.departments(), b"", "GET /departments?limit=200", 3),
        (
            lambda d: d.search_contacts("phone", ["+4722", "22*"]),
            b"",
            "GET /contacts/search?phone=%2B4722%2C22%2A&limit=100",
            3,
        ),
        (
            lambda d: d.search_contacts_text(" mira, sol* "),
            b"",
            "GET /contacts/search?fullName=%2Amira+sol%2A&limit=20",
            3,
        ),
        (lambda d: d.list_contacts(100), b"", "GET /contacts?from=100&limit=100&include=accounts", 3),
        (lambda d: d.get_contact("5"), b'{"id":5}', "GET /contacts/5?include=accounts", 1),
        (lambda d: d.get_contact("../x"), b'{"id":5}', "GET /contacts/..%2Fx?include=accounts", 1),
        (lambda d: d.create_contact({}), b'{"id":5}', "POST /contacts", 1),
        (lambda d: d.contact_tickets("5"), b"", "GET /contacts/5/tickets?limit=25&sortBy=-createdTime", 3),
        (lambda d: d.patch_contact("5", {}), b'{"id":5}', "PATCH /contacts/5", 1),
        (lambda d: d.record("contacts", "5"), b'{"id":5}', "GET /contacts/5?include=accounts", 1),
        (lambda d: d.record("tickets", "5"), b'{"id":5}', "GET /tickets/5", 1),
        (lambda d: d.list_accounts(100), b"", "GET /accounts?from=100&limit=100", 3),
        (
            lambda d: d.accounts_since("modifiedTime", 0, 1_000, 95),
            b"",
            f"GET /accounts/search?modifiedTimeRange={SPAN}&sortBy=modifiedTime&from=95&limit=100",
            3,
        ),
        (lambda d: d.create_account({}), b'{"id":5}', "POST /accounts", 1),
        (lambda d: d.patch_account("5", {}), b'{"id":5}', "PATCH /accounts/5", 1),
        (lambda d: d.contacts_of_account("5"), b"", "GET /accounts/5/contacts?limit=100", 3),
        (
            lambda d: d.search_tickets(phones=["+4722", "(22)"], contact_id="5", created=(0, 1_000)),
            b"",
            f"GET /tickets/search?phone=%2B4722&contactId=5&createdTimeRange={SPAN}&limit=100",
            3,
        ),
        (lambda d: d.create_ticket({}), b'{"id":5}', "POST /tickets", 1),
        (lambda d: d.get_ticket("5"), b'{"id":5}', "GET /tickets/5", 1),
        (lambda d: d.patch_ticket("5", {}), b'{"id":5}', "PATCH /tickets/5", 1),
        (lambda d: d.ticket_comments("5"), b"", "GET /tickets/5/comments?limit=100", 3),
        (lambda d: d.create_ticket_comment("5", "hello"), b'{"id":1}', "POST /tickets/5/comments", 1),
        (lambda d: d.fields("contacts"), b"", "GET /fields?module=contacts", 3),
        (lambda d: d.call_fields(), b"", "GET /fields?module=calls", 3),
        (lambda d: d.layouts("calls"), b"", "GET /layouts?module=calls", 3),
        (lambda d: d.layouts("tickets", "2"), b"", "GET /layouts?module=tickets&departmentId=2", 3),
        (lambda d: d.layout("7"), b'{"id":7}', "GET /layouts/7", 1),
        (lambda d: d.create_call({}), CALL, "POST /calls", 1),
        (lambda d: d.get_call("5"), CALL, "GET /calls/5", 1),
        (lambda d: d.patch_call("5", {}), CALL, "PATCH /calls/5", 1),
        (
            lambda d: d.list_calls("2", 100),
            b"",
            "GET /calls?from=100&limit=100&departmentId=2&sortBy=createdTime",
            3,
        ),
        (lambda d: d.newest_calls("2"), b"", "GET /calls?limit=100&departmentId=2&sortBy=-createdTime", 3),
        (
            lambda d: d.search_calls(0, 1_000, "k-1"),
            b"",
            f"GET /calls/search?createdTimeRange={SPAN}&limit=100&_all=k-1",
            3,
        ),
        (
            lambda d: d.contacts_since("modifiedTime", 0, 1_000, 95),
            b"",
            f"GET /contacts/search?modifiedTimeRange={SPAN}&sortBy=modifiedTime&from=95&limit=100",
            3,
        ),
        (lambda d: d.create_webhook({}), b'{"id":1}', "POST /webhooks", 1),
        (lambda d: d.list_webhooks(), b"", "GET /webhooks", 3),
        (lambda d: d.delete_webhook("7"), b"", "DELETE /webhooks/7", 1),
        (lambda d: d.create_call_comment("5", "hello"), b'{"id":1}', "POST /calls/5/comments", 1),
    ],
)
async def test_requests(method: Method, answer: bytes, asked: str, cost: int) -> None:
    """Each method asks its operation once, at its cost."""
    answers, budget = Answers((200 if answer else 204, answer)), FreeBudget()
    await method(Desk(http_client(answers), TABLE["eu"], "1", FixedTokens(), budget))
    (request,) = answers.asked
    path = request.url.raw_path.decode().removeprefix("/api/v1")
    assert f"{request.method} {path}" == asked
    assert [slot[0] for slot in budget.slots] == [cost]


async def test_no_callers_number_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """The addresses of searches hold numbers, and stay out of the log."""
    caplog.set_level(logging.DEBUG)
    desk = Desk(http_client(Answers((204, b""))), TABLE["eu"], "1", FixedTokens(), FreeBudget())
    await desk.search_contacts("phone", ["+4722000001"])
    assert "4722000001" not in caplog.text


async def test_nothing_searchable_asks_nothing() -> None:
    """A search without a value that Desk can search for is empty, and free."""
    desk = Desk(http_client(Answers()), TABLE["eu"], "1", FixedTokens(), FreeBudget())
    assert await desk.search_contacts("phone", ["(0)"]) == []
    assert await desk.search_contacts_text(" ,* ") == []
    # A search by what the contact's other tickets have would find tickets of any number.
    assert await desk.search_tickets(phones=["(0)"], contact_id="5") == []
    assert await desk.search_tickets() == []


async def test_a_ticket_comment_is_plain_and_seen_by_agents_alone() -> None:
    """Desk takes a comment for HTML unless it is said to be text, and shows a public one to the contact."""
    answers = Answers((200, b'{"id":1}'))
    desk = Desk(http_client(answers), TABLE["eu"], "1", FixedTokens(), FreeBudget())
    await desk.create_ticket_comment("5", "a <b>")
    sent = msgspec.json.decode(answers.asked[0].content)
    assert sent == {"contentType": "plainText", "content": "a <b>", "isPublic": False}


async def test_a_portal_that_refuses_descending_order_is_asked_once() -> None:
    """The contract lists ascending order only; where it is meant so, the answer is None ever after."""
    answers = Answers((422, b'{"errorCode":"UNPROCESSABLE_ENTITY","message":"sortBy is invalid."}'))
    desk = Desk(http_client(answers), TABLE["eu"], "1", FixedTokens(), FreeBudget())
    assert await desk.newest_calls("2") is None
    assert await desk.newest_calls("2") is None


async def test_another_refusal_says_nothing_of_the_order() -> None:
    """Only a refusal that names the order switches it off."""
    refusal = b'{"errorCode":"UNPROCESSABLE_ENTITY","message":"departmentId is invalid."}'
    desk = Desk(
        http_client(Answers((422, refusal), (204, b""))), TABLE["eu"], "1", FixedTokens(), FreeBudget()
    )
    with pytest.raises(InvalidData):
        await desk.newest_calls("2")
    assert await desk.newest_calls("2") == []


async def test_tickets_where_descending_order_is_refused() -> None:
    """The order is made here instead."""
    refusal = b'{"errorCode":"UNPROCESSABLE_ENTITY","message":"sortBy is invalid."}'
    rows = b'{"data":[{"id":1,"createdTime":10},{"id":2},{"id":3,"createdTime":30}]}'
    answers = Answers((422, refusal), (200, rows))
    desk = Desk(http_client(answers), TABLE["eu"], "1", FixedTokens(), FreeBudget())
    assert [ticket.id for ticket in await desk.contact_tickets("5", 2)] == ["3", "1"]


async def test_an_agent_who_is_not_found() -> None:
    """A 404 is nobody, as 204 is."""
    answers = Answers((404, b'{"errorCode":"URL_NOT_FOUND","message":""}'))
    desk = Desk(http_client(answers), TABLE["eu"], "1", FixedTokens(), FreeBudget())
    assert await desk.agent_by_email("nobody@example.com") is None


async def test_while_linking_there_is_no_org() -> None:
    """Without an org id the header is left out."""
    answers = Answers((204, b""))
    await Desk(http_client(answers), TABLE["eu"], None, FixedTokens(), FreeBudget()).organizations()
    assert "orgId" not in answers.asked[0].headers


def test_no_desk_in_the_united_kingdom() -> None:
    """A client cannot be made where there is no Desk."""
    with pytest.raises(NoDeskThere):
        Desk(http_client(Answers()), TABLE["uk"], "1", FixedTokens(), FreeBudget())


async def test_the_budget_is_told() -> None:
    """The slot is told what a request costs, and whether somebody waits for it."""
    budget = FreeBudget()
    desk = Desk(http_client(Answers((204, b""), (200, CALL))), TABLE["eu"], "1", FixedTokens(), budget)
    await desk.search_contacts("phone", ["22"], live=True)
    await desk.create_call({})
    assert budget.slots == [(3, True), (1, False)]
    assert budget.observed == [(None, None)] * 2
