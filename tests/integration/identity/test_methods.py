"""Several authentication methods: each flow and each portal keeps to its own."""

import re

import msgspec
import pytest

from connector.errors import GrantLost, InvalidValue, MethodDisabled, NoMethod
from connector.phone_systems import PhoneSystems
from connector.portals import Methods
from connector.portals.methods import MethodView
from connector.sandbox.presets import SECOND_CLIENT_ID, client_secret
from connector.store.phones import PhoneSystem
from connector.zoho.actions import WEBHOOKS
from connector.zoho.scopes import asked_for
from connector.zoho.scopes import names as names_of
from tests.integration.identity.browser import ADA_EU, Browser, query_of
from tests.integration.identity.conftest import Services
from tests.integration.identity.test_linking import only_portal, stored_refresh_token

pytestmark = pytest.mark.anyio
REVOKED = "/oauth/v2/revoke/token"


@pytest.fixture
async def second(services: Services) -> MethodView:
    """Have a second client, with a secret of its own at eu, enabled as a sandbox."""
    added = await services.methods.add(
        name="Second",
        location="us",
        client_id=SECOND_CLIENT_ID,
        secret=client_secret(SECOND_CLIENT_ID, "us"),
        secrets={"eu": client_secret(SECOND_CLIENT_ID, "eu")},
        features=["webhooks"],
        actor="test",
    )
    assert added.id is not None
    return await services.methods.enable(added.id, environment="sandbox", actor="test")


@pytest.mark.both_engines
async def test_a_portal_keeps_to_the_method_it_was_authorised_with(
    services: Services, admin: Browser, second: MethodView
) -> None:
    """Consent names its client and the scopes of its features; its secret at the data centre refreshes."""
    query = query_of(await admin.begin_linking(str(second.id)))
    assert query["client_id"] == SECOND_CLIENT_ID
    assert set(names_of(asked_for([WEBHOOKS]))) <= set(query["scope"].split(","))
    await admin.link(ADA_EU, method=str(second.id))
    portal = await only_portal(services)
    assert (portal.location, portal.method_id, portal.client_id) == ("eu", second.id, SECOND_CLIENT_ID)
    services.sandbox.state.clock.advance(3_600)
    await (await services.portals.desk(portal.id)).my_info()
    page = (await admin.get("/portals/1")).text
    assert "what goes through Second does not reach the Zoho Desk that agents work in" in page


async def test_what_one_began_the_other_never_exchanges(
    services: Services, admin: Browser, second: MethodView
) -> None:
    """A code for one client that comes back to the flow of the other is refused: nothing is linked."""
    of_ours = await admin.begin_linking("settings")
    of_second = await admin.begin_linking(str(second.id))
    foreign = query_of(await admin.consent(of_second))["code"]
    state = query_of(of_ours)["state"]
    answer = await admin.get(f"/oauth/callback?state={state}&code={foreign}&location=us")
    assert answer.status_code == 400
    assert await services.portals.list_portals() == []
    own = await admin.get(await admin.consent(await admin.begin_linking(str(second.id))))
    assert (own.status_code, (await only_portal(services)).client_id) == (303, SECOND_CLIENT_ID)


async def test_another_method_takes_a_portal_over(
    services: Services, admin: Browser, second: MethodView
) -> None:
    """Linking again with another one gives the former grant back with the client that it belongs to."""
    await admin.link()
    former = await stored_refresh_token(services, 1)
    await admin.link(method=str(second.id))
    portal = await only_portal(services)
    assert (portal.method_id, portal.client_id) == (second.id, SECOND_CLIENT_ID)
    assert services.sandbox.state.tokens.find_refresh_token(former) is None
    assert services.asked(REVOKED) == 1


async def test_a_disabled_method_stops_its_portals_alone(
    services: Services, admin: Browser, second: MethodView
) -> None:
    """Nothing goes to Desk until it is enabled again, and nothing else stops."""
    assert second.id is not None
    await admin.link(method=str(second.id))
    await admin.link(ADA_EU)
    assert list(await services.methods.consequences(second.id)) == ["Harbour & Hill (US)"]
    await services.methods.disable(second.id, actor="test")
    with pytest.raises(MethodDisabled):
        await services.portals.desk(1)
    assert (await admin.post("/connect", data={"method": str(second.id)})).status_code == 503
    await services.portals.desk(2)
    assert (await admin.get("/portals/1")).status_code == 200
    await services.methods.enable(second.id, environment="production", actor="test")
    await services.portals.desk(1)
    assert list(await services.methods.marks()) == []


async def test_a_replaced_secret_counts_at_once(services: Services, second: MethodView) -> None:
    """In every process, as soon as it is written; the new one is not shown, and the audit has none."""
    assert second.id is not None
    before = await services.methods.oauth(second.id)
    assert await services.methods.oauth(second.id) is before
    await services.methods.change(second.id, secret="another", secrets={"eu": ""}, actor="test")
    assert await services.methods.oauth(second.id) is not before
    assert list((await services.methods.get(second.id)).secrets) == []
    details = [entry.detail for entry in await services.audited() if entry.action == "method.changed"]
    assert details == ["secret: replaced; secrets: replaced"]


