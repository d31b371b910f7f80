"""Linking a portal, the whole way, and every way in which it comes to nothing."""

import html
from collections.abc import Callable

import pytest

from connector.errors import GrantLost, NotFound, SettingsError
from connector.people import Flows
from connector.sandbox.config import Org
from connector.sandbox.faults import Rule
from connector.sealing import Sealer
from connector.settings import Secret
from connector.store import grants
from connector.store.portals import Portal
from connector.zoho.scopes import LINKING, names
from tests.integration.identity.browser import ADA_EU, ADA_UK, BRUNO, NILS, Browser, query_of
from tests.integration.identity.conftest import ADDRESS, House

pytestmark = pytest.mark.anyio
NewBrowser = Callable[[], Browser]
ORG, ORG_EU = "600000001", "600000002"


async def only_portal(house: House) -> Portal:
    """Answer the one portal there is."""
    (portal,) = await house.portals.list_portals()
    return portal


async def stored_refresh_token(house: House, portal_id: int) -> str:
    """Answer a portal's refresh token, opened."""
    grant = await house.store.read(lambda connection: grants.get(connection, portal_id))
    assert grant is not None
    return house.sealer.open(grant.sealed_refresh_token)


async def nothing_kept(house: House) -> bool:
    """Answer whether no portal is there, and no use of one is in the audit."""
    audited = {entry.action for entry in await house.audited()}
    return await house.portals.list_portals() == [] and audited <= {"agent.added", "agent.bound"}


async def test_the_page_says_what_will_be_asked_and_why(admin: Browser) -> None:
    """Every scope stands there with its reason, and the address to register."""
    page = html.unescape((await admin.get("/connect")).text)
    assert all(scope.name in page and scope.why in page for scope in LINKING)
    assert f"{ADDRESS}/oauth/callback" in page


async def test_an_administrator_links_a_portal(house: House, admin: Browser) -> None:
    """The portal is kept with organisation, edition, scopes and default department."""
    answer = await admin.link()
    portal = await only_portal(house)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/portals/{portal.id}")
    assert (portal.location, portal.org_id, portal.state) == ("us", ORG, "linked")
    assert (portal.name, portal.linked_by) == ("Harbour & Hill (US)", "ada@example.com")
    assert portal.scopes.split() == list(names(LINKING))
    assert portal.default_department_id is not None


async def test_the_portals_page_shows_what_works(house: House, admin: Browser) -> None:
    """After linking, the permissions are tried and the next steps told."""
    page = await admin.get((await admin.link()).headers["location"])
    assert page.status_code == 200
    assert page.text.count("works.") == 5
    assert "connector phones add" in page.text


async def test_the_portals_page_shows_what_does_not_work(house: House, admin: Browser) -> None:
    """A permission that the agent lacks is named, and whose move it is."""
    where = (await admin.link()).headers["location"]
    portal = house.sandbox.world.desk.portal(ORG)
    assert portal is not None
    portal.denied.add("calls.view")
    page = (await admin.get(where)).text
    assert "Call records: does not work." in page
    assert "permissions that are missing in Desk" in page


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


async def test_the_tokens_are_sealed(house: House, admin: Browser) -> None:
    """Neither token is in the database in the clear."""
    await admin.link()
    grant = await house.store.read(lambda connection: grants.get(connection, 1))
    assert grant is not None
    assert b"1000." not in grant.sealed_refresh_token + (grant.sealed_access_token or b"")


async def test_linking_is_audited(house: House, admin: Browser) -> None:
    """The audit says who linked what, and when it was done again."""
    await admin.link()
    await admin.link()
    linked = [
        (entry.actor, entry.action) for entry in await house.audited() if entry.action.startswith("portal")
    ]
    assert linked == [("ada@example.com", "portal.linked"), ("ada@example.com", "portal.linked_again")]


async def test_linking_again_replaces_the_grant(house: House, admin: Browser) -> None:
    """The former refresh token is revoked at Zoho, the new one works, what was configured stays."""
    await admin.link()
    portal = await only_portal(house)
    before = await stored_refresh_token(house, portal.id)
    await house.portals.configure(portal.id, recording_field="cf_recordingurl", actor="test")
    await admin.link()
    again = await only_portal(house)
    assert (again.id, again.recording_field) == (portal.id, "cf_recordingurl")
    assert house.sandbox.world.tokens.find_refresh_token(before) is None
    assert await stored_refresh_token(house, portal.id) != before
    assert (await (await house.portals.desk(portal.id)).my_info()).email == "ada@example.com"


async def test_a_department_that_takes_records_stays_the_default(house: House, admin: Browser) -> None:
    """The department that was configured survives linking again."""
    await admin.link()
    portal = await only_portal(house)
    desk = await house.portals.desk(portal.id)
    chosen = next(each.id for each in await desk.departments() if each.id != portal.default_department_id)
    await house.portals.configure(portal.id, default_department_id=chosen, actor="test")
    await admin.link()
    assert (await only_portal(house)).default_department_id == chosen


