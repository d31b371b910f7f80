"""The check of everything: page and API tell the same, of the installation and of each portal."""

import html
from collections import Counter
from typing import Any

import pytest

from connector.crypto import Encryptor
from connector.sandbox.faults import Rule
from connector.sandbox.presets import DEMO_CLIENT_ID, DEMO_ORG_ID
from connector.sandbox.tokens import Grant
from connector.settings import Secret
from connector.store import audit, grants
from connector.web.auth import SESSION
from connector.zoho.scopes import linking, names
from tests.integration.pipeline.place import Place
from tests.integration.pipeline.test_admin import ask
from tests.integration.three_ways.ways import TOKEN

pytestmark = pytest.mark.anyio

CHECK = "/api/v1/check"
FIELD = "/api/v1/portals/1/recording-field"


async def page_of(place: Place, path: str = "/check", method: str = "GET") -> Any:
    """Open a page as an administrator."""
    await place.services.agents.add_agent("eve@example.com", "Eve", "administrator", actor="test")
    cookie = f"{SESSION}={await place.signed_in('eve@example.com')}"
    headers = {"cookie": cookie, "sec-fetch-site": "same-origin"}
    form = (
        TOKEN.search((await place.client.get("/setup", headers=headers)).text) if method == "POST" else None
    )
    data = {"token": form[1] or form[2]} if form else None
    return await place.client.request(method, path, headers=headers, data=data)


def checks_of(report: dict[str, Any], subject: int) -> dict[str, dict[str, Any]]:
    """Return a subject's checks by layer and what they are of."""
    return {f"{each['layer']}: {each['what']}": each for each in report["subjects"][subject]["checks"]}


@pytest.mark.both_engines
async def test_everything_is_looked_at_and_nothing_is_written(place: Place) -> None:
    """The installation first, then the portal; Desk is only read from, and page and API say the same."""
    report = (await ask(place, "administrator", CHECK)).json()
    assert [(each["name"], each["portal"]) for each in report["subjects"]] == [
        ("This installation", None),
        ("Zylker", 1),
    ]
    machine, portal = checks_of(report, 0), checks_of(report, 1)
    states = Counter(each["state"] for each in machine.values())
    # The address is this machine's own, and that is only a warning.
    assert (states["refused"], machine["address: PUBLIC_URL"]["state"]) == (0, "warning")
    assert machine["keys: SECRET_KEY"]["why"] == "3 stored secrets can be decrypted with the first key."
    assert {each["layer"] for each in machine.values()} == {
        *("database", "migrations", "keys", "clock", "disk", "address")
    }
    assert {each["state"] for each in portal.values()} == {"ok"}
    assert {each["layer"] for each in portal.values()} == {
        *("zoho", "grant", "scope", "licence", "profile", "sharing", "edition", "credits", "field", "reading")
    }
    sent = place.sandbox.state.requests.listing()
    assert {each.method for each in sent if each.path.startswith("/api/")} == {"GET"}
    page = html.unescape((await page_of(place)).text)
    assert "<h1>It works, and something wants a look</h1>" in page
    assert "PUBLIC_URL: look at this." in page
    for each in (*machine.values(), *portal.values()):
        assert each["what"] in page


async def test_who_may_look(place: Place) -> None:
    """It is for administrators: it costs credits, and tells of the machine."""
    for role in ("agent", "supervisor"):
        assert (await ask(place, role, CHECK)).status_code == 403
        assert (await ask(place, role, FIELD, "POST")).status_code == 403
    assert (await place.client.get(CHECK)).status_code == 401
    cookie = {"cookie": f"{SESSION}={await place.signed_in('ada@example.com')}"}
    assert (await place.client.get("/check", headers=cookie)).status_code == 403


async def test_one_portal(place: Place) -> None:
    """It can be asked for alone; what is no portal, or no question, is refused."""
    report = (await ask(place, "administrator", f"{CHECK}?portal=1")).json()
    assert [each["portal"] for each in report["subjects"]] == [1]
    answers = {
        query: (await ask(place, "administrator", f"{CHECK}?{query}")).status_code
        for query in ("portal=2", "portal=", "portal=x", "portals=1")
    }
    assert answers == {"portal=2": 404, "portal=": 422, "portal=x": 422, "portals=1": 422}


