"""A running sandbox, and a person with a browser."""

import html
import re
import ssl
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from connector.sandbox.clock import Clock
from connector.sandbox.config import Client
from connector.sandbox.presets import DEMO_CLIENT_ID
from connector.sandbox.serve import RunningSandbox
from connector.sandbox.state import SandboxState

CALLBACK = "http://127.0.0.1:9/oauth/callback"
DESK = "Desk.contacts.READ,Desk.calls.CREATE"
ADA = "675000001"
ADA_EU = "675001001"
NILS = "675000007"
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # made once: a client that makes its own takes 20 ms


class Person:
    """A browser that keeps cookies, and an app's server that has the client's secret."""

    def __init__(self, sandbox: RunningSandbox, zuid: str = ADA, location: str = "us") -> None:
        self.sandbox = sandbox
        self.zuid = zuid
        self.location = location
        self.browser = httpx2.Client(base_url=sandbox.origin, verify=NO_TLS)

    @property
    def client(self) -> Client:
        """Return the client as registered."""
        return self.sandbox.state.config.clients[0]

    def authorize(self, **changes: str) -> httpx2.Response:
        """Go to the consent page, signing in on the way if need be."""
        fields = {
            "client_id": DEMO_CLIENT_ID,
            "response_type": "code",
            "redirect_uri": CALLBACK,
            "scope": DESK,
            "state": "s-1",
            **changes,
        }
        answer = self.browser.get("/oauth/v2/auth", params=fields)
        if answer.headers.get("location", "").startswith("/signin"):
            target = parse_qs(urlsplit(answer.headers["location"]).query)["continue"][0]
            answer = self.browser.post("/signin", data={"zuid": self.zuid, "continue": target})
            assert answer.status_code == 303
            answer = self.browser.get(answer.headers["location"])
        return answer

    def decide(self, shown: httpx2.Response, decision: str = "accept", **fields: str) -> httpx2.Response:
        """Press a button of the page that is shown."""
        found = re.search(r'name="request" value="([^"]*)"', shown.text)
        assert found is not None, shown.text
        request = html.unescape(found[1])
        return self.browser.post(
            "/oauth/v2/consent", data={"request": request, "decision": decision, **fields}
        )

    def code(self, **changes: str) -> str:
        """Go the whole way to a code, accepting if asked."""
        answer = self.authorize(**changes)
        if answer.status_code == 200:
            answer = self.decide(answer)
        return callback_of(answer)["code"]

    def post_token(self, **fields: str) -> dict[str, Any]:
        """Ask the token endpoint of this person's data centre; fields left empty are left out."""
        answer = self.browser.post(
            self.sandbox.origins[self.location] + "/oauth/v2/token", data=self.form(fields)
        )
        assert answer.status_code == 200, answer.text
        content: dict[str, Any] = answer.json()
        return content

    def form(self, fields: dict[str, str]) -> dict[str, str]:
        """Fill in a token request with client, secret and callback."""
        secret = self.sandbox.state.config.secret_of(self.client, self.location)
        filled = {
            "grant_type": "authorization_code",
            "client_id": DEMO_CLIENT_ID,
            "client_secret": secret or "",
            "redirect_uri": CALLBACK,
            **fields,
        }
        return {name: value for name, value in filled.items() if value}

    def tokens(self, **changes: str) -> dict[str, Any]:
        """Go the whole way to tokens."""
        return self.post_token(code=self.code(**changes))

    def offline(self) -> dict[str, Any]:
        """Go the whole way to tokens, a refresh token among them."""
        return self.tokens(access_type="offline", prompt="consent")

    def refresh(self, refresh_token: str) -> dict[str, Any]:
        """Ask for an access token."""
        return self.post_token(grant_type="refresh_token", refresh_token=refresh_token)


def callback_of(answer: httpx2.Response) -> dict[str, str]:
    """Read what a redirect tells the client."""
    assert answer.status_code == 302, answer.text
    address = answer.headers["location"]
    assert address.startswith(CALLBACK)
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


@pytest.fixture(scope="package")
def running() -> Iterator[RunningSandbox]:
    """Run a sandbox of three data centres for all tests of this package."""
    with RunningSandbox(locations=("us", "eu", "uk"), redirect_uris=[CALLBACK]) as running:
        yield running


@pytest.fixture
def sandbox(running: RunningSandbox) -> RunningSandbox:
    """Have a fresh sandbox on a clock that stands still."""
    running.renew(Clock(1_800_000_000_000))
    return running


@pytest.fixture
def world(sandbox: RunningSandbox) -> SandboxState:
    """Look inside it."""
    return sandbox.state


@pytest.fixture
def ada(sandbox: RunningSandbox) -> Iterator[Person]:
    """Be Ada, an agent in the United States."""
    person = Person(sandbox)
    with person.browser:
        yield person


@pytest.fixture
def ada_eu(sandbox: RunningSandbox) -> Iterator[Person]:
    """Be Ada, an agent in Europe, who starts at home's accounts server like everybody."""
    person = Person(sandbox, ADA_EU, "eu")
    with person.browser:
        yield person


@pytest.fixture
def nils(sandbox: RunningSandbox) -> Iterator[Person]:
    """Be Nils, who has a Zoho account but no seat in Desk."""
    person = Person(sandbox, NILS)
    with person.browser:
        yield person
