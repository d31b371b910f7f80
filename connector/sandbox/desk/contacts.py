"""Contacts and the accounts (companies) that they belong to."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from connector.sandbox.desk import bodies, params, scopes
from connector.sandbox.desk.gateway import Answer, DeskRequest, Operation
from connector.sandbox.desk.portal import Portal
from connector.sandbox.desk.records import Account, Contact, JsonObject
from connector.sandbox.desk.refusals import Problem, invalid_data
from connector.sandbox.desk.rules import read_id
from connector.sandbox.desk.search import Key, cut, find, ordered
from connector.sandbox.desk.shapes import (
    NO_HAPPINESS,
    account_card,
    agent_card,
    chosen,
    listing,
    wants,
    web_url,
)
from connector.sandbox.desk.times import write_time

_IDS = ("accountId", "ownerId")
_COMMON = (
    "lastName accountId firstName secondaryEmail phone mobile ownerId type email id "
    "zip country twitter city street facebook description state title"
)
_SHORT = "lastName accountId firstName secondaryEmail phone mobile ownerId type email id"


def _account(portal: Portal, contact: Contact) -> Account | None:
    return portal.accounts.find(contact.account_id or "")


def _members(contact: Contact, names: str) -> JsonObject:
    stored = msgspec.to_builtins(contact)
    return {name: stored[name] for name in names.split()}


def _shape_item(request: DeskRequest, contact: Contact) -> JsonObject:
    """Return a contact as the list shows it."""
    item = _members(contact, _SHORT) | {
        "photoURL": None,
        "isAnonymous": False,
        "accountCount": "0" if contact.account_id is None else "1",
        "webUrl": web_url(request.portal, "contacts", contact.id),
        "createdTime": write_time(contact.created_at),
        "isEndUser": False,
        "zohoCRMContact": None,
        "customerHappiness": NO_HAPPINESS,
        "isSpam": False,
    }
    if wants(request, "accounts"):
        item["account"] = account_card(_account(request.portal, contact))
    return item


def _shape(request: DeskRequest, contact: Contact) -> JsonObject:
    """Return a contact as a single read shows it."""
    layout_id = request.portal.layout_ids["contacts"]
    shape = _members(contact, _COMMON) | {
        "cf": {},
        "customFields": {},
        "modifiedTime": write_time(contact.modified_at),
        "createdTime": write_time(contact.created_at),
        "isFollowing": False,
        "accountCount": "0" if contact.account_id is None else "1",
        "layoutId": layout_id,
        "layoutDetails": {"id": layout_id, "layoutName": "Contacts"},
        "photoURL": None,
        "isAnonymous": False,
        "isDeleted": False,
        "isTrashed": contact.is_trashed,
        "webUrl": web_url(request.portal, "contacts", contact.id),
        "isEndUser": False,
        "zohoCRMContact": None,
        "customerHappiness": NO_HAPPINESS,
        "isSpam": False,
    }
    if wants(request, "owner"):
        owner = agent_card(request.portal.agent(contact.owner_id))
        shape["owner"] = owner and {name: owner[name] for name in ("id", "firstName", "lastName")}
    if wants(request, "accounts"):
        shape["account"] = account_card(_account(request.portal, contact))
    return shape


def _shape_match(request: DeskRequest, contact: Contact) -> JsonObject:
    """Return a contact as the search shows it."""
    return _members(contact, _COMMON) | {
        "owner": agent_card(request.portal.agent(contact.owner_id), "emailId", "zuid"),
        "account": account_card(_account(request.portal, contact)),
        "cf": {},
        "customFields": {},
        "photoURL": None,
        "webUrl": web_url(request.portal, "contacts", contact.id),
        "zohoCRMContact": None,
        "customerHappiness": NO_HAPPINESS,
        "modifiedTime": write_time(contact.modified_at),
        "createdTime": write_time(contact.created_at),
        "layoutId": request.portal.layout_ids["contacts"],
        "isEndUser": False,
    }


def _sort_keys(portal: Portal) -> dict[str, Key[Contact]]:
    return {
        "createdTime": lambda contact: contact.created_at,
        "modifiedTime": lambda contact: contact.modified_at,
        "firstName": lambda contact: contact.first_name,
        "lastName": lambda contact: contact.last_name,
        "phone": lambda contact: contact.phone,
        "email": lambda contact: contact.email,
        "account": lambda contact: (account := _account(portal, contact)) and account.account_name,
    }


def list_contacts(request: DeskRequest) -> Answer:
    """List contacts, by default in the order they were created."""
    records = ordered(
        request.portal.listed(request.portal.contacts),
        request.query.get("sortBy"),
        _sort_keys(request.portal),
    )
    return listing(chosen(request, _shape_item(request, contact)) for contact in cut(records, request.query))


def get_contact(request: DeskRequest) -> Answer:
    """Read one contact, even a trashed one."""
    return _shape(request, request.portal.see(request.portal.contacts, request.path["id"]))


def create_contact(request: DeskRequest) -> Answer:
    """Create a contact; Desk does not ask whether there is one like it."""
    values = _read_body(request)
    if request.config.contact_phones_unique and any(
        each.phone and each.phone == values.get("phone") for each in request.portal.contacts.present()
    ):
        raise invalid_data([Problem("/phone", "duplicate")])
    contact = Contact(id=request.portal.new_id(), created_at=request.now, modified_at=request.now, **values)
    made = _shape(request, request.portal.contacts.put(contact, request.now))
    request.portal.webhook_sender.notify(request.portal, "Contact_Add", made)
    return made


def update_contact(request: DeskRequest) -> Answer:
    """Change what is given of a contact."""
    contact = request.portal.see(request.portal.contacts, request.path["id"], trashed=False)
    values = _read_body(request)
    if "last_name" in values and not values["last_name"]:
        raise invalid_data([Problem("/lastName", "missing")])
    changed = msgspec.structs.replace(contact, modified_at=request.now, **values)
    shape = _shape(request, request.portal.contacts.put(changed, request.now))
    request.portal.webhook_sender.notify(request.portal, "Contact_Update", shape, _shape(request, contact))
    return shape


def trash_contacts(request: DeskRequest) -> Answer:
    """Move contacts to the recycle bin, all of those named or none."""
    contacts = request.portal.contacts
    ids = [str(each) for each in request.body["contactIds"]]
    if not all(request.portal.usable(contacts, each) for each in ids):
        raise invalid_data([Problem("/contactIds")])
    for each in ids:
        trashed = msgspec.structs.replace(
            request.portal.see(contacts, each), is_trashed=True, modified_at=request.now
        )
        request.portal.webhook_sender.notify(
            request.portal, "Contact_Delete", _shape(request, contacts.put(trashed, request.now))
        )
    return None


def search_contacts(request: DeskRequest) -> Answer:
    """Search the index of contacts; by relevance means the latest modified first."""
    portal = request.portal
    columns = {
        "email": lambda contact: (contact.email, contact.secondary_email),
        "phone": lambda contact: (contact.phone,),
        "mobile": lambda contact: (contact.mobile,),
        "lastName": lambda contact: (contact.last_name,),
        "firstName": lambda contact: (contact.first_name,),
        "fullName": lambda contact: (contact.full_name,),
        "accountName": lambda contact: _account_names(portal, contact),
        "_all": lambda contact: _all_columns(portal, contact),
    }
    found = find(portal.indexed(portal.contacts, request.now), request.query, columns, lambda _contact: {})
    keys = {"relevance": lambda contact: -contact.modified_at, **_sort_keys(portal)}
    page = cut(ordered(found, request.query.get("sortBy"), keys), request.query)
    return listing((_shape_match(request, contact) for contact in page), count=len(found))


def _account_names(portal: Portal, contact: Contact) -> tuple[str | None]:
    account = _account(portal, contact)
    return (account.account_name if account else None,)


def _all_columns(portal: Portal, contact: Contact) -> list[str | None]:
    stored = msgspec.to_builtins(contact)
    texts = [value for value in stored.values() if isinstance(value, str)]
    return [*texts, contact.full_name, *_account_names(portal, contact)]


def _read_body(request: DeskRequest) -> dict[str, Any]:
    """Return what a checked body changes, by the names of our fields; refuse what it refers to in vain."""
    body = {
        name: value for name, value in request.body.items() if name not in ("layoutId", "cf", "customFields")
    }
    body |= {name: read_id(body[name]) for name in _IDS if name in body}
    if "zip" in body:
        body["zip"] = str(body["zip"])
    problems = [*_unknown_fields(request.body), *_lost_references(request, body)]
    if problems:
        raise invalid_data(problems)
    names = {field.encode_name: field.name for field in msgspec.structs.fields(Contact)}
    return {names[name]: value for name, value in body.items()}


def _unknown_fields(body: Mapping[str, Any]) -> Iterable[Problem]:
    """Find the custom fields; the layout of contacts defines none."""
    for group in ("cf", "customFields"):
        yield from (Problem(f"/{group}/{name}") for name in body.get(group, {}))


def _lost_references(request: DeskRequest, body: Mapping[str, Any]) -> Iterable[Problem]:
    portal = request.portal
    if body.get("accountId") and not portal.usable(portal.accounts, body["accountId"]):
        yield Problem("/accountId")
    if body.get("ownerId") and portal.agent(body["ownerId"]) is None:
        yield Problem("/ownerId")
    if "layoutId" in request.body and str(request.body["layoutId"]) != portal.layout_ids["contacts"]:
        yield Problem("/layoutId")


_LIST, _ONE = "/api/v1/contacts", "/api/v1/contacts/{id:int}"

OPERATIONS = (
    Operation(
        method="GET",
        path=_LIST,
        scopes=scopes.READ_CONTACTS,
        handler=list_contacts,
        query=params.CONTACT_LIST,
        cost="page",
        permission="contacts.view",
    ),
    Operation(
        method="POST",
        path=_LIST,
        scopes=scopes.CREATE_CONTACTS,
        handler=create_contact,
        body=bodies.CONTACT_CREATE,
        permission="contacts.create",
    ),
    Operation(
        method="GET",
        path=_ONE,
        scopes=scopes.READ_CONTACTS,
        handler=get_contact,
        query=params.CONTACT_GET,
        permission="contacts.view",
    ),
    Operation(
        method="PATCH",
        path=_ONE,
        scopes=scopes.UPDATE_CONTACTS,
        handler=update_contact,
        body=bodies.CONTACT_UPDATE,
        permission="contacts.edit",
    ),
    Operation(
        method="GET",
        path=f"{_LIST}/search",
        scopes=scopes.SEARCH_CONTACTS,
        handler=search_contacts,
        query=params.CONTACT_SEARCH,
        cost="search",
        permission="contacts.view",
    ),
    Operation(
        method="POST",
        path=f"{_LIST}/moveToTrash",
        scopes=scopes.DELETE_CONTACTS,
        handler=trash_contacts,
        body=bodies.CONTACT_TRASH,
        cost="trash",
        permission="contacts.delete",
    ),
)


_ACCOUNT_SORT_KEYS = {
    "createdTime": lambda account: account.created_at,
    "modifiedTime": lambda account: account.modified_at,
    "accountName": lambda account: account.account_name,
    "website": lambda account: account.website,
    "email": lambda account: account.email,
    "phone": lambda account: account.phone,
}
_EMPTY_IN_ACCOUNTS = (
    "country code city street annualrevenue description industry state ownerId fax zohoCRMAccount"
)


def list_accounts(request: DeskRequest) -> Answer:
    """List accounts, by default in the order they were created."""
    records = ordered(
        request.portal.listed(request.portal.accounts), request.query.get("sortBy"), _ACCOUNT_SORT_KEYS
    )
    return listing(
        chosen(request, _shape_account_item(request, account)) for account in cut(records, request.query)
    )


def get_account(request: DeskRequest) -> Answer:
    """Read one account."""
    account = request.portal.see(request.portal.accounts, request.path["id"])
    item = _shape_account_item(request, account)
    del item["customerHappiness"]
    layout_id = request.portal.layout_ids["accounts"]
    return (
        dict.fromkeys(_EMPTY_IN_ACCOUNTS.split())
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
        | ({"owner": None} if wants(request, "owner") else {})
    )


def _shape_account_item(request: DeskRequest, account: Account) -> JsonObject:
    stored = msgspec.to_builtins(account)
    names = ("id", "accountName", "website", "phone", "email")
    return {name: stored[name] for name in names} | {
        "webUrl": web_url(request.portal, "accounts", account.id),
        "createdTime": write_time(account.created_at),
        "zohoCRMAccount": None,
        "customerHappiness": NO_HAPPINESS,
    }


_ACCOUNTS = "/api/v1/accounts"

ACCOUNT_OPERATIONS = (
    Operation(
        method="GET",
        path=_ACCOUNTS,
        scopes=scopes.READ_CONTACTS,
        handler=list_accounts,
        query=params.ACCOUNT_LIST,
        cost="page",
        permission="accounts.view",
    ),
    Operation(
        method="GET",
        path=f"{_ACCOUNTS}/{{id:int}}",
        scopes=scopes.READ_CONTACTS,
        handler=get_account,
        query=params.ACCOUNT_GET,
        permission="accounts.view",
    ),
)