async def test_a_key_that_was_rotated_or_lost(place: Place) -> None:
    """Which secrets need a former key, or one that is not there, is counted over all tables."""
    services = place.services
    installation = services.self_check._installation
    first, *_ = services.settings.secret_key
    installation._encryptor = Encryptor([Secret("a newer key"), first])
    (keys,) = (each for each in (await installation.run()).checks if each.layer == "keys")
    assert (keys.state, keys.why) == (
        "warning",
        "3 stored secrets of 3 are still encrypted with a former key.",
    )
    installation._encryptor = Encryptor([Secret("another key")])
    (keys,) = (each for each in (await installation.run()).checks if each.layer == "keys")
    assert (keys.state, keys.why[:44]) == ("refused", "3 stored secrets of 3 cannot be decrypted: t")


async def test_tables_of_another_version(place: Place) -> None:
    """No portal is looked at then: what its row means is not known."""
    await place.services.store.write(
        lambda c: c.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    )
    report = (await ask(place, "administrator", CHECK)).json()
    assert report["state"] == "refused"
    assert [each["name"] for each in report["subjects"]] == ["This installation"]
    assert "connector migrate" in checks_of(report, 0)["migrations: Tables"]["remedy"]
    assert "Something stands in the way" in (await page_of(place)).text


async def test_making_the_recording_field(place: Place) -> None:
    """It is made once, however often it is asked for and whichever way, and used; an audit row says who."""
    place.sandbox.state.config.call_custom_fields = []
    refused = await ask(place, "administrator", FIELD, "POST")
    assert (refused.status_code, refused.json()["type"].rpartition(":")[2]) == (403, "scope_missing")
    await _widen(place)
    made = (await ask(place, "administrator", FIELD, "POST", json={})).json()
    assert made == {"portal": 1, "recording_field": "cf_recording"}
    again = await page_of(place, "/portals/1/recording-field", "POST")
    assert (again.status_code, again.headers["location"]) == (303, "/portals/1")
    assert place.sandbox.state.requests.count(method="POST", path="/api/v1/fields", status=201) == 1
    entries = await place.services.store.read(audit.newest)
    told = [(each.action, each.detail) for each in entries if "recording_field" in each.detail]
    assert told == [("portal.changed", "recording_field: cf_recording")]


async def test_a_field_whose_answer_is_lost(place: Place) -> None:
    """It is looked for before anybody would make another one."""
    place.sandbox.state.config.call_custom_fields = []
    await _widen(place)
    place.sandbox.state.faults.add(Rule(kind="drop", path_prefix="/api/v1/fields", method="POST", times=1))
    made = (await ask(place, "administrator", FIELD, "POST")).json()
    assert made["recording_field"] == "cf_recording"
    assert place.sandbox.state.requests.count(method="POST", path="/api/v1/fields") == 1


async def _widen(place: Place) -> None:
    """Have a grant that may make fields, as linking with DESK_FIELDS gives."""
    world, scopes = place.sandbox.state, names(linking(webhooks=False, fields=True))
    grant = Grant(
        client_id=DEMO_CLIENT_ID,
        zuid=world.config.users[0].zuid,
        location="us",
        scopes=frozenset(scope.lower() for scope in scopes),
        scope_text=" ".join(scopes),
        org_id=DEMO_ORG_ID,
    )
    refresh = world.tokens.add_refresh_token(grant)
    given = (refresh.token, world.tokens.add_access_token(grant, refresh).token)
    kept, now = [place.services.encryptor.encrypt(each) for each in given], place.services.clock()
    await place.services.store.write(
        lambda c: grants.put(c, 1, kept[0], kept[1], expires_at=now + 3_000_000, now=now)
    )
    place.services.portals._desks.clear()
