"""Say on pages what phone systems' dialects, states and troubles are."""

from collections.abc import Mapping
from typing import Any

from connector.web.languages import lazy

DIALECTS: Mapping[str, Any] = {
    "neutral": lazy("Neutral events: any phone system that can send JSON, and the Asterisk bridge; signed."),
    "zammad": lazy("Zammad's generic CTI, and whatever speaks it; known by a secret in the address."),
    "sipgate": lazy("sipgate.io: pushes of its calls; signed by sipgate, with a secret in the address."),
    "twilio": lazy("Twilio, and what calls back as Twilio does; signed with the account's token."),
    "placetel": lazy("Placetel: notifications and call control; signed with its shared secret."),
    "3cx": lazy("3CX reports each call when it is over and asks for names; a template is uploaded there."),
    "aircall": lazy("Aircall's webhooks; known by the webhook's token."),
    "ringcentral": lazy("RingCentral's notifications of telephony sessions, and its call log."),
    "freeswitch": lazy("FreeSWITCH and FusionPBX: call detail records, and live events with a script."),
}
"""A sentence for each dialect."""

STATES: Mapping[str, Any] = {
    "heard": lazy("Heard"),
    "silent": lazy("Silent"),
    "learning": lazy("Heard; what is usual is still being learnt"),
    "never": lazy("Nothing came yet"),
}

WRONG: Mapping[str, Any] = {
    "silent": lazy("Silent for longer than is usual at this hour."),
    "unread": lazy("Something came within a day that could not be read."),
    "program": lazy("A program beside it reports a problem."),
    "portal": lazy("Its portal is not linked any more: records wait."),
}
"""A sentence for each thing that is wrong with a phone system, but for what its state says."""

ROLES: Mapping[str, Any] = {
    "agent": lazy("agents and those above them"),
    "supervisor": lazy("supervisors and those above them"),
    "administrator": lazy("administrators"),
    "nobody": lazy("nobody"),
}
"""Who may call, by the lowest role."""

BOUND: Mapping[str, Any] = {
    "calls": lazy("calls"),
    "open_calls": lazy("calls that go on"),
    "undelivered": lazy("records that are not in Desk yet"),
    "lines": lazy("own numbers"),
    "queues": lazy("queues"),
    "extensions": lazy("extensions of people"),
    "queue_members": lazy("people in queues"),
    "blocked_numbers": lazy("blocked numbers"),
    "caller_ids": lazy("rules for shown numbers"),
    "rules_for_calling": lazy("rules for calling"),
}
"""What hangs on a phone system, in words."""
