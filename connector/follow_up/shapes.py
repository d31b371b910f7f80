"""What a call's history looks like, for command, API and pages alike.

Moments are RFC 3339, and None where something has not happened; numbers are as the viewer may see them.
What is None in a `CallHistory` is not for the viewer to see.
"""

import msgspec

from connector.calls import Cause, Direction, EventType, LegState, Watchdog

ENDS = {"from_number": "from", "to_number": "to"}


class EventSeen(msgspec.Struct, frozen=True, kw_only=True, rename=ENDS):
    """One event, in the order in which they were received; without a type, what it said was erased.

    `at` is when it happened by the phone system's word. `signed_by` names phone system, dialect (unless
    it may have been another than today) and which of its secrets were valid. It was said again so many times
    (`repeats`). `recording` is a recording's id.
    """

    call: str
    received_at: str
    repeats: int = 0
    repeated_at: str | None = None
    signed_by: str = ""
    at: str | None = None
    type: EventType | None = None
    source: str = ""
    id: str = ""
    direction: Direction | None = None
    from_number: str | None = None
    to_number: str | None = None
    agent: str | None = None
    parent: str | None = None
    queue: str | None = None
    cause: Cause | None = None
    recording: str | None = None


class LegSeen(msgspec.Struct, frozen=True, kw_only=True):
    """One agent's part of a call; `agent` is the phone system's word, `name` who goes by it now."""

    agent: str
    name: str | None
    state: LegState
    offered_at: str | None
    answered_at: str | None
    over_at: str | None
    cause: Cause | None


class ContactSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A contact that a look-up found."""

    id: str
    name: str
    account: str | None
    url: str


class LookUpSeen(msgspec.Struct, frozen=True, kw_only=True):
    """The look-up for the banner: what it came to, when it began, by which number, who answered.

    `source` is `cache` for our own copy of what Desk said and the contact index, `desk` for Desk itself;
    `failures` in a row came before, and `problem` is the reason of the one that stands. Of the contacts found
    there were `count`; `chosen` is the one that an agent chose. Where nobody was asked and nobody
    will be, the state is skipped, and `why` says it in words.
    """

    state: str
    why: str
    at: str | None
    number: str | None
    source: str | None
    milliseconds: int | None
    failures: int
    problem: str
    count: int
    contacts: tuple[ContactSeen, ...]
    chosen: str | None


class CallSeen(msgspec.Struct, frozen=True, kw_only=True, rename=ENDS):
    """What the set of a call's events says; without a state, nothing is known of it.

    `call_id` is the phone system's own, and `parent` that of the call that it came out of. `closed_because`
    says why the connector ended it, where the phone system did not.
    """

    call: str
    call_id: str
    look_up: LookUpSeen
    parent: str | None = None
    state: str | None = None
    direction: Direction | None = None
    from_number: str | None = None
    to_number: str | None = None
    queue: str | None = None
    started_at: str | None = None
    answered_at: str | None = None
    ended_at: str | None = None
    cause: Cause | None = None
    closed_because: Watchdog | None = None
    legs: tuple[LegSeen, ...] = ()


class OrderSeen(msgspec.Struct, frozen=True, kw_only=True):
    """What the phone system was told to do, by whom, for whose telephone, and what came of it."""

    id: str
    kind: str
    by: str
    at: str
    agent: str
    number: str | None
    state: str
    reason: str
    detail: str


class AttemptSeen(msgspec.Struct, frozen=True, kw_only=True):
    """One request to Desk, and its answer; without a `status` none came, without `operation` none was sent.

    `outcome` is what the delivery came to with it: written, updated, unchanged, found, made, later, unknown
    or dead; "" where it went on.
    """

    number: int
    at: str
    milliseconds: int
    operation: str
    revision: int
    status: int | None
    error_code: str
    request_id: str
    outcome: str
    reason: str
    detail: str


class DeliverySeen(msgspec.Struct, frozen=True, kw_only=True):
    """A record on its way to Desk, or its contact.

    It stands there as wanted when `sent_revision` has reached `revision`; `reason` and `detail` say why not,
    or what Desk refused of it. Of `attempts_made` the first and the last are told.
    """

    id: int
    kind: str
    state: str
    revision: int
    sent_revision: int
    due_at: str
    desk_id: str | None
    desk_url: str | None
    reason: str
    detail: str
    attempts_made: int
    attempts: tuple[AttemptSeen, ...]


class RecordingSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A recording, by its id on the page `/recordings/{call}`; `source` is the host that has it."""

    id: str
    seconds: int | None
    source: str | None


class ListenerSeen(msgspec.Struct, frozen=True, kw_only=True):
    """Who opened, heard or copied a recording, or was refused; `recording` is "" for their page."""

    user: str
    what: str
    recording: str
    at: str
    last_at: str
    times: int


class AssignmentSeen(msgspec.Struct, frozen=True, kw_only=True):
    """Where a call goes: by which rule, to what, and the truth of each row of the rules that were tried.

    `ticket_id` is the ticket that its record names, chosen by `chosen_by`; "" where a rule or nobody did.
    """

    call: str
    rule: str
    target: str
    truths: tuple[tuple[bool, ...], ...]
    ticket_id: str | None
    chosen_by: str
    at: str


class CallHistory(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of a call and of those that came out of it; `call` is the key of their root.

    `dialect` is that of the phone system, "" where it may have been another when the call was heard of.
    `record` is the delivery of their one record, None where none is due: `not_recorded` and `why` say it.
    """

    call: str
    phone_system: str
    phone_system_name: str
    dialect: str
    at: str
    state: str | None
    talk_seconds: int | None
    waiting_seconds: int | None
    not_recorded: str | None
    why: str
    erased_at: str | None
    record: DeliverySeen | None
    calls: tuple[CallSeen, ...]
    events: tuple[EventSeen, ...] | None
    more_events: bool
    orders: tuple[OrderSeen, ...]
    deliveries: tuple[DeliverySeen, ...] | None
    recordings: tuple[RecordingSeen, ...]
    listeners: tuple[ListenerSeen, ...] | None
    assignments: tuple[AssignmentSeen, ...] = ()
