"""Linking by somebody who is an agent in two portals, of which the grant is for one."""

import msgspec
import pytest

from connector.sandbox.config import Org, OrgMismatchCode
from connector.sandbox.faults import Rule
from tests.integration.identity.browser import ADA, Browser
from tests.integration.identity.conftest import Services
from tests.integration.identity.test_linking import ORG, only_portal
from tests.integration.identity.test_linking_refused import nothing_kept

pytestmark = pytest.mark.anyio
OTHER = "600000009"
MY_INFO = "/api/v1/myinfo"


@pytest.fixture
def other_first(services: Services) -> None:
    """Make Ada an agent of another portal too, which Desk lists first."""
    config = services.sandbox.state.config
    config.orgs.append(Org(org_id=OTHER, name="Other Shore", location="us"))
    ada = config.user(ADA)
    assert ada is not None
    ada.orgs = [OTHER, ORG]
    lists = Rule(kind="odd_member", path_prefix="/api/v1/organizations", member="isDefault", value=None)
    services.sandbox.state.faults.add(lists)


CODES: list[OrgMismatchCode] = [
    "OAUTH_ORG_MISMATCH",
    "UNPROCESSABLE_ENTITY",
    "FORBIDDEN",
    "UNAUTHORIZED",
    "URL_NOT_FOUND",
    "INTERNAL_SERVER_ERROR",
]


@pytest.mark.parametrize("code", CODES)
@pytest.mark.usefixtures("other_first")
async def test_the_next_portal_is_tried(services: Services, admin: Browser, code: OrgMismatchCode) -> None:
    """However Desk refuses the wrong one, the right one is linked."""
    services.sandbox.state.config.org_mismatch_code = code
    answer = await admin.link(org_id=ORG)
    assert (answer.status_code, (await only_portal(services)).org_id) == (303, ORG)
    assert services.asked(MY_INFO) == 3, "one for each portal, and one that asks for the agent's rights"


@pytest.mark.usefixtures("other_first")
async def test_a_page_of_html_is_no_lost_grant(services: Services, admin: Browser) -> None:
    """A foreign portal that answers 401 with a page is passed over too."""
    services.sandbox.state.config.org_mismatch_status = 401
    services.sandbox.state.config.desk_401_html = True
    await admin.link(org_id=ORG)
    assert (await only_portal(services)).org_id == ORG


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Rule(kind="server_error", path_prefix=MY_INFO), ["Zoho does not answer"]),
        (
            Rule(kind="unauthorized", path_prefix=MY_INFO),
            ["No portal in Zoho Desk lets the connector in", f"({OTHER})", f"({ORG})", "another portal"],
        ),
        (
            Rule(kind="unauthorized", path_prefix="/api/"),
            ["No portal in Zoho Desk lets the connector in", "token"],
        ),
    ],
)
@pytest.mark.usefixtures("other_first")
async def test_where_none_answers_the_layer_is_named(
    services: Services, admin: Browser, fault: Rule, said: list[str]
) -> None:
    """A first linking never says that something has to be linked again, and keeps nothing."""
    services.sandbox.state.faults.add(msgspec.structs.replace(fault))
    answer = await admin.link(org_id=ORG)
    assert answer.status_code == 502
    assert all(words in answer.text for words in said)
    assert "linked again" not in answer.text
    assert await nothing_kept(services)
