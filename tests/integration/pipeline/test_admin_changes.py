"""What administrators' programs change: dead letters, the index of contacts, and what is forgotten."""

import pytest

from connector.store import audit, outbox
from connector.store.outbox import Wanted
from tests.integration.operations.conftest import NOW
from tests.integration.pipeline.place import Place
from tests.integration.pipeline.test_admin import DELIVERIES, ask, dead_letter

pytestmark = pytest.mark.anyio

DIRECTORY = "/api/admin/directory"
FORGET = "/api/admin/forget"
PHONES = "/api/admin/phones"


async def actions(place: Place) -> list[str]:
    """Return what the audit says, the latest first, keys aside."""
    entries = await place.services.store.read(audit.newest)
    return [entry.action for entry in entries if not entry.action.startswith("key.")]


async def test_dropping_a_dead_letter(place: Place) -> None:
    """It is given up for good and audited; a second time it has been."""
    path = f"{DELIVERIES}/{await dead_letter(place)}/drop"
    answer = await ask(place, "administrator", path, "POST")
    assert answer.json()["state"] == "dropped"
    assert (await actions(place))[0] == "delivery.dropped"
    assert (await ask(place, "administrator", path, "POST", json={})).status_code == 409


@pytest.mark.both_engines
async def test_retrying_all(place: Place) -> None:
    """Every dead letter is tried again, each with an entry of its own; none is an answer too."""
    for key in ("+442079460001", "+442079460002"):
        wanted = Wanted(portal_id=1, kind="contact", key=key, call_id=None, record=b"{}", due_at=NOW)
        await place.services.store.write(lambda c, wanted=[wanted]: outbox.want(c, wanted, NOW))  # type: ignore[misc]
    await place.services.store.write(lambda c: c.exec_driver_sql("UPDATE outbox SET state = 'dead'"))
    path = f"{DELIVERIES}/retry"
    assert (await ask(place, "administrator", path, "POST")).json() == {"retried": 2}
    assert await place.services.store.read(outbox.count_by_state) == {"due": 2}
    assert (await actions(place))[:2] == ["delivery.retried"] * 2
    answer = await ask(place, "administrator", path, "POST", json={"absent": True})
    assert answer.json() == {"retried": 0}


@pytest.mark.both_engines
async def test_the_index(place: Place) -> None:
    """How far it is can be seen, and it can be read anew."""
    [before] = (await ask(place, "supervisor", DIRECTORY)).json()["directories"]
    assert before["portal"] == 1
    answer = await ask(place, "administrator", f"{DIRECTORY}/1/sync", "POST", json={"again": True})
    assert answer.status_code == 202
    assert answer.json()["state"] == "filling"
    assert (await actions(place))[0] == "directory.sync"
    assert (await ask(place, "administrator", f"{DIRECTORY}/9/sync", "POST")).status_code == 404


@pytest.mark.both_engines
async def test_erasure(place: Place) -> None:
    """What was erased is told and audited; what has not reached Desk is kept unless told otherwise."""
    number = "+442079460001"
    await dead_letter(place, number)
    refused = await ask(place, "administrator", FORGET, "POST", json={"number": number})
    assert refused.status_code == 422
    assert "--even-undelivered" not in refused.json()["detail"]
    told = {"number": number, "even_undelivered": True}
    assert (await ask(place, "administrator", FORGET, "POST", json=told)).status_code == 200
    contact = {"contact": "1", "portal": 1}
    assert (await ask(place, "administrator", FORGET, "POST", json=contact)).status_code == 200
    assert (await actions(place))[:2] == ["forgotten"] * 2


@pytest.mark.parametrize(
    "body",
    [{}, {"number": "0201"}, {"contact": "1"}, {"number": "+442079460001", "contact": "1", "portal": 1}],
)
async def test_nothing_is_forgotten_by_mistake(place: Place, body: dict[str, object]) -> None:
    """Exactly one of number and contact, and that whole."""
    assert (await ask(place, "administrator", FORGET, "POST", json=body)).status_code == 422


async def test_only_administrators_change_things(place: Place) -> None:
    """Supervisors may look."""
    row_id = await dead_letter(place)
    paths = (f"{DELIVERIES}/{row_id}/drop", f"{DELIVERIES}/retry", f"{DIRECTORY}/1/sync", FORGET)
    for path in paths:
        assert (await ask(place, "supervisor", path, "POST")).status_code == 403
    assert (await ask(place, "agent", DIRECTORY)).status_code == 403


@pytest.mark.both_engines
async def test_a_nul_is_nobodys_fault_but_the_askers(place: Place) -> None:
    """What no database holds is refused as such, and not taken for an outage that asking again would end."""
    body = {"contact": "\u0000", "portal": 1}
    answers = [
        await ask(place, "administrator", FORGET, "POST", json=body),
        await ask(place, "administrator", "/api/admin/recordings?call=%00"),
    ]
    assert [answer.status_code for answer in answers] == [422, 422]
    assert all("NUL" in answer.json()["detail"] for answer in answers)


async def test_a_phone_system_is_corrected_and_removed(place: Place) -> None:
    """What is bound to it is said first; afterwards nobody can post as it, and its calls stay."""
    await place.post(place.event("ringing", "c-1", agent="1001"))
    path = f"{PHONES}/pbx"
    shown = (await ask(place, "supervisor", path)).json()
    assert (shown["country"], shown["bound"]["calls"], shown["bound"]["open_calls"]) == ("GB", 1, 1)
    assert "secret" not in str(shown)
    changed = await ask(place, "administrator", path, "PATCH", json={"slug": "main", "name": "Main"})
    assert [changed.json()[name] for name in ("slug", "name", "country")] == ["main", "Main", "GB"]
    assert (await place.post(place.event("ended", "c-1"))).status_code == 404
    removed = await ask(place, "administrator", f"{PHONES}/main", "DELETE")
    assert removed.json()["bound"]["calls"] == 1
    assert (await place.post_raw(b"{}", slug="main")).status_code == 404
    assert (await ask(place, "supervisor", f"{PHONES}/main")).status_code == 404
    assert (await ask(place, "supervisor", PHONES)).json() == {"phones": []}
    assert (await actions(place))[:2] == ["phone_system.removed", "phone_system.changed"]


async def test_another_dialect_by_api_has_another_secret(place: Place) -> None:
    """It is told this once."""
    changed = await ask(place, "administrator", f"{PHONES}/pbx", "PATCH", json={"dialect": "zammad"})
    assert changed.json()["secret"]
    assert (await place.post(place.event("ringing", "c-1"))).status_code in (401, 404)
    assert "secret" not in (await ask(place, "supervisor", f"{PHONES}/pbx")).json()


@pytest.mark.parametrize(
    ("method", "body", "status"),
    [
        ("PATCH", {"country": "XX"}, 422),
        ("PATCH", {"portal_id": 7}, 422),
        ("PATCH", {"uid": "mine"}, 422),
        ("PATCH", {"name": 7}, 422),
        ("DELETE", None, 404),
    ],
)
async def test_what_cannot_be_changed_by_api(
    place: Place, method: str, body: dict[str, object] | None, status: int
) -> None:
    """A wrong value is named, what belongs to nobody cannot be changed, and agents change nothing."""
    path = f"{PHONES}/pbx" if body else f"{PHONES}/rome"
    assert (await ask(place, "administrator", path, method, json=body)).status_code == status
    assert (await ask(place, "supervisor", path, method, json=body)).status_code == 403
