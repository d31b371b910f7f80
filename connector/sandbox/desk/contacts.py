"""Contacts: list, create, read, change, search, trash."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from connector.sandbox.desk import bodies, queries, scopes
from connector.sandbox.desk.door import Answer, Ask, Operation
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


def _shape_item(ask: Ask, contact: Contact) -> JsonObject:
    """Return a contact as the list shows it."""
    item = _members(contact, _SHORT) | {
        "photoURL": None,
        "isAnonymous": False,
        "accountCount": "0" if contact.account_id is None else "1",
        "webUrl": web_url(ask.portal, "contacts", contact.id),
        "createdTime": write_time(contact.created_at),
        "isEndUser": False,
        "zohoCRMContact": None,
        "customerHappiness": NO_HAPPINESS,
        "isSpam": False,
    }
    if wants(ask, "accounts"):
        item["account"] = account_card(_account(ask.portal, contact))
    return item


def _shape(ask: Ask, contact: Contact) -> JsonObject:
    """Return a contact as a single read shows it."""
    layout_id = ask.portal.layout_ids["contacts"]
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
        "webUrl": web_url(ask.portal, "contacts", contact.id),
        "isEndUser": False,
        "zohoCRMContact": None,
        "customerHappiness": NO_HAPPINESS,
        "isSpam": False,
    }
    if wants(ask, "owner"):
        owner = agent_card(ask.portal.agent(contact.owner_id))
        shape["owner"] = owner and {name: owner[name] for name in ("id", "firstName", "lastName")}
    if wants(ask, "accounts"):
        shape["account"] = account_card(_account(ask.portal, contact))
    return shape


def _shape_match(ask: Ask, contact: Contact) -> JsonObject:
    """Return a contact as the search shows it."""
    return _members(contact, _COMMON) | {
        "owner": agent_card(ask.portal.agent(contact.owner_id), "emailId", "zuid"),
        "account": account_card(_account(ask.portal, contact)),
        "cf": {},
        "customFields": {},
        "photoURL": None,
        "webUrl": web_url(ask.portal, "contacts", contact.id),
        "zohoCRMContact": None,
        "customerHappiness": NO_HAPPINESS,
        "modifiedTime": write_time(contact.modified_at),
        "createdTime": write_time(contact.created_at),
        "layoutId": ask.portal.layout_ids["contacts"],
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


def list_contacts(ask: Ask) -> Answer:
    """List contacts, by default in the order they were created."""
    records = ordered(ask.portal.listed(ask.portal.contacts), ask.query.get("sortBy"), _sort_keys(ask.portal))
    return listing(chosen(ask, _shape_item(ask, contact)) for contact in cut(records, ask.query))


def get_contact(ask: Ask) -> Answer:
    """Read one contact, even a trashed one."""
    return _shape(ask, ask.portal.see(ask.portal.contacts, ask.path["id"]))


def create_contact(ask: Ask) -> Answer:
    """Create a contact; Desk does not ask whether there is one like it."""
    values = _read_body(ask)
    if ask.config.contact_phones_unique and any(
        each.phone and each.phone == values.get("phone") for each in ask.portal.contacts.present()
    ):
        raise invalid_data([Problem("/phone", "duplicate")])
    contact = Contact(id=ask.portal.new_id(), created_at=ask.now, modified_at=ask.now, **values)
    made = _shape(ask, ask.portal.contacts.put(contact, ask.now))
    ask.portal.courier.tell(ask.portal, "Contact_Add", made)
    return made


def update_contact(ask: Ask) -> Answer:
    """Change what is given of a contact."""
    contact = ask.portal.see(ask.portal.contacts, ask.path["id"], trashed=False)
    values = _read_body(ask)
    if "last_name" in values and not values["last_name"]:
        raise invalid_data([Problem("/lastName", "missing")])
    changed = msgspec.structs.replace(contact, modified_at=ask.now, **values)
    shape = _shape(ask, ask.portal.contacts.put(changed, ask.now))
    ask.portal.courier.tell(ask.portal, "Contact_Update", shape, _shape(ask, contact))
    return shape


def trash_contacts(ask: Ask) -> Answer:
    """Move contacts to the recycle bin, all of those named or none."""
    contacts = ask.portal.contacts
    ids = [str(each) for each in ask.body["contactIds"]]
    if not all(ask.portal.usable(contacts, each) for each in ids):
        raise invalid_data([Problem("/contactIds")])
    for each in ids:
        trashed = msgspec.structs.replace(
            ask.portal.see(contacts, each), is_trashed=True, modified_at=ask.now
        )
        ask.portal.courier.tell(ask.portal, "Contact_Delete", _shape(ask, contacts.put(trashed, ask.now)))
    return None


def search_contacts(ask: Ask) -> Answer:
    """Search the index of contacts; by relevance means the latest modified first."""
    portal = ask.portal
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
    found = find(portal.indexed(portal.contacts, ask.now), ask.query, columns, lambda _contact: {})
    keys = {"relevance": lambda contact: -contact.modified_at, **_sort_keys(portal)}
    page = cut(ordered(found, ask.query.get("sortBy"), keys), ask.query)
    return listing((_shape_match(ask, contact) for contact in page), count=len(found))


def _account_names(portal: Portal, contact: Contact) -> tuple[str | None]:
    account = _account(portal, contact)
    return (account.account_name if account else None,)


def _all_columns(portal: Portal, contact: Contact) -> list[str | None]:
    stored = msgspec.to_builtins(contact)
    texts = [value for value in stored.values() if isinstance(value, str)]
    return [*texts, contact.full_name, *_account_names(portal, contact)]


def _read_body(ask: Ask) -> dict[str, Any]:
    """Return what a checked body changes, by the names of our fields; refuse what it refers to in vain."""
    body = {name: value for name, value in ask.body.items() if name not in ("layoutId", "cf", "customFields")}
    body |= {name: read_id(body[name]) for name in _IDS if name in body}
    if "zip" in body:
        body["zip"] = str(body["zip"])
    problems = [*_unknown_fields(ask.body), *_lost_references(ask, body)]
    if problems:
        raise invalid_data(problems)
    names = {field.encode_name: field.name for field in msgspec.structs.fields(Contact)}
    return {names[name]: value for name, value in body.items()}


def _unknown_fields(body: Mapping[str, Any]) -> Iterable[Problem]:
    """Find the custom fields; the layout of contacts defines none."""
    for group in ("cf", "customFields"):
        yield from (Problem(f"/{group}/{name}") for name in body.get(group, {}))


def _lost_references(ask: Ask, body: Mapping[str, Any]) -> Iterable[Problem]:
    portal = ask.portal
    if body.get("accountId") and not portal.usable(portal.accounts, body["accountId"]):
        yield Problem("/accountId")
    if body.get("ownerId") and portal.agent(body["ownerId"]) is None:
        yield Problem("/ownerId")
    if "layoutId" in ask.body and str(ask.body["layoutId"]) != portal.layout_ids["contacts"]:
        yield Problem("/layoutId")


_LIST, _ONE = "/api/v1/contacts", "/api/v1/contacts/{id:int}"

OPERATIONS = (
    Operation(
        method="GET",
        path=_LIST,
        scopes=scopes.READ_CONTACTS,
        handler=list_contacts,
        query=queries.CONTACT_LIST,
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
        query=queries.CONTACT_GET,
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
        query=queries.CONTACT_SEARCH,
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
