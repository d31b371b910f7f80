"""The auth flow: attach, send, renew once, send once more."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from connector.errors import GrantLost, ScopeMissing, TokensThrottled
from connector.zoho.client import Desk
from connector.zoho.data_centers import TABLE
from connector.zoho.tokens import AccessToken
from connector.zoho.transport import http_client
from tests.unit.zoho.fakes import FixedTokens, FreeBudget
from tests.unit.zoho.samples import sample

pytestmark = pytest.mark.anyio

REFUSED = b'{"errorCode":"INVALID_OAUTH","message":"The OAuth Token you provided is invalid."}'


class Answers(httpx2.AsyncBaseTransport):
    """Return with what is laid ready, and keep what was asked."""

    def __init__(self, *answers: tuple[int, bytes]) -> None:
        self._answers = list(answers)
        self.asked: list[httpx2.Request] = []
        self.tokens: list[str] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Keep the request and take the next answer."""
        self.asked.append(request)
        self.tokens.append(request.headers.get("Authorization", ""))
        status, body = self._answers.pop(0)
        return httpx2.Response(status, content=_piecemeal(body))


async def _piecemeal(body: bytes) -> AsyncIterator[bytes]:
    """Hand a body over as a network does, after the headers."""
    yield body


def desk(answers: Answers, tokens: FixedTokens) -> Desk:
    """Make a Desk whose answers are laid ready."""
    return Desk(http_client(answers), TABLE["eu"], "600000001", tokens, FreeBudget())


async def test_the_token_is_attached_as_desk_wants_it() -> None:
    """Zoho-oauthtoken, and the portal's id beside it."""
    answers = Answers((200, sample("call.json")))
    await desk(answers, FixedTokens()).get_call("7")
    (asked,) = answers.asked
    assert asked.headers["Authorization"] == "Zoho-oauthtoken token-0"
    assert asked.headers["orgId"] == "600000001"
    assert str(asked.url) == "https://desk.zoho.eu/api/v1/calls/7"


@pytest.mark.parametrize("page", [REFUSED, sample("desk_error.html"), b""])
async def test_a_refused_token_is_renewed_once(page: bytes) -> None:
    """A 401 in JSON or HTML was not applied, so that even a write is sent again, body and all."""
    answers, tokens = Answers((401, page), (200, sample("call.json"))), FixedTokens()
    await desk(answers, tokens).create_call({"subject": "x"})
    assert tokens.renewed == 1
    assert answers.tokens == ["Zoho-oauthtoken token-0", "Zoho-oauthtoken token-1"]
    assert [asked.content for asked in answers.asked] == [b'{"subject":"x"}'] * 2


async def test_a_fresh_token_refused_is_a_lost_grant() -> None:
    """There is no second renewal: ten tokens in ten minutes are all that Zoho gives."""
    answers, tokens = Answers((401, REFUSED), (401, REFUSED)), FixedTokens()
    with pytest.raises(GrantLost):
        await desk(answers, tokens).get_call("7")
    assert (tokens.renewed, len(answers.asked)) == (1, 2)


async def test_another_401_renews_nothing() -> None:
    """A missing scope is not cured by a new token."""
    answers, tokens = Answers((401, b'{"errorCode":"SCOPE_MISMATCH","message":""}')), FixedTokens()
    with pytest.raises(ScopeMissing):
        await desk(answers, tokens).get_call("7")
    assert tokens.renewed == 0


async def test_what_the_source_raises_comes_through() -> None:
    """A source without a token says so itself, and nothing is sent."""

    class Throttled(FixedTokens):
        """A source that Zoho gives nothing."""

        async def current(self) -> AccessToken:
            """Refuse."""
            raise TokensThrottled("x", 600)

    answers = Answers()
    with pytest.raises(TokensThrottled):
        await desk(answers, Throttled()).create_call({})
    assert answers.asked == []


def test_an_access_token_is_not_printed() -> None:
    """Its value shows in no repr."""
    assert "1000." not in f"{AccessToken('1000.secret', 5)!r} {AccessToken('1000.secret', 5)}"
