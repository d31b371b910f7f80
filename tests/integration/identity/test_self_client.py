"""Linking with a self client: a pasted code or refresh token, tried before anything is kept."""

from typing import Any

import msgspec
import pytest

from connector.errors import InvalidValue
from connector.portals.self_client import DESCRIPTION, SelfClient
from connector.sandbox.presets import SECOND_CLIENT_ID, SELF_CLIENT_ID, client_secret
from connector.zoho.scopes import LINKING, names
from tests.integration.identity.browser import ADA, ADA_EU, NILS, Browser
from tests.integration.identity.conftest import Services
from tests.integration.identity.test_linking import ORG, only_portal, stored_refresh_token

pytestmark = pytest.mark.anyio
SCOPES = ",".join(names(LINKING))
GIVEN = SelfClient(
    name="On the server",
    environment="production",
    location="us",
    client_id=SELF_CLIENT_ID,
    secret=client_secret(SELF_CLIENT_ID, "us"),
)


async def code_of(
    browser: Browser, origin: str, zuid: str = ADA, scope: str = SCOPES, **form: str
) -> dict[str, Any]:
    """Make a code at the API console, as somebody; answer what it says."""
    await browser.http.post(f"{origin}/signin", data={"zuid": zuid, "continue": ""})
    fields = {"client_id": SELF_CLIENT_ID, "scope": scope, "minutes": "3", "description": DESCRIPTION}
    headers = {"Accept": "application/json"}
    answer = await browser.http.post(f"{origin}/console/code", data=fields | form, headers=headers)
    told: dict[str, Any] = answer.json()
    return told


async def nothing_kept(services: Services) -> bool:
    """Tell whether neither a portal nor a method has been added, nor a grant left behind at Zoho."""
    listed = await services.portals.list_portals(), await services.methods.list()
    return (len(listed[0]), len(listed[1])) == (0, 1)


async def test_a_code_links_a_portal(services: Services, admin: Browser) -> None:
    """By the page: the organisation is found, the new method is enabled, and the grant refreshes."""
    code = (await code_of(admin, services.sandbox.origin))["code"]
    fields = {"name": GIVEN.name, "environment": "production", "location": "us", "minutes": "3"}
    fields |= {"client_id": GIVEN.client_id, "secret": GIVEN.secret, "method": ""}
    answer = await admin.fill_in("/portals/self-client", code=code, **fields)
    assert (answer.status_code, answer.headers.get("location")) == (303, "/portals/1"), answer.text
    portal = await only_portal(services)
    method = await services.methods.get(portal.method_id)
    assert (portal.org_id, method.mode, method.enabled) == (ORG, "self_client", True)
    services.sandbox.state.clock.advance(3_600)
    await (await services.portals.desk(1)).my_info()
    refused = await admin.post("/connect", data={"method": str(portal.method_id)})
    assert (refused.status_code, "/portals/self-client" in refused.text) == (409, True)
    shown = (await admin.get("/portals/self-client")).text
    assert all(text in shown for text in (SCOPES, DESCRIPTION, "/static/js/code_life.js"))
    assert not any(text in shown + answer.text for text in (code, GIVEN.secret))


async def test_a_refresh_token_and_a_known_method(services: Services, admin: Browser) -> None:
    """An existing token is kept as it is, and links again with the method that is there already."""
    code = (await code_of(admin, services.sandbox.origin))["code"]
    portal = await services.self_clients.link(msgspec.structs.replace(GIVEN, code=code), actor="test")
    token = await stored_refresh_token(services, portal.id)
    again = SelfClient(method_id=portal.method_id, refresh_token=token, org_id=ORG)
    assert (await services.self_clients.link(again, actor="test")).id == portal.id
    assert await stored_refresh_token(services, portal.id) == token
    assert services.sandbox.state.tokens.find_refresh_token(token) is not None


