"""Read what is known of a call around its record: portal, phone system, people, and the agent's choice."""

import msgspec
from sqlalchemy import Connection

from connector import numbers
from connector.calls import CallRecord
from connector.errors import SettingsError
from connector.numbers import Number
from connector.store import calls, phones, portals, users
from connector.store.outbox import Row
from connector.store.phones import PhoneSystem
from connector.store.portals import Portal
from connector.store.users import User


class Background(msgspec.Struct, frozen=True, kw_only=True):
    """What stands around a call record.

    `users` maps the phone system's words for agents to users; `chosen` is the contact that an agent chose.
    """

    portal: Portal
    phone: PhoneSystem
    users: dict[str, User]
    chosen: str | None
    customer: Number
    line: Number


def read(connection: Connection, row: Row, record: CallRecord, now: int) -> Background:
    """Read the background of a delivery; SettingsError where its phone system or portal is gone."""
    portal = portals.get(connection, row.portal_id)
    found = calls.by_ids(connection, [row.call_id]) if row.call_id is not None else []
    phone = phones.get(connection, found[0].phone_system_id, now) if found else None
    if portal is None or phone is None:
        raise SettingsError("The call's phone system or portal is no longer there.")
    return Background(
        portal=portal,
        phone=phone,
        users=users.by_extensions(connection, phone.id, record.agents),
        chosen=_chosen(connection, found[0]),
        customer=numbers.read(record.customer, phone.country),
        line=numbers.read(record.line, phone.country),
    )


def _chosen(connection: Connection, call: calls.CallRow) -> str | None:
    """Answer the choice made for the family's head, else for the call itself, else on any kin's banner.

    Whoever a call was transferred to has only that one's banner to choose on.
    """
    head_id = call.root_id or call.id
    members = calls.family(connection, [head_id])
    members.sort(key=lambda member: (member.id != call.id, -member.changed_at))
    kin = [*calls.by_ids(connection, [head_id]), *members]
    return next((each.chosen_contact_id for each in kin if each.chosen_contact_id), None)


def department(record: CallRecord, around: Background) -> str:
    """Answer the department of a record: by queue, else by own number, phone system, portal."""
    candidates = (
        around.phone.queues.get(record.queue or ""),
        around.phone.lines.get(around.line.e164 or ""),
        around.phone.department_id,
        around.portal.default_department_id,
    )
    chosen = next((candidate for candidate in candidates if candidate), None)
    if chosen is None:
        raise SettingsError(
            "No department: set one for the queue, the number, the phone system or the portal."
        )
    return chosen