async def test_a_portal_of_another_data_center_is_linked(house: House, admin: Browser) -> None:
    """Tokens and Desk are those of the data centre that the callback names."""
    await admin.link(ADA_EU)
    portal = await only_portal(house)
    assert (portal.location, portal.org_id) == ("eu", ORG_EU)
    assert (await (await house.portals.desk(portal.id)).my_info()).email == "ada.eu@example.com"


async def test_two_organisations_are_two_portals(house: House, admin: Browser) -> None:
    """Each has its own row, its own Desk, and its own grant."""
    await admin.link()
    await admin.link(ADA_EU)
    portals = await house.portals.list_portals()
    assert [portal.org_id for portal in portals] == [ORG, ORG_EU]
    emails = [(await (await house.portals.desk(portal.id)).my_info()).email for portal in portals]
    assert emails == ["ada@example.com", "ada.eu@example.com"]


@pytest.mark.parametrize("chosen", [ORG, "699000001"])
async def test_the_portal_chosen_at_zoho_is_the_one_linked(house: House, admin: Browser, chosen: str) -> None:
    """Of somebody's two portals it is the one that the consent page was told."""
    config = house.sandbox.world.config
    config.orgs.append(Org(org_id="699000001", name="Second", location="us"))
    config.users[0].orgs.append("699000001")
    assert (await admin.link(org_id=chosen)).status_code == 303
    assert (await only_portal(house)).org_id == chosen


async def test_only_administrators_link(house: House, new_browser: NewBrowser, admin: Browser) -> None:
    """Agents and strangers are told; a callback that was meant for another person links nothing."""
    await house.agents.add_agent("bruno@example.com", "Bruno", "supervisor", actor="test")
    bruno, stranger = new_browser(), new_browser()
    await bruno.sign_in(BRUNO)
    for who, status in ((bruno, 403), (stranger, 401)):
        answers = [
            await who.get("/connect"),
            await who.post("/connect"),
            await who.get("/oauth/callback?code=x&state=y"),
            await who.get("/portals/1"),
        ]
        assert [answer.status_code for answer in answers] == 4 * [status]
    assert "/login?next=%2Fconnect" in (await stranger.get("/connect")).text
    assert await nothing_kept(house)


async def test_another_site_cannot_begin_to_link(admin: Browser) -> None:
    """A form elsewhere that posts to us is refused."""
    assert (await admin.post("/connect", origin="https://evil.example")).status_code == 403
    crossing = {"Sec-Fetch-Site": "cross-site"}
    assert (await admin.post("/connect", headers=crossing)).status_code == 403


async def test_a_refusal_keeps_nothing(house: House, admin: Browser) -> None:
    """Rejecting at Zoho is told, with the way to begin again."""
    answer = await admin.link(decision="deny")
    assert (answer.status_code, "Zoho was told no" in answer.text) == (403, True)
    assert "Link again" in answer.text
    assert await nothing_kept(house)


async def test_somebody_without_desk_is_told(house: House, admin: Browser) -> None:
    """Zoho's no_org is a page of its own."""
    answer = await admin.get(await no_org(admin))
    assert (answer.status_code, "no account in Zoho Desk" in answer.text) == (403, True)
    assert await nothing_kept(house)


async def no_org(browser: Browser) -> str:
    """Go to Zoho as Nils, who has no seat, and press 'Back to app'."""
    url = await browser.begin_linking()
    return await browser.consent(url, NILS, decision="back")


async def test_a_wrong_state_keeps_nothing(house: House, admin: Browser) -> None:
    """A state that nobody began is refused before anything is sent."""
    url = await admin.consent(await admin.begin_linking())
    state = query_of(url)["state"]
    answer = await admin.get(url.replace(state, "x" * len(state)))
    assert (answer.status_code, "This attempt is over" in answer.text) == (400, True)
    assert await nothing_kept(house)


async def test_a_replayed_callback_changes_nothing(house: House, admin: Browser) -> None:
    """The second time the state is used up, and the portal is as it was."""
    url = await admin.consent(await admin.begin_linking())
    await admin.get(url)
    before = await only_portal(house)
    answer = await admin.get(url)
    assert (answer.status_code, "This attempt is over" in answer.text) == (400, True)
    assert await only_portal(house) == before


async def test_a_sign_ins_state_links_nothing(house: House, admin: Browser) -> None:
    """A callback of one kind cannot be brought to the other's address."""
    url = await admin.consent(await admin.begin())
    answer = await admin.get(url.replace("/login/callback", "/oauth/callback"))
    assert answer.status_code == 400
    assert await nothing_kept(house)


