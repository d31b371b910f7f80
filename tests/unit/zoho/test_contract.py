"""What we send, compared with the transcription of Desk's contract (kept outside, where present)."""

import functools
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.zoho import operations as ops
from connector.zoho.fields import LENGTHS, CallBody, Length, call_body, contact_body, emptied, length_of
from connector.zoho.layouts import Module
from connector.zoho.webhooks import subscription
from connector.zoho.wire import PREFIX, Request

NOTES = Path(__file__).parents[4] / "shared" / "zoho"

pytestmark = pytest.mark.skipif(not NOTES.exists(), reason="the contract lies outside the repository")

REQUESTS: list[Request[Any]] = [
    ops.organizations(),
    ops.my_info(),
    ops.sharing_rules(),
    ops.create_call_field("Recording"),
    ops.agents(200, 500),
    ops.agent_by_email("ada@example.com"),
    ops.departments(200, 500),
    ops.module_fields("calls"),
    ops.layouts("tickets", "1"),
    ops.layout("1"),
    ops.search_contacts("phone", ["1"]),
    ops.search_contacts_text("mira", 10),
    ops.contacts(100, 500),
    ops.contacts_since("createdTime", 0, 1, 999),
    ops.contact("1"),
    ops.create_contact({}),
    ops.patch_contact("1", {}),
    ops.record("contacts", "1"),
    ops.record("accounts", "1"),
    ops.record("tickets", "1"),
    ops.accounts(100, 500),
    ops.accounts_since("modifiedTime", 0, 1, 999),
    ops.create_account({}),
    ops.patch_account("1", {}),
    ops.account_contacts("1", 500),
    ops.search_tickets([("phone", "1"), ("contactId", "1"), ("createdTimeRange", "0,1")], 500),
    ops.create_ticket({}),
    ops.ticket("1"),
    ops.patch_ticket("1", {}),
    ops.ticket_comments("1", 500),
    ops.create_ticket_comment("1", "hello", is_public=False),
    ops.contact_tickets("1", 25, newest_first=True),
    ops.create_call({}),
    ops.call("1"),
    ops.patch_call("1", {}),
    ops.calls("1", 100, 500, newest_first=False),
    ops.search_calls(0, 1, "key", 10),
    ops.create_call_comment("1", "hello"),
    ops.create_webhook({}),
    ops.webhooks(),
    ops.delete_webhook("1"),
]


@functools.cache
def contract(name: str) -> Any:
    """Load a file of the contract."""
    return yaml.load((NOTES / f"{name}.yaml").read_text(), yaml.CSafeLoader)


def operation_of(request: Request[Any]) -> tuple[Any, Any]:
    """Find a request's operation, and the file that it stands in."""
    files = [contract(name) for name in ("calls", "contacts", "settings", "more")]
    known = sorted(
        ((path, file) for file in files for path in file["paths"]), key=lambda pair: "{" in pair[0]
    )
    for path, file in known:
        operation = file["paths"][path].get(request.method.lower())
        if operation and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", path), PREFIX + request.path):
            return operation, file
    raise LookupError(str(request))


@pytest.mark.parametrize("request_", REQUESTS, ids=str)
def test_every_parameter_is_in_the_contract(request_: Request[Any]) -> None:
    """Desk refuses parameters that it does not know, and numbers beyond their limits."""
    operation, file = operation_of(request_)
    known: dict[str, Any] = {}
    for listed in operation.get("parameters", []):
        parameter = file["components"]["parameters"].get(listed.get("$ref", "").rpartition("/")[2], listed)
        known[parameter["name"]] = parameter.get("schema", {})
    for name, value in request_.query:
        assert name in known
        assert int(value) <= known[name].get("maximum", 10_000) if name == "limit" else True


@functools.cache
def subscribing() -> jsonschema.Draft202012Validator:
    """Make the validator of bodies that create a webhook."""
    file = contract("settings")
    body = file["components"]["requestBodies"]["Webhook.webhookjson"]["content"]["application/json"]["schema"]
    return jsonschema.Draft202012Validator(body | {"components": file["components"]})


@functools.cache
def validator() -> jsonschema.Draft202012Validator:
    """Make the validator of bodies that create a call."""
    file = contract("calls")
    return jsonschema.Draft202012Validator(
        {"$ref": "#/components/schemas/callCreate", "components": file["components"]}
    )


def test_the_subscription_fits_the_contract() -> None:
    """Desk takes the body that subscribes to contacts, and to accounts."""
    for accounts in (False, True):
        body = subscription("https://calls.example.com/webhooks/desk/1", accounts=accounts)
        subscribing().validate(body)


