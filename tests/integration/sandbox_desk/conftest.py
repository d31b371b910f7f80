"""One sandbox for all tests of this folder, and a portal of its own for each of them."""

import copy
import itertools
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from connector.sandbox.clock import Clock
from connector.sandbox.config import Config, Org, User
from connector.sandbox.desk import DeskState
from connector.sandbox.desk.portal import Portal
from connector.sandbox.serve import RunningSandbox
from connector.sandbox.tokens import Grant

NOON = 1_767_614_400_000  # 2026-01-05T12:00:00Z
ALL_SCOPES = (
    "Desk.contacts.ALL",
    "Desk.tickets.ALL",
    "Desk.calls.ALL",
    "Desk.search.READ",
    "Desk.basic.READ",
)
_INVENTORY = ("data_centers", "clients", "users", "orgs")
_numbers = itertools.count(1)


class Desk:
    """A portal seen by an app that holds a token, and by the test that can reach behind it."""

    def __init__(self, sandbox: RunningSandbox, http: httpx2.Client, org: Org) -> None:
        self.sandbox = sandbox
        self.org = org
        self.config: Config = sandbox.state.config
        self.state: DeskState = sandbox.state.desk
        self.http = http
        self.token = self.grant()

    @property
    def portal(self) -> Portal:
        """Return what the sandbox keeps of this portal."""
        found = self.state.portal(self.org.org_id)
        assert found is not None
        return found

    @property
    def now(self) -> int:
        """Return the sandbox's moment."""
        return self.sandbox.state.clock.now()

    def grant(self, *scopes: str, agent: int = 0) -> str:
        """Make a token of one of the agents."""
        wanted = scopes or ALL_SCOPES
        grant = Grant(
            client_id="app",
            zuid=self.config.agents_of(self.org.org_id)[agent].zuid,
            location="us",
            scopes=frozenset(scope.lower() for scope in wanted),
            scope_text=" ".join(wanted),
            org_id=self.org.org_id,
        )
        return self.sandbox.state.tokens.add_access_token(grant).token

    def call(self, method: str, path: str, **options: Any) -> httpx2.Response:
        """Ask the API with the token, or with the `token` given."""
        headers = {"Authorization": f"Zoho-oauthtoken {options.pop('token', self.token)}"}
        headers |= options.pop("headers", {})
        return self.http.request(method, f"/api/v1/{path}", headers=headers, **options)

    def get(self, path: str, **query: object) -> httpx2.Response:
        """Ask by GET."""
        return self.call("GET", path, params={name: str(value) for name, value in query.items()})

    def post(self, path: str, body: object) -> httpx2.Response:
        """Ask by POST with a JSON body."""
        return self.call("POST", path, json=body)

    def patch(self, path: str, body: object) -> httpx2.Response:
        """Ask by PATCH with a JSON body."""
        return self.call("PATCH", path, json=body)

    def rows(self, path: str, **query: object) -> list[dict[str, Any]]:
        """Return the data of a list or search; an empty one must be 204 without a body."""
        answer = self.get(path, **query)
        if answer.status_code == 204:
            assert answer.content == b""
            return []
        assert answer.status_code == 200, answer.text
        data: list[dict[str, Any]] = answer.json()["data"]
        assert data
        return data

    def ids(self, path: str, **query: object) -> list[str]:
        """Return the ids of a list or search."""
        return [row["id"] for row in self.rows(path, **query)]

    def call_body(self, **changes: Any) -> dict[str, Any]:
        """Return the body of a call record that Desk takes; a change to None leaves the member out."""
        body = {
            "contactId": next(iter(self.portal.contacts.present())).id,
            "departmentId": next(iter(self.portal.departments)),
            "subject": "Call",
            "startTime": "2026-01-05T11:58:00.000Z",
            "status": "Completed",
            "direction": "inbound",
            "duration": "90",
        } | changes
        return {name: value for name, value in body.items() if value is not None}

    def make_call(self, **changes: Any) -> dict[str, Any]:
        """Create a call record and return it."""
        answer = self.post("calls", self.call_body(**changes))
        assert answer.status_code == 200, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def wait_for_index(self) -> None:
        """Let the index delay pass."""
        self.sandbox.state.clock.advance(self.config.index_delay_seconds)


def problems(answer: httpx2.Response) -> dict[str, str]:
    """Return the errors of an INVALID_DATA answer: type by JSON pointer."""
    assert answer.status_code == 422, answer.text
    body = answer.json()
    assert body["errorCode"] == "INVALID_DATA"
    assert body["message"] == "The data does not comply to the validation restrictions defined."
    return {each["fieldName"]: each["errorType"] for each in body["errors"]}


def refusal(answer: httpx2.Response) -> tuple[int, str]:
    """Return status and error code of a refusal."""
    body = answer.json()
    assert set(body) == {"errorCode", "message"}
    return answer.status_code, body["errorCode"]


@pytest.fixture(scope="session")
def running() -> Iterator[RunningSandbox]:
    """Run the sandbox whose clock only tests move."""
    with RunningSandbox(clock=Clock(frozen_at=NOON)) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def http(running: RunningSandbox) -> Iterator[httpx2.Client]:
    """Give all tests one client, because making one is slow."""
    with httpx2.Client(base_url=running.origin, trust_env=False) as client:
        yield client


@pytest.fixture
def desk(running: RunningSandbox, http: httpx2.Client) -> Iterator[Desk]:
    """Give a test a portal with six agents, and put every switch back afterwards."""
    config, number = running.state.config, next(_numbers)
    switches = {
        name: copy.deepcopy(getattr(config, name))
        for name in config.__struct_fields__
        if name not in _INVENTORY
    }
    org = Org(org_id=str(700_000_000 + number), name=f"Test {number}", location="us")
    config.orgs.append(org)
    for index in range(6):
        config.users.append(
            User(
                zuid=str(800_000_000 + 10 * number + index),
                email=f"agent{index}.{number}@example.com",
                first_name=f"Agent{index}",
                last_name="Test",
                location="us",
                orgs=[org.org_id],
            )
        )
    made = Desk(running, http, org)
    yield made
    config.orgs.remove(org)
    config.users = [user for user in config.users if org.org_id not in user.orgs]
    for name, value in switches.items():
        setattr(config, name, value)
