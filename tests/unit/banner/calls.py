"""Calls, a phone system and a team for the tests of the banner."""

from typing import Any

from connector.banner.publisher import encode
from connector.banner.views import LookupResult, Snapshot
from connector.calls import Call, CallEvent, Direction, EventType
from connector.crm import Crm
from connector.crm.rulebook import crm_of
from connector.store.calls import CallRow, RecordState
from connector.store.phones import PhoneSystem
from connector.store.users import Team

NOW = 1_767_603_600_000
MEMBERS = frozenset({1, 2, 4})
EVERYONE = frozenset(range(1, 10))
TEAM = Team(
    names={user: f"Agent 100{user}" for user in EVERYONE},
    words={(0, "1001"): 1, (0, "1002"): 2, (0, "1003"): 3},
    emails={},
    queues={(0, "support"): MEMBERS},
    agents=EVERYONE,
)
PHONE = PhoneSystem(
    id=1, uid="u", slug="paris", name="Paris", portal_id=1, dialect="neutral", country="FR", time_zone="UTC"
)

CRM = crm_of(PHONE.portal_id, None)


def event(second: int, kind: EventType, **said: Any) -> CallEvent:
    """Make an event of an inbound call."""
    facts: dict[str, Any] = {
        "direction": Direction.INBOUND,
        "from_number": "+33199000001",
        "to_number": "+33199000099",
    }
    at = NOW + second * 1_000
    return CallEvent(source="/p", id=f"{second}{kind}{said.get('agent')}", type=kind, call_id="c", at=at,
                     received_at=at, **facts | said)  # fmt: skip


def row(call: Call | None, **more: Any) -> CallRow:
    """Make a call as the database has it; `found` may be a LookupResult."""
    found = more.pop("found", None)
    facts: dict[str, Any] = {
        "id": 7,
        "phone_system_id": PHONE.id,
        "call_id": "c",
        "key": "k",
        "root_id": None,
        "revision": 1,
        "chosen_contact_id": None,
        "lookup": "none",
        "changed_at": NOW,
        "closes_at": None,
    }
    stored = encode(found) if isinstance(found, LookupResult) else found
    return CallRow(call=call, found=stored, **facts | more)


def snapshot(
    call: Call, *, phone: PhoneSystem = PHONE, crm: Crm = CRM, record: RecordState | None = None, **more: Any
) -> Snapshot:
    """Make a snapshot of a call; `more` are columns of its row."""
    return Snapshot(row=row(call, **more), call=call, phone=phone, team=TEAM, crm=crm, record=record)
