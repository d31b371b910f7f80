"""What becomes of the libraries' exceptions."""

import gzip
import inspect
import zlib
from collections.abc import AsyncIterator

import anyio
import httpx2
import pytest
from authlib.common.errors import AuthlibBaseError  # type: ignore[import-untyped]
from authlib.integrations.base_client.errors import OAuthError  # type: ignore[import-untyped]
from joserfc.errors import JoseError

from connector.errors import BadIdentity, NoToken, OutcomeUnknown, ZohoDown, ZohoError
from connector.zoho import transport
from connector.zoho.client import Desk
from connector.zoho.data_centers import TABLE
from connector.zoho.oauth import OAuth
from connector.zoho.signed_tokens import IdTokens
from connector.zoho.transport import ANSWER_AT_MOST, NOT_SENT, TIMEOUTS, http_client, mapped
from tests.unit.zoho.fakes import FixedTokens, FreeBudget, Raising

pytestmark = pytest.mark.anyio

REQUEST = httpx2.Request("POST", "https://desk.zoho.eu/api/v1/calls")


def exceptions_of_httpx2() -> list[Exception]:
    """Make one of each exception that httpx2 exports."""
    kinds = [kind for _, kind in inspect.getmembers(httpx2, inspect.isclass) if issubclass(kind, Exception)]
    assert len(kinds) > 20
    return [made(kind) for kind in kinds if not issubclass(kind, Warning)]


def made(kind: type[Exception]) -> Exception:
    """Make an exception, whatever its constructor wants."""
    if issubclass(kind, httpx2.HTTPStatusError):
        return kind("x", request=REQUEST, response=httpx2.Response(500, request=REQUEST))
    if issubclass(
        kind, (httpx2.ResponseNotRead, httpx2.RequestNotRead, httpx2.StreamClosed, httpx2.StreamConsumed)
    ):
        return kind()
    return kind("x")


def all_below(kind: type[Exception]) -> set[type[Exception]]:
    """Find a class's descendants."""
    found = set(kind.__subclasses__())
    return found.union(*(all_below(child) for child in found)) if found else found


@pytest.mark.parametrize("problem", exceptions_of_httpx2(), ids=lambda problem: type(problem).__name__)
async def test_every_exception_of_the_client_is_mapped_at_desk(problem: Exception) -> None:
    """A read is down; a write is down if it never left, else its outcome is unknown."""
    desk = Desk(http_client(Raising(problem)), TABLE["eu"], "1", FixedTokens(), FreeBudget())
    with pytest.raises(ZohoDown):
        await desk.get_call("7")
    with pytest.raises(ZohoDown if isinstance(problem, NOT_SENT) else OutcomeUnknown):
        await desk.create_call({})


@pytest.mark.parametrize("problem", exceptions_of_httpx2(), ids=lambda problem: type(problem).__name__)
async def test_every_exception_of_the_client_is_mapped_at_accounts(problem: Exception) -> None:
    """Asking for tokens, revoking and fetching keys are repeated at leisure."""
    oauth = OAuth(http_client(Raising(problem)), "1000.X", lambda _: "secret", lambda: 0)
    with pytest.raises(NoToken):
        await oauth.refresh(TABLE["eu"], "1000.r")
    with pytest.raises(ZohoDown):
        await oauth.exchange(TABLE["eu"], code="c", redirect_uri="https://x.example/cb", verifier="v")
    with pytest.raises(ZohoDown):
        await oauth.revoke(TABLE["eu"], "1000.r")


def exceptions_of_authlib() -> list[Exception]:
    """Make one of each exception that Authlib's client can raise."""
    kinds = {OAuthError, *all_below(OAuthError)} | {AuthlibBaseError}
    assert len(kinds) > 5
    return [kind() for kind in sorted(kinds, key=lambda kind: kind.__name__)] + [ValueError("x")]


@pytest.mark.parametrize("problem", exceptions_of_authlib(), ids=lambda problem: type(problem).__name__)
async def test_every_exception_of_authlib_is_mapped(problem: Exception) -> None:
    """Whatever Authlib finds wrong with an answer is an outage, not a new kind of exception."""
    oauth = OAuth(http_client(Raising(problem)), "1000.X", lambda _: "secret", lambda: 0)
    with pytest.raises(NoToken):
        await oauth.refresh(TABLE["eu"], "1000.r")


async def test_every_exception_of_joserfc_has_a_mapped_root() -> None:
    """Id tokens meet JoseError in one place, and no exception of joserfc lies outside of it."""
    import joserfc.errors

    for _, kind in inspect.getmembers(joserfc.errors, inspect.isclass):
        if issubclass(kind, Exception) and not issubclass(kind, Warning):
            assert issubclass(kind, JoseError)
    verifier = IdTokens(http_client(Raising(httpx2.ConnectError("x"))), "1000.X", lambda: 0)
    with pytest.raises(BadIdentity):
        await verifier.verify(TABLE["eu"], "no.token.at all", None)


