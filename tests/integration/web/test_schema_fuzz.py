"""All that can be set up, given what holds and what does not: the API keeps its document, no form fails."""

import asyncio
import json
import logging
import re
from collections.abc import Callable, Iterator
from html import unescape
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import httpx2
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from starlette.responses import Response

from connector.accounts.sign_in_connectors import Wanted
from connector.app import create_app
from connector.phone_systems.setup import NewPhoneSystem
from connector.services import Services
from connector.settings import load
from connector.store import Store, portals
from connector.web.api.openapi import document_of
from connector.web.api.operation import Operation, Paging
from connector.web.auth import Cookies
from connector.web.limiter import Limiter
from connector.web.pages.crm_rule_forms import PARTS as CRM_PARTS
from connector.web.pages.phone_forms import PARTS
from connector.web.routes import OPERATIONS
from tests.integration.databases import Databases
from tests.integration.three_ways.ways import ADDRESS, ENVIRONMENT, PORTAL
from tests.integration.web.test_forms import FORMS

if TYPE_CHECKING:
    # Its import takes two seconds, which no process shall spend that runs none of these.
    from schemathesis import APIOperation, Case

NOBODY = "http://127.0.0.1:9"
"""Where Zoho is, for these tests: nobody listens there."""

THERE: dict[str, Any] = {
    "id": 1, "portal_id": 1, "portal": 1, "method": 1, "slug": "office", "reference": "office",
    "location": "us", "environment": "sandbox", "mode": "self_client", "name": "Lyon",
    "email": "bo@example.com", "role": "supervisor", "country": "FR",
    "time_zone": "Europe/Paris", "dialect": "threecx",
    "department": "", "number": "+33199001234", "queue": "support", "code": "1000.code", "org_id": "",
    "environment_url": "", "secret": "invented", "client_id": "1000.B", "kind": "http",
    "agent": "ada@example.com",    "csv": "email,name\ncy@example.com,Cy\n", "digest": "", "expires_at": "",
    "refresh_token": "", "actions": ["call_*"], "portals": [1], "prefixes": ["9"],
    "senders": ["192.0.2.0/24"],
    "features": ["fields"], "extra_scopes": [], "secrets": {"us": "invented"}, "ids": None,
}  # fmt: skip
"""What holds or is there, by the names that paths, members and fields have."""

RUBBISH = st.sampled_from(
    ["", " ", "0", "-1", "9" * 18, "9" * 400, "1e400", "nan", "\x00", "a\r\nb", "<b>&'\"", "{0}{x}", "%s%n",
     "\u202e", "\ufeff", "\U0001f4de", "é" * 400, "x" * 5_000, "../..", "a@b", "=1+1", "None", "١٢٣", "²",
     "+44²0", "1001 at x"]
) | st.text(max_size=12)  # fmt: skip

HOW = ("wrong", "wrong", "missing", "doubled")
"""What is wrong with a field."""

FOR_ZOHO = (502, 503)
"""What says that Zoho does not answer: nobody listens there, and its portal was never authorised."""

