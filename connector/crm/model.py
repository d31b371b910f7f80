"""What a CRM is: objects with their fields, search order, pop policy by flow, assign rules; pure data.

`Rules` is kept as JSON and read again by later releases: a member that is added needs a default, and one that
goes is ignored.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

from connector.calls import Flow

ObjectName = Literal["contacts", "accounts", "tickets", "calls"]
OBJECTS: tuple[ObjectName, ...] = ("contacts", "accounts", "tickets", "calls")
"""Desk's modules that a CRM knows, by Desk's names."""

FieldType = Literal[
    "short_text",
    "long_text",
    "number",
    "phone",
    "email",
    "url",
    "date",
    "date_time",
    "yes_no",
    "one_of",
    "several_of",
    "record",
]

Place = Literal["pop", "card", "list"]
PLACES: tuple[Place, ...] = ("pop", "card", "list")
"""Where a field is shown: while it rings, on the card, in lists of records."""


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """A field of an object, by Desk's API name such as `lastName` or `cf_plan`, in the order of the tuple.

    `template` is what is written where a record is made, "" for nothing; `default` stands in where that comes
    to nothing. A `mandatory` one must be filled in on a card. An `editable` one is edited by those whose
    profile lets them.
    """

    name: str
    label: str = ""
    type: FieldType = "short_text"
    template: str = ""
    default: str = ""
    mandatory: bool = False
    shown: tuple[Place, ...] = ()
    editable: bool = False


class CrmObject(msgspec.Struct, frozen=True, kw_only=True):
    """One of Desk's modules, as agents and call records use it."""

    name: ObjectName
    label: str = ""
    enabled: bool = True
    fields: tuple[Field, ...] = ()


Match = Literal["number", "email"]


class SearchRow(msgspec.Struct, frozen=True, kw_only=True):
    """Where to look for the caller; no `flows` are all.

    The first row with a match ends the search, unless it says to `search_on`.
    """

    object: Literal["contacts", "accounts", "tickets"]
    fields: tuple[str, ...] = ("phone",)
    match: Match = "number"
    flows: tuple[Flow, ...] = ()
    search_on: bool = False
    enabled: bool = True


When = Literal["off", "ring", "answer"]
NoMatch = Literal["nothing", "new_card", "search"]
OneMatch = Literal["card", "card_and_open", "open"]
ManyMatches = Literal["agent", "last_modified", "earliest_created", "alphabetical", "mine_first"]


class PopPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """When the caller's card pops, and what happens with no match, with one, with many."""

    when: When = "ring"
    none: NoMatch = "nothing"
    one: OneMatch = "card"
    many: ManyMatches = "agent"


Operator = Literal[
    "is",
    "is not",
    "is empty",
    "is not empty",
    "contains",
    "starts with",
    "one of",
    "none of",
    "greater than",
    "less than",
    "within hours",
    "outside hours",
    "matches number",
]


class Condition(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One row in Desk's own shape: `fieldName` is a path of the catalogue of values, such as `call.flow`."""

    field_name: str
    condition: Operator
    value: tuple[str, ...] = ()


class Conditions(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Rows and how they are combined, such as `1 and (2 or 3)`; an empty pattern means all of them."""

    field_conditions: tuple[Condition, ...] = ()
    pattern: str = ""


Target = Literal["contact", "account_contact", "newest_ticket", "new_ticket", "asked"]
AccountContact = Literal["only", "asked", "made"]


class FormField(msgspec.Struct, frozen=True, kw_only=True):
    """What an assign rule writes into a field of the call record or of its new ticket."""

    object: Literal["calls", "tickets"]
    name: str
    template: str


class AssignRule(msgspec.Struct, frozen=True, kw_only=True):
    """To which object an interaction goes, and what is written there. The last rule has no conditions.

    `account_contact` says who stands for an account that matched: its only contact, whom the agent chooses,
    or one that is made once by the account's name.
    """

    name: str
    target: Target = "contact"
    conditions: Conditions = Conditions()
    account_contact: AccountContact = "only"
    form: tuple[FormField, ...] = ()


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """One stretch of a week: `day` from 0, Monday; minutes from midnight, `until` up to 1,440."""

    day: int
    since: int
    until: int


class Hours(msgspec.Struct, frozen=True, kw_only=True):
    """A set of business hours that conditions name; `closed_on` are dates such as 2026-12-25."""

    name: str
    time_zone: str = "UTC"
    open: tuple[Opening, ...] = ()
    closed_on: tuple[str, ...] = ()


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is set in a CRM; a flow without a policy pops as usual."""

    objects: tuple[CrmObject, ...] = ()
    search: tuple[SearchRow, ...] = ()
    pop: Mapping[Flow, PopPolicy] = {}
    assign: tuple[AssignRule, ...] = ()
    hours: tuple[Hours, ...] = ()

    def object(self, name: ObjectName) -> CrmObject | None:
        """Return an object that is in use."""
        return next((each for each in self.objects if each.name == name and each.enabled), None)

    def policy(self, flow: Flow) -> PopPolicy:
        """Return what pops for calls that came in this way."""
        return self.pop.get(flow, PopPolicy())


class Crm(msgspec.Struct, frozen=True, kw_only=True):
    """A portal's CRM, of the type Integration; `revision` is 0 where nobody has changed the usual one.

    Where it is not `enabled`, agents see who is calling and no card, and records are written as usual.
    """

    portal_id: int
    name: str
    enabled: bool = True
    rules: Rules
    revision: int = 0
