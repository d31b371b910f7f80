"""One portal of Desk: its records, the agents whom the configuration gives it, and its API credits.

Credits: what a request costs, what is left of the day, and when the next day begins (accounts.md section 6;
where its sources disagree about far pages, the first table is taken).
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Self

import msgspec

from connector.sandbox.config import Config, CustomField, Org
from connector.sandbox.desk.records import (
    Account,
    Agent,
    Call,
    Comment,
    Contact,
    Department,
    R,
    Record,
    RecordTable,
    Ticket,
    Webhook,
)
from connector.sandbox.desk.refusals import Refusal
from connector.sandbox.desk.times import day_of, midnight_after
from connector.sandbox.desk.webhook_sender import WebhookSender

Cost = Literal["record", "page", "search", "trash"]

_PAGE_COSTS = ((2_000, 3), (10_000, 5), (50_000, 10), (100_000, 50))
_FARTHEST_PAGE_COST = 100
_TRASH_COST = 6


def weigh(cost: Cost, query: dict[str, Any], body: dict[str, Any]) -> int:
    """Return the credits that a request costs: by its kind, its offset and how many records it trashes."""
    if cost == "record" or (cost == "search" and len(query.get("id", ())) == 1):
        return 1
    if cost == "trash":
        listed = next(iter(body.values()), None)
        return _TRASH_COST * (len(listed) if isinstance(listed, list) else 1)
    offset = query.get("from", 0)
    return next((price for end, price in _PAGE_COSTS if offset <= end), _FARTHEST_PAGE_COST)


class Credits:
    """The credits one portal has used today, in the data centre's time zone."""

    def __init__(self, config: Config, org_id: str) -> None:
        self._config = config
        self._org_id = org_id
        self._day = ""
        self._used = 0

    def left(self, now: int) -> int:
        """Return what is left of the day."""
        self._turn_day(now)
        return max(0, self._config.daily_credits(self._org_id) - self._used)

    def spend(self, weight: int, now: int) -> None:
        """Take the price of a request; or take nothing and refuse with THRESHOLD_EXCEEDED."""
        if weight > self.left(now):
            refusal = Refusal("THRESHOLD_EXCEEDED")
            if self._config.threshold_retry_after:
                until = midnight_after(now, self._config.time_zone)
                refusal.headers["Retry-After"] = str(-(-(until - now) // 1000))
            raise refusal
        self._used += weight

    def use_up(self, now: int, leave: int = 0) -> None:
        """Let other integrations have used the day's credits but for `leave`."""
        self._turn_day(now)
        self._used = self._config.daily_credits(self._org_id) - leave

    def _turn_day(self, now: int) -> None:
        day = day_of(now, self._config.time_zone)
        if day != self._day:
            self._day, self._used = day, 0


class MadeField(msgspec.Struct, frozen=True):
    """A custom field of calls that was made by the API."""

    id: str
    label: str
    type: str
    most: int | None = None


_FIELD_LABELS = {"cf_recordingurl": "Recording URL", "cf_callkey": "Call key"}
_AGENT_ID_BASE = 104_000_000_000_000_000
_LAYOUT_ID_BASE = 104_000_000_000_020_000
BY_DEPARTMENT = ("tickets", "calls")
"""Modules whose layouts belong to departments."""


def _plain_field(name: str, config: Config) -> CustomField:
    """Return a custom field of calls that has a name alone: an address by it, or else a text."""
    kind, most = ("URL", 2_500) if "url" in name else ("Text", 255)
    label = _FIELD_LABELS.get(name, name.removeprefix("cf_").capitalize())
    return CustomField(
        module="calls", name=name, label=label, type=config.call_field_types.get(name, kind), most=most
    )


class Portal:
    """Holds the records of one org.

    `hidden` are ids that data sharing keeps from everybody who asks by API: lists omit them and a single
    read finds nothing. `merged` are contacts that became part of another. `denied` are profile
    permissions taken away, such as `calls.create`. `made_fields` are custom fields of calls that were made
    here. `viewer` is the agent who asks: records of private modules are shown to their owner alone.
    """

    def __init__(
        self, config: Config, org: Org, new_id: Callable[[], str], webhook_sender: WebhookSender
    ) -> None:
        self.org = org
        self.new_id = new_id
        self.credits = Credits(config, org.org_id)
        self.accounts: RecordTable[Account] = RecordTable()
        self.contacts: RecordTable[Contact] = RecordTable()
        self.tickets: RecordTable[Ticket] = RecordTable()
        self.calls: RecordTable[Call] = RecordTable()
        self.comments: dict[str, list[Comment]] = {}
        self.departments: dict[str, Department] = {}
        self.layout_ids = {module: new_id() for module in ("accounts", "contacts", "tickets", "calls")}
        self.webhooks: dict[str, Webhook] = {}
        self.webhook_sender = webhook_sender
        self.hidden: set[str] = set()
        self.merged: set[str] = set()
        self.denied: set[str] = set()
        self.made_fields: dict[str, MadeField] = {}
        self.viewer: Agent | None = None
        self._config = config

    def as_seen_by(self, agent: Agent) -> Self:
        """Return the same portal, which shows an agent what data sharing lets them see."""
        if not self._config.data_sharing:
            return self
        seen = copy.copy(self)
        seen.viewer = agent
        return seen

    @property
    def tables(self) -> "Mapping[str, RecordTable[Any]]":
        """The records of each module that is shared or not."""
        named = ("accounts", "contacts", "tickets", "calls")
        return {name: getattr(self, name) for name in named}

    def sharing(self, module: str) -> str:
        """Return how a module is shared."""
        return self._config.data_sharing.get(module, "public")

    def lacks(self, permission: str | None) -> bool:
        """Tell whether every profile lacks a permission."""
        return permission in self.denied or permission in self._config.denied_permissions

    def is_anothers(self, record: Record) -> bool:
        """Tell whether a record has an owner who is not the viewer; one without an owner is everybody's."""
        owner = getattr(record, "owner_id", None) or getattr(record, "assignee_id", None)
        return self.viewer is not None and owner is not None and owner != self.viewer.id

    def _is_hidden(self, table: RecordTable[R], record: R) -> bool:
        if record.id in self.hidden:
            return True
        private = (each for name, each in self.tables.items() if self.sharing(name) == "private")
        return any(each is table for each in private) and self.is_anothers(record)

    @property
    def origin(self) -> str:
        """The address of the Desk this portal lives in."""
        return self._config.data_center(self.org.location).desk or ""

    @property
    def call_fields(self) -> list[str]:
        """The API names of the custom fields of calls."""
        return [field.name for field in self.custom_fields("calls")]

    def custom_fields(self, module: str) -> list[CustomField]:
        """List the custom fields of a module, those that were made here last."""
        config = self._config
        own = [field for field in config.custom_fields if field.module == module]
        if module != "calls":
            return own
        made = [
            CustomField(
                module="calls",
                name=name,
                label=field.label,
                type=config.call_field_types.get(name, field.type),
                most=field.most or 255,
            )
            for name, field in self.made_fields.items()
        ]
        return [*(_plain_field(name, config) for name in config.call_custom_fields), *own, *made]

    def mandatory_fields(self, module: str, department_id: str | None = None) -> set[str]:
        """Return what the layout of a module, and of a department, wants beside what Desk itself does."""
        wanted = self._config.mandatory_fields
        department = self.departments.get(department_id or "")
        of_department = wanted.get(f"{module}/{department.name}", []) if department else []
        return {*wanted.get(module, []), *of_department}

    def layout_id(self, module: str, department_id: str | None = None) -> str:
        """Return the id of a layout: tickets and calls have one for each department."""
        places = list(self.departments) if module in BY_DEPARTMENT else []
        number = places.index(department_id) if department_id in places else 0
        if number == 0:
            return self.layout_ids[module]
        return str(_LAYOUT_ID_BASE + 100 * BY_DEPARTMENT.index(module) + number)

    def label_of(self, field: str) -> str:
        """Return the name that people see of a custom field of calls."""
        labels = (each.label for each in self.custom_fields("calls") if each.name == field)
        return next(labels, field)

    def agents(self) -> list[Agent]:
        """List the agents, active or not, as the configuration has them now."""
        return [
            Agent(
                id=str(_AGENT_ID_BASE + int(user.zuid)),
                zuid=user.zuid,
                first_name=user.first_name,
                last_name=user.last_name,
                email=user.email,
                is_active=user.active,
                is_light=user.light,
                extension=user.extension,
            )
            for user in self._config.agents_of(self.org.org_id)
        ]

    def agent(self, agent_id: str | None) -> Agent | None:
        """Find an agent by id."""
        return next((agent for agent in self.agents() if agent.id == agent_id), None)

    def agents_in(self, department: Department) -> list[Agent]:
        """List the agents of a department."""
        return self.agents()[department.starting :: department.every]

    def see(self, table: RecordTable[R], record_id: str, *, trashed: bool = True) -> R:
        """Return a record that may be seen, a trashed one only if allowed; else refuse with URL_NOT_FOUND."""
        record = table.find(record_id)
        is_gone = record is None or record_id in self.merged or self._is_hidden(table, record)
        if record is None or is_gone or (record.is_trashed and not trashed):
            raise Refusal("URL_NOT_FOUND")
        return record

    def usable(self, table: RecordTable[R], record_id: str | None) -> bool:
        """Tell whether another record may refer to this one: it is there, seen and not trashed."""
        record = table.find(record_id) if record_id is not None else None
        return record is not None and not record.is_trashed and not self._is_hidden(table, record)

    def listed(self, table: RecordTable[R]) -> list[R]:
        """List the records that a list may show."""
        return [record for record in table.present() if not self._is_hidden(table, record)]

    def indexed(self, table: RecordTable[R], now: int) -> list[R]:
        """List the records that a search may find."""
        written_by = now - round(self._config.index_delay_seconds * 1000)
        return [record for record in table.indexed(written_by) if not self._is_hidden(table, record)]


def merge(portal: Portal, kept: Contact, others: Sequence[Contact], now: int) -> Contact:
    """Merge contacts into one, and return it: what it lacks it takes over from the others.

    People do that in Desk, and no operation of the API does. The others are gone afterwards, also from single
    reads; their tickets and calls are the kept one's. Desk has no event for it: the kept contact is modified,
    and nobody is notified of the others.
    """
    gone = {other.id for other in others}
    for other in others:
        portal.contacts.put(msgspec.structs.replace(other, is_trashed=True, modified_at=now), now)
    portal.merged |= gone
    for ticket in [each for each in portal.tickets.everything() if each.contact_id in gone]:
        portal.tickets.put(msgspec.structs.replace(ticket, contact_id=kept.id), now)
    for call in [each for each in portal.calls.everything() if each.contact_id in gone]:
        portal.calls.put(msgspec.structs.replace(call, contact_id=kept.id), now)
    taken = {
        name: next((value for other in others if (value := getattr(other, name))), None)
        for name in ("first_name", "email", "phone", "mobile", "account_id")
        if getattr(kept, name) is None
    }
    return portal.contacts.put(msgspec.structs.replace(kept, modified_at=now, **taken), now)