QUICKLY = settings(
    derandomize=True, database=None, deadline=None, phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


class Place:
    """The application with one thing of each kind, and an administrator with a key; its limits are wide."""

    def __init__(self, url: str, runner: asyncio.Runner) -> None:
        environment = ENVIRONMENT | {"DATABASE_URL": url, "ZOHO_DATA_CENTERS": f"us={NOBODY}|{NOBODY}"}
        self.services = Services(load(environment), Store(url))
        self.runner = runner
        self.app = create_app(self.services)
        self.app.state.limiter = Limiter(self.services.clock, per_second=10**6, burst=10**6)
        self.key, self.cookie = runner.run(self._filled())

    async def _filled(self) -> tuple[str, str]:
        services, actor = self.services, "test"
        await services.store.write(lambda connection: portals.put(connection, **PORTAL))
        await services.agents.add_agent("dee@example.com", "Dee Iyer", actor=actor)
        added = await services.agents.add_agent("ada@example.com", "Ada Mbeki", "administrator", actor=actor)
        await services.keys.add_key("crm", actor=actor)
        await services.methods.add(
            name="Office", location="us", client_id="1000.A", secret="invented", actor=actor
        )
        await services.sign_in_connectors.add(Wanted(reference="office", name="Office"), actor=actor)
        office = NewPhoneSystem(slug="office", dialect="neutral", country="FR", time_zone="Europe/Paris")
        await services.phone_setup.add(office, actor)
        cookie = Response()
        session = await services.sessions.open(added.user)
        Cookies(services.encryptor, https=True).set_session(cookie, session)
        key = await services.keys.add_key("fuzz", "administrator", actor=actor)
        return key, cookie.headers["set-cookie"].partition(";")[0]

    def address_of(self, path: str) -> str:
        """Return a form's address with the names of things that are there."""
        token = self.runner.run(self.services.links.make_login("ada@example.com", actor="test"))
        path = path.replace("{token}", token.rpartition("/")[2])
        return re.sub(r"{(\w+):?\w*}", lambda found: str(THERE[found[1]]), path)

    def ask(self, **asked: Any) -> httpx2.Response:
        """Call the application."""
        return self.runner.run(self._ask(**asked))

    async def _ask(self, **asked: Any) -> httpx2.Response:
        transport = httpx2.ASGITransport(self.app, raise_app_exceptions=False, client=("127.0.0.1", 1))
        async with httpx2.AsyncClient(transport=transport, base_url=ADDRESS) as client:
            return await client.request(**asked)


@pytest.fixture
def place(sqlite_databases: Databases) -> Iterator[Place]:
    """Make the application."""
    with sqlite_databases.fresh() as url, asyncio.Runner() as runner:
        made = Place(url, runner)
        yield made
        runner.run(made.services.close())


@pytest.fixture(scope="module")
def documented() -> Callable[[Operation], "APIOperation[Any, Any, Any, Any]"]:
    """Return what the document says of an operation; keys are left to us."""
    from schemathesis import openapi
    from schemathesis.core.result import Err

    document = json.loads(json.dumps(document_of(OPERATIONS, "")))
    del document["security"]
    schema = openapi.from_dict(document)
    found = [each.ok() for each in schema.get_all_operations() if not isinstance(each, Err)]
    named = {each.definition.raw["operationId"]: each for each in found}
    return lambda operation: named[operation.id]


GROUPS = sorted({each.path.split("/")[3] for each in OPERATIONS})


@pytest.mark.parametrize("group", GROUPS)
def test_the_document_is_kept(
    place: Place, documented: Callable[[Operation], "APIOperation[Any, Any, Any, Any]"], group: str
) -> None:
    """Whatever is sent, the status, headers and body of the answer are documented: 500 never is."""
    for operation in sorted(OPERATIONS, key=lambda each: ("remove" in each.id, each.path.count("/"))):
        if operation.path.split("/")[3] == group:
            statuses = _statuses(place, documented(operation))
            assert statuses
            assert not statuses & {401, 403}, operation.id


def _statuses(place: Place, operation: "APIOperation[Any, Any, Any, Any]") -> set[int]:
    """Return with what an operation answered whatever it was given."""
    from schemathesis import GenerationMode
    from schemathesis.specs.openapi import checks

    kept: list[Any] = [
        checks.content_type_conformance, checks.response_headers_conformance,
        checks.response_schema_conformance, checks.status_code_conformance,
    ]  # fmt: skip
    cases = st.one_of([operation.as_strategy(generation_mode=mode) for mode in GenerationMode])
    statuses: set[int] = set()

    @settings(QUICKLY, max_examples=4)
    @given(cases, st.data())
    def hold(case: "Case[Any]", data: st.DataObject) -> None:
        if data.draw(st.booleans()):
            case.path_parameters = _mostly_right(case.path_parameters, data)
            case.query = _mostly_right(case.query, data)
            case.body = _mostly_right(case.body, data) if isinstance(case.body, dict) else case.body
        asked = case.as_transport_kwargs(base_url=ADDRESS)
        asked.pop("cookies")
        asked["content"] = asked.pop("data", None)
        asked["headers"]["Authorization"] = f"Bearer {place.key}"
        answer = place.ask(**asked)
        case.validate_response(answer, checks=kept)
        statuses.add(answer.status_code)

    hold()
    return statuses


def _mostly_right(given: dict[str, Any], data: st.DataObject) -> dict[str, Any]:
    """Return values of which most hold, or name what is there."""
    rare = data.draw(st.sampled_from([*given, ""]))
    return {name: value if name == rare else THERE.get(name, value) for name, value in given.items()}


BY_NUMBER = ("list_methods", "list_portals", "list_profiles", "list_desk_agents", "list_deliveries",
             "list_changes", "list_recording_accesses", "list_crms")  # fmt: skip
"""Lists whose cursor is a number, or two; that of the others is a name, and whatever is typed is one."""


@pytest.mark.parametrize("cursor", ["x", "-1", "9" * 19, "1-", "1-2-3", "\u00b2", "1'--", "9" * 201])
def test_no_list_goes_on_behind_what_none_has_told(place: Place, cursor: str) -> None:
    """A cursor that was tampered with is refused, or stands for a place in the order of names."""
    headers = {"authorization": f"Bearer {place.key}"}
    for operation in OPERATIONS:
        if issubclass(operation.query, Paging):
            asked = {"cursor": cursor} | ({"portal_id": "1"} if operation.id == "list_desk_agents" else {})
            answer = place.ask(method="GET", url=operation.path, params=asked, headers=headers)
            is_name = operation.id not in BY_NUMBER and len(cursor) <= 200
            assert answer.status_code == (200 if is_name else 422), operation.id


def test_the_log_names_the_operation(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    """What a program has changed, or tried to, is found in the log by its name."""
    with caplog.at_level(logging.INFO, logger="connector.web.access_log"):
        place.ask(method="POST", url="/api/v1/people", headers={"authorization": f"Bearer {place.key}"})
    assert [getattr(each, "view", "") for each in caplog.records] == ["people.add_person"]


_TAG = re.compile(r"<(input|select|textarea|option)\b([^>]*)>")
_ATTRIBUTE = re.compile(r'([a-z-]+)="([^"]*)"')


def offered_by(page: str) -> dict[str, list[str]]:
    """Return the fields of a page's forms, each with the values that it offers."""
    found, name = dict[str, list[str]](), ""
    for tag, written in _TAG.findall(page):
        told = {each: unescape(value) for each, value in _ATTRIBUTE.findall(written)}
        name = name if tag == "option" else told.get("name", "")
        if name:
            found.setdefault(name, []).extend([told["value"]] if "value" in told else [])
    return found


PLACES = [path for path in FORMS if "{part" not in path]
PLACES += [
    path.replace("{part:slug}", part)
    for path in FORMS
    if "{part" in path
    for part in sorted(CRM_PARTS if path.startswith("/crm/") else PARTS)
]


ROOMS = sorted({path.split("/")[1] for path in PLACES})


@pytest.mark.parametrize("room", ROOMS)
def test_no_form_fails(place: Place, caplog: pytest.LogCaptureFixture, room: str) -> None:
    """Whatever its fields hold, be they missing, doubled, or unknown: it is done, or refused by a page."""
    for path in sorted(PLACES, key=lambda each: "remove" in each):
        if path.split("/")[1] == room:
            assert 403 not in _sent(place, caplog, path)


def _sent(place: Place, caplog: pytest.LogCaptureFixture, path: str) -> set[int]:
    """Return with what a form answered whatever it was given."""
    address = place.address_of(path)
    headers = {"cookie": place.cookie, "accept": "text/html", "sec-fetch-site": "same-origin"}
    offered = offered_by(place.ask(method="GET", url=address, headers=headers).text)
    tokens, names = offered.pop("token", [""]), sorted(offered)
    headers["content-type"] = "application/x-www-form-urlencoded"
    statuses: set[int] = set()

    @settings(QUICKLY, max_examples=4)
    @given(st.data())
    def hold(data: st.DataObject) -> None:
        rare, how = (data.draw(st.sampled_from(each)) for each in (names or ["x"], HOW))
        sent = [("token", tokens[0])]
        for name in names:
            right = [str(THERE[name])] * 9 if THERE.get(name) is not None else []
            if name != rare or how == "doubled":
                sent.append((name, data.draw(st.sampled_from(right + (offered[name] or [""])))))
            if name == rare and how != "missing":
                sent.append((name, data.draw(RUBBISH)))
        body = urlencode(sent, errors="replace")
        with caplog.at_level(logging.ERROR):
            answer = place.ask(method="POST", url=address, headers=headers, content=body)
        assert answer.status_code < 500 or answer.status_code in FOR_ZOHO, sent
        assert not caplog.records, sent
        statuses.add(answer.status_code)

    hold()
    return statuses
