"""The state of Desk in one sandbox: a portal for each org, filled with invented records."""

import functools
import itertools
import random
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from connector.sandbox.config import Config
from connector.sandbox.desk.numbers import LANDLINES, MOBILES, Line, type_number
from connector.sandbox.desk.portal import Portal, merge
from connector.sandbox.desk.records import Account, Contact, Department, JsonObject, R, Ticket
from connector.sandbox.desk.tickets import STATUS_TYPES
from connector.sandbox.desk.times import write_time
from connector.sandbox.desk.webhook_sender import WebhookSender

CONTACTS = 200
_ID_BASE = 104_000_001_000_000_000

_HOUR = 3_600_000
_DAY = 24 * _HOUR
_YEAR_DAYS = 365
_FIRST = (
    "Alma Bastian Carys Dorian Elif Fabrice Greta Hamza Ines Jonas Keira Leander Maëlle Noor Ottilie Pavel "
    "Quentin Rosalind Søren Tamsin Ulrich Vesna Wiebke Xenia Yannick Zoë"
)
_LAST = (
    "Ashgrove Brantley Castellane Dunmore Eichwald Fairhurst Grünfeld Hollis Ivarsson Jessop Kestrel "
    "Lindqvist Marchetti Northam O'Farrow Pemberley Quillon Rosenau Söderholm Thistle Underhay "
    "Vautrin Wexcombe Yarrow"
)
_TRADES = "Logistics Bakery Optics Shipyard Textiles Nurseries Print Pumps Interiors Instruments"
_SUBJECTS = (
    "Delivery has not arrived",
    "Question about an invoice",
    "Cannot sign in",
    "Wants a quotation",
    "Device makes a noise",
    "Change of address",
)
_STATUSES = ("Open", "Closed", "On Hold", "Closed", "Escalated")
_PRIORITIES = (None, "Low", "Medium", "High")
_PLANS = ("Basic", None, "Premium")
_REGIONS = ("North", "South", None)


