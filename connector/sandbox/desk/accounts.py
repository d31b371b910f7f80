"""Accounts: the companies that contacts belong to. Desk's search knows their names, and no phones."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from connector.sandbox.desk import bodies, params, scopes
from connector.sandbox.desk.fields import (
    custom_problems,
    given,
    mandatory_problems,
    read_plain,
    shown,
)
from connector.sandbox.desk.gateway import Answer, DeskRequest, Operation
from connector.sandbox.desk.portal import Portal
from connector.sandbox.desk.records import Account, JsonObject
from connector.sandbox.desk.refusals import Problem, invalid_data
from connector.sandbox.desk.rules import read_id
from connector.sandbox.desk.search import cut, find, ordered
from connector.sandbox.desk.shapes import NO_HAPPINESS, agent_card, chosen, listing, wants, web_url
from connector.sandbox.desk.times import write_time

_SHORT = "id accountName website phone email"
_LONG = f"{_SHORT} country code city street annualrevenue description industry state ownerId fax"
_SORT_KEYS = {
    "createdTime": lambda account: account.created_at,
    "modifiedTime": lambda account: account.modified_at,
    "accountName": lambda account: account.account_name,
    "website": lambda account: account.website,
    "email": lambda account: account.email,
    "phone": lambda account: account.phone,
}


def _members(account: Account, names: str) -> JsonObject:
    stored = msgspec.to_builtins(account)
    return {name: stored[name] for name in names.split()}


def _shape_item(request: DeskRequest, account: Account) -> JsonObject:
    """Return an account as the list shows it."""
    return _members(account, _SHORT) | {
        "webUrl": web_url(request.portal, "accounts", account.id),
        "createdTime": write_time(account.created_at),
        "zohoCRMAccount": None,
        "customerHappiness": NO_HAPPINESS,
    }


def shape_account(portal: Portal, account: Account) -> JsonObject:
    """Return an account as a single read shows it, and as webhooks tell it."""
    layout_id = portal.layout_id("accounts")
    return _members(account, _LONG) | {
        **shown(portal, "accounts", account.cf),
        "webUrl": web_url(portal, "accounts", account.id),
        "createdTime": write_time(account.created_at),
        "modifiedTime": write_time(account.modified_at),
        "zohoCRMAccount": None,
        "isFollowing": False,
        "isDeleted": False,
        "isTrashed": account.is_trashed,
        "associatedSLAIds": [],
        "layoutId": layout_id,
        "layoutDetails": {"id": layout_id, "layoutName": "Accounts"},
    }


def _shape(request: DeskRequest, account: Account) -> JsonObject:
    shape = shape_account(request.portal, account)
    if wants(request, "owner"):
        owner = agent_card(request.portal.agent(account.owner_id))
        shape["owner"] = owner and {name: owner[name] for name in ("id", "firstName", "lastName")}
    return shape


def _shape_match(request: DeskRequest, account: Account) -> JsonObject:
    """Return an account as the search shows it."""
    portal = request.portal
    return _members(account, _LONG) | {
        **shown(portal, "accounts", account.cf),
        "owner": agent_card(portal.agent(account.owner_id), "emailId", "zuid"),
        "webUrl": web_url(portal, "accounts", account.id),
        "createdTime": write_time(account.created_at),
        "modifiedTime": write_time(account.modified_at),
        "layoutId": portal.layout_id("accounts"),
    }


def list_accounts(request: DeskRequest) -> Answer:
    """List accounts, by default in the order they were created."""
    records = ordered(request.portal.listed(request.portal.accounts), request.query.get("sortBy"), _SORT_KEYS)
    return listing(chosen(request, _shape_item(request, account)) for account in cut(records, request.query))


def get_account(request: DeskRequest) -> Answer:
    """Read one account, even a trashed one."""
    return _shape(request, request.portal.see(request.portal.accounts, request.path["id"]))


def search_accounts(request: DeskRequest) -> Answer:
    """Search the index of accounts; by relevance means the latest modified first."""
    portal = request.portal
    columns = {
        "accountName": lambda account: (account.account_name,),
        "_all": _all_columns,
    }
    known = portal.indexed(portal.accounts, request.now)
    found = find(known, request.query, columns, lambda account: account.cf)
    keys = {"relevance": lambda account: -account.modified_at, **_SORT_KEYS}
    page = cut(ordered(found, request.query.get("sortBy"), keys), request.query)
    return listing((_shape_match(request, account) for account in page), count=len(found))


def _all_columns(account: Account) -> list[str | None]:
    texts = [value for value in msgspec.to_builtins(account).values() if isinstance(value, str)]
    return [*texts, *account.cf.values()]


def create_account(request: DeskRequest) -> Answer:
    """Create an account; Desk does not ask whether there is one like it."""
    portal = request.portal
    account = Account(
        id=portal.new_id(), created_at=request.now, modified_at=request.now, **_read_body(request)
    )
    made = shape_account(portal, portal.accounts.put(account, request.now))
    portal.webhook_sender.notify(portal, "Account_Add", made)
    return made


def update_account(request: DeskRequest) -> Answer:
    """Change what is given of an account."""
    account = request.portal.see(request.portal.accounts, request.path["id"], trashed=False)
    values = _read_body(request)
    if "account_name" in values and not values["account_name"]:
        raise invalid_data([Problem("/accountName", "missing")])
    change_account(request.portal, account, values, request.now)
    return _shape(request, request.portal.see(request.portal.accounts, account.id))


def change_account(portal: Portal, account: Account, values: Mapping[str, Any], now: int) -> None:
    """Write an account anew with some values by the names of our fields, and tell who subscribes to it."""
    cf = account.cf | values.get("cf", {})
    changed = msgspec.structs.replace(account, modified_at=now, **{**values, "cf": cf})
    shape = shape_account(portal, portal.accounts.put(changed, now))
    portal.webhook_sender.notify(portal, "Account_Update", shape, shape_account(portal, account))


def trash_accounts(request: DeskRequest) -> Answer:
    """Move accounts to the recycle bin, all of those named or none."""
    portal, accounts = request.portal, request.portal.accounts
    ids = [str(each) for each in request.body["accountIds"]]
    if not all(portal.usable(accounts, each) for each in ids):
        raise invalid_data([Problem("/accountIds")])
    for each in dict.fromkeys(ids):
        account = msgspec.structs.replace(
            portal.see(accounts, each), is_trashed=True, modified_at=request.now
        )
        shape = shape_account(portal, accounts.put(account, request.now))
        portal.webhook_sender.notify(portal, "Account_Delete", shape)
    return None


def _read_body(request: DeskRequest) -> dict[str, Any]:
    """Return what a checked body changes, by the names of our fields; refuse what it refers to in vain."""
    portal, is_new = request.portal, "id" not in request.path
    body = read_plain(request.body, "associatedSLAIds")
    if "ownerId" in body:
        body["ownerId"] = read_id(body["ownerId"])
    problems = [
        *custom_problems(portal, "accounts", request.body),
        *mandatory_problems(portal, "accounts", request.body, is_new=is_new),
        *_lost_references(request, body),
    ]
    if problems:
        raise invalid_data(problems)
    names = {field.encode_name: field.name for field in msgspec.structs.fields(Account)}
    cf = given(portal, "accounts", request.body)
    return {names[name]: value for name, value in body.items()} | ({"cf": cf} if cf else {})


def _lost_references(request: DeskRequest, body: Mapping[str, Any]) -> Iterable[Problem]:
    portal = request.portal
    if body.get("ownerId") and portal.agent(body["ownerId"]) is None:
        yield Problem("/ownerId")
    if "layoutId" in request.body and str(request.body["layoutId"]) != portal.layout_id("accounts"):
        yield Problem("/layoutId")
    if request.body.get("associatedSLAIds"):
        yield Problem("/associatedSLAIds")


_LIST, _ONE = "/api/v1/accounts", "/api/v1/accounts/{id:int}"

OPERATIONS = (
    Operation(
        method="GET",
        path=_LIST,
        scopes=scopes.READ_CONTACTS,
        handler=list_accounts,
        query=params.ACCOUNT_LIST,
        cost="page",
        permission="accounts.view",
    ),
    Operation(
        method="POST",
        path=_LIST,
        scopes=scopes.CREATE_CONTACTS,
        handler=create_account,
        body=bodies.ACCOUNT_CREATE,
        permission="accounts.create",
    ),
    Operation(
        method="GET",
        path=_ONE,
        scopes=scopes.READ_CONTACTS,
        handler=get_account,
        query=params.ACCOUNT_GET,
        permission="accounts.view",
    ),
    Operation(
        method="PATCH",
        path=_ONE,
        scopes=scopes.UPDATE_CONTACTS,
        handler=update_account,
        body=bodies.ACCOUNT_UPDATE,
        permission="accounts.edit",
    ),
    Operation(
        method="GET",
        path=f"{_LIST}/search",
        scopes=scopes.SEARCH_CONTACTS,
        handler=search_accounts,
        query=params.ACCOUNT_SEARCH,
        cost="search",
        permission="accounts.view",
    ),
    Operation(
        method="POST",
        path=f"{_LIST}/moveToTrash",
        scopes=scopes.DELETE_CONTACTS,
        handler=trash_accounts,
        body=bodies.ACCOUNT_TRASH,
        cost="trash",
        permission="accounts.delete",
    ),
)
