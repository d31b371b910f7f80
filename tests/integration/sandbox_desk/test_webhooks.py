"""Webhooks of the sandbox: who may have them, how they are signed, and what they tell."""

import json
import queue
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.integration.sandbox_desk.conftest import Desk, problems, refusal

SCOPES = ("Desk.events.ALL", "Desk.contacts.ALL", "Desk.search.READ")
CONTACTS = {"Contact_Add": None, "Contact_Update": {"includePrevState": True}, "Contact_Delete": None}


class Ear(ThreadingHTTPServer):
    """A URL that is notified: it answers as it is told to, and keeps what was sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Hearing)
        self.heard: queue.Queue[tuple[str, dict[str, str], Any]] = queue.Queue()
        self.answers = {"GET": 200, "POST": 200}

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}/hear"

    def next(self) -> tuple[dict[str, str], Any]:
        """Wait for the next event, and answer its headers and body."""
        _, headers, body = self.heard.get(timeout=5)
        return headers, body


class _Hearing(BaseHTTPRequestHandler):
    server: Ear

    def _take(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        told = json.loads(body) if body else []
        if told:
            self.server.heard.put((self.command, dict(self.headers), told))
        self.send_response(self.server.answers[self.command])
        self.send_header("content-length", "0")
        self.end_headers()

    do_GET = do_POST = _take  # noqa: N815 - the library's names

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@pytest.fixture
def ear() -> Iterator[Ear]:
    """Listen on this machine."""
    with Ear() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def _subscribe(desk: Desk, url: str, **more: Any) -> Any:
    desk.token = desk.grant(*SCOPES)
    return desk.post("webhooks", {"url": url, "subscriptions": CONTACTS, **more})


def test_the_life_of_a_webhook(desk: Desk, ear: Ear) -> None:
    """It is made, listed, read, changed and deleted; then it is not there."""
    made = _subscribe(desk, ear.url, name="Ours").json()
    assert (made["url"], made["isEnabled"], made["type"]) == (ear.url, True, "CUSTOMER_WEBHOOK")
    assert desk.rows("webhooks") == [made]
    changed = desk.patch(f"webhooks/{made['id']}", {"subscriptions": {"Call_Add": None}, "isEnabled": False})
    assert changed.json()["subscriptions"] == {"Call_Add": None}
    assert desk.get(f"webhooks/{made['id']}").json() == changed.json()
    assert desk.call("DELETE", f"webhooks/{made['id']}").content == b""
    assert refusal(desk.get(f"webhooks/{made['id']}")) == (404, "URL_NOT_FOUND")
    assert desk.rows("webhooks") == []


@pytest.mark.parametrize(("get", "post", "status"), [(200, 500, 200), (405, 200, 200), (404, 404, 422)])
def test_the_url_must_answer(desk: Desk, ear: Ear, get: int, post: int, status: int) -> None:
    """A GET is tried, then a POST; without a 200 nothing is made."""
    ear.answers = {"GET": get, "POST": post}
    answer = _subscribe(desk, ear.url)
    assert answer.status_code == status
    if status == 422:
        assert problems(answer) == {"/url": "invalid"}


@pytest.mark.parametrize("url", ["http://192.0.2.1/hear", "https://hooks.example/hear"])
def test_only_this_machine_is_reached(desk: Desk, url: str) -> None:
    """The sandbox sends nothing anywhere else."""
    assert problems(_subscribe(desk, url)) == {"/url": "invalid"}


@pytest.mark.parametrize(("edition", "most"), [("Free", 0), ("Standard", 0), ("Professional", 5)])
def test_editions(desk: Desk, ear: Ear, edition: Any, most: int) -> None:
    """So many may be enabled, and more may lie there disabled."""
    desk.org.edition = edition
    answers = [_subscribe(desk, ear.url).status_code for _ in range(most + 1)]
    assert answers == [200] * most + [403]
    assert _subscribe(desk, ear.url, isEnabled=False).status_code == 200


def test_scopes(desk: Desk) -> None:
    """A token without any of the scopes gets nowhere."""
    assert refusal(desk.get("webhooks")) == (403, "SCOPE_MISMATCH")


@pytest.mark.parametrize("in_ms", [False, True])
def test_events_and_their_signature(desk: Desk, ear: Ear, *, in_ms: bool) -> None:
    """Contacts made, changed and trashed are notified in this order, signed with a key of the Desk host."""
    desk.config.webhook_times_in_ms = in_ms
    webhook_id = _subscribe(desk, ear.url).json()["id"]
    contact = desk.post("contacts", {"lastName": "Told"}).json()
    desk.patch(f"contacts/{contact['id']}", {"phone": "123456"})
    desk.post("contacts/moveToTrash", {"contactIds": [contact["id"]]})
    told = [ear.next() for _ in range(3)]
    assert [body[0]["eventType"] for _, body in told] == ["Contact_Add", "Contact_Update", "Contact_Delete"]
    assert {body[0]["payload"]["id"] for _, body in told} == {contact["id"]}
    assert told[1][1][0]["prevState"]["phone"] is None
    keys = KeySet.import_key_set(desk.http.get("/.well-known/jwks.json").json())
    claims = jwt.decode(told[0][0]["X-ZDesk-JWT"], keys, ["RS256"]).claims
    assert (claims["iss"], claims["aud"]) == (f"orgId:{desk.org.org_id}", f"webhookId:{webhook_id}")
    assert claims["exp"] // (1000 if in_ms else 1) == desk.now // 1000 + 300


def test_gone_ends_it(desk: Desk, ear: Ear) -> None:
    """An answer 410 removes the webhook."""
    _subscribe(desk, ear.url)
    ear.answers["POST"] = 410
    desk.post("contacts", {"lastName": "Last"})
    ear.next()
    assert any(desk.rows("webhooks") == [] for _ in range(200))
    desk.post("contacts", {"lastName": "Unheard"})
    assert ear.heard.empty()


def test_merging(desk: Desk) -> None:
    """The other contact is gone, its tickets are the kept one's, which takes over what it lacks."""
    kept = desk.state.add_contact(desk.org.org_id, last_name="Kept", phone="1")
    other = desk.state.add_contact(desk.org.org_id, last_name="Other", phone="2", mobile="3")
    desk.state.add_ticket(other, subject="Moves")
    order = {"into": kept.id, "others": [other.id]}
    assert desk.http.post("/_sandbox/contacts/merge", json=order).status_code == 204
    assert refusal(desk.get(f"contacts/{other.id}")) == (404, "URL_NOT_FOUND")
    assert refusal(desk.get(f"contacts/{other.id}/tickets")) == (404, "URL_NOT_FOUND")
    assert [row["subject"] for row in desk.rows(f"contacts/{kept.id}/tickets")] == ["Moves"]
    now = desk.get(f"contacts/{kept.id}").json()
    assert (now["phone"], now["mobile"]) == ("1", "3")
    assert desk.http.post("/_sandbox/contacts/merge", json=order).status_code == 404