async def test_what_is_used_stays(services: Services, admin: Browser, second: MethodView) -> None:
    """A method with a portal keeps its client and is not removed; once it is unlinked, it goes."""
    assert second.id is not None
    await admin.link(method=str(second.id))
    with pytest.raises(InvalidValue, match=r"is used by Harbour & Hill \(US\)"):
        await services.methods.remove(second.id, actor="test")
    with pytest.raises(InvalidValue, match="were authorised with the client"):
        await services.methods.change(second.id, client_id="1000.X", secret="x", actor="test")
    await services.administration.unlink(1, actor="test")
    await services.methods.remove(second.id, actor="test")
    assert [each.name for each in await services.methods.list()] == ["From the settings"]


async def test_without_a_client_there_are_methods_alone(
    services: Services, browser: Browser, second: MethodView
) -> None:
    """Where the settings name none, the first enabled one serves; where there is none, a page says so."""
    assert second.id is not None
    alone = Methods(
        services.store, services.clock, services.encryptor, services.http, services.data_centers, None
    )
    assert (await alone.default()).id == second.id
    await services.methods.disable(second.id, actor="test")
    with pytest.raises(NoMethod):
        await alone.default()
    services.methods = alone
    answer = await browser.get("/login")
    assert (answer.status_code, "/setup" in answer.text) == (503, True)


async def test_a_phone_system_is_bound_to_a_sandbox_only_when_that_is_confirmed(
    services: Services, admin: Browser, second: MethodView
) -> None:
    """Whether it is added or moved there; production asks for nothing."""
    await admin.link(method=str(second.id))
    await admin.link(ADA_EU)
    systems = PhoneSystems(services.store, services.encryptor, services.clock)
    phone = PhoneSystem(
        id=0, uid="", slug="paris", name="P", portal_id=1, dialect="neutral", country="FR", time_zone="UTC"
    )
    with pytest.raises(InvalidValue, match="a sandbox of Zoho's") as refused:
        await systems.add(phone, "test")
    assert (refused.value.pointer, await systems.list_all()) == ("/agreed", [])
    await systems.add(msgspec.structs.replace(phone, portal_id=2), "test")
    with pytest.raises(InvalidValue, match="a sandbox of Zoho's"):
        await systems.change("paris", {"portal_id": 1}, "test")
    await systems.change("paris", {"portal_id": 1}, "test", agreed=True)


async def test_revoking_and_unlinking(services: Services, admin: Browser) -> None:
    """The grant is gone at Zoho and here, what waits is told first, and settings stay for the next time."""
    await admin.link()
    token = await stored_refresh_token(services, 1)
    await services.administration.revoke(1, actor="test")
    assert services.sandbox.state.tokens.find_refresh_token(token) is None
    with pytest.raises(GrantLost):
        await services.portals.desk(1)
    await admin.link()
    department = (await only_portal(services)).default_department_id
    page = (await admin.get("/portals/1/unlink")).text
    assert "0 records wait for Zoho Desk now." in page
    answer = await admin.fill_in("/portals/1/unlink")
    assert (answer.status_code, answer.headers["location"]) == (303, "/portals")
    portal = await only_portal(services)
    assert (portal.state, portal.method_id, portal.default_department_id) == ("unlinked", None, department)
    actions = [entry.action for entry in await services.audited() if entry.action.startswith("portal.")]
    assert actions == ["portal.linked", "portal.revoked", "portal.linked_again", "portal.unlinked"]


async def test_settings_are_given_by_name(services: Services, admin: Browser) -> None:
    """The page shows names and takes names; one that several have is refused beside its field."""
    await admin.link()
    portal, desk = await only_portal(services), await services.portals.desk(1)
    (chosen,) = [each for each in await desk.departments() if str(each.id) == portal.default_department_id]
    page = (await admin.get("/portals/1/settings")).text
    assert re.search(rf'<input[^>]*name="default_department_id"[^>]*value="{chosen.name}"', page)
    given = {"recording_links": "connector", "recording_downloads": "nobody"}
    answer = await admin.fill_in("/portals/1/settings", default_owner_id="Bruno Keller", **given)
    assert answer.status_code == 303, answer.text
    owner = (await only_portal(services)).default_owner_id
    assert str(owner).isdecimal()
    bruno = services.sandbox.state.config.user("675000002")
    assert bruno is not None
    bruno.first_name, bruno.last_name = "Ada", "Fontaine"
    refused = await admin.fill_in("/portals/1/settings", default_owner_id="Ada Fontaine", **given)
    assert (refused.status_code, "Several are called" in refused.text) == (422, True)
