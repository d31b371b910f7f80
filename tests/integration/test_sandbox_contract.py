"""Hold the sandbox's own rules against Zoho's contracts, where ../shared lies beside the repository."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import jsonschema
import pytest
from starlette.testclient import TestClient

from connector.sandbox.clock import Clock
from connector.sandbox.desk import OPERATIONS, params
from connector.sandbox.desk.gateway import Operation
from connector.sandbox.desk.rules import (
    INT32_MOST,
    INT64_MOST,
    Either,
    Flag,
    Kinds,
    Many,
    Members,
    Named,
    Number,
    Rule,
    Text,
)
from connector.sandbox.presets import DEMO_ORG_ID, default_config
from connector.sandbox.serve import create_sandbox
from connector.sandbox.tokens import Grant
from tests.integration.sandbox_desk.contracts import SAMPLES, Contracts, Json

FOLDER = Path(__file__).parents[3] / "shared" / "zoho"
if not FOLDER.is_dir():
    pytest.skip("the contracts in ../shared are not here to compare with", allow_module_level=True)

CONTRACTS = Contracts(FOLDER)
WITH_BODY = [each for each in OPERATIONS if each.body is not None]
NOON = 1_767_614_400_000

EXTRA_REQUIRED = {
    ("POST", "/api/v1/contacts"): {"lastName"},  # required in the older revision
    ("POST", "/api/v1/accounts"): {"accountName"},  # the schema of answers requires it
    ("POST", "/api/v1/tickets"): set(),
}
NOT_REQUIRED = {("POST", "/api/v1/tickets"): {"contactId"}}  # the text: contactId or contact
UNMODELLED = {"blueprint", "parentTicket", "sourceTicket"}
BOUNDS_IN_TEXT = {"departmentIds": 50, "fields": 30}  # said in descriptions, not in the schemas


def key_of(operation: Operation) -> tuple[str, str]:
    """Return where an operation stands in the contracts."""
    return operation.method, re.sub(r"\{[^}]*\}", "{}", operation.path)


def name_of(operation: Operation) -> str:
    """Name a test after its operation."""
    return f"{operation.method} {operation.path}"


def kinds(schema: Json) -> set[str]:
    """Return the JSON types that a schema allows."""
    found = schema.get("type", ())
    return {found} if isinstance(found, str) else set(found)


@pytest.mark.parametrize("operation", OPERATIONS, ids=name_of)
def test_operation_is_official(operation: Operation) -> None:
    """Every operation of the sandbox is one of Desk's, and knows all scopes that it names."""
    official = {scope.lower() for scope in CONTRACTS.scopes(*key_of(operation))}
    own = {scope.lower() for group in operation.scopes for scope in group}
    assert official <= own


@pytest.mark.parametrize("operation", OPERATIONS, ids=name_of)
def test_query_parameters(operation: Operation) -> None:
    """The parameters have the official names and bounds, and no others."""
    official = CONTRACTS.parameters(*key_of(operation))
    assert set(operation.query) == set(official)
    for name, schema in official.items():
        check_parameter(operation.query[name], schema, name)


def check_parameter(param: params.Param, schema: Json, name: str) -> None:
    """Compare one parameter with its schema."""
    words = set(schema.get("enum", schema.get("items", {}).get("enum", ())))
    match param:
        case params.Limit():
            document_most = {100, 200} if "maximum" not in schema else {schema["maximum"]}
            assert param.most in document_most, name
        case params.Ids() | params.Words() if "array" in kinds(schema):
            assert param.most in (schema.get("maxItems"), BOUNDS_IN_TEXT.get(name)), name
        case params.Words():
            assert (param.shortest, param.longest) == (schema.get("minLength", 0), schema.get("maxLength"))
        case params.Sort():
            assert set(param.keys) == words - {None} or set(param.keys) == {"commentedTime"}, name
        case params.Choice() | params.Choices():
            assert set(param.words) == words - {None}, name
        case params.Flag():
            assert kinds(schema) - {"null"} == {"boolean"}, name
        case _:
            pass


@pytest.mark.parametrize("operation", WITH_BODY, ids=name_of)
def test_body(operation: Operation) -> None:
    """The body has the official members, each with the official rule."""
    key, rule = key_of(operation), operation.body
    official = CONTRACTS.body(*key)
    if isinstance(rule, Kinds):
        check_kinds(rule, official)
        return
    assert isinstance(rule, Members)
    required = {*official.get("required", ()), *EXTRA_REQUIRED.get(key, ())} - NOT_REQUIRED.get(key, set())
    assert set(rule.required) == required
    assert set(rule.members) == set(official["properties"])
    assert official["additionalProperties"] is False
    for name, schema in official["properties"].items():
        if name not in UNMODELLED:
            check_rule(rule.members[name], schema, f"/{name}")