async def test_somebody_elses_attempt_links_nothing(house: House, admin: Browser) -> None:
    """Who signs in as another administrator in between begins again."""
    await house.agents.add_agent("bruno@example.com", "Bruno", "administrator", actor="test")
    url = await admin.consent(await admin.begin_linking())
    await admin.sign_in(BRUNO)
    assert (await admin.get(url)).status_code == 400
    assert await nothing_kept(house)


async def test_a_wrong_secret_keeps_nothing(house: House, admin: Browser) -> None:
    """The page says which setting to look at."""
    house.secrets["us"] = "wrong-secret"
    answer = await admin.link()
    assert (answer.status_code, "Zoho does not take our client" in answer.text) == (502, True)
    assert "wrong-secret" not in answer.text
    assert await nothing_kept(house)


async def test_a_data_center_without_desk_is_sent_nothing(house: House, admin: Browser) -> None:
    """The code is not even exchanged where there is no Desk."""
    uk = house.sandbox.world.config.user(ADA_UK)
    assert uk is not None
    uk.orgs = [ORG]
    url = await admin.consent(await admin.begin_linking(), ADA_UK)
    house.sandbox.world.requests.reset()
    answer = await admin.get(url)
    assert (answer.status_code, "No Zoho Desk there" in answer.text) == (400, True)
    assert house.asked("/oauth/v2/token") == 0
    assert await nothing_kept(house)


async def test_a_missing_refresh_token_keeps_nothing(house: House, admin: Browser) -> None:
    """Access for an hour is no link."""
    url = (await admin.begin_linking()).replace("access_type=offline", "access_type=online")
    answer = await admin.get(await admin.consent(url))
    assert (answer.status_code, "access for an hour only" in answer.text) == (502, True)
    assert await nothing_kept(house)


async def test_a_grant_that_reaches_nothing_is_given_back(house: House, admin: Browser) -> None:
    """Where Desk knows no organisation for the person, the grant is revoked at Zoho and not kept."""
    url = await admin.consent(await admin.begin_linking())
    house.sandbox.world.config.users[0].orgs.clear()
    answer = await admin.get(url)
    assert answer.status_code == 403
    assert await nothing_kept(house)
    assert house.asked("/oauth/v2/revoke/token") == 1


async def test_missing_scopes_are_shown(house: House, admin: Browser) -> None:
    """What was asked for and not granted is named on the portal's page."""
    url = (await admin.begin_linking()).replace("%2CDesk.tickets.READ", "")
    where = (await admin.get(await admin.consent(url))).headers["location"]
    page = (await admin.get(where)).text
    assert "Missing: Desk.tickets.READ" in page
    assert "a grant never gains permissions later" in page


async def test_zoho_being_down_keeps_nothing(house: House, admin: Browser) -> None:
    """An outage in the middle is told as Zoho's, and the grant is given back."""
    house.sandbox.world.faults.add(Rule(kind="server_error", path_prefix="/api/v1/departments"))
    answer = await admin.link()
    assert (answer.status_code, "Zoho does not answer" in answer.text) == (502, True)
    assert await nothing_kept(house)
    assert house.asked("/oauth/v2/revoke/token") == 1


async def test_a_failing_revocation_does_not_undo_the_link(house: House, admin: Browser) -> None:
    """The new grant stands, whatever becomes of the former one."""
    await admin.link()
    house.sandbox.world.revoke_all_grants()
    assert (await admin.link()).status_code == 303
    portal = await only_portal(house)
    assert (await (await house.portals.desk(portal.id)).my_info()).email == "ada@example.com"


async def test_linking_again_heals_a_lost_key(house: House, admin: Browser) -> None:
    """After SECRET_KEY was lost the portal can be linked again, though the former grant cannot be opened."""
    await admin.link()
    house.sealer = Sealer([Secret("another key")])
    house.portals = house.another_portals()
    desk = await house.portals.desk(1)
    with pytest.raises(SettingsError, match="SECRET_KEY"):
        await desk.my_info()
    house.flows = Flows(house.store, house.sealer, house.clock)
    assert (await admin.link()).status_code == 303
    assert (await (await house.portals.desk(1)).my_info()).email == "ada@example.com"


async def test_there_is_no_portal_before_linking(house: House, admin: Browser) -> None:
    """Asking for one is told, as exception and as page."""
    with pytest.raises(NotFound):
        await house.portals.get(1)
    assert (await admin.get("/portals/1")).status_code == 404


async def test_a_lost_grant_is_shown_on_the_portals_page(house: House, admin: Browser) -> None:
    """The page says that the portal has to be linked again, and that nothing is dropped."""
    where = (await admin.link()).headers["location"]
    house.sandbox.world.revoke_all_grants()
    page = (await admin.get(where)).text
    assert "has to be linked again" in page
    assert "nothing is dropped" in page
    with pytest.raises(GrantLost):
        await house.portals.desk(1)
