"""Fill a portal with invented records, the same ones each time; nobody in them is a real person."""

import random
import unicodedata

from connector.sandbox.desk.numbers import LANDLINES, MOBILES, Line, type_number
from connector.sandbox.desk.portal import Portal
from connector.sandbox.desk.records import Account, Agent, Contact, Department, Ticket
from connector.sandbox.desk.tickets import STATUS_TYPES

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
    chance = random.Random(f"{portal.org.org_id}:{contacts}")  # noqa: S311 - it repeats; nothing is secret
    accounts = [_add_account(portal, chance, now) for _ in range(-(-contacts // 8))]
    owners = portal.agents()
    earlier: list[Line] = []
    for index in range(contacts):
        contact = _add_contact(portal, chance, index, accounts, owners, earlier, now)
        for number in range(index % 4 if index % 2 else 0):
            _add_ticket(portal, chance, contact, owners, number, now)


def _add_account(portal: Portal, chance: random.Random, now: int) -> Account:
    created_at = now - chance.randint(200, _YEAR_DAYS) * _DAY
    name = f"{chance.choice(_LAST.split())} {chance.choice(_TRADES.split())}"
    account = Account(
        id=portal.new_id(),
        created_at=created_at,
        modified_at=created_at,
        account_name=name,
        website=f"https://{_ascii(name)}.example",
        phone=type_number(chance.choice(LANDLINES).pick(chance), 0),
    )
    return portal.accounts.put(account, created_at)


def _add_contact(
    portal: Portal,
    chance: random.Random,
    index: int,
    accounts: list[Account],
    owners: list[Agent],
    earlier: list[Line],
    now: int,
) -> Contact:
    created_at = now - chance.randint(100, _YEAR_DAYS) * _DAY - index
    first, last = chance.choice(_FIRST.split()), chance.choice(_LAST.split())
    phone, mobile = _invent_numbers(chance, index, earlier)
    contact = Contact(
        id=portal.new_id(),
        created_at=created_at,
        modified_at=created_at + chance.randint(0, 90) * _DAY,
        first_name=None if index % 23 == 5 else first,
        last_name=last,
        email=None if index % 9 == 4 else f"{_ascii(first)}.{_ascii(last)}.{index}@mail.example",
        phone=phone,
        mobile=mobile,
        account_id=None if index % 3 == 0 else chance.choice(accounts).id,
        owner_id=chance.choice(owners).id if owners else None,
        city=chance.choice(("Harbourtown", "Hillside", "Lakeview", None)),
    )
    return portal.contacts.put(contact, contact.modified_at)


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


def _add_ticket(
    portal: Portal, chance: random.Random, contact: Contact, owners: list[Agent], number: int, now: int
) -> None:
    created_at = now - chance.randint(1, 90) * _DAY - chance.randint(0, 23) * _HOUR
    department = chance.choice(list(portal.departments.values()))
    agents = owners[department.starting :: department.every]
    status = _STATUSES[(number + len(portal.tickets)) % len(_STATUSES)]
    ticket = Ticket(
        id=portal.new_id(),
        ticket_number=str(101 + len(portal.tickets)),
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
        assignee_id=chance.choice(agents).id if agents and number else None,
        channel="Phone",
        priority=chance.choice(_PRIORITIES),
        email=contact.email,
    )
    portal.tickets.put(ticket, created_at)


def _ascii(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.replace("ø", "o")).encode("ascii", "ignore").decode()
    return "".join(c for c in plain.lower() if c.isalnum())