async def test_the_message_says_what_was_asked() -> None:
    """The exception's own text, which may hold an address, is not in it."""
    with (
        pytest.raises(ZohoError, match=r"^GET /x: .* desk\.zoho\.eu .*ReadTimeout") as caught,
        mapped("GET /x", at="https://secret:secret@desk.zoho.eu/secret?secret#secret", repeatable=True),
    ):
        raise httpx2.ReadTimeout("https://secret.example")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("problem", "checks"),
    [(httpx2.ConnectError, 1), (httpx2.ConnectTimeout, 1), (httpx2.PoolTimeout, 0)],
)
async def test_the_message_says_where_and_what_to_check(problem: type[Exception], checks: int) -> None:
    """The host by its name; DNS and firewall where they may be the reason."""
    with (
        pytest.raises(ZohoDown) as caught,
        mapped("POST /calls", at="https://desk.zoho.in", repeatable=False),
    ):
        raise problem("x")
    said = str(caught.value)
    assert "not reached at desk.zoho.in" in said
    assert [said.count("DNS"), said.count("firewall")] == [checks, checks]


async def test_a_request_ends_though_bytes_keep_coming(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time in all is bounded: a read is down, a write's outcome unknown."""
    monkeypatch.setattr(transport, "SEND_TIMEOUT_SECONDS", 0)

    async def never(request: httpx2.Request) -> httpx2.Response:
        await anyio.sleep_forever()
        return httpx2.Response(200, request=request)

    desk = Desk(http_client(httpx2.MockTransport(never)), TABLE["eu"], "1", FixedTokens(), FreeBudget())
    with pytest.raises(ZohoDown):
        await desk.get_call("7")
    with pytest.raises(OutcomeUnknown):
        await desk.create_call({})


async def test_the_client_is_deaf_to_its_surroundings() -> None:
    """No proxies from the environment, no redirects, no cookies, and time-outs with names."""

    async def answer(request: httpx2.Request) -> httpx2.Response:
        assert "cookie" not in request.headers
        return httpx2.Response(302, headers={"Location": "https://x.example/", "Set-Cookie": "a=b; Path=/"})

    async with http_client(httpx2.MockTransport(answer)) as http:
        assert not http.trust_env
        assert http.timeout == TIMEOUTS
        for _ in range(2):
            assert (await http.get("https://desk.zoho.eu/")).status_code == 302


def packed(length: int) -> bytes:
    """Pack so many spaces."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    parts = [packer.compress(b" " * 2**20) for _ in range(length >> 20)]
    return b"".join([*parts, packer.compress(b" " * (length % 2**20)), packer.flush()])


@pytest.mark.parametrize("status", [200, 401, 500])
@pytest.mark.parametrize("encoding", ["gzip", "", "gzip, gzip"])
async def test_an_answer_without_end(status: int, encoding: str) -> None:
    """Packed or not, no more of it is read than any of Zoho's could be long."""
    body = packed(ANSWER_AT_MOST + 1) if encoding else b" " * (ANSWER_AT_MOST + 1)
    body = gzip.compress(body) if "," in encoding else body
    read = 0

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal read
        for at in range(0, len(body), 2**16):
            read += 2**16
            yield body[at : at + 2**16]
        while True:
            read += 2**16
            yield b" " * 2**16

    async def answer(_request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(status, headers={"Content-Encoding": encoding}, content=pieces())

    desk = Desk(http_client(httpx2.MockTransport(answer)), TABLE["eu"], "1", FixedTokens(), FreeBudget())
    with pytest.raises(ZohoDown, match=r"desk\.zoho\.eu sends an answer of more than 16 MiB"):
        await desk.get_call("7")
    with pytest.raises(OutcomeUnknown):
        await desk.create_call({})
    assert read <= 2 * (len(body) + 2**17)


async def test_a_packed_answer_is_unpacked() -> None:
    """What is as long as it may be is read, and not unpacked twice."""
    body = b'{"id":"7","subject":"' + b"x" * (ANSWER_AT_MOST - 23) + b'"}'

    async def answer(_request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, headers={"Content-Encoding": "gzip"}, content=gzip.compress(body, 1))

    desk = Desk(http_client(httpx2.MockTransport(answer)), TABLE["eu"], "1", FixedTokens(), FreeBudget())
    assert len((await desk.get_call("7")).subject or "") == ANSWER_AT_MOST - 23
