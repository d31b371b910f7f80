"""The records of Desk, and how they are kept: frozen values; times are epoch milliseconds, ids are digits."""

from collections.abc import Iterator
from typing import Any, Generic, Literal, TypeVar

import msgspec

CallStatus = Literal["Completed", "Scheduled", "Missed", "Canceled", "In Progress"]
Direction = Literal["inbound", "outbound"]
TicketStatusType = Literal["Open", "On Hold", "Closed"]
JsonObject = dict[str, Any]
CustomValues = dict[str, str | None]
"""Values of custom fields, by their API names."""

CLOSED_CALLS: frozenset[str] = frozenset({"Completed", "Missed", "Canceled"})


def api_name(field: str) -> str:
    """Return Desk's name of a field of ours: `created_at` is `createdTime`, `owner_id` is `ownerId`."""
    first, *rest = field.removesuffix("_at").split("_")
    end = "Time" if field.endswith("_at") else ""
    return first + "".join(word.capitalize() for word in rest) + end


class Record(msgspec.Struct, frozen=True, kw_only=True, rename=api_name):
    """What every record of Desk has; written out, its members bear Desk's names."""

    id: str
    created_at: int
    modified_at: int
    is_trashed: bool = False


class Account(Record, frozen=True, kw_only=True):
    """A company that contacts belong to."""

    account_name: str
    website: str | None = None
    phone: str | None = None
    email: str | None = None
    owner_id: str | None = None
    fax: str | None = None
    industry: str | None = None
    annualrevenue: str | None = None
    street: str | None = None
    city: str | None = None
    state: str | None = None
    country: str | None = None
    code: str | None = None
    description: str | None = None
    cf: CustomValues = {}


class Contact(Record, frozen=True, kw_only=True):
    """A person who may call; phone numbers are text as somebody typed it."""

    last_name: str
    first_name: str | None = None
    email: str | None = None
    secondary_email: str | None = None
    phone: str | None = None
    mobile: str | None = None
    account_id: str | None = None
    owner_id: str | None = None
    type: str | None = None
    title: str | None = None
    street: str | None = None
    city: str | None = None
    state: str | None = None
    country: str | None = None
    zip: str | None = None
    facebook: str | None = None
    twitter: str | None = None
    description: str | None = None
    language: str | None = None
    cf: CustomValues = {}

    @property
    def full_name(self) -> str:
        """First and last name, as Desk shows them."""
        return f"{self.first_name or ''} {self.last_name}".strip()


class Ticket(Record, frozen=True, kw_only=True):
    """A request of a contact; `extra` holds what was given and only ever comes back as it was."""

    ticket_number: str
    department_id: str
    contact_id: str
    subject: str
    status: str
    status_type: TicketStatusType
    creator_id: str
    assignee_id: str | None = None
    account_id: str | None = None
    channel: str | None = None
    priority: str | None = None
    email: str | None = None
    phone: str | None = None
    description: str | None = None
    due_at: int | None = None
    closed_at: int | None = None
    extra: JsonObject = {}
    cf: CustomValues = {}

    @property
    def is_escalated(self) -> bool:
        """Whether somebody should look at it at once."""
        return self.status == "Escalated"


class Call(Record, frozen=True, kw_only=True):
    """A call record; `recording_url` can be written and is never read back over the API."""

    subject: str
    contact_id: str
    department_id: str
    start_at: int
    status: CallStatus
    creator_id: str
    modified_by_id: str
    direction: Direction | None = None
    duration: str | None = None
    owner_id: str | None = None
    ticket_id: str | None = None
    priority: str | None = None
    description: str | None = None
    recording_url: str | None = None
    reminder: list[JsonObject] | None = None
    completed_at: int | None = None
    cf: CustomValues = {}

    @property
    def status_type(self) -> Literal["Open", "Closed"]:
        """Whether anything is left to be done about this call."""
        return "Closed" if self.status in CLOSED_CALLS else "Open"


class Comment(msgspec.Struct, frozen=True, kw_only=True, rename=api_name):
    """A comment on a call or a ticket; the contact sees a public one of a ticket."""

    id: str
    content: str
    content_type: Literal["html", "plainText"]
    commenter_id: str
    commented_at: int
    is_public: bool = False


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """Which events a URL is notified of; `subscriptions` maps events to their filters, None for none."""

    id: str
    created_at: int
    modified_at: int
    creator_id: str
    url: str
    subscriptions: dict[str, JsonObject | None]
    name: str | None = None
    description: str | None = None
    is_enabled: bool = True
    include_events_from: list[str] | None = None
    ignore_source_id: str | None = None


class Department(msgspec.Struct, frozen=True, kw_only=True):
    """A department; of a portal's agents it has every nth, beginning with the one numbered `starting`."""

    id: str
    name: str
    description: str
    creator_id: str
    created_at: int
    every: int = 1
    starting: int = 0
    is_default: bool = False


class Agent(msgspec.Struct, frozen=True, kw_only=True):
    """A person who works in a portal; an inactive one is DISABLED."""

    id: str
    zuid: str
    first_name: str
    last_name: str
    email: str
    is_active: bool = True
    is_light: bool = False
    extension: str = ""

    @property
    def full_name(self) -> str:
        """First and last name, as Desk shows them."""
        return f"{self.first_name} {self.last_name}".strip()


R = TypeVar("R", bound=Record)


class RecordTable(Generic[R]):
    """Holds every version of the records of one kind, oldest record first.

    Lists and single reads see the newest version at once; a search sees the newest version that was
    written by a given moment, and nothing of a record that is younger (design.md, index delay).
    """

    def __init__(self) -> None:
        self._versions: dict[str, list[tuple[int, R]]] = {}

    def __len__(self) -> int:
        return len(self._versions)

    def put(self, record: R, at: int) -> R:
        """Keep a new record or a new version of one, written at a moment."""
        self._versions.setdefault(record.id, []).append((at, record))
        return record

    def find(self, record_id: str) -> R | None:
        """Return a record as it is now, trashed or not; None if there is none."""
        versions = self._versions.get(record_id)
        return versions[-1][1] if versions else None

    def present(self) -> Iterator[R]:
        """Go through all records that are not trashed, as they are now."""
        return (versions[-1][1] for versions in self._versions.values() if not versions[-1][1].is_trashed)

    def everything(self) -> Iterator[R]:
        """Go through all records as they are now, trashed ones too."""
        return (versions[-1][1] for versions in self._versions.values())

    def indexed(self, written_by: int) -> Iterator[R]:
        """Go through the records as a search finds them if the index knows only what was written by then."""
        for versions in self._versions.values():
            known = next((record for at, record in reversed(versions) if at <= written_by), None)
            if known is not None and not known.is_trashed:
                yield known