def test_accounts_and_tickets_are_told_too(desk: Desk, ear: Ear) -> None:
    """Made, changed, trashed, commented on: who subscribes hears of it, by department where it asks so."""
    support, sales, _ = desk.portal.departments
    events = ("Account_Add", "Account_Update", "Account_Delete", "Ticket_Add", "Ticket_Update")
    wanted: dict[str, Any] = dict.fromkeys((*events, "Ticket_Comment_Add"))
    wanted["Ticket_Add"] = {"departmentId": [sales], "departmentIds": [sales]}
    desk.token = desk.grant(*SCOPES, "Desk.tickets.ALL")
    assert desk.post("webhooks", {"url": ear.url, "subscriptions": wanted}).status_code == 200
    account = desk.post("accounts", {"accountName": "Told"}).json()["id"]
    desk.patch(f"accounts/{account}", {"phone": "123"})
    desk.post("accounts/moveToTrash", {"accountIds": [account]})
    body = {"contactId": next(iter(desk.portal.contacts.present())).id, "departmentId": support}
    desk.post("tickets", body)
    ticket = desk.post("tickets", body | {"departmentId": sales}).json()["id"]
    desk.patch(f"tickets/{ticket}", {"priority": "High"})
    comment = desk.post(f"tickets/{ticket}/comments", {"content": "One"}).json()["id"]
    told = [ear.next()[1][0] for _ in range(6)]
    assert [(event["eventType"], event["payload"]["id"]) for event in told] == [
        *((name, account) for name in events[:3]),
        *((name, ticket) for name in events[3:]),
        ("Ticket_Comment_Add", comment),
    ]
    assert told[4]["payload"]["priority"] == "High"


def test_what_a_person_changes_in_desk_is_told(desk: Desk, ear: Ear) -> None:
    """The form of a contact's page tells webhooks as the API does."""
    _subscribe(desk, ear.url)
    contact = desk.state.add_contact(desk.org.org_id, last_name="Told")
    desk.http.post(f"/desk/contacts/{contact.id}/edit", data={"phone": "(01) 99 00 12 34"})
    event = ear.next()[1][0]
    assert (event["eventType"], event["payload"]["phone"]) == ("Contact_Update", "(01) 99 00 12 34")
    assert event["prevState"]["phone"] is None