WRONG: list[tuple[dict[str, str], str, str]] = [
    ({"code": "1000.none"}, "/code", "does not take this code"),
    ({"refresh_token": "1000.none", "code": ""}, "/refresh_token", "does not take this refresh token"),
    ({"location": "eu"}, "/secret", "does not take the client secret at eu"),
    ({"location": "eu", "secret": client_secret(SELF_CLIENT_ID, "eu")}, "/location", "another data centre"),
    ({"client_id": "1000.NOBODY"}, "/location", "knows no such client"),
    ({"client_id": SECOND_CLIENT_ID}, "/secret", "does not take the client secret"),
    ({"location": "uk"}, "/location", "names no address of Zoho Desk"),
    ({"org_id": "600000002"}, "/org_id", "no organisation in Zoho Desk that this grant reaches"),
    ({"org_id": "acme"}, "/org_id", "is a number"),
    ({"name": "From the settings" + "x" * 80}, "/name", "The name must have"),
    ({"environment": ""}, "/environment", "Say whether"),
    ({"refresh_token": "1000.both"}, "/code", "either a code or a refresh token"),
    ({"method_id": "9"}, "/method", "There is no such authentication method"),
]


@pytest.mark.parametrize(("change", "pointer", "said"), WRONG, ids=[each[2] for each in WRONG])
async def test_whatever_is_wrong_names_its_field(
    services: Services, admin: Browser, change: dict[str, Any], pointer: str, said: str
) -> None:
    """Each has a text of its own, and nothing is kept."""
    code = (await code_of(admin, services.sandbox.origin))["code"]
    change = change | ({"method_id": 9} if "method_id" in change else {})
    given = msgspec.structs.replace(GIVEN, **({"code": code} | change))
    with pytest.raises(InvalidValue, match=said) as refused:
        await services.self_clients.link(given, actor="test")
    assert refused.value.pointer == pointer
    assert await nothing_kept(services)


@pytest.mark.parametrize("told", [True, False])
async def test_scopes_that_are_missing_are_named(services: Services, admin: Browser, *, told: bool) -> None:
    """Whether Zoho tells the scopes or Desk refuses for them; the code's grant is given back."""
    services.sandbox.state.config.scope_in_token_answer = told
    code = (await code_of(admin, services.sandbox.origin, scope="Desk.tickets.READ"))["code"]
    with pytest.raises(InvalidValue, match="The grant lacks scopes") as refused:
        await services.self_clients.link(msgspec.structs.replace(GIVEN, code=code), actor="test")
    assert ("Desk.calls.CREATE" in str(refused.value)) is told
    assert services.asked("/oauth/v2/revoke/token") == 1
    assert await nothing_kept(services)


async def test_nobody_without_an_organisation_links(services: Services, admin: Browser) -> None:
    """Who is no agent makes no code for Desk, and a code that is over is none."""
    origin = services.sandbox.origin
    assert "portals" in (await code_of(admin, origin, NILS))["error"]
    code = (await code_of(admin, origin))["code"]
    services.sandbox.state.clock.advance(181)
    with pytest.raises(InvalidValue, match="its time is over"):
        await services.self_clients.link(msgspec.structs.replace(GIVEN, code=code), actor="test")


async def test_the_console_is_as_strict_as_zohos(services: Services, admin: Browser) -> None:
    """Times, scopes, description, owner and data centre are looked at; other clients make no code."""
    origin, config = services.sandbox.origin, services.sandbox.state.config
    wrong: list[dict[str, str]] = [
        {"minutes": "4"},
        {"description": " "},
        {"scope": "Desk.nonsense.READ"},
        {"client_id": SECOND_CLIENT_ID},
        {"org_id": "600000002"},
        {"zuid": ADA_EU},
    ]
    for form in wrong:
        assert "error" in await code_of(admin, origin, **form)
    client = config.client(SELF_CLIENT_ID)
    assert client is not None
    client.owner = "675000002"
    assert "owner" in (await code_of(admin, origin))["error"]
