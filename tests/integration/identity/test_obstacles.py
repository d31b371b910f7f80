"""What stands in a portal's way is asked for, said as far as it is known, and never tried."""

import html
import json
import logging
from typing import Any

import pytest

from connector.sandbox.faults import Rule
from connector.store import portals
from connector.zoho.scopes import LINKING, names
from tests.integration.identity.browser import Browser
from tests.integration.identity.conftest import Services
from tests.integration.identity.test_linking import ORG

pytestmark = pytest.mark.anyio
PERMISSIONS = "/api/v1/myProfilePermissions"


async def shown(services: Services, admin: Browser) -> str:
    """Link a portal, and answer what its page shows; nothing is written to Desk on the way."""
    where = (await admin.link()).headers["location"]
    page = html.unescape((await admin.get(where)).text)
    sent = services.sandbox.state.requests.listing()
    assert {each.method for each in sent if each.path.startswith("/api/")} == {"GET"}
    return page


async def test_all_is_well(services: Services, admin: Browser) -> None:
    """Where scopes, permissions and sharing are told and there, nothing stands in the way."""
    page = await shown(services, admin)
    assert "does not work." not in page
    assert "not known." not in page
    assert "Writing call records" in page
    assert 'data-tone="good"' in page
    assert await services.portals.obstacles(1) == []


async def test_a_light_agent(services: Services, admin: Browser, caplog: pytest.LogCaptureFixture) -> None:
    """Who may not write is told so right after linking, with the remedy of that very kind."""
    services.sandbox.state.config.users[0].light = True
    page = await shown(services, admin)
    for what in ("Writing call records", "Changing call records", "Making contacts"):
        assert f"{what}: does not work." in page
    assert "is a light agent" in page
    assert "full licence" in page
    assert {each.layer for each in await services.portals.obstacles(1)} == {"licence"}
    told = [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING]
    assert any("Writing call records" in line and "full licence" in line for line in told)


@pytest.mark.parametrize(
    ("permission", "what"),
    [
        ("calls.create", "Writing call records"),
        ("calls.edit", "Changing call records"),
        ("contacts.create", "Making contacts"),
    ],
)
async def test_a_permission_that_the_profile_lacks(
    services: Services, admin: Browser, permission: str, what: str
) -> None:
    """It is named, and that it is the profile that lacks it; all else works."""
    services.sandbox.state.desk.deny(permission, ORG)
    page = await shown(services, admin)
    assert f"{what}: does not work." in page
    assert page.count("does not work.") == 1
    (only,) = await services.portals.obstacles(1)
    assert (only.layer, only.state, permission in only.why) == ("profile", "refused", True)
    assert "Setup > Users and Control > Permissions > Profiles > Support Administrator" in only.place
    assert only.needs in page


async def test_scopes_that_nobody_told(services: Services, admin: Browser) -> None:
    """Where a token names no scopes, they are unknown until tried, and what can be read is tried."""
    services.sandbox.state.config.scope_in_token_answer = False
    page = await shown(services, admin)
    assert "Scopes of the grant: not known." in page
    assert "Finding contacts, Reading call records, Reading agents' addresses: works." in page
    (only,) = await services.portals.obstacles(1)
    assert (only.layer, only.state, "unknown until tried" in only.why) == ("scope", "unknown", True)


@pytest.mark.both_engines
async def test_a_scope_that_is_missing(services: Services, admin: Browser) -> None:
    """A consent without calls.CREATE is told as one: only another consent mends it."""
    await admin.link()
    scopes = " ".join(name for name in names(LINKING) if name != "Desk.calls.CREATE")
    await services.store.write(lambda connection: portals.change(connection, 1, scopes=scopes))
    page = html.unescape((await admin.get("/portals/1")).text)
    assert "Writing call records: does not work." in page
    (only,) = await services.portals.obstacles(1)
    assert (only.layer, only.needs, only.place) == ("scope", "Desk.calls.CREATE", "/connect")


@pytest.mark.parametrize(
    "silent",
    [
        Rule(kind="server_error", path_prefix=PERMISSIONS),
        Rule(kind="html", status=403, path_prefix=PERMISSIONS),
        Rule(kind="odd_member", member="permissions", value=None, path_prefix=PERMISSIONS),
        Rule(kind="odd_member", member="permissions", value={"calls": None}, path_prefix=PERMISSIONS),
        Rule(
            kind="odd_member",
            member="permissions",
            value={"calls": {"create": None}},
            path_prefix=PERMISSIONS,
        ),
    ],
)
async def test_permissions_that_nobody_told(services: Services, admin: Browser, silent: Rule) -> None:
    """Where Desk does not say what the agent may do, that is what is said."""
    services.sandbox.state.faults.add(silent)
    page = await shown(services, admin)
    assert "Permissions of the agent: not known." in page
    (only,) = await services.portals.obstacles(1)
    assert (only.layer, only.state) == ("profile", "unknown")
    assert "Writing call records" in only.why


