"""The table of actions, compared with Desk's contract (kept outside, where present) and with our requests."""

import functools
import re
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest
import yaml

from connector.zoho import operations, scopes
from connector.zoho.actions import ACTIONS, ALWAYS, FEATURES, Action, enabled, used_by
from connector.zoho.wire import PREFIX, Request

NOTES = Path(__file__).parents[4] / "shared" / "zoho"
FILES = ("calls", "contacts", "settings", "more")

needs_contract = pytest.mark.skipif(not NOTES.exists(), reason="the contract lies outside the repository")

OF_THE_NEXT_ISSUE = 41
ALSO_OURS = {
    *("search_contacts", "create_call", "get_call", "list_calls", "search_calls", "update_call"),
    *("create_call_comment", "get_my_info", "get_my_profile_permissions", "get_data_sharing_rules"),
    *("get_agent_by_email", "create_webhook", "list_webhooks", "delete_webhook", "list_fields"),
    *("create_field", "search_accounts", "list_contacts_by_account", "search_tickets"),
    *("list_ticket_comments", "list_layouts", "get_layout"),
}


@functools.cache
def contract() -> dict[tuple[str, str], Any]:
    """Return every operation of the contract by method and path."""
    files = [yaml.load((NOTES / f"{name}.yaml").read_text(), yaml.CSafeLoader) for name in FILES]
    return {
        (method.upper(), path.removeprefix(PREFIX)): operation
        for file in files
        for path, methods in file["paths"].items()
        for method, operation in methods.items()
    }


@functools.cache
def permissions() -> set[str]:
    """Return every permission that a profile may have."""
    schemas = yaml.load((NOTES / "settings.yaml").read_text(), yaml.CSafeLoader)["components"]["schemas"]
    modules = schemas["Profile.commonPermissionJsonResponse"]["properties"]
    return {
        f"{module}.{right}"
        for module, told in modules.items()
        for right in schemas.get(told.get("$ref", "").rpartition("/")[2], told).get("properties", {})
    }


def requests() -> list[Request[Any]]:
    """Make one request of each kind that `operations` has, with the plainest arguments."""
    plain: dict[Any, Any] = {str: "1", int: 1, bool: True, dict[str, Any]: {}}
    made = []
    for name, make in vars(operations).items():
        if name.startswith("_") or getattr(make, "__module__", "") != operations.__name__:
            continue
        hints = get_type_hints(make)
        hints.pop("return")
        given = {each: plain.get(kind, _first(kind)) for each, kind in hints.items()}
        made.append(make(**given))
    return made


def _first(kind: Any) -> Any:
    """Return the first word of a Literal; for all else the empty text, which is an empty sequence too."""
    return get_args(kind)[0] if get_origin(kind) is Literal else ""


REQUESTS = requests()


def row_of(request: Request[Any]) -> Action:
    """Return a request's row; fixed paths come before those with an id."""
    rows = sorted(ACTIONS, key=lambda action: "{" in action.path)
    for row in rows:
        pattern = re.sub(r"\{\w+\}", "[^/]+", row.path)
        if row.method == request.method and re.fullmatch(pattern, request.path):
            return row
    raise LookupError(str(request))


@pytest.mark.parametrize("request_", REQUESTS, ids=str)
def test_every_request_has_its_row(request_: Request[Any]) -> None:
    """What it costs, and whether it may be sent twice, is what the client goes by."""
    row = row_of(request_)
    assert (row.credits, row.is_repeatable) == (request_.cost, request_.repeatable)


@needs_contract
@pytest.mark.parametrize("row", ACTIONS, ids=lambda row: row.id)
def test_every_row_is_the_contracts(row: Action) -> None:
    """Method and path are there, with exactly these scopes; the permission is one that profiles have."""
    operation = contract()[row.method, row.path]
    # Where there are several requirements each is enough; the first names them all.
    named = set(operation["security"][0]["iam-oauth2-schema"])
    assert {scope for group in row.scopes for scope in group} == named
    assert row.permission is None or row.permission in permissions()


def test_the_table_is_whole() -> None:
    """No row stands there twice, and those that programs will ask for are there beside ours."""
    ids = [row.id for row in ACTIONS]
    assert len(ids) == len(set(ids)) == len({(row.method, row.path) for row in ACTIONS})
    assert set(ids) > ALSO_OURS
    assert len(ids) == OF_THE_NEXT_ISSUE + len(ALSO_OURS)


def test_changes_of_others_records_take_more() -> None:
    """Reading takes records that can be read, changing and trashing all of it; what is made is one's own."""
    levels = {row.id: row.level for row in ACTIONS if row.module}
    assert levels["create_call"] == "private"
    assert levels["get_contact"] == levels["create_ticket_comment"] == "public read only"
    assert levels["update_call"] == levels["delete_contacts"] == "public"


def test_what_is_optional_is_asked_for_only_where_it_is_on() -> None:
    """Webhooks, custom fields, cards and tickets need scopes of their own; accounts are read by the usual."""
    on = {"fields": True, "cards": True, "tickets": True, "accounts": True}
    assert set(enabled(webhooks=True, **on)) == set(FEATURES)
    more = set(scopes.names(scopes.linking(webhooks=True, **on))) - set(scopes.names(scopes.LINKING))
    assert more == {
        *("Desk.events.CREATE", "Desk.events.READ", "Desk.events.DELETE", "Desk.fields.CREATE"),
        *("Desk.contacts.UPDATE", "Desk.tickets.CREATE", "Desk.tickets.UPDATE"),
    }
    of_accounts = scopes.linking(webhooks=False, accounts=True)
    assert scopes.names(of_accounts) == scopes.names(scopes.LINKING)
    assert all(action.uses for action in used_by(ALWAYS))


def test_an_alternative_does_in_a_scopes_place() -> None:
    """One of a group is enough, and it must do for all that the scope is asked for."""
    granted = " ".join(scopes.names(scopes.LINKING))
    assert scopes.missing(granted.replace("Desk.calls.CREATE", "Desk.activities.calls.CREATE")) == []
    assert scopes.missing(granted.replace("Desk.calls.READ", "Desk.activities.calls.READ")) == [
        "Desk.calls.READ"
    ]
