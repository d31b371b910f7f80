"""What stands in a portal's way is asked for, said as far as it is known, and never tried."""

import html
import json
import logging

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
    """Where scopes and permissions are told and there, nothing stands in the way."""
    page = await shown(services, admin)
    assert "Writing call records: works." in page
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
    assert (only.layer, only.certain, permission in only.why) == ("profile", True, True)


async def test_scopes_that_nobody_told(services: Services, admin: Browser) -> None:
    """Where a token names no scopes, nothing that takes one is said to work unless it was tried."""
    services.sandbox.state.config.scope_in_token_answer = False
    page = await shown(services, admin)
    for what in ("Scopes of the grant", "Writing call records", "Changing call records", "Making contacts"):
        assert f"{what}: not known." in page
    (only,) = await services.portals.obstacles(1)
    assert (only.layer, only.certain) == ("scope", False)


@pytest.mark.both_engines
async def test_a_scope_that_is_missing(services: Services, admin: Browser) -> None:
    """A consent without calls.CREATE is told as one: only another consent mends it."""
    await admin.link()
    scopes = " ".join(name for name in names(LINKING) if name != "Desk.calls.CREATE")
    await services.store.write(lambda connection: portals.change(connection, 1, scopes=scopes))
    page = html.unescape((await admin.get("/portals/1")).text)
    assert "Writing call records: does not work." in page
    (only,) = await services.portals.obstacles(1)
    assert (only.layer, "Desk.calls.CREATE" in only.why, "/connect" in only.remedy) == ("scope", True, True)


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
    assert "Writing call records: not known." in page
    (only,) = await services.portals.obstacles(1)
    assert (only.layer, only.certain) == ("profile", False)


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
    """The page says that Zoho does not answer, and advises no permissions."""
    where = (await admin.link()).headers["location"]
    services.sandbox.state.faults.add(Rule(kind=kind, path_prefix="/api/"))  # type: ignore[arg-type]
    page = html.unescape((await admin.get(where)).text)
    assert "<h1>Zoho does not answer for Harbour & Hill (US)</h1>" in page
    assert "is linked</h1>" not in page
    assert "permissions that are missing" not in page
    assert "Reload this page" in page


@pytest.mark.parametrize(
    ("seconds", "said"), [(11_520, "asked again in 3 h 12 min"), (None, "asked again in 15 min")]
)
async def test_credits_used_up(services: Services, admin: Browser, seconds: int | None, said: str) -> None:
    """The page says until when, and neither that Zoho is silent nor that a permission is missing."""
    where = (await admin.link()).headers["location"]
    services.sandbox.state.config.threshold_retry_after = seconds is not None
    services.sandbox.state.faults.add(Rule(kind="threshold", path_prefix="/api/", seconds=seconds))
    page = html.unescape((await admin.get(where)).text)
    assert "<h1>Today's credits of Harbour & Hill (US) are used up</h1>" in page
    assert said in page
    assert "permissions that are missing" not in page
    assert "does not answer" not in page