def check_kinds(rule: Kinds, official: Json) -> None:
    """Compare the rule of each kind with the alternative that is for it."""
    kinds_of = {schema["properties"][rule.by]["enum"][0]: schema for schema in official["oneOf"]}
    assert rule.kinds.keys() == kinds_of.keys()
    for kind, schema in kinds_of.items():
        check_rule(rule.kinds[kind], schema, f"/{kind}")


def check_rule(rule: Rule, schema: Json, where: str) -> None:
    """Compare a rule with a schema, down to the leaves."""
    assert rule.nullable is is_nullable(schema) or "words" in where, where
    match rule:
        case Text():
            check_text(rule, schema, where)
        case Number():
            assert "integer" in kinds(schema), where
            most = INT32_MOST if schema["format"] == "int32" else INT64_MOST
            assert (rule.least, rule.most) == (schema.get("minimum", 0), schema.get("maximum", most)), where
            assert rule.words == ("undefined" in schema["pattern"]), where
        case Flag():
            assert "boolean" in kinds(schema), where
        case Many():
            bounds = (schema.get("minItems", 0), schema.get("maxItems"), schema.get("uniqueItems", False))
            assert (rule.least, rule.most, rule.unique) == bounds, where
            check_rule(rule.item, schema["items"], f"{where}/*")
        case Members():
            assert set(rule.members) == set(schema.get("properties", ())), where
            assert set(rule.required) == set(schema.get("required", ())), where
            for name, each in schema.get("properties", {}).items():
                check_rule(rule.members[name], each, f"{where}/{name}")
        case Named():
            check_fields(rule, schema, where)
        case Either():
            for each, alternative in zip(rule.rules, schema["oneOf"], strict=True):
                check_rule(each, alternative, where)


def check_fields(rule: Named, schema: Json, where: str) -> None:
    """Compare the rule of custom fields, of which the two files have two forms."""
    (value,) = schema.get("patternProperties", {"": schema.get("additionalProperties")}).values()
    if isinstance(rule.value, Text):
        check_rule(rule.value, value, f"{where}/*")
    else:
        assert {"string", "integer", "null"} == kinds(value), where


def is_nullable(schema: Json) -> bool:
    """Say whether null passes a schema and every earlier branch for the same member."""
    earlier = schema.get("x-also")
    return "null" in kinds(schema) and (earlier is None or is_nullable(earlier))


def check_text(rule: Text, schema: Json, where: str) -> None:
    """Compare a rule of text by its bounds, and by what it says to many samples."""
    earlier = schema.get("x-also", {})
    longest = min((each["maxLength"] for each in (schema, earlier) if "maxLength" in each), default=None)
    assert rule.most == longest or "enum" in schema, where
    for text in SAMPLES:
        expected = passes(text, schema) and passes(text, earlier)
        if where == "/startTime" and text == "null":
            expected = False  # a call without a start means nothing
        assert (next(rule.check(text, ""), None) is None) == expected, f"{where}: {text!r}"


def passes(text: str, schema: Json) -> bool:
    """Say whether a text keeps to a schema, its pattern being meant for the whole value."""
    if "enum" in schema and text not in schema["enum"]:
        return False
    pattern = schema.get("x-pattern")
    if len(text) > schema.get("maxLength", len(text)):
        return False
    return pattern is None or re.fullmatch(pattern, text) is not None


