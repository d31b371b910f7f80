"""Return the values that templates and conditions name, as far as they are known of a call's record."""

import re
from collections.abc import Iterator, Mapping

import msgspec

from connector.calls import CallRecord, CallStatus, Cause, flow, is_answered
from connector.clock import SECOND
from connector.crm import Rules
from connector.crm.values import Values
from connector.delivery import compose
from connector.delivery.call_context import CallContext
from connector.delivery.compose import Whose
from connector.numbers import Kind, Number, caller_name, country_of
from connector.store.users import User


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the records beside a call, by Desk's API names."""

    contact: Mapping[str, object] = {}
    account: Mapping[str, object] = {}
    ticket: Mapping[str, object] = {}


NOTHING = Facts()

_PATH = re.compile(r"\b(contact|account|ticket)\.(\w+)")


def records_named(rules: Rules) -> set[tuple[str, str]]:
    """Return what templates and conditions name of Desk's own records, such as ("contact", "email")."""
    return {found for text in _texts(rules) for found in _PATH.findall(text)}


def _texts(rules: Rules) -> Iterator[str]:
    for each in rules.objects:
        if each.enabled:
            yield from (field.template for field in each.fields)
    for rule in rules.assign:
        yield from (row.field_name for row in rule.conditions.field_conditions)
        yield from (row.template for row in rule.form)


def values_of(
    record: CallRecord, context: CallContext, whose: Whose, facts: Facts = NOTHING, call_id: int | None = None
) -> Values:
    """Return the values of a call whose record is due.

    `whose` says who and where it belongs to; its contact and owner are "" and None as long as nobody knows.
    """
    known: dict[str, object] = {
        **_of_call(record, whose),
        "call.id": None if call_id is None else str(call_id),
        **_of_ends(record, context),
        **_of_agent(record, context, whose),
        "recording.url": compose.recording_of(record, whose),
        "recording.seconds": _recorded_seconds(record),
        "portal.name": context.portal.name,
        "portal.department": whose.department_id or None,
    }
    for name, record_facts in (
        ("contact", facts.contact),
        ("account", facts.account),
        ("ticket", facts.ticket),
    ):
        known |= {f"{name}.{field}": _plain(value) for field, value in record_facts.items()}
    return known | {"contact.id": whose.contact_id or None}


def _of_call(record: CallRecord, whose: Whose) -> dict[str, object]:
    answered_at = record.started_at + record.waiting_seconds * SECOND if is_answered(record) else None
    begun = record.started_at if answered_at is None else answered_at
    spent = record.waiting_seconds if answered_at is None else record.duration_seconds
    return {
        "call.key": record.key,
        "call.direction": record.direction.value,
        "call.flow": flow(record.direction, record.queue).value,
        "call.start": record.started_at,
        "call.answered": answered_at,
        "call.ended": begun + spent * SECOND,
        "call.waiting": record.waiting_seconds,
        "call.duration": record.duration_seconds,
        "call.result": result_of(record),
        "call.status": record.status.value,
        "call.subject": compose.subject(record, whose),
        "call.description": compose.told(record, whose),
    }


_RESULTS: Mapping[Cause | None, str] = {
    Cause.VOICEMAIL: "voicemail",
    Cause.FORWARDED: "forwarded",
    Cause.BUSY: "busy",
    Cause.REJECTED: "rejected",
    Cause.FAILED: "failed",
}


def result_of(record: CallRecord) -> str:
    """Return in one word how a call ended."""
    if record.cause in (Cause.VOICEMAIL, Cause.FORWARDED):
        return _RESULTS[record.cause]
    if record.status is CallStatus.COMPLETED:
        return "answered"
    return _RESULTS.get(record.cause, "missed" if record.status is CallStatus.MISSED else "canceled")


def _of_ends(record: CallRecord, context: CallContext) -> dict[str, object]:
    customer, line, phone = context.customer, context.line, context.phone
    queue = record.queue
    return {
        "caller.number": _written(customer),
        "caller.name": caller_name(customer),
        "caller.country": country_of(customer.e164) if customer.e164 else None,
        "caller.withheld": customer.kind is Kind.WITHHELD,
        "line.number": _written(line) if record.line else None,
        "line.name": phone.line_names.get(line.e164 or "") or None,
        "queue.key": queue,
        "queue.name": (phone.queue_names.get(queue) or queue) if queue else None,
    }


def _of_agent(record: CallRecord, context: CallContext, whose: Whose) -> dict[str, object]:
    word = record.agents[-1] if record.agents and not record.is_nameless else None
    user: User | None = context.users.get(word) if word else None
    return {
        "agent.name": user.name if user else word,
        "agent.email": user.email if user else None,
        "agent.extension": word,
        "agent.desk_id": whose.owner_id,
    }


def _written(number: Number) -> str | None:
    return None if number.kind is Kind.WITHHELD else number.e164 or number.display


def _recorded_seconds(record: CallRecord) -> int | None:
    lengths = [each.seconds for each in record.recordings if each.seconds is not None]
    return sum(lengths) if lengths else None


def _plain(value: object) -> object:
    return value if isinstance(value, str | int | float | bool) else None
