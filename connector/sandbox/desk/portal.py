"""One portal of Desk: its records, the agents whom the configuration gives it, and what it still may do."""

from collections.abc import Callable

from connector.sandbox.config import Config, Org
from connector.sandbox.desk.courier import Courier
from connector.sandbox.desk.credits import Credits
from connector.sandbox.desk.records import (
    Account,
    Agent,
    Call,
    Comment,
    Contact,
    Department,
    Ticket,
    Webhook,
)
from connector.sandbox.desk.refusals import Refusal
from connector.sandbox.desk.shelf import R, Shelf

_AGENT_ID_BASE = 104_000_000_000_000_000


class Portal:
    """Hold the records of one org.

    `hidden` are ids that data sharing keeps from everybody who asks by API: lists omit them and a single
    read finds nothing. `merged` are contacts that became part of another. `denied` are profile
    permissions taken away, such as `calls.create`.
    """

    def __init__(self, config: Config, org: Org, new_id: Callable[[], str], courier: Courier) -> None:
        self.org = org
        self.new_id = new_id
        self.credits = Credits(config, org.org_id)
        self.accounts: Shelf[Account] = Shelf()
        self.contacts: Shelf[Contact] = Shelf()
        self.tickets: Shelf[Ticket] = Shelf()
        self.calls: Shelf[Call] = Shelf()
        self.comments: dict[str, list[Comment]] = {}
        self.departments: dict[str, Department] = {}
        self.layout_ids = {module: new_id() for module in ("accounts", "contacts", "tickets", "calls")}
        self.webhooks: dict[str, Webhook] = {}
        self.courier = courier
        self.hidden: set[str] = set()
        self.merged: set[str] = set()
        self.denied: set[str] = set()
        self._config = config

    @property
    def origin(self) -> str:
        """The address of the Desk this portal lives in."""
        return self._config.data_center(self.org.location).desk or ""

    @property
    def call_fields(self) -> list[str]:
        """The API names of the custom fields of calls."""
        return self._config.call_custom_fields

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
            )
            for user in self._config.agents_of(self.org.org_id)
        ]

    def agent(self, agent_id: str | None) -> Agent | None:
        """Find an agent by id."""
        return next((agent for agent in self.agents() if agent.id == agent_id), None)

    def agents_in(self, department: Department) -> list[Agent]:
        """List the agents of a department."""
        return self.agents()[department.starting :: department.every]

    def see(self, shelf: Shelf[R], record_id: str, *, trashed: bool = True) -> R:
        """Return a record that may be seen, a trashed one only if so said; else refuse with URL_NOT_FOUND."""
        record = shelf.find(record_id)
        gone = record_id in self.hidden or record_id in self.merged
        if record is None or gone or (record.is_trashed and not trashed):
            raise Refusal("URL_NOT_FOUND")
        return record

    def usable(self, shelf: Shelf[R], record_id: str | None) -> bool:
        """Say whether another record may refer to this one: it is there, seen and not trashed."""
        record = shelf.find(record_id) if record_id is not None else None
        return record is not None and not record.is_trashed and record.id not in self.hidden

    def listed(self, shelf: Shelf[R]) -> list[R]:
        """List the records that a list may show."""
        return [record for record in shelf.present() if record.id not in self.hidden]

    def indexed(self, shelf: Shelf[R], now: int) -> list[R]:
        """List the records that a search may find."""
        written_by = now - round(self._config.index_delay_seconds * 1000)
        return [record for record in shelf.indexed(written_by) if record.id not in self.hidden]
