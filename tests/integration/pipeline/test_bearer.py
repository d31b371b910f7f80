"""A banner inside another site's frame brings its session as a bearer: the same session, and nothing more."""

import pytest

from connector.store import users
from connector.web.auth import FOR_BANNERS
from tests.integration.pipeline.place import Place

pytestmark = pytest.mark.anyio

ADA = "ada@example.com"


async def token_of(place: Place) -> str:
    """Open a session of an agent and return its token."""
    user = await place.services.store.read(lambda c: users.by_email(c, ADA))
    assert user is not None
    return await place.services.sessions.open(user)


def bearer(token: str) -> dict[str, str]:
    """Return the header that brings it, from a page of another site."""
    return {
        "authorization": f"Bearer {token}",
        "origin": "https://desk.example",
        "sec-fetch-site": "cross-site",
    }


async def test_it_is_the_same_session(place: Place) -> None:
    """Read and write without cookie, origin or X-Requested-With; a revoked one is out at once."""
    token = await token_of(place)
    await place.post(place.event("ringing", "c-1", agent="1001"))
    found = await place.client.get("/api/contacts/search?text=nobody", headers=bearer(token))
    assert found.status_code == 200
    chosen = await place.client.post("/api/calls/1/contact", json={"contact": None}, headers=bearer(token))
    assert chosen.status_code == 200, chosen.text
    await place.services.sessions.end(token)
    over = await place.client.post("/api/calls/1/contact", json={"contact": None}, headers=bearer(token))
    assert over.status_code == 401


async def test_it_opens_nothing_but_the_banner(place: Place) -> None:
    """Neither pages nor the API of programs, where a bearer is a key."""
    token = await token_of(place)
    for path in ("/banner", "/calls", "/api/v1/people", "/api/admin/phones", "/api/contacts/lookup?number=1"):
        assert not path.startswith(FOR_BANNERS)
        assert (await place.client.get(path, headers=bearer(token))).status_code == 401, path


async def test_never_by_both(place: Place) -> None:
    """Who brings a bearer is judged by it alone, whatever cookie comes along; a key opens no stream."""
    cookie = {"cookie": f"connector-session={await place.signed_in(ADA)}"}
    key = await place.services.keys.add_key("wallboard", actor="test")
    for wrong in ("x" * 43, "x", key):
        headers = bearer(wrong) | cookie
        assert (await place.client.get("/api/banner/stream", headers=headers)).status_code == 401
    writes = await place.client.post(
        "/api/calls/1/contact", json={"contact": None}, headers=bearer("x" * 43) | cookie
    )
    assert writes.status_code == 401


async def test_a_cookie_still_has_to_show_its_origin(place: Place) -> None:
    """What a bearer need not, a cookie must: another scheme of Authorization changes nothing."""
    headers = {"cookie": f"connector-session={await place.signed_in(ADA)}", "x-requested-with": "connector"}
    headers |= {"authorization": "Basic eDp5", "sec-fetch-site": "cross-site"}
    answer = await place.client.post("/api/calls/1/contact", json={"contact": None}, headers=headers)
    assert answer.status_code == 403
