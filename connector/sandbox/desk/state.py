"""The state of Desk in one sandbox: a portal for each org of the configuration."""

import itertools
from collections.abc import Callable
from typing import Any

import msgspec

from connector.sandbox.config import Config
from connector.sandbox.desk.courier import Courier
from connector.sandbox.desk.merging import merge
from connector.sandbox.desk.portal import Portal
from connector.sandbox.desk.records import Contact, JsonObject, Ticket
from connector.sandbox.desk.seeds import add_departments, add_records
from connector.sandbox.desk.tickets import STATUS_TYPES
from connector.sandbox.desk.times import write_time

CONTACTS = 200
_ID_BASE = 104_000_001_000_000_000


class DeskState:
    """Hold the portals, each filled with invented records when it is first needed.

    Where an `org_id` may be left out, the first org of the configuration is meant. What tests add or change
    here is in the search index at once.
    """

    def __init__(self, config: Config, now: Callable[[], int]) -> None:
        self._config = config
        self._now = now
        self.courier = Courier(config, now)
        self._ids = itertools.count(_ID_BASE + 1)
        self._portals: dict[str, Portal] = {}
        for org in config.orgs:
            self.portal(org.org_id)

    def portal(self, org_id: str) -> Portal | None:
        """Return the portal of an org, None if the configuration has no such org."""
        org = self._config.org(org_id)
        if org is not None and org_id not in self._portals:
            portal = self._portals[org_id] = Portal(self._config, org, self._new_id, self.courier)
            add_departments(portal, self._now())
            self.seed(org_id)
        return self._portals.get(org_id)

    def seed(self, org_id: str | None = None, *, contacts: int = CONTACTS) -> None:
        """Add invented contacts with accounts and tickets, always the same ones for org and number."""
        add_records(self._own(org_id), contacts, self._now())

    def add_contact(self, org_id: str | None = None, **fields: Any) -> Contact:
        """Add a contact as if it had long been there; `fields` bear the names of `records.Contact`."""
        portal, now = self._own(org_id), self._now()
        times = {"created_at": now, "modified_at": now} | fields
        return portal.contacts.put(Contact(id=self._new_id(), **times), 0)

    def add_ticket(self, contact: Contact, *, subject: str, status: str = "Open") -> Ticket:
        """Add a ticket of a contact, in the default department of their portal."""
        portal, now = self._portal_of(contact), self._now()
        department = next(iter(portal.departments.values()))
        ticket = Ticket(
            id=self._new_id(),
            ticket_number=str(101 + len(portal.tickets)),
            created_at=now,
            modified_at=now,
            department_id=department.id,
            contact_id=contact.id,
            account_id=contact.account_id,
            subject=subject,
            status=status,
            status_type=STATUS_TYPES[status],
            closed_at=now if STATUS_TYPES[status] == "Closed" else None,
            creator_id=department.creator_id,
        )
        return portal.tickets.put(ticket, 0)

    def change_contact(self, contact: Contact, **fields: Any) -> Contact:
        """Change a contact, for instance trash it by `is_trashed=True`."""
        changed = msgspec.structs.replace(contact, modified_at=self._now(), **fields)
        return self._portal_of(contact).contacts.put(changed, 0)

    def merge_contacts(self, into: str, *others: str) -> None:
        """Let contacts become part of another, as a person does it in Desk; KeyError for one not there."""
        found = {each.id: each for portal in self.portals() for each in portal.contacts.present()}
        kept = found[into]
        merge(self._portal_of(kept), kept, [found[other] for other in others], self._now())

    def hide(self, record_id: str) -> None:
        """Let data sharing keep a record from all who ask by API."""
        for portal in self.portals():
            portal.hidden.add(record_id)

    def deny(self, permission: str, org_id: str | None = None) -> None:
        """Take a permission such as `calls.create` from the profile of all agents."""
        self._own(org_id).denied.add(permission)

    def use_up_credits(self, org_id: str | None = None, *, leave: int = 0) -> None:
        """Let other integrations have used the credits of today but for `leave`."""
        self._own(org_id).credits.use_up(self._now(), leave)

    def dump_calls(self) -> list[JsonObject]:
        """Return every call record ever made, all stored members by Desk's names, oldest first."""
        return [
            _dump(portal, call) | {"comments": msgspec.to_builtins(portal.comments.get(call.id, []))}
            for portal in self.portals()
            for call in portal.calls.everything()
        ]

    def dump_contacts(self) -> list[JsonObject]:
        """Return every contact, all stored members by Desk's names, oldest first."""
        return [
            _dump(portal, contact) for portal in self.portals() for contact in portal.contacts.everything()
        ]

    def portals(self) -> list[Portal]:
        """List the portals of all orgs that the configuration has now."""
        found = (self.portal(org.org_id) for org in list(self._config.orgs))
        return [portal for portal in found if portal is not None]

    def _own(self, org_id: str | None) -> Portal:
        portal = self.portal(org_id or self._config.orgs[0].org_id)
        if portal is None:
            raise KeyError(org_id)
        return portal

    def _portal_of(self, contact: Contact) -> Portal:
        return next(portal for portal in self.portals() if portal.contacts.find(contact.id))

    def _new_id(self) -> str:
        return str(next(self._ids))


def _dump(portal: Portal, record: msgspec.Struct) -> JsonObject:
    """Write a record out with its portal; moments are ISO strings, as over the API."""
    stored: JsonObject = msgspec.to_builtins(record)
    times = {name: write_time(value) for name, value in stored.items() if name.endswith("Time")}
    return stored | times | {"orgId": portal.org.org_id}