class App:
    """An app with a token for everything, on a sandbox in this process."""

    def __init__(self) -> None:
        config = default_config("http://127.0.0.1:8900")
        config.latency_ms = config.latency_jitter_ms = 0
        config.index_delay_seconds = 0
        sandbox = create_sandbox(config, Clock(frozen_at=NOON))
        self.state = sandbox.state.sandbox
        # Where a webhook is made, its URL has to answer; nobody listens there in this process.
        self.state.desk.webhook_sender.transport = httpx2.MockTransport(lambda _request: httpx2.Response(200))
        modules = ("contacts", "tickets", "calls", "basic", "search", "webhooks", "fields")
        grant = Grant(
            client_id="app",
            zuid=config.users[0].zuid,
            location="us",
            scopes=frozenset(f"desk.{module}.all" for module in modules),
            scope_text="",
            org_id=DEMO_ORG_ID,
        )
        token = self.state.tokens.add_access_token(grant).token
        self.http = TestClient(sandbox, headers={"Authorization": f"Zoho-oauthtoken {token}"})
        self.ids = self._fill()

    def _fill(self) -> dict[str, str]:
        """Make one record of each kind and return its id by kind."""
        portal = self.state.desk.portal(DEMO_ORG_ID)
        contact = next(each for each in portal.contacts.present() if each.account_id)
        agent = portal.agents()[0]
        body = {"contactId": contact.id, "departmentId": next(iter(portal.departments))}
        ticket = self.http.post(
            "/api/v1/tickets", json={**body, "subject": "One", "assigneeId": agent.id}
        ).json()
        call = {"startTime": "2026-01-05T09:00:00.000Z", "status": "Completed", "subject": "One"}
        more = {"ticketId": ticket["id"], "ownerId": agent.id, "duration": "5", "cf": {"cf_callkey": "k"}}
        made = self.http.post("/api/v1/calls", json={**body, **call, **more, "direction": "inbound"}).json()
        for path in (f"calls/{made['id']}", f"tickets/{ticket['id']}"):
            self.http.post(f"/api/v1/{path}/comments", json={"content": "One"})
        webhook = {"url": "http://127.0.0.1:9/hear", "subscriptions": {"Contact_Add": None}, "name": "Ours"}
        field = {"displayLabel": "Recording", "type": "URL"}
        self.bodies: dict[str, Json] = {
            "calls": {**body, **call},
            "tickets": body,
            "accounts": {"accountName": "One"},
            "webhooks": webhook,
            "fields": field,
        }
        return {
            "webhooks": self.http.post("/api/v1/webhooks", json=webhook).json()["id"],
            "contacts": contact.id,
            "accounts": str(contact.account_id),
            "tickets": ticket["id"],
            "calls": made["id"],
            "agents": agent.id,
            "departments": body["departmentId"],
            "organizations": DEMO_ORG_ID,
            "layouts": portal.layout_id("tickets", body["departmentId"]),
            "email": agent.email,
        }

    def ask(self, operation: Operation) -> Any:
        """Ask for an operation in a way that succeeds."""
        module = operation.path.split("/")[3]
        path = operation.path.replace("{id:int}", self.ids.get(module, "")).replace(
            "{email}", self.ids["email"]
        )
        if operation.body is None:
            return self.http.request(operation.method, path, params=self._query(operation))
        body = self.bodies.get(module, {"lastName": "One"})
        if path.endswith("moveToTrash"):
            assert isinstance(operation.body, Members)
            member = next(iter(operation.body.members))
            body = {member: [self.http.post(f"/api/v1/{module}", json=body).json()["id"]]}
        if path.endswith("comments"):
            body = {"content": "One"}
        return self.http.request(operation.method, path, json=body, params=self._query(operation))

    def _query(self, operation: Operation) -> dict[str, str]:
        """Include all that can be, but where the closed answer does not declare it."""
        if "module" in operation.query:
            return {"module": "calls"}
        include = operation.query.get("include")
        if not isinstance(include, params.Choices) or operation.path in UNDECLARED_INCLUDES:
            return {}
        return {"include": ",".join(word for word in include.words if word != "contract")}


UNDECLARED_INCLUDES = ("/api/v1/calls/{id:int}", "/api/v1/contacts")


@pytest.fixture(scope="module")
def app() -> Iterator[App]:
    """Fill one sandbox for all answers."""
    made = App()
    yield made
    made.http.close()


@pytest.mark.parametrize("operation", OPERATIONS, ids=name_of)
def test_answer(operation: Operation, app: App) -> None:
    """The answer has exactly the members that the contract has, and all that it requires."""
    answer = app.ask(operation)
    if operation.method == "DELETE" or operation.path.endswith("moveToTrash"):
        assert (answer.status_code, answer.content) == (operation.empty_status, b"")
        return
    assert answer.status_code == operation.status, answer.text
    jsonschema.Draft202012Validator(CONTRACTS.answer(*key_of(operation))).validate(answer.json())


@pytest.mark.parametrize("operation", WITH_BODY, ids=name_of)
def test_refusal(operation: Operation, app: App) -> None:
    """A refused body is answered in the official form, but for errorMessage, which the examples lack too."""
    path = operation.path.replace("{id:int}", app.ids.get(operation.path.split("/")[3], ""))
    answer = app.http.request(operation.method, path, json={"nosuch": 1})
    assert answer.status_code == 422
    assert "errors" in answer.json()
    body = answer.json()
    for each in body["errors"]:
        each["errorMessage"] = ""
    schema = {"anyOf": [CONTRACTS.refusal("POST", "/api/v1/calls")]}
    jsonschema.Draft202012Validator(schema).validate(body)
