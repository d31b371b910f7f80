"""Linking a portal, the whole way, once and again."""

import html
from collections.abc import Callable

import pytest

from connector.accounts import Flows
from connector.crypto import Encryptor
from connector.errors import SettingsError
from connector.sandbox.config import Org
from connector.settings import Secret
from connector.store import grants
from connector.store.portals import Portal
from connector.zoho.scopes import LINKING, names
from tests.integration.identity.browser import ADA_EU, Browser, query_of
from tests.integration.identity.conftest import ADDRESS, Services

pytestmark = pytest.mark.anyio
NewBrowser = Callable[[], Browser]
ORG, ORG_EU = "600000001", "600000002"


async def only_portal(services: Services) -> Portal:
    """Return the one portal there is."""
    (portal,) = await services.portals.list_portals()
    return portal


async def stored_refresh_token(services: Services, portal_id: int) -> str:
    """Return a portal's refresh token, opened."""
    grant = await services.store.read(lambda connection: grants.get(connection, portal_id))
    assert grant is not None
    return services.encryptor.decrypt(grant.sealed_refresh_token)


async def test_the_page_says_what_will_be_asked_and_why(admin: Browser) -> None:
    """Every scope stands there with its reason, and the address to register."""
    page = html.unescape((await admin.get("/connect")).text)
    assert all(scope.name in page and scope.why in page for scope in LINKING)
    assert f"{ADDRESS}/oauth/callback" in page


async def test_an_administrator_links_a_portal(services: Services, admin: Browser) -> None:
    """The portal is kept with organisation, edition, scopes and default department."""
    answer = await admin.link()
    portal = await only_portal(services)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/portals/{portal.id}")
    assert (portal.location, portal.org_id, portal.state) == ("us", ORG, "linked")
    assert (portal.name, portal.linked_by) == ("Harbour & Hill (US)", "ada@example.com")
    assert portal.scopes.split() == list(names(LINKING))
    assert portal.default_department_id is not None


async def test_the_portals_page_shows_what_works(services: Services, admin: Browser) -> None:
    """After linking, the permissions are tried; what is next is the set-up's."""
    page = await admin.get((await admin.link()).headers["location"])
    assert page.status_code == 200
    assert "Writing call records" in page.text
    assert "does not work." not in page.text
    assert "The set-up is not finished." in page.text


@pytest.mark.both_engines
async def test_the_portals_page_shows_what_does_not_work(services: Services, admin: Browser) -> None:
    """A permission that the agent lacks is named, and whose move it is."""
    where = (await admin.link()).headers["location"]
    portal = services.sandbox.state.desk.portal(ORG)
    assert portal is not None
    portal.denied.add("calls.view")
    page = (await admin.get(where)).text
    assert "Reading call records: does not work." in page
    assert "lacks the permission calls.view" in page
    assert "An administrator of Zoho Desk allows it in that profile" in page


async def test_the_consent_address_asks_for_a_lasting_grant(admin: Browser) -> None:
    """It is offline, with consent each time, PKCE, and the scopes separated by commas."""
    query = query_of(await admin.begin_linking())
    assert (query["access_type"], query["prompt"]) == ("offline", "consent")
    assert (query["redirect_uri"], query["code_challenge_method"]) == (f"{ADDRESS}/oauth/callback", "S256")
    assert query["scope"] == ",".join(names(LINKING))


async def test_going_on_to_zoho_is_no_redirect(admin: Browser) -> None:
    """A redirect after the POST would be stopped by form-action 'self'."""
    answer = await admin.post("/connect")
    assert (answer.status_code, "location" in answer.headers) == (200, False)
    assert "form-action 'self'" in answer.headers["content-security-policy"]


async def test_the_tokens_are_encrypted(services: Services, admin: Browser) -> None:
    """Neither token is in the database in the clear."""
    await admin.link()
    grant = await services.store.read(lambda connection: grants.get(connection, 1))
    assert grant is not None
    assert b"1000." not in grant.sealed_refresh_token + (grant.sealed_access_token or b"")


async def test_linking_is_audited(services: Services, admin: Browser) -> None:
    """The audit says who linked what, and when it was done again."""
    await admin.link()
    await admin.link()
    linked = [
        (entry.actor, entry.action) for entry in await services.audited() if entry.action.startswith("portal")
    ]
    assert linked == [("ada@example.com", "portal.linked"), ("ada@example.com", "portal.linked_again")]


