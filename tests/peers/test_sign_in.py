"""Sign-in against an OpenID provider that no one here wrote: npm's oidc-provider, at Zoho's paths."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import httpx2
import pytest

from connector.clock import DAY, SECOND, system_clock
from connector.dialects import signing
from connector.errors import BadIdentity, ClientRefused, NoToken
from connector.web.problem_texts import TEXTS
from connector.zoho.data_centers import DataCenter, parse_row
from connector.zoho.oauth import OAuth
from connector.zoho.transport import http_client
from tests.peers.programs import Connector, free_port, running, wait_for

pytestmark = pytest.mark.anyio

OTHER = {"client_id": "other", "client_secret": "a-secret-of-the-other"}
THEIRS = "http://127.0.0.1:1/callback"
VERIFIER = "a-verifier-of-the-tests-0123456789-abcdefghijk"
SCOPES = ("openid", "email", "profile")
Change = Callable[[str], str]


class Place:
    """The provider's address, and a connector that believes it."""

    def __init__(self, provider: str, connector: Connector) -> None:
        self.provider = provider
        self.connector = connector
        self.root = connector.settings["PUBLIC_URL"]
        self.dc = parse_row(f"peer={provider}")

    def log(self) -> str:
        """Return what the connector has said so far."""
        return self.connector.log.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def place(peers: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Start both, below a path: the redirect address is registered with it."""
    folder, port, own = tmp_path_factory.mktemp("sign_in"), free_port(), free_port()
    provider, root = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{own}/desk"
    connector = Connector(
        folder,
        signing.new_secret(),
        LISTEN=f"127.0.0.1:{own}",
        PUBLIC_URL=root,
        ZOHO_DATA_CENTERS=f"peer={provider}|{provider}",
        ZOHO_DATA_CENTER="peer",
    )
    connector.port = own
    names = {"ZOHO_CLIENT_ID": "client_id", "ZOHO_CLIENT_SECRET": "client_secret"}
    ours = {theirs: connector.settings[name] for name, theirs in names.items()}
    clients = [ours | {"redirect_uris": [f"{root}/login/callback"]}, OTHER | {"redirect_uris": [THEIRS]}]
    script = Path(__file__).with_name("provider.mjs")
    node = ["node", str(script), str(peers), str(port), json.dumps(clients)]
    with running(node, folder / "provider.log"), connector.serving():
        wait_for(f"{provider}/oauth/v2/keys", folder / "provider.log")
        yield Place(provider, connector)


@pytest.fixture
async def browser() -> AsyncIterator[httpx2.AsyncClient]:
    """Open a browser without cookies."""
    async with fresh() as opened:
        yield opened


def fresh() -> httpx2.AsyncClient:
    """Make a browser without cookies."""
    return httpx2.AsyncClient(trust_env=False, timeout=20, headers={"accept": "text/html"})


async def through(browser: httpx2.AsyncClient, url: str, back: str, who: str, answer: str = "") -> str:
    """Fill in whatever forms the provider shows, and return the address that it sends the browser back to."""
    response = await browser.get(url)
    while True:
        if response.is_redirect:
            url = urljoin(str(response.url), response.headers["location"])
            if url.startswith(back):
                return url
            response = await browser.get(url)
            continue
        assert response.status_code == 200, response.text
        if answer == "abort":
            response = await browser.get(f"{response.url}/abort")
            continue
        action = re.search(r'action="([^"]+)"', response.text)
        prompt = re.search(r'name="prompt" value="(\w+)"', response.text)
        assert action is not None
        assert prompt is not None
        form = {"prompt": prompt[1], "login": who, "password": "whatever"}
        response = await browser.post(urljoin(str(response.url), action[1]), data=form)


def same(url: str) -> str:
    """Leave an address as it is."""
    return url


async def sign_in(
    place: Place, browser: httpx2.AsyncClient, who: str = "ada", *, change: Change = same, answer: str = ""
) -> httpx2.Response:
    """Sign in as somebody, and return what the connector makes of the provider's answer."""
    away = await browser.get(f"{place.root}/login?next=/calls")
    assert away.status_code == 303
    back = f"{place.root}/login/callback"
    return await browser.get(await through(browser, change(away.headers["location"]), back, who, answer))


def with_query(url: str, **values: str) -> str:
    """Return an address with parameters of its query changed."""
    parts = urlsplit(url)
    query = {name: found[0] for name, found in parse_qs(parts.query).items()} | values
    return parts._replace(query=urlencode(query)).geturl()


async def test_a_person_signs_in(place: Place, browser: httpx2.AsyncClient) -> None:
    """Code, PKCE, RS256 and claims of theirs open a session here; the second time nobody is asked."""
    answer = await sign_in(place, browser)
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk/calls"), answer.text
    page = await browser.get(f"{place.root}/banner")
    assert "Signed in as" in page.text
    again = await sign_in(place, browser, who="nobody is asked")
    assert again.status_code == 303
    assert (await browser.post(f"{place.root}/logout", headers={"origin": origin(place)})).status_code == 303
    assert (await browser.get(f"{place.root}/banner")).status_code == 401


def origin(place: Place) -> str:
    """Return what a browser calls the connector's pages."""
    return place.root.removesuffix("/desk")


async def test_a_token_of_another_sign_in_opens_nothing(place: Place, browser: httpx2.AsyncClient) -> None:
    """The provider signs whichever nonce it was asked with; one that is not ours is refused, and logged."""
    answer = await sign_in(place, browser, change=lambda url: with_query(url, nonce="of-somebody-else"))
    assert answer.status_code == 400, answer.text
    assert "it answers another sign-in (nonce)" in place.log()
    assert (await browser.get(f"{place.root}/banner")).status_code == 401


async def test_a_code_of_another_challenge_opens_nothing(place: Place, browser: httpx2.AsyncClient) -> None:
    """PKCE holds: a code that was had with another challenge is not exchanged for our verifier."""
    challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    answer = await sign_in(place, browser, change=lambda url: with_query(url, code_challenge=challenge))
    assert answer.status_code >= 400
    assert (await browser.get(f"{place.root}/banner")).status_code == 401


async def test_a_callback_is_used_once(place: Place, browser: httpx2.AsyncClient) -> None:
    """The same address again, or in another browser, opens nothing."""
    away = await browser.get(f"{place.root}/login")
    back = await through(browser, away.headers["location"], f"{place.root}/login/callback", "ada")
    async with fresh() as other:
        assert (await other.get(back)).status_code == 400
    assert (await browser.get(back)).status_code == 303
    assert (await browser.get(back)).status_code == 400


@pytest.mark.parametrize(
    ("who", "answer", "reason"),
    [
        ("ada", "abort", "refused"),
        ("unverified-ada", "", "email_unverified"),
        ("bruno", "", "unknown_person"),
    ],
)
async def test_whom_nobody_lets_in(
    place: Place, browser: httpx2.AsyncClient, who: str, answer: str, reason: str
) -> None:
    """Consent denied at the provider, an address that it does not vouch for, and a stranger: a page each."""
    page = await sign_in(place, browser, who, answer=answer)
    assert 400 <= page.status_code < 500
    assert f"<h1>{TEXTS[reason].title}</h1>" in page.text
    assert (await browser.get(f"{place.root}/banner")).status_code == 401


async def token_of(
    place: Place, http: httpx2.AsyncClient, browser: httpx2.AsyncClient, secret: str = OTHER["client_secret"]
) -> str:
    """Return an id token that the provider has made for the other client."""
    oauth = OAuth(http, "other", lambda _: secret, system_clock)
    url = oauth.authorize_url(
        place.dc, redirect_uri=THEIRS, scopes=SCOPES, state="s", verifier=VERIFIER, nonce="n"
    )
    code = parse_qs(urlsplit(await through(browser, url, THEIRS, "ada")).query)["code"][0]
    tokens = await oauth.exchange(place.dc, code=code, redirect_uri=THEIRS, verifier=VERIFIER)
    assert tokens.id_token is not None
    return tokens.id_token


async def test_tokens_hold_for_their_client_their_time_and_their_issuer(
    place: Place, browser: httpx2.AsyncClient
) -> None:
    """One real token, asked about in every way: it holds as it was made, and in no other."""
    async with http_client() as http:
        token = await token_of(place, http, browser)

        async def holds(
            client: str = "other",
            after: int = 0,
            dc: DataCenter = place.dc,
            nonce: str = "n",
            shown: str = token,
        ) -> str:
            oauth = OAuth(http, client, lambda _: "", lambda: system_clock() + after)
            return (await oauth.verify_id_token(dc, shown, nonce)).email or ""

        assert await holds() == "ada@example.com"
        elsewhere = parse_row(f"peer={place.provider.replace('127.0.0.1', 'localhost')}")
        header, claims, signature = token.split(".")
        turned = signature[:-10] + ("A" if signature[-10] != "A" else "B") + signature[-9:]
        for wrong in (
            holds(client="connector"),
            holds(after=DAY),
            holds(after=-DAY),
            holds(dc=elsewhere),
            holds(nonce="m"),
            holds(shown=f"{header}.{claims}.{turned}"),
            holds(shown=f"{header}.{claims}."),
        ):
            with pytest.raises(BadIdentity):
                await wrong


async def test_a_wrong_secret_is_told_apart(place: Place, browser: httpx2.AsyncClient) -> None:
    """The provider's own error for a client that it does not know is read as what it is."""
    async with http_client() as http:
        with pytest.raises(ClientRefused):
            await token_of(place, http, browser, secret="guessed")


async def test_a_code_is_exchanged_once(place: Place, browser: httpx2.AsyncClient) -> None:
    """A code that is used up brings no second token."""
    async with http_client() as http:
        oauth = OAuth(http, "other", lambda _: OTHER["client_secret"], system_clock)
        url = oauth.authorize_url(place.dc, redirect_uri=THEIRS, scopes=SCOPES, state="s", verifier=VERIFIER)
        code = parse_qs(urlsplit(await through(browser, url, THEIRS, "ada")).query)["code"][0]
        exchange = partial(oauth.exchange, place.dc, code=code, redirect_uri=THEIRS, verifier=VERIFIER)
        assert (await exchange()).expires_at > system_clock() + SECOND
        with pytest.raises(NoToken):
            await exchange()


async def test_many_sign_in_at_once(place: Place) -> None:
    """Ten browsers at the same time, each with its own session."""

    async def one() -> int:
        async with fresh() as browser:
            return (await sign_in(place, browser)).status_code

    assert await asyncio.gather(*(one() for _ in range(10))) == [303] * 10
