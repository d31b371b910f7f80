"""Have a rule make tickets of missed calls, and compare them with what was played."""

from collections import Counter, defaultdict
from collections.abc import Sequence

import msgspec

from connector.crm.defaults import RULES
from connector.crm.model import AssignRule, Condition, Conditions
from connector.crm.rulebook import encode_rules
from connector.delivery.tickets import keys_in
from connector.demo.company import KEY_FIELD
from connector.demo.environment import Environment
from connector.demo.sandbox_admin import Record
from connector.demo.verification import ExpectedDeskRecord
from connector.store import crm

MISSED = Conditions(
    field_conditions=(
        Condition(field_name="call.direction", condition="is", value=("inbound",)),
        Condition(field_name="call.status", condition="is", value=("Missed",)),
    )
)
TICKETS = (AssignRule(name="Missed", target="new_ticket", conditions=MISSED), AssignRule(name="Others"))


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How many tickets there are, and what is not as the rule says."""

    tickets: int
    tickets_lost: int
    tickets_duplicated: int
    tickets_wrong: int


async def set_rule(env: Environment) -> None:
    """Save the rule before the first call; all processes know it two seconds later."""
    row = crm.CrmRow(
        portal_id=env.setup.portal.id,
        name="Zoho Desk",
        enabled=True,
        rules=encode_rules(msgspec.structs.replace(RULES, assign=TICKETS)),
        revision=1,
        changed_at=env.services.clock(),
    )
    await env.services.store.write(lambda c: crm.put(c, row))


def count(wanted: Sequence[ExpectedDeskRecord], calls: Sequence[Record], tickets: Sequence[Record]) -> Counts:
    """Count by call key: each missed call has one ticket, which its record names, and no other call has one.

    A ticket is wrong that belongs to no missed call, to another contact than the record, or is not named.
    """
    missed = {
        each.key
        for each in wanted
        if each.expected.direction == "inbound" and each.expected.status == "Missed"
    }
    by_key: defaultdict[str, list[Record]] = defaultdict(list)
    for ticket in tickets:
        for key in keys_in(ticket["description"]):
            by_key[key].append(ticket)
    records = {(record["cf"] or {}).get(KEY_FIELD): record for record in calls}
    wrong = Counter(
        key in missed
        and key in records
        and (records[key]["ticketId"], records[key]["contactId"]) == (found[0]["id"], found[0]["contactId"])
        for key, found in by_key.items()
    )
    named = sum(bool(record["ticketId"]) for record in calls)
    return Counts(
        tickets=len(by_key),
        tickets_lost=len(missed - by_key.keys()),
        tickets_duplicated=sum(len(found) - 1 for found in by_key.values()),
        tickets_wrong=wrong[False] + max(0, named - wrong[True]),
    )
