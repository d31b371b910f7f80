"""Every way in which linking a portal comes to nothing, and leaves nothing behind."""

from collections.abc import Callable

import pytest

from connector.errors import GrantLost, NotFound
from connector.sandbox.faults import Rule
from tests.integration.identity.browser import ADA_UK, BRUNO, NILS, Browser, query_of
from tests.integration.identity.conftest import Services
from tests.integration.identity.test_linking import ORG, only_portal

pytestmark = pytest.mark.anyio
NewBrowser = Callable[[], Browser]


async def nothing_kept(services: Services) -> bool:
    """Tell whether no portal is there, and no use of one is in the audit."""
    audited = {entry.action for entry in await services.audited()}
    return await services.portals.list_portals() == [] and audited <= {"agent.added", "agent.bound"}


async def test_only_administrators_link(services: Services, new_browser: NewBrowser, admin: Browser) -> None:
    """Agents and strangers are told; a callback that was meant for another person links nothing."""
    await services.agents.add_agent("bruno@example.com", "Bruno", "supervisor", actor="test")
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
    assert await nothing_kept(services)


async def test_another_site_cannot_begin_to_link(admin: Browser) -> None:
    """A form elsewhere that posts to us is refused."""
    assert (await admin.post("/connect", origin="https://evil.example")).status_code == 403
    crossing = {"Sec-Fetch-Site": "cross-site"}
    assert (await admin.post("/connect", headers=crossing)).status_code == 403


async def test_a_refusal_keeps_nothing(services: Services, admin: Browser) -> None:
    """Rejecting at Zoho is told, with the way to begin again."""
    answer = await admin.link(decision="deny")
    assert (answer.status_code, "Access was declined at Zoho" in answer.text) == (403, True)
    assert "Link again" in answer.text
    assert await nothing_kept(services)


async def test_somebody_without_desk_is_told(services: Services, admin: Browser) -> None:
    """Zoho's no_org is a page of its own."""
    answer = await admin.get(await no_org(admin))
    assert (answer.status_code, "no account in Zoho Desk" in answer.text) == (403, True)
    assert await nothing_kept(services)


async def no_org(browser: Browser) -> str:
    """Go to Zoho as Nils, who has no seat, and press 'Back to app'."""
    url = await browser.begin_linking()
    return await browser.consent(url, NILS, decision="back")


async def test_a_wrong_state_keeps_nothing(services: Services, admin: Browser) -> None:
    """A state that nobody began is refused before anything is sent."""
    url = await admin.consent(await admin.begin_linking())
    state = query_of(url)["state"]
    answer = await admin.get(url.replace(state, "x" * len(state)))
    assert (answer.status_code, "This attempt is over" in answer.text) == (400, True)
    assert await nothing_kept(services)


async def test_a_replayed_callback_changes_nothing(services: Services, admin: Browser) -> None:
    """The second time the state is used up, and the portal is as it was."""
    url = await admin.consent(await admin.begin_linking())
    await admin.get(url)
    before = await only_portal(services)
    answer = await admin.get(url)
    assert (answer.status_code, "This attempt is over" in answer.text) == (400, True)
    assert await only_portal(services) == before


async def test_a_sign_ins_state_links_nothing(services: Services, admin: Browser) -> None:
    """A callback of one kind cannot be brought to the other's address."""
    url = await admin.consent(await admin.begin())
    answer = await admin.get(url.replace("/login/callback", "/oauth/callback"))
    assert answer.status_code == 400
    assert await nothing_kept(services)


async def test_somebody_elses_attempt_links_nothing(services: Services, admin: Browser) -> None:
    """Who signs in as another administrator in between begins again."""
    await services.agents.add_agent("bruno@example.com", "Bruno", "administrator", actor="test")
    url = await admin.consent(await admin.begin_linking())
    await admin.sign_in(BRUNO)
    assert (await admin.get(url)).status_code == 400
    assert await nothing_kept(services)


async def test_a_wrong_secret_keeps_nothing(services: Services, admin: Browser) -> None:
    """The page says which setting to look at."""
    services.secrets["us"] = "wrong-secret"
    answer = await admin.link()
    assert (answer.status_code, "Zoho does not accept the client" in answer.text) == (502, True)
    assert "wrong-secret" not in answer.text
    assert await nothing_kept(services)


async def test_a_data_center_without_desk_is_sent_nothing(services: Services, admin: Browser) -> None:
    """The code is not even exchanged where there is no Desk."""
    uk = services.sandbox.state.config.user(ADA_UK)
    assert uk is not None
    uk.orgs = [ORG]
    url = await admin.consent(await admin.begin_linking(), ADA_UK)
    services.sandbox.state.requests.reset()
    answer = await admin.get(url)
    assert answer.status_code == 400
    assert "No address of Zoho Desk is known there" in answer.text
    assert "ZOHO_DATA_CENTERS=uk=" in answer.text
    assert "has no Zoho Desk" not in answer.text
    assert services.asked("/oauth/v2/token") == 0
    assert await nothing_kept(services)


async def test_a_missing_refresh_token_keeps_nothing(services: Services, admin: Browser) -> None:
    """Access for an hour is no link."""
    url = (await admin.begin_linking()).replace("access_type=offline", "access_type=online")
    answer = await admin.get(await admin.consent(url))
    assert (answer.status_code, "access for an hour only" in answer.text) == (502, True)
    assert await nothing_kept(services)


async def test_a_grant_that_reaches_nothing_is_given_back(services: Services, admin: Browser) -> None:
    """Where Desk knows no organisation for the person, the grant is revoked at Zoho and not kept."""
    url = await admin.consent(await admin.begin_linking())
    services.sandbox.state.config.users[0].orgs.clear()
    answer = await admin.get(url)
    assert answer.status_code == 403
    assert await nothing_kept(services)
    assert services.asked("/oauth/v2/revoke/token") == 1


async def test_zoho_being_down_keeps_nothing(services: Services, admin: Browser) -> None:
    """An outage in the middle is told as Zoho's, and the grant is given back."""
    services.sandbox.state.faults.add(Rule(kind="server_error", path_prefix="/api/v1/departments"))
    answer = await admin.link()
    assert (answer.status_code, "Zoho does not answer" in answer.text) == (502, True)
    assert await nothing_kept(services)
    assert services.asked("/oauth/v2/revoke/token") == 1


async def test_there_is_no_portal_before_linking(services: Services, admin: Browser) -> None:
    """Asking for one is told, as exception and as page."""
    with pytest.raises(NotFound):
        await services.portals.get(1)
    assert (await admin.get("/portals/1")).status_code == 404


async def test_a_lost_grant_is_shown_on_the_portals_page(services: Services, admin: Browser) -> None:
    """The page says that the portal has to be linked again, and that nothing is dropped."""
    where = (await admin.link()).headers["location"]
    services.sandbox.state.revoke_all_grants()
    page = (await admin.get(where)).text
    assert "has to be linked again" in page
    assert "nothing is dropped" in page
    with pytest.raises(GrantLost):
        await services.portals.desk(1)
