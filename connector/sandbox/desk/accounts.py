"""Accounts of Desk, which are companies: list and read."""

import msgspec

from connector.sandbox.desk import queries, scopes
from connector.sandbox.desk.door import Answer, Ask, Operation
from connector.sandbox.desk.records import Account, JsonObject
from connector.sandbox.desk.search import cut, ordered
from connector.sandbox.desk.shapes import NO_HAPPINESS, chosen, listing, wants, web_url
from connector.sandbox.desk.times import write_time

_SORT_KEYS = {
    "createdTime": lambda account: account.created_at,
    "modifiedTime": lambda account: account.modified_at,
    "accountName": lambda account: account.account_name,
    "website": lambda account: account.website,
    "email": lambda account: account.email,
    "phone": lambda account: account.phone,
}
_EMPTY = "country code city street annualrevenue description industry state ownerId fax zohoCRMAccount"


def list_accounts(ask: Ask) -> Answer:
    """List accounts, by default in the order they were created."""
    records = ordered(ask.portal.listed(ask.portal.accounts), ask.query.get("sortBy"), _SORT_KEYS)
    return listing(chosen(ask, _shape_item(ask, account)) for account in cut(records, ask.query))


def get_account(ask: Ask) -> Answer:
    """Read one account."""
    account = ask.portal.see(ask.portal.accounts, ask.path["id"])
    item = _shape_item(ask, account)
    del item["customerHappiness"]
    layout_id = ask.portal.layout_ids["accounts"]
    return (
        dict.fromkeys(_EMPTY.split())
        | item
        | {
            "cf": {},
            "customFields": {},
            "modifiedTime": write_time(account.modified_at),
            "isFollowing": False,
            "isDeleted": False,
            "isTrashed": account.is_trashed,
            "associatedSLAIds": [],
            "layoutId": layout_id,
            "layoutDetails": {"id": layout_id, "layoutName": "Accounts"},
        }
        | ({"owner": None} if wants(ask, "owner") else {})
    )


def _shape_item(ask: Ask, account: Account) -> JsonObject:
    stored = msgspec.to_builtins(account)
    names = ("id", "accountName", "website", "phone", "email")
    return {name: stored[name] for name in names} | {
        "webUrl": web_url(ask.portal, "accounts", account.id),
        "createdTime": write_time(account.created_at),
        "zohoCRMAccount": None,
        "customerHappiness": NO_HAPPINESS,
    }


_LIST = "/api/v1/accounts"

OPERATIONS = (
    Operation(
        method="GET",
        path=_LIST,
        scopes=scopes.READ_CONTACTS,
        handler=list_accounts,
        query=queries.ACCOUNT_LIST,
        cost="page",
        permission="accounts.view",
    ),
    Operation(
        method="GET",
        path=f"{_LIST}/{{id:int}}",
        scopes=scopes.READ_CONTACTS,
        handler=get_account,
        query=queries.ACCOUNT_GET,
        permission="accounts.view",
    ),
)
