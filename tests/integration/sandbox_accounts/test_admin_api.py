"""The admin API of tests and demos."""

from typing import Any

import httpx2
import pytest

from connector.sandbox.serve import RunningSandbox
from connector.sandbox.state import SandboxState
from tests.integration.sandbox_accounts.conftest import ADA, Person


@pytest.fixture
def admin(ada: Person) -> httpx2.Client:
    """Talk to the sandbox."""
    return ada.browser


def test_clock(admin: httpx2.Client, world: SandboxState) -> None:
    """Time can be moved ahead and read."""
    before = world.clock.now()
    answer = admin.post("/_sandbox/clock", json={"advance_seconds": 90})
    assert answer.json() == {"now": before + 90_000} == admin.get("/_sandbox/clock").json()


def test_config(admin: httpx2.Client, world: SandboxState) -> None:
    """Switches can be set by name."""
    answer = admin.patch("/_sandbox/config", json={"nonce_echoed": True, "index_delay_seconds": 2.5})
    assert answer.json()["nonce_echoed"] is True
    assert (world.config.nonce_echoed, world.config.index_delay_seconds) == (True, 2.5)
    assert admin.get("/_sandbox/config").json() == answer.json()
    assert "clients" not in answer.json()


def test_oddities(admin: httpx2.Client, world: SandboxState) -> None:
    """They are listed, and put in force by name: their switches and their rules."""
    listed = admin.get("/_sandbox/oddities").json()["oddities"]
    assert {each["name"] for each in listed} >= {"slow-index", "cf-as-list"}
    answer = admin.post("/_sandbox/oddities", json={"names": ["slow-index", "cf-as-list"]})
    assert answer.json()["index_delay_seconds"] == world.config.index_delay_seconds == 60
    (rule,) = world.faults.rules
    assert (rule.kind, rule.member, rule.value) == ("odd_member", "cf", [])


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "clock", {"advance_seconds": -1}),
        ("POST", "clock", {"seconds": 1}),
        ("PATCH", "config", {"nonce_echoed": "yes"}),
        ("PATCH", "config", {"access_denied_status": 500}),
        ("PATCH", "config", {"latency_ms": 5, "no_such_switch": 1}),
        ("PATCH", "config", {"users": []}),
        ("POST", "faults", {"rules": [{"kind": "meteor"}]}),
        ("POST", "faults", {"rates": {"meteor": 1}}),
        ("POST", "oddities", {"names": ["cf-as-list", "meteor"]}),
        ("POST", f"users/{ADA}", {"active": None}),
    ],
)
def test_what_does_not_fit_is_refused(
    admin: httpx2.Client, world: SandboxState, method: str, path: str, body: dict[str, Any]
) -> None:
    """A body that does not fit is 422 with a reason, and changes nothing."""
    latency, now = world.config.latency_ms, world.clock.now()
    answer = admin.request(method, f"/_sandbox/{path}", json=body)
    assert answer.status_code == 422
    assert answer.json()["error"]
    assert (world.config.latency_ms, world.clock.now(), world.faults.rules) == (latency, now, [])


def test_broken_json_is_refused(admin: httpx2.Client) -> None:
    """Neither is what is no JSON."""
    assert admin.post("/_sandbox/clock", content=b"{").status_code == 422


def test_faults(admin: httpx2.Client, world: SandboxState) -> None:
    """Rules and rates can be set, seen and cleared."""
    order = {"rules": [{"kind": "drop", "method": "POST", "times": 1}], "rates": {"html": 0.1}, "seed": 3}
    rules = admin.post("/_sandbox/faults", json=order).json()["rules"]
    assert [(rule["kind"], rule["times"], rule["probability"]) for rule in rules] == [
        ("drop", 1, 1.0),
        ("html", None, 0.1),
    ]
    assert admin.get("/_sandbox/faults").json()["rules"] == rules
    assert admin.delete("/_sandbox/faults").status_code == 204
    assert world.faults.rules == []


def test_requests_are_counted(admin: httpx2.Client) -> None:
    """Requests to Zoho are counted, those to the control API are not."""
    admin.get("/oauth/serverinfo")
    admin.get("/oauth/v2/token")
    counts = admin.get("/_sandbox/requests").json()["counts"]
    assert counts == [
        {"method": "GET", "path": "/oauth/serverinfo", "status": 200, "count": 1},
        {"method": "GET", "path": "/oauth/v2/token", "status": 400, "count": 1},
    ]
    assert admin.delete("/_sandbox/requests").status_code == 204
    assert admin.get("/_sandbox/requests").json()["counts"] == []


def test_users(admin: httpx2.Client, world: SandboxState) -> None:
    """A user can be deactivated and brought back."""
    assert admin.post(f"/_sandbox/users/{ADA}", json={"active": False}).json()["active"] is False
    assert world.config.users[0].active is False
    admin.post(f"/_sandbox/users/{ADA}", json={"active": True})
    assert world.config.users[0].active is True
    assert admin.post("/_sandbox/users/1", json={"active": True}).status_code == 404


def test_revoke_all(ada: Person, world: SandboxState) -> None:
    """All grants can be ended at once."""
    token = ada.tokens()["access_token"]
    assert ada.browser.post("/_sandbox/grants/revoke-all").status_code == 204
    assert world.tokens.resolve(token) is None


def test_state_of_desk(sandbox: RunningSandbox, admin: httpx2.Client) -> None:
    """Contacts and calls can be seen whole."""
    assert isinstance(admin.get("/_sandbox/state/calls").json(), list)
    assert len(admin.get("/_sandbox/state/contacts").json()) >= 200
