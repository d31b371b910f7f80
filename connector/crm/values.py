"""The catalogue of values that templates and conditions name: what each is, and when it is known; pure."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Literal

import msgspec

from connector.crm.model import FieldType, ObjectName, Rules

KnownAt = Literal["ring", "answer", "end", "later"]
MOMENTS: tuple[KnownAt, ...] = ("ring", "answer", "end", "later")
"""When a value is known, the earliest first; "later" is after the end: wrap-up and recordings."""

Values = Mapping[str, object]
"""What is known of one call, by path: texts, whole numbers, yes and no, None.

Moments are epoch milliseconds, durations seconds. A path that is missing counts as None.
"""


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """One value: its path as templates write it, what it is, when it is known, and how it may look."""

    path: str
    type: FieldType
    known_at: KnownAt
    example: object
    label: str


def _value(path: str, type_: FieldType, known_at: KnownAt, example: object, label: str) -> Value:
    return Value(path=path, type=type_, known_at=known_at, example=example, label=label)


_START = 1_796_029_200_000
"""The moment of the examples: 2026-11-30T09:00:00Z."""

_ALL = (
    _value("call.id", "short_text", "ring", "42", "Number of the call in the connector"),
    _value("call.key", "short_text", "ring", "zpc7e4b02", "Call key, which names the call in Desk"),
    _value("call.direction", "one_of", "ring", "inbound", "Direction: inbound, outbound or internal"),
    _value("call.flow", "one_of", "ring", "queue", "How it came: queue, direct, outbound or internal"),
    _value("call.start", "date_time", "ring", _START, "When it began"),
    _value("call.transferred_from", "short_text", "ring", "Noor Brantley", "Who transferred it"),
    _value("call.answered", "date_time", "answer", _START + 12_000, "When it was answered"),
    _value("call.waiting", "number", "answer", 12, "Waiting time in seconds"),
    _value("call.ended", "date_time", "end", _START + 264_000, "When it ended"),
    _value("call.duration", "number", "end", 252, "Duration in seconds"),
    _value("call.result", "one_of", "end", "answered", "Result, such as answered, missed or voicemail"),
    _value("call.status", "one_of", "end", "Completed", "Status in Desk's words"),
    _value("call.subject", "short_text", "end", "Inbound call from +33 1 99 00 12 34", "Usual subject"),
    _value("call.description", "long_text", "end", "Answered by: Bruno\nQueue: Sales", "Usual description"),
    _value("call.note", "long_text", "later", "Wants a call back", "Note of the wrap-up"),
    _value("call.disposition", "short_text", "later", "Sale", "Disposition of the wrap-up"),
    _value("caller.number", "phone", "ring", "+33199001234", "Number of the other end"),
    _value("caller.name", "short_text", "ring", "+33 1 99 00 12 34", "What a new contact is called"),
    _value("caller.country", "short_text", "ring", "FR", "Country of the number, in two letters"),
    _value("caller.withheld", "yes_no", "ring", False, "Whether the number is withheld"),
    _value("line.number", "phone", "ring", "+33199005678", "Our line"),
    _value("line.name", "short_text", "ring", "Sales", "Name of our line"),
    _value("queue.key", "short_text", "ring", "600", "Queue, as the phone system calls it"),
    _value("queue.name", "short_text", "ring", "Sales", "Name of the queue"),
    _value("agent.name", "short_text", "answer", "Bruno Lasker", "Name of the agent"),
    _value("agent.email", "email", "answer", "bruno@example.com", "E-mail address of the agent"),
    _value("agent.extension", "short_text", "answer", "201", "Extension of the agent"),
    _value("agent.desk_id", "record", "answer", "3000000012345", "Id of the agent in Desk"),
    _value("contact.id", "record", "ring", "3000000054321", "Id of the contact"),
    _value("contact.firstName", "short_text", "ring", "Noor", "First name of the contact"),
    _value("contact.lastName", "short_text", "ring", "Brantley", "Last name of the contact"),
    _value("account.id", "record", "ring", "3000000065432", "Id of the account"),
    _value("account.accountName", "short_text", "ring", "Wexcombe Interiors", "Name of the account"),
    _value("ticket.id", "record", "end", "3000000076543", "Id of the ticket that the call is on"),
    _value("ticket.number", "short_text", "end", "159", "Number of the ticket that the call is on"),
    _value("recording.url", "url", "later", "https://phone.example.com/r/42", "Address of the recording"),
    _value("recording.seconds", "number", "later", 252, "Length of the recording in seconds"),
    _value("portal.name", "short_text", "ring", "Wexcombe", "Name of the portal"),
    _value("portal.department", "record", "ring", "3000000001234", "Id of the call's department in Desk"),
)

CATALOGUE: Mapping[str, Value] = MappingProxyType({value.path: value for value in _ALL})
"""Every value that there is whatever the rules, by path."""

RECORDS: Mapping[ObjectName, str] = MappingProxyType(
    {"contacts": "contact", "accounts": "account", "tickets": "ticket"}
)
"""How the values of a record begin, by its object."""

FORM = "form"
"""How the values begin that an agent fills in at the wrap-up."""

WRITTEN_AT: Mapping[ObjectName, KnownAt] = MappingProxyType(
    {"contacts": "ring", "accounts": "ring", "tickets": "end", "calls": "later"}
)
"""When a record is made at the earliest; one of a call is written again whenever more is known."""

EXAMPLES: Mapping[FieldType, object] = MappingProxyType(
    {
        "short_text": "Some text",
        "long_text": "Some text\nin lines",
        "number": 3,
        "phone": "+33199001234",
        "email": "noor@example.com",
        "url": "https://example.com",
        "date": "2026-11-30",
        "date_time": "2026-11-30T09:00:00.000Z",
        "yes_no": True,
        "one_of": "Basic",
        "several_of": "Basic;Premium",
        "record": "3000000054321",
    }
)
"""How a field of a record may look, by its type: as Desk writes it."""


def catalogue(rules: Rules) -> Mapping[str, Value]:
    """Return the values that there are with these rules: with the fields of records, and with the form's."""
    more = {value.path: value for value in (*_of_records(rules), *_of_form(rules))}
    return {**more, **CATALOGUE}


def is_known(value: Value, at: KnownAt) -> bool:
    """Tell whether a value is known by then."""
    return MOMENTS.index(value.known_at) <= MOMENTS.index(at)


def is_ours(path: str) -> bool:
    """Tell whether a value is of the call itself, and not as Desk or an agent wrote it."""
    return path.partition(".")[0] not in {*RECORDS.values(), FORM}


def examples(rules: Rules) -> Values:
    """Return an example of every value, as a sample call for previews."""
    return {path: value.example for path, value in catalogue(rules).items()}


def _of_records(rules: Rules) -> Iterator[Value]:
    for each in rules.objects:
        prefix = RECORDS.get(each.name)
        if prefix is None or not each.enabled:
            continue
        known_at: KnownAt = "end" if each.name == "tickets" else "ring"
        for field in each.fields:
            label = field.label or field.name
            yield _value(f"{prefix}.{field.name}", field.type, known_at, EXAMPLES[field.type], label)


def _of_form(rules: Rules) -> Iterator[Value]:
    for entry in (entry for rule in rules.assign for entry in rule.form):
        crm_object = rules.object(entry.object)
        fields = crm_object.fields if crm_object else ()
        field = next((each for each in fields if each.name == entry.name), None)
        type_: FieldType = field.type if field else "short_text"
        label = (field and field.label) or entry.name
        yield _value(f"{FORM}.{entry.name}", type_, "later", EXAMPLES[type_], label)
