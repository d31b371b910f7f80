"""Desk's webhooks, from the sandbox's post to the index: what is genuine counts, and nothing else does."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from connector.clock import SECOND
from connector.errors import CommandError, Forbidden
from connector.sandbox.desk.webhook_sender import key
from connector.sandbox.presets import DEMO_CLIENT_ID, DEMO_ORG_ID
from connector.sandbox.tokens import Grant
from connector.store import contacts, grants, portals, syncs
from connector.zoho.scopes import linking, names
from tests.integration.pipeline.place import Place

pytestmark = pytest.mark.anyio

PORTAL = 1
PATH = f"/webhooks/desk/{PORTAL}"
E164 = "+442079460077"
CHANGED = [{"payload": {"id": "42"}, "eventType": "Contact_Update"}]


async def subscribe(place: Place) -> str:
    """Link again with the right to webhooks, fill the index and subscribe; answer the webhook's id."""
    world, services = place.sandbox.state, place.services
    scopes = names(linking(webhooks=True))
    grant = Grant(
        client_id=DEMO_CLIENT_ID,
        zuid=world.config.users[0].zuid,
        location="us",
        scopes=frozenset(scope.lower() for scope in scopes),
        scope_text=" ".join(scopes),
        org_id=DEMO_ORG_ID,
    )
    refresh = world.tokens.add_refresh_token(grant)
    encrypted = [
        services.encryptor.encrypt(each.token)
        for each in (refresh, world.tokens.add_access_token(grant, refresh))
    ]
    ends_at = services.clock() + 3_000_000
    services.store.write_now(
        lambda c: grants.put(c, PORTAL, encrypted[0], encrypted[1], ends_at, services.clock())
    )
    await services.syncing.work()
    return await services.desk_hooks.subscribe(PORTAL, place.services.settings.public_url + PATH, "test")


def token(place: Place, webhook_id: str, signed_by: RSAKey | None = None, **claims: Any) -> str:
    """Sign a token as Desk does, or with claims of one's own."""
    now = place.services.clock() // SECOND
    whole = {"iss": f"orgId:{DEMO_ORG_ID}", "aud": f"webhookId:{webhook_id}", "iat": now, "exp": now + 60}
    return jwt.encode({"alg": "RS256", "kid": key().kid}, whole | claims, signed_by or key())


async def post(place: Place, signed: str | None, body: object = CHANGED) -> int:
    """Post what Desk would, and answer the status."""
    headers = {} if signed is None else {"X-ZDesk-JWT": signed}
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return (await place.client.post(PATH, content=content, headers=headers)).status_code


def waiting(place: Place) -> list[str]:
    """Return the contacts that wait to be read again."""
    found = place.services.store.read_now(lambda c: syncs.waiting_changes(c, PORTAL, 100))
    return sorted(each.record_id for each in found)


async def until(place: Place, holds: Callable[[], object]) -> None:
    """Ask the server for something until something holds."""
    async with asyncio.timeout(10):
        while not holds():
            await place.client.get("/healthz")


@pytest.mark.both_engines
async def test_what_happens_in_desk_is_known_at_once(place: Place) -> None:
    """Made, changed, deleted: the index follows without waiting for a refresh or for Desk's search."""
    place.sandbox.state.config.index_delay_seconds = 600
    await subscribe(place)
    services, sent = place.services, place.sandbox.state.desk.webhook_sender.sent
    desk = await services.portals.desk(PORTAL)
    made = await desk.create_contact({"lastName": "Told", "phone": "020 7946 0077"})
    await until(place, lambda: len(sent) == 1)
    assert (sent[0].status, waiting(place)) == (200, [made.id])
    await services.syncing.work()
    assert waiting(place) == []
    found = await services.contact_lookup.look_up(PORTAL, E164, country="GB", live=True)
    assert [contact.name for contact in found.contacts] == ["Told"]
    assert found.source == "cache"
    _change_in_desk(place, made.id, is_trashed=True)
    assert await post(place, token(place, _webhook(place)), _told(made.id, "Contact_Delete")) == 200
    await services.syncing.work()
    assert made.id not in services.store.read_now(lambda c: contacts.by_ids(c, PORTAL, [made.id]))


def _told(contact_id: str, kind: str) -> list[dict[str, Any]]:
    return [{"payload": {"id": contact_id}, "eventType": kind, "orgId": DEMO_ORG_ID}]


def _change_in_desk(place: Place, contact_id: str, **fields: Any) -> None:
    desk = place.sandbox.state.desk
    portal = desk.portal(DEMO_ORG_ID)
    assert portal is not None
    contact = portal.contacts.find(contact_id)
    assert contact is not None
    desk.change_contact(contact, **fields)


def _webhook(place: Place) -> str:
    sync = place.services.store.read_now(lambda c: syncs.get(c, PORTAL))
    assert sync is not None
    assert sync.webhook_id
    return sync.webhook_id