async def test_an_answer_that_fails_takes_back_nothing(services: Services, admin: Browser) -> None:
    """What Desk has said once is known until it says something else."""
    services.sandbox.state.desk.deny("calls.create", ORG)
    await shown(services, admin)
    before = (await services.portals.get(1)).rights
    assert json.loads(before)["held"]["calls.create"] is False
    services.sandbox.state.faults.add(Rule(kind="server_error", path_prefix=PERMISSIONS, times=1))
    await services.portals.check(1)
    assert (await services.portals.get(1)).rights == before
    portal = services.sandbox.state.desk.portal(ORG)
    assert portal is not None
    portal.denied.clear()
    await services.portals.check(1)
    assert await services.portals.obstacles(1) == []


@pytest.mark.parametrize("kind", ["server_error", "html", "reset"])
async def test_desk_answers_errors_after_a_first_linking(
    services: Services, admin: Browser, kind: str
) -> None:
    """The page says that Zoho does not answer, and beside it what it said last; nothing is called refused."""
    where = (await admin.link()).headers["location"]
    services.sandbox.state.faults.add(Rule(kind=kind, path_prefix="/api/"))  # type: ignore[arg-type]
    page = html.unescape((await admin.get(where)).text)
    assert "<h1>Zoho does not answer for Harbour & Hill (US)</h1>" in page
    assert "is linked</h1>" not in page
    assert "does not work." not in page
    assert "Zoho Desk: not known." in page
    assert "What follows is what Zoho said last." in page
    assert "Wait a few minutes" in page
    assert "Sharing of contacts" in page


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(11_520, "There are new ones in 3 h 12 min."), (None, "is asked again every few minutes")],
)
async def test_credits_used_up(services: Services, admin: Browser, seconds: int | None, said: str) -> None:
    """The page says until when, and neither that Zoho is silent nor that a permission is missing."""
    where = (await admin.link()).headers["location"]
    services.sandbox.state.config.threshold_retry_after = seconds is not None
    services.sandbox.state.faults.add(Rule(kind="threshold", path_prefix="/api/", seconds=seconds))
    page = html.unescape((await admin.get(where)).text)
    assert "<h1>Today's credits of Harbour & Hill (US) are used up</h1>" in page
    assert said in page
    assert "Credits of today: does not work." in page
    assert "Setup > Developer Space > API" in page
    assert page.count("does not work.") == 1
    assert "does not answer" not in page


PRIVATE = (
    "Contacts are Private: Zoho Desk leaves out, without a word, those that do not belong to the agent who "
    "linked the portal (Ada Fontaine) or to agents below in the role hierarchy. That stands in the way of: "
    "Finding contacts, Keeping the contact index. Needed: Public Read Only. "
    "Where: <code>Setup > Users and Control > Permissions > Data Sharing</code>."
)
READ_ONLY = (
    "Calls are Public Read Only: those of other agents can be read, and not changed. "
    "That stands in the way of: Changing call records. Needed: Public Read/Write/Delete."
)


@pytest.mark.parametrize(
    ("sharing", "said"),
    [({"contacts": "private"}, PRIVATE), ({"calls": "public read only"}, READ_ONLY)],
)
async def test_records_that_are_not_shared(
    services: Services, admin: Browser, sharing: dict[str, Any], said: str
) -> None:
    """Which module lacks which level is said, what that stops, and where it is mended; it is kept."""
    services.sandbox.state.config.data_sharing = sharing
    page = " ".join((await shown(services, admin)).split())
    assert said in page
    assert page.count("does not work.") == 1
    (only,) = await services.portals.obstacles(1)
    assert (only.layer, only.state) == ("sharing", "refused")
    services.sandbox.state.config.data_sharing = {}
    assert "does not work." not in (await admin.get("/portals/1")).text
    assert await services.portals.obstacles(1) == []


async def test_read_only_contacts_are_enough(services: Services, admin: Browser) -> None:
    """Contacts are read and made, never changed: the level that is asked for is no higher."""
    services.sandbox.state.config.data_sharing = {"contacts": "public read only", "tickets": "public"}
    assert "does not work." not in await shown(services, admin)


async def test_a_smaller_edition(services: Services, admin: Browser) -> None:
    """What Desk names now is kept: how many requests leave at a time goes by it."""
    await shown(services, admin)
    services.sandbox.state.config.orgs[0].edition = "Express"
    page = (await admin.get("/portals/1")).text
    assert "Express allows 10 requests at a time and 25,000 credits a day" in page
    assert (await services.portals.get(1)).edition == "EXPRESS"