BODIES = {
    ("contacts", True): ("contacts", "ContactCreate"),
    ("contacts", False): ("contacts", "ContactUpdate"),
    ("accounts", True): ("contacts", "AccountCreate"),
    ("accounts", False): ("contacts", "AccountUpdate"),
    ("tickets", True): ("contacts", "TicketCreate"),
    ("tickets", False): ("contacts", "TicketUpdate"),
    ("calls", True): ("calls", "callCreate"),
    ("calls", False): ("calls", "callUpdate"),
}


def members(file: Any, schema: Any) -> dict[str, Any]:
    """Return the members that a schema and its branches know; a later branch's rule is the narrower."""
    while "$ref" in schema:
        schema = file["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    found: dict[str, Any] = {}
    for branch in schema.get("allOf", []):
        for name, rule in members(file, branch).items():
            found[name] = found.get(name, {}) | rule
    found |= schema.get("properties", {})
    return found


@pytest.mark.parametrize(("module", "is_new"), BODIES, ids=str)
def test_lengths_are_the_contracts(module: Module, is_new: object) -> None:
    """What is made may be longer than what is changed: each is cut where Desk would refuse it."""
    name, schema = BODIES[module, bool(is_new)]
    known = members(contract(name), {"$ref": f"#/components/schemas/{schema}"})
    stated = {
        each: rule["maxLength"]
        for each, rule in known.items()
        if "maxLength" in rule and "object" not in rule.get("type", "") and each not in NO_TEXTS
    }
    ours = {each: length_of(module, each, is_new=bool(is_new)) for each in LENGTHS[module]}
    assert ours == stated
    assert length_of(module, "cf_plan", is_new=bool(is_new)) == (255 if module == "tickets" else 100)


@pytest.mark.parametrize("module", LENGTHS)
def test_what_empties_a_field_is_of_a_type_that_it_takes(module: Module) -> None:
    """Null goes only where the contract takes null, in every branch that speaks of the field."""
    name, schema = BODIES[module, False]
    known = members(contract(name), {"$ref": f"#/components/schemas/{schema}"})
    for each in LENGTHS[module]:
        assert (emptied(module, each) is None) == ("null" in known[each]["type"]), each


NO_TEXTS = {"accountId", "secondaryContacts", "entitySkills", "startTime", "dueDate", "contact"}


def test_a_place_is_shorter_where_it_is_changed() -> None:
    """A city of 40 letters is taken with a new contact, and refused of one that is changed."""
    assert LENGTHS["contacts"]["city"] == LENGTHS["accounts"]["country"] == Length(100, 30)
    assert length_of("contacts", "nosuch", is_new=True) is None


texts = st.text(max_size=120) | st.text(min_size=301, max_size=400)
addresses = st.text(alphabet="abcé{}/?=&%:.-_ ", max_size=60).map(lambda tail: f"https://p{tail}")


@settings(deadline=None)
@given(
    subject=texts,
    description=texts,
    recording=st.none() | addresses,
    owner=st.none() | st.text(max_size=20),
    cf=st.dictionaries(st.just("cf_x"), texts),
    started_at=st.integers(0, 4_000_000_000_000),
)
def test_every_record_fits_the_contract(
    subject: str,
    description: str,
    recording: str | None,
    owner: str | None,
    cf: dict[str, str],
    started_at: int,
) -> None:
    """Whatever a call was like, the body that we write of it is valid, and says what was left out."""
    written = call_body(
        CallBody(
            contact_id="1",
            department_id="2",
            subject=subject,
            description=description,
            started_at=started_at,
            status="Completed",
            direction="inbound",
            owner_id=owner,
            recording_url=recording,
            cf=cf,
        )
    )
    validator().validate(written.body)
    if recording is not None:
        assert ("recordingUrl" in written.body) != ("recordingUrl" in written.left_out)


@settings(deadline=None)
@given(st.text(min_size=1, max_size=300), st.text(max_size=80))
def test_every_contact_fits_the_contract(name: str, phone: str) -> None:
    """Lengths and characters of a new contact are those that the contract takes."""
    body = contact_body(name, phone=phone)
    assert len(body["lastName"]) <= 200
    assert re.fullmatch(r"([0-9a-zA-Z_+\-.$@?,:'/!\s]|[^\x00-\x7F])*", body.get("phone", ""))
    assert len(body.get("phone", "")) <= 50