async def test_only_desk_is_heard(place: Place) -> None:
    """No token, a foreign key, a foreign portal, one that is over or not begun: 401, and nothing is kept."""
    ours = await subscribe(place)
    now = place.services.clock() // SECOND
    stranger = RSAKey.generate_key(2048, {"kid": key().kid or ""})
    refused = [
        None,
        "not.a.token",
        token(place, ours, signed_by=stranger),
        token(place, ours, iss="orgId:1"),
        token(place, ours, exp=now - 200),
        token(place, ours, exp=(now - 200) * 1000),
        token(place, ours, iat=now + 200),
        token(place, ours, exp=None),
        jwt.encode(
            {"alg": "HS256", "kid": key().kid},
            {"iss": f"orgId:{DEMO_ORG_ID}"},
            OctKey.import_key("a secret of thirty-two bytes or so"),
        ),
    ]
    assert [await post(place, each) for each in refused] == [401] * len(refused)
    assert waiting(place) == []


async def test_times_in_milliseconds(place: Place) -> None:
    """Desk's text and its example differ: both are understood."""
    ours = await subscribe(place)
    now = place.services.clock()
    assert await post(place, token(place, ours, iat=now, exp=now + 60_000)) == 200
    assert waiting(place) == ["42"]


@pytest.mark.both_engines
async def test_a_replay_is_harmless(place: Place) -> None:
    """Sent again, and with whatever in it, a request makes us read contacts again, once each."""
    ours = await subscribe(place)
    captured = token(place, ours)
    assert [await post(place, captured) for _ in range(3)] == [200] * 3
    assert waiting(place) == ["42"]
    invented = [
        {"payload": {"id": each}, "eventType": "Contact_Delete"} for each in ("7", "../x", "9" * 21, "")
    ]
    assert await post(place, captured, invented) == 200
    assert waiting(place) == ["42", "7"]
    before = place.services.store.read_now(lambda c: contacts.count(c, PORTAL))
    await place.services.syncing.work()
    assert place.services.store.read_now(lambda c: contacts.count(c, PORTAL)) == before
    assert waiting(place) == []


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"[1]", b"\xff", b'[{"payload": null}]'])
async def test_a_body_that_says_nothing(place: Place, body: bytes) -> None:
    """A genuine request whose body cannot be read is taken, for Desk would only send it again."""
    assert await post(place, token(place, await subscribe(place)), body) == 200
    assert waiting(place) == []


async def test_too_large(place: Place) -> None:
    """A body of more than a megabyte is not read."""
    assert await post(place, token(place, await subscribe(place)), b" " * (2**20 + 1)) == 413


async def test_nobody_wants_it(place: Place) -> None:
    """Another subscription than ours, an unknown portal, one that was unlinked: 410, which ends it."""
    ours = await subscribe(place)
    assert await post(place, token(place, "1")) == 410
    assert (await place.client.get(PATH)).status_code == 200
    assert (await place.client.get("/webhooks/desk/99")).status_code == 410
    place.services.store.write_now(lambda c: portals.change(c, PORTAL, state="unlinked"))
    assert await post(place, token(place, ours)) == 410
    assert (await place.client.get(PATH)).status_code == 410


async def test_turned_off_and_on(place: Place) -> None:
    """Off deletes the subscription at Desk, also one that somebody has deleted there; on adopts one."""
    ours = await subscribe(place)
    url = place.services.settings.public_url + PATH
    assert await place.services.desk_hooks.subscribe(PORTAL, url, "test") == ours
    await place.services.desk_hooks.unsubscribe(PORTAL, "test")
    assert await post(place, token(place, ours)) == 410
    with pytest.raises(CommandError):
        await place.services.desk_hooks.unsubscribe(PORTAL, "test")
    assert await place.services.desk_hooks.subscribe(PORTAL, url, "test") != ours
    portal = place.sandbox.state.desk.portal(DEMO_ORG_ID)
    assert portal is not None
    portal.webhooks.clear()
    await place.services.desk_hooks.unsubscribe(PORTAL, "test")


async def test_an_edition_without_webhooks(place: Place) -> None:
    """Desk's refusal is told, and nothing is left behind."""
    place.sandbox.state.config.orgs[0] = msgspec.structs.replace(
        place.sandbox.state.config.orgs[0], edition="Standard"
    )
    portal = place.sandbox.state.desk.portal(DEMO_ORG_ID)
    assert portal is not None
    portal.org = place.sandbox.state.config.orgs[0]
    with pytest.raises(Forbidden):
        await subscribe(place)
    assert await post(place, token(place, "1")) == 410


@pytest.mark.both_engines
async def test_a_flood_is_left_to_the_refresh(place: Place) -> None:
    """So many changes that a refresh reads them cheaper are dropped; deletions never are."""
    ours = await subscribe(place)
    told = [{"payload": {"id": str(n)}, "eventType": "Contact_Update"} for n in range(1_000, 1_300)]
    gone = [{"payload": {"id": "7"}, "eventType": "Contact_Delete"}]
    assert await post(place, token(place, ours), told + gone) == 200
    place.sandbox.state.requests.reset()
    await place.services.syncing.work()
    assert waiting(place) == []
    assert place.sandbox.state.requests.count(path="/api/v1/contacts/{id}") == 1
