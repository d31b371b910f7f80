"""What administrators' programs ask of the connector, and what they may change."""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from connector.store import audit, outbox
from connector.store.outbox import Wanted
from tests.integration.operations.conftest import NOW
from tests.integration.pipeline.place import Place

pytestmark = pytest.mark.anyio

DELIVERIES = "/api/admin/deliveries"


async def ask(place: Place, role: str, path: str, method: str = "GET", **more: Any) -> httpx2.Response:
    """Ask with a key of a role."""
    name = f"{role} {method} {path} {more}"[:200]
    key = await place.services.keys.add_key(name, role, actor="test")
    headers = {"Authorization": f"Bearer {key}"}
    return await place.client.request(method, path, headers=headers, **more)


async def dead_letter(place: Place, key: str = "+442079460001") -> int:
    """Have a contact that could not be made."""
    wanted = Wanted(portal_id=1, kind="contact", key=key, call_id=None, record=b"{}", due_at=NOW)
    await place.services.store.write(lambda c: outbox.want(c, [wanted], NOW))
    await place.services.store.write(
        lambda c: c.exec_driver_sql("UPDATE outbox SET state = 'dead', reason = 'invalid_data'")
    )
    [row] = await place.services.store.read(lambda c: outbox.list_rows(c, "dead"))
    return row.id


async def test_dead_letters_are_listed_and_shown(place: Place) -> None:
    """With the reason, and moments that people can read."""
    row_id = await dead_letter(place)
    listed = (await ask(place, "supervisor", DELIVERIES)).json()["deliveries"]
    shown = (await ask(place, "supervisor", f"{DELIVERIES}/{row_id}")).json()
    assert listed == [shown]
    assert (shown["state"], shown["reason"], shown["due_at"]) == (
        "dead", "invalid_data", "2026-01-05T09:00:00.000Z",
    )  # fmt: skip
    assert (await ask(place, "supervisor", f"{DELIVERIES}?state=done")).json() == {"deliveries": []}
    assert (await ask(place, "supervisor", f"{DELIVERIES}/777")).status_code == 404


async def test_a_retry_is_audited_without_the_number(place: Place) -> None:
    """Who retried is known; what is not there cannot be."""
    path = f"{DELIVERIES}/{await dead_letter(place)}/retry"
    answer = await ask(place, "administrator", path, "POST", json={"absent": True})
    assert answer.json()["state"] == "due"
    [entry] = [e for e in await place.services.store.read(audit.newest) if e.action == "delivery.retried"]
    assert entry.actor.startswith("key administrator")
    assert (entry.subject, entry.detail) == ("contact +44***01", "found absent by a person")
    assert (await ask(place, "administrator", f"{DELIVERIES}/777/retry", "POST")).status_code == 404


async def test_roles(place: Place) -> None:
    """Agents see nothing of it, supervisors see all but the audit, administrators change things."""
    retry = f"{DELIVERIES}/{await dead_letter(place)}/retry"
    seen = {
        role: [
            (await ask(place, role, path, method)).status_code
            for path, method in (
                (DELIVERIES, "GET"), ("/api/admin/phones", "GET"), ("/api/admin/portals", "GET"),
                ("/api/admin/audit", "GET"), (retry, "POST"),
            )
        ]
        for role in ("agent", "supervisor", "administrator")
    }  # fmt: skip
    assert seen == {
        "agent": [403] * 5,
        "supervisor": [200, 200, 200, 403, 403],
        "administrator": [200] * 5,
    }
    assert (await place.client.get(DELIVERIES)).status_code == 401


@pytest.mark.parametrize(
    ("path", "method", "body"),
    [
        (f"{DELIVERIES}?state=lost", "GET", None),
        (f"{DELIVERIES}?limit=0", "GET", None),
        ("/api/admin/audit?limit=many", "GET", None),
        (f"{DELIVERIES}/1/retry", "POST", b'{"absent": "perhaps"}'),
        (f"{DELIVERIES}/1/retry", "POST", b'{"more":' + b"[" * 900),
        (f"{DELIVERIES}/1/retry", "POST", b"[" * 100_000),
        (f"{DELIVERIES}/1/retry", "POST", b'{"absent": tru\xff}'),
    ],
)
async def test_wrong_questions_are_problems(place: Place, path: str, method: str, body: bytes | None) -> None:
    """What does not fit is answered 422 as problem+json."""
    answer = await ask(place, "administrator", path, method, content=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_retry_reads_no_body_without_end(place: Place) -> None:
    """More than any body of ours may hold is refused, told beforehand or not."""

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 100_000

    for body in (b" " * 1_100_000, pieces()):
        answer = await ask(place, "administrator", f"{DELIVERIES}/1/retry", "POST", content=body)
        assert answer.status_code == 413


async def test_phones_and_portals_and_audit(place: Place) -> None:
    """How phone systems are heard, which portals are linked, and who changed what."""
    await place.post(place.event("ringing", "c-1"))
    await place.services.silence.step()
    [phone] = (await ask(place, "supervisor", "/api/admin/phones")).json()["phones"]
    assert (phone["slug"], phone["state"]) == ("pbx", "learning")
    assert phone["last_at"].endswith("Z")
    [portal] = (await ask(place, "supervisor", "/api/admin/portals")).json()["portals"]
    assert (portal["name"], portal["state"]) == ("Zylker", "linked")
    entries = (await ask(place, "administrator", "/api/admin/audit?limit=2")).json()["entries"]
    assert len(entries) == 2
    assert entries[0]["action"] == "key.added"