@pytest.mark.both_engines
async def test_linking_again_replaces_the_grant(services: Services, admin: Browser) -> None:
    """The former refresh token is revoked at Zoho, the new one works, what was configured stays."""
    await admin.link()
    portal = await only_portal(services)
    before = await stored_refresh_token(services, portal.id)
    await services.portals.configure(portal.id, recording_field="cf_recordingurl", actor="test")
    await admin.link()
    again = await only_portal(services)
    assert (again.id, again.recording_field) == (portal.id, "cf_recordingurl")
    assert services.sandbox.state.tokens.find_refresh_token(before) is None
    assert await stored_refresh_token(services, portal.id) != before
    assert (await (await services.portals.desk(portal.id)).my_info()).email == "ada@example.com"


@pytest.mark.both_engines
async def test_a_department_that_takes_records_stays_the_default(services: Services, admin: Browser) -> None:
    """The department that was configured survives linking again."""
    await admin.link()
    portal = await only_portal(services)
    desk = await services.portals.desk(portal.id)
    chosen = next(each.id for each in await desk.departments() if each.id != portal.default_department_id)
    await services.portals.configure(portal.id, default_department_id=chosen, actor="test")
    await admin.link()
    assert (await only_portal(services)).default_department_id == chosen


async def test_a_portal_of_another_data_center_is_linked(services: Services, admin: Browser) -> None:
    """Tokens and Desk are those of the data centre that the callback names."""
    await admin.link(ADA_EU)
    portal = await only_portal(services)
    assert (portal.location, portal.org_id) == ("eu", ORG_EU)
    assert (await (await services.portals.desk(portal.id)).my_info()).email == "ada.eu@example.com"


async def test_two_organisations_are_two_portals(services: Services, admin: Browser) -> None:
    """Each has its own row, its own Desk, and its own grant."""
    await admin.link()
    await admin.link(ADA_EU)
    portals = await services.portals.list_portals()
    assert [portal.org_id for portal in portals] == [ORG, ORG_EU]
    emails = [(await (await services.portals.desk(portal.id)).my_info()).email for portal in portals]
    assert emails == ["ada@example.com", "ada.eu@example.com"]


@pytest.mark.parametrize("chosen", [ORG, "699000001"])
async def test_the_portal_chosen_at_zoho_is_the_one_linked(
    services: Services, admin: Browser, chosen: str
) -> None:
    """Of somebody's two portals it is the one that the consent page was told."""
    config = services.sandbox.state.config
    config.orgs.append(Org(org_id="699000001", name="Second", location="us"))
    config.users[0].orgs.append("699000001")
    assert (await admin.link(org_id=chosen)).status_code == 303
    assert (await only_portal(services)).org_id == chosen


async def test_missing_scopes_are_shown(services: Services, admin: Browser) -> None:
    """What was asked for and not granted is named on the portal's page."""
    url = (await admin.begin_linking()).replace("%2CDesk.tickets.READ", "")
    where = (await admin.get(await admin.consent(url))).headers["location"]
    page = (await admin.get(where)).text
    assert "Showing tickets: does not work." in page
    assert "The grant lacks the scope Desk.tickets.READ." in page
    assert "a grant never gains permissions later" in page


async def test_a_failing_revocation_does_not_undo_the_link(services: Services, admin: Browser) -> None:
    """The new grant stands, whatever becomes of the former one."""
    await admin.link()
    services.sandbox.state.revoke_all_grants()
    assert (await admin.link()).status_code == 303
    portal = await only_portal(services)
    assert (await (await services.portals.desk(portal.id)).my_info()).email == "ada@example.com"


async def test_linking_again_heals_a_lost_key(services: Services, admin: Browser) -> None:
    """After SECRET_KEY was lost the portal can be linked again, though the former grant cannot be opened."""
    await admin.link()
    services.encryptor = Encryptor([Secret("another key")])
    services.portals = services.another_portals()
    desk = await services.portals.desk(1)
    with pytest.raises(SettingsError, match="SECRET_KEY"):
        await desk.my_info()
    services.flows = Flows(services.store, services.encryptor, services.clock)
    assert (await admin.sign_in()).status_code == 303
    assert (await admin.link()).status_code == 303
    assert (await (await services.portals.desk(1)).my_info()).email == "ada@example.com"
