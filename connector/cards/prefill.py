"""Fill in the form of a new record by the rules' templates, with what is known before the end; pure."""

from typing import Any

from connector import numbers
from connector.calls import Direction, flow
from connector.cards.forms import MadeOf
from connector.cards.seats import Seat
from connector.crm.values import Values
from connector.crm.writing import write
from connector.numbers import Kind

_PARTY = {Direction.OUTBOUND: "Outbound call to", Direction.INTERNAL: "Internal call to"}


def filled_in(seat: Seat, name: MadeOf) -> dict[str, Any]:
    """Return what the templates of an object come to, by API name; fields with nothing to say are missing."""
    crm_object = seat.rules.object(name)
    if crm_object is None:
        return {}
    off = {field for each, field in seat.off if each == name}
    written = write(crm_object, values_at_ring(seat), zone=seat.snapshot.phone.time_zone, off=off)
    return {each.name: each.value for each in written if each.value is not None}


def values_at_ring(seat: Seat) -> Values:
    """Return what is known of a call before its end."""
    snapshot, call, phone = seat.snapshot, seat.snapshot.call, seat.snapshot.phone
    customer, direction = snapshot.customer, call.direction or Direction.INBOUND
    raw_line = call.from_number if direction is Direction.OUTBOUND else call.to_number
    line = numbers.read(raw_line, phone.country)
    return {
        "call.id": str(snapshot.row.id),
        "call.key": seat.record_key,
        "call.direction": direction.value,
        "call.flow": flow(call.direction, call.queue).value,
        "call.start": call.started_at,
        "call.answered": call.answered_at,
        "call.ended": call.ended_at,
        "call.subject": f"{_PARTY.get(direction, 'Inbound call from')} {numbers.caller_name(customer)}",
        "call.description": "",
        "caller.number": customer.e164,
        "caller.name": numbers.caller_name(customer),
        "caller.country": snapshot.home,
        "caller.withheld": customer.kind is Kind.WITHHELD,
        "line.number": line.e164,
        "line.name": phone.line_names.get(line.e164 or "", ""),
        "queue.key": call.queue,
        "queue.name": phone.queue_names.get(call.queue or "", call.queue),
        "agent.name": seat.user.name,
        "agent.email": seat.user.email,
        "contact.id": seat.contact_id,
        "portal.name": seat.portal.name,
        "portal.department": department_of(seat),
    }


def department_of(seat: Seat) -> str | None:
    """Return the department that a call belongs to: by queue, else by own number, phone system, portal."""
    call, phone = seat.snapshot.call, seat.snapshot.phone
    raw_line = call.from_number if call.direction is Direction.OUTBOUND else call.to_number
    e164 = numbers.read(raw_line, phone.country).e164
    of_line = next(
        (
            department
            for own, department in phone.lines.items()
            if e164 and numbers.is_among(e164, [own]) and department
        ),
        None,
    )
    of_queue = phone.queues.get(call.queue or "")
    return of_queue or of_line or phone.department_id or seat.portal.default_department_id
