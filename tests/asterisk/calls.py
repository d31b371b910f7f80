"""The calls that are played: who does what, telephone by telephone."""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from tests.asterisk.pbx import (
    SOFTPHONE,
    Phone,
    agent_calls,
    agent_clicks,
    agent_consults,
    agent_is_called,
    carrier_calls,
    carrier_is_called,
)
from tests.asterisk.sip import callee, caller

CUSTOMER, OTHER = "+442071838750", "+14155550123"
LINE = "+4420794602"
"""Our lines, but for the last two digits: tests/asterisk/cfg/extensions.conf."""


def inbound(line: str, *, talk_ms: int = 2_000, give_up_ms: int | None = None) -> Phone:
    """Let the customer call a line, and hang up after so long."""
    return carrier_calls(CUSTOMER, LINE + line, caller(talk_ms=talk_ms, give_up_ms=give_up_ms))


def answers(agent: str, ring_ms: int = 500, talk_ms: int = 60_000) -> Phone:
    """Let an agent answer after so long."""
    return agent_is_called(agent, callee(ring_ms=ring_ms, talk_ms=talk_ms))


def rings(agent: str) -> Phone:
    """Let an agent's phone ring unnoticed."""
    return agent_is_called(agent, callee(ring_ms=60_000))


def refuses(agent: str, status: str, ring_ms: int = 700) -> Phone:
    """Let an agent refuse."""
    return agent_is_called(agent, callee(ring_ms=ring_ms, refuse=status))


def _blind() -> list[Phone]:
    transfers = agent_is_called("1001", callee(refer_to="1002", keys_after_ms=1_000, talk_ms=200))
    return [transfers, answers("1002"), inbound("03", talk_ms=5_000)]


def _attended() -> list[Phone]:
    """1001 presses *2, dials 1002, talks, and hangs up: the customer is with 1002."""
    asks = agent_is_called("1001", callee(keys=tuple("*21002"), keys_after_ms=1_000, talk_ms=3_000))
    return [asks, answers("1002"), inbound("03", talk_ms=8_000)]


PLAYED: Mapping[str, Callable[[], Sequence[Phone]]] = {
    "queue_answered": lambda: [answers("1001", 1_200), rings("1002"), inbound("00")],
    "queue_missed": lambda: [rings("1001"), rings("1002"), inbound("00", talk_ms=2_500)],
    "queue_refused": lambda: [
        refuses("1001", "486 Busy Here"),
        answers("1002", 1_500),
        inbound("00", talk_ms=3_000),
    ],
    "recorded": lambda: [answers("1001"), rings("1002"), inbound("01")],
    "ring_group": lambda: [rings("1001"), answers("1002", 1_000), inbound("02")],
    "ring_group_local": lambda: [rings("1001"), answers("1002", 1_000), inbound("05")],
    "ring_group_missed": lambda: [rings("1001"), rings("1002"), inbound("02", give_up_ms=1_500)],
    "busy": lambda: [refuses("1001", "486 Busy Here", 0), inbound("03")],
    "refused_then_answered": lambda: [refuses("1001", "603 Decline"), answers("1002"), inbound("04")],
    "forwarded": lambda: [carrier_is_called(callee()), inbound("06")],
    "machine_only": lambda: [inbound("07", talk_ms=10_000)],
    "voicemail": lambda: [rings("1001"), inbound("08", talk_ms=10_000)],
    "survey": lambda: [answers("1001", talk_ms=2_000), inbound("09", talk_ms=10_000)],
    "outbound": lambda: [
        carrier_is_called(callee(ring_ms=1_000)),
        agent_calls("1001", "+14155550123", caller(talk_ms=2_000)),
    ],
    "outbound_busy": lambda: [
        carrier_is_called(callee(ring_ms=0, refuse="486 Busy Here")),
        agent_calls("1001", "+14155550123", caller(talk_ms=2_000)),
    ],
    "clicked": lambda: [
        carrier_is_called(callee(ring_ms=1_000, talk_ms=2_000)),
        answers("1001"),
        agent_clicks("1001", CUSTOMER),
    ],
    "clicked_busy": lambda: [
        carrier_is_called(callee(ring_ms=0, refuse="486 Busy Here")),
        answers("1001"),
        agent_clicks("1001", CUSTOMER),
    ],
    "clicked_colleague": lambda: [
        answers("1002", talk_ms=1_500),
        answers("1001"),
        agent_clicks("1001", "1002"),
    ],
    "internal": lambda: [answers("1002"), agent_calls("1001", "1002", caller(talk_ms=1_500))],
    "blind_transfer": _blind,
    "picked_up": lambda: [
        rings("1001"),
        inbound("03", talk_ms=2_000),
        agent_calls("1003", "*81001", caller(talk_ms=10_000), after_ms=800),
    ],
    "attended_transfer": _attended,
    "attended_transfer_by_phone": lambda: [
        agent_consults("1001", "1002"),
        answers("1002"),
        inbound("03", talk_ms=7_000),
    ],
    "clicked_local": lambda: [
        carrier_is_called(callee(ring_ms=300, talk_ms=1_000)),
        answers("1001", 300),
        agent_clicks("1001", CUSTOMER, "Local/{agent}@from-agents"),
    ],
    "clicked_local_kept": lambda: [
        carrier_is_called(callee(ring_ms=300, talk_ms=1_000)),
        answers("1001", 300),
        agent_clicks("1001", CUSTOMER, "Local/{agent}@from-agents/n"),
    ],
    "clicked_local_untaken": lambda: [
        refuses("1001", "603 Decline", 300),
        agent_clicks("1001", CUSTOMER, "Local/{agent}@from-agents"),
    ],
    "clicked_local_colleague": lambda: [
        answers("1002", 300, talk_ms=1_000),
        answers("1001", 300),
        agent_clicks("1001", "1002", "Local/{agent}@from-agents"),
    ],
    "two_devices": lambda: [
        answers("1004", 300),
        msgspec.structs.replace(rings("1004"), address=SOFTPHONE),
        inbound("11", talk_ms=1_000),
    ],
    "ring_group_outside": lambda: [rings("1001"), carrier_is_called(callee(ring_ms=300)), inbound("14")],
    "ring_group_local_outside": lambda: [
        rings("1001"),
        carrier_is_called(callee(ring_ms=300)),
        inbound("17", talk_ms=1_500),
    ],
    "moved": lambda: [
        agent_is_called("1001", callee(ring_ms=0, moved_to="+447700900123")),
        carrier_is_called(callee(ring_ms=300)),
        inbound("03", talk_ms=1_500),
    ],
    "number_rewritten": lambda: [
        answers("1001", 300),
        carrier_calls(CUSTOMER[1:], LINE + "15", caller(talk_ms=1_000)),
    ],
    "number_known_late": lambda: [answers("1001", 300), inbound("18", talk_ms=1_000)],
    "queue_local_timeout": lambda: [rings("1001"), rings("1002"), inbound("16", talk_ms=10_000)],
    "queue_local": lambda: [answers("1001", 300), rings("1002"), inbound("16")],
    "conference": lambda: [
        inbound("12", talk_ms=2_000),
        carrier_calls(OTHER, LINE + "12", caller(talk_ms=2_500), after_ms=300, port=5091),
        agent_calls("1001", "*91", caller(talk_ms=3_000), after_ms=300),
    ],
    "customers_connected": lambda: [
        agent_consults("1001", OTHER),
        carrier_is_called(callee(ring_ms=300, talk_ms=4_000)),
        inbound("03", talk_ms=9_000),
    ],
}
