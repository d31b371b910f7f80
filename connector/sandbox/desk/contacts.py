"""Contacts, alone and of an account."""

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


def shape_contact(portal: Portal, contact: Contact) -> JsonObject:
    """Return a contact as a single read shows it, and as webhooks tell it."""
    layout_id = portal.layout_id("contacts")
    return _members(contact, _COMMON) | {
        **shown(portal, "contacts", contact.cf),
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
        "webUrl": web_url(portal, "contacts", contact.id),
        "isEndUser": False,
        "zohoCRMContact": None,
        "customerHappiness": NO_HAPPINESS,
        "isSpam": False,
    }


def _shape(request: DeskRequest, contact: Contact) -> JsonObject:
    """Return a contact as a single read shows it, with what the request asks for."""
    shape = shape_contact(request.portal, contact)
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
        **shown(request.portal, "contacts", contact.cf),
        "photoURL": None,
        "webUrl": web_url(request.portal, "contacts", contact.id),
        "zohoCRMContact": None,
        "customerHappiness": NO_HAPPINESS,
        "modifiedTime": write_time(contact.modified_at),
        "createdTime": write_time(contact.created_at),
        "layoutId": request.portal.layout_id("contacts"),
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


def list_contacts_of_account(request: DeskRequest) -> Answer:
    """List the contacts of an account, by default in the order they were created."""
    portal = request.portal
    account = portal.see(portal.accounts, request.path["id"])
    own = [each for each in portal.listed(portal.contacts) if each.account_id == account.id]
    keys: dict[str, Key[Contact]] = {**_sort_keys(portal), "fullName": lambda contact: contact.full_name}
    return listing(
        _shape_item(request, contact) | {"mappingInfo": _mapping(contact)}
        for contact in cut(ordered(own, request.query.get("sortBy"), keys), request.query)
    )


def _mapping(contact: Contact) -> JsonObject:
    return {"mappingId": contact.id, "mappingType": "PRIMARY", "isAccountTicketsViewable": False}


def update_contact(request: DeskRequest) -> Answer:
    """Change what is given of a contact; the last of two writers wins, for Desk has no If-Match."""
    contact = request.portal.see(request.portal.contacts, request.path["id"], trashed=False)
    values = _read_body(request)
    if "last_name" in values and not values["last_name"]:
        raise invalid_data([Problem("/lastName", "missing")])
    change_contact(request.portal, contact, values, request.now)
    return _shape(request, request.portal.see(request.portal.contacts, contact.id))


def change_contact(portal: Portal, contact: Contact, values: Mapping[str, Any], now: int) -> None:
    """Write a contact anew with some values by the names of our fields, and tell who subscribes to it."""
    cf = contact.cf | values.get("cf", {})
    changed = msgspec.structs.replace(contact, modified_at=now, **{**values, "cf": cf})
    shape = shape_contact(portal, portal.contacts.put(changed, now))
    portal.webhook_sender.notify(portal, "Contact_Update", shape, shape_contact(portal, contact))


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
    found = find(
        portal.indexed(portal.contacts, request.now), request.query, columns, lambda contact: contact.cf
    )
    keys = {"relevance": lambda contact: -contact.modified_at, **_sort_keys(portal)}
    page = cut(ordered(found, request.query.get("sortBy"), keys), request.query)
    return listing((_shape_match(request, contact) for contact in page), count=len(found))


def _account_names(portal: Portal, contact: Contact) -> tuple[str | None]:
    account = _account(portal, contact)
    return (account.account_name if account else None,)


def _all_columns(portal: Portal, contact: Contact) -> list[str | None]:
    stored = msgspec.to_builtins(contact)
    texts = [value for value in stored.values() if isinstance(value, str)]
    return [*texts, *contact.cf.values(), contact.full_name, *_account_names(portal, contact)]


def _read_body(request: DeskRequest) -> dict[str, Any]:
    """Return what a checked body changes, by the names of our fields; refuse what it refers to in vain."""
    portal, is_new = request.portal, "id" not in request.path
    body = read_plain(request.body)
    body |= {name: read_id(body[name]) for name in _IDS if name in body}
    if "zip" in body:
        body["zip"] = str(body["zip"])
    problems = [
        *custom_problems(portal, "contacts", request.body),
        *mandatory_problems(portal, "contacts", request.body, is_new=is_new),
        *_lost_references(request, body),
    ]
    if problems:
        raise invalid_data(problems)
    names = {field.encode_name: field.name for field in msgspec.structs.fields(Contact)}
    cf = given(portal, "contacts", request.body)
    return {names[name]: value for name, value in body.items()} | ({"cf": cf} if cf else {})


def _lost_references(request: DeskRequest, body: Mapping[str, Any]) -> Iterable[Problem]:
    portal = request.portal
    if body.get("accountId") and not portal.usable(portal.accounts, body["accountId"]):
        yield Problem("/accountId")
    if body.get("ownerId") and portal.agent(body["ownerId"]) is None:
        yield Problem("/ownerId")
    if "layoutId" in request.body and str(request.body["layoutId"]) != portal.layout_id("contacts"):
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
    Operation(
        method="GET",
        path="/api/v1/accounts/{id:int}/contacts",
        scopes=scopes.READ_CONTACTS,
        handler=list_contacts_of_account,
        query=params.CONTACTS_OF_ACCOUNT,
        cost="page",
        permission="contacts.view",
    ),
)