class DeskState:
    """Hold the portals, each filled with invented records when it is first needed.

    Where an `org_id` may be left out, the first org of the configuration is meant. What tests add or change
    here is in the search index at once.
    """

    def __init__(self, config: Config, now: Callable[[], int]) -> None:
        self._config = config
        self._now = now
        self.webhook_sender = WebhookSender(config, now)
        self._ids = itertools.count(_ID_BASE + 1)
        self._portals: dict[str, Portal] = {}
        for org in config.orgs:
            self.portal(org.org_id)

    def portal(self, org_id: str) -> Portal | None:
        """Return the portal of an org, None if the configuration has no such org."""
        org = self._config.org(org_id)
        if org is not None and org_id not in self._portals:
            portal = self._portals[org_id] = Portal(self._config, org, self._new_id, self.webhook_sender)
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

    def add_account(self, org_id: str | None = None, **fields: Any) -> Account:
        """Add an account as if it had long been there; `fields` bear the names of `records.Account`."""
        portal, now = self._own(org_id), self._now()
        times = {"created_at": now, "modified_at": now} | fields
        return portal.accounts.put(Account(id=self._new_id(), **times), 0)

    def add_ticket(self, contact: Contact, *, subject: str, status: str = "Open", **fields: Any) -> Ticket:
        """Add a ticket of a contact, in the default department of their portal unless `fields` name another.

        They bear the names of `records.Ticket`.
        """
        portal, now = self._portal_of(contact), self._now()
        department = next(iter(portal.departments.values()))
        usual: dict[str, Any] = {
            "created_at": now,
            "modified_at": now,
            "department_id": department.id,
            "account_id": contact.account_id,
            "status_type": STATUS_TYPES[status],
            "closed_at": now if STATUS_TYPES[status] == "Closed" else None,
            "creator_id": department.creator_id,
        }
        ticket = Ticket(
            id=self._new_id(),
            ticket_number=str(101 + len(portal.tickets)),
            contact_id=contact.id,
            subject=subject,
            status=status,
            **usual | fields,
        )
        return portal.tickets.put(ticket, 0)

    def change_contact(self, contact: Contact, **fields: Any) -> Contact:
        """Change a contact, for instance trash it by `is_trashed=True`."""
        changed = msgspec.structs.replace(contact, modified_at=self._now(), **fields)
        return self._portal_of(contact).contacts.put(changed, 0)

    def change_account(self, account: Account, **fields: Any) -> Account:
        """Change an account, for instance trash it by `is_trashed=True`."""
        changed = msgspec.structs.replace(account, modified_at=self._now(), **fields)
        portal = next(each for each in self.portals() if each.accounts.find(account.id))
        return portal.accounts.put(changed, 0)

    def merge_contacts(self, into: str, *others: str) -> None:
        """Merge contacts into another, as a person does it in Desk; KeyError for one not there."""
        found = {each.id: each for portal in self.portals() for each in portal.contacts.present()}
        kept = found[into]
        merge(self._portal_of(kept), kept, [found[other] for other in others], self._now())

    def hide(self, record_id: str) -> None:
        """Hide a record from everybody who asks by API, as data sharing does."""
        for portal in self.portals():
            portal.hidden.add(record_id)

    def deny(self, permission: str, org_id: str | None = None) -> None:
        """Take a permission such as `calls.create` from the profile of all agents."""
        self._own(org_id).denied.add(permission)

    def use_up_credits(self, org_id: str | None = None, *, leave: int = 0) -> None:
        """Use up the credits of today but for `leave`, as other integrations would."""
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

    def dump_accounts(self) -> list[JsonObject]:
        """Return every account, all stored members by Desk's names, oldest first."""
        return [
            _dump(portal, account) for portal in self.portals() for account in portal.accounts.everything()
        ]

    def dump_tickets(self) -> list[JsonObject]:
        """Return every ticket with its comments, all stored members by Desk's names, oldest first."""
        return [
            _dump(portal, ticket) | {"comments": msgspec.to_builtins(portal.comments.get(ticket.id, []))}
            for portal in self.portals()
            for ticket in portal.tickets.everything()
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


def add_departments(portal: Portal, now: int) -> None:
    """Give a portal three departments: the first has all agents, the others every second one."""
    agents = portal.agents()
    creator_id = agents[0].id if agents else "0"
    rows = (("Customer Support", 1, 0), ("Sales", 2, 0), ("Billing", 2, 1))
    for name, every, starting in rows:
        department = Department(
            id=portal.new_id(),
            name=name,
            description=f"{name} of {portal.org.name}"[:100],
            creator_id=creator_id,
            created_at=now - _YEAR_DAYS * _DAY,
            every=every,
            starting=starting,
            is_default=every == 1,
        )
        portal.departments[department.id] = department


def add_records(portal: Portal, contacts: int, now: int) -> None:
    """Add as many contacts, an account for every eighth of them, and tickets open and closed."""
    invented = _invent(
        portal.org.org_id,
        contacts,
        int(portal.new_id()),
        len(portal.tickets),
        tuple(agent.id for agent in portal.agents()),
        tuple(msgspec.structs.replace(each, created_at=0) for each in portal.departments.values()),
    )
    for account in invented.accounts:
        portal.accounts.put(_moved(account, now), account.created_at + now)
    for contact in invented.contacts:
        portal.contacts.put(_moved(contact, now), contact.modified_at + now)
    for ticket in invented.tickets:
        closed_at = None if ticket.closed_at is None else ticket.closed_at + now
        portal.tickets.put(_moved(ticket, now, closed_at=closed_at), ticket.created_at + now)
    # The first one was asked for above.
    for _ in range(len(invented.accounts) + len(invented.contacts) + len(invented.tickets) - 1):
        portal.new_id()


def _moved(record: R, now: int, **changes: Any) -> R:
    """Return a record that was invented for the moment 0 as it is at another."""
    times = {"created_at": record.created_at + now, "modified_at": record.modified_at + now}
    return msgspec.structs.replace(record, **times, **changes)


class _Invented:
    """Records of a portal as of the moment 0, and what the next ones are made of."""

    def __init__(
        self,
        chance: random.Random,
        first_id: int,
        owners: Sequence[str],
        departments: Sequence[Department],
        tickets_before: int,
    ) -> None:
        self.accounts: list[Account] = []
        self.contacts: list[Contact] = []
        self.tickets: list[Ticket] = []
        self._chance = chance
        self._ids = itertools.count(first_id)
        self._owners = owners
        self._departments = departments
        self._tickets_before = tickets_before
        self._earlier: list[Line] = []

    def add_account(self) -> None:
        """Invent an account."""
        chance = self._chance
        created_at = -chance.randint(200, _YEAR_DAYS) * _DAY
        name = f"{chance.choice(_LAST.split())} {chance.choice(_TRADES.split())}"
        account = Account(
            id=str(next(self._ids)),
            created_at=created_at,
            modified_at=created_at,
            account_name=name,
            website=f"https://{_ascii(name)}.example",
            phone=type_number(chance.choice(LANDLINES).pick(chance), 0),
            cf={"cf_region": _REGIONS[len(self.accounts) % len(_REGIONS)]},
        )
        self.accounts.append(account)

    def add_contact(self, index: int) -> None:
        """Invent a contact, and their tickets."""
        chance = self._chance
        created_at = -chance.randint(100, _YEAR_DAYS) * _DAY - index
        first, last = chance.choice(_FIRST.split()), chance.choice(_LAST.split())
        phone, mobile = _invent_numbers(chance, index, self._earlier)
        contact = Contact(
            id=str(next(self._ids)),
            created_at=created_at,
            modified_at=created_at + chance.randint(0, 90) * _DAY,
            first_name=None if index % 23 == 5 else first,
            last_name=last,
            email=None if index % 9 == 4 else f"{_ascii(first)}.{_ascii(last)}.{index}@mail.example",
            phone=phone,
            mobile=mobile,
            account_id=None if index % 3 == 0 else chance.choice(self.accounts).id,
            owner_id=chance.choice(self._owners) if self._owners else None,
            city=chance.choice(("Harbourtown", "Hillside", "Lakeview", None)),
            cf={"cf_plan": _PLANS[index % len(_PLANS)]},
        )
        self.contacts.append(contact)
        for number in range(index % 4 if index % 2 else 0):
            self._add_ticket(contact, number)

    def _add_ticket(self, contact: Contact, number: int) -> None:
        chance, before = self._chance, self._tickets_before + len(self.tickets)
        created_at = -chance.randint(1, 90) * _DAY - chance.randint(0, 23) * _HOUR
        department = chance.choice(self._departments)
        agents = self._owners[department.starting :: department.every]
        status = _STATUSES[(number + before) % len(_STATUSES)]
        ticket = Ticket(
            id=str(next(self._ids)),
            ticket_number=str(101 + before),
            created_at=created_at,
            modified_at=created_at + _HOUR,
            department_id=department.id,
            contact_id=contact.id,
            account_id=contact.account_id,
            subject=chance.choice(_SUBJECTS),
            status=status,
            status_type=STATUS_TYPES[status],
            closed_at=created_at + _HOUR if STATUS_TYPES[status] == "Closed" else None,
            creator_id=department.creator_id,
            assignee_id=chance.choice(agents) if agents and number else None,
            channel="Phone",
            priority=chance.choice(_PRIORITIES),
            email=contact.email,
        )
        self.tickets.append(ticket)


@functools.lru_cache(maxsize=16)
def _invent(
    org_id: str,
    contacts: int,
    first_id: int,
    tickets_before: int,
    owners: tuple[str, ...],
    departments: tuple[Department, ...],
) -> _Invented:
    """Invent the records of a portal as of the moment 0; who starts over gets those of before again."""
    chance = random.Random(f"{org_id}:{contacts}")  # noqa: S311 - it repeats; nothing is secret
    invented = _Invented(chance, first_id, owners, departments, tickets_before)
    for _ in range(-(-contacts // 8)):
        invented.add_account()
    for index in range(contacts):
        invented.add_contact(index)
    return invented


def _invent_numbers(chance: random.Random, index: int, earlier: list[Line]) -> tuple[str | None, str | None]:
    """Choose phone and mobile: some have none, some only a mobile, and every tenth shares a line."""
    if index % 17 == 16:
        return None, None
    mobile = type_number(chance.choice(MOBILES).pick(chance), index // 2) if index % 3 == 1 else None
    if index % 11 == 10:
        return None, mobile or type_number(chance.choice(MOBILES).pick(chance), index)
    shares = index % 10 == 9 and earlier
    line = earlier[-1] if shares else chance.choice(LANDLINES).pick(chance)
    earlier.append(line)
    return type_number(line, index), mobile


def _ascii(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.replace("ø", "o")).encode("ascii", "ignore").decode()
    return "".join(c for c in plain.lower() if c.isalnum())
