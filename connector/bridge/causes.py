"""Say why a call, or an agent's part of it, ended, from what Asterisk says of it."""

from collections.abc import Sequence

from connector.bridge.calls import BridgeCall
from connector.bridge.channels import Channel

# Hangup causes of Q.850 that say more than the state of the dialling; 26 is Asterisk's 'answered elsewhere'.
_BY_HANGUP = {"21": "rejected", "26": "cancelled"}
_BUSY = "17"
_BY_DIAL = {
    "BUSY": "busy",
    "CANCEL": "cancelled",
    "NOANSWER": "no_answer",
    "CHANUNAVAIL": "failed",
    "CONGESTION": "failed",
}


def of_leg(channel: Channel, hangup_cause: str, *, answered: bool) -> str:
    """Say why a dialled party's part ended.

    A queue reports a phone that refused as NOANSWER; only the hangup tells. A phone that says 'busy'
    after it rang has been rejected by its user.
    """
    if answered:
        return "normal"
    if hangup_cause == _BUSY:
        return "rejected" if channel.rang else "busy"
    return _BY_HANGUP.get(hangup_cause) or _BY_DIAL.get(channel.dial_status, "no_answer")


def of_rest(call: BridgeCall, channel: Channel) -> str:
    """Say why a part ended whose channel is still there, now that the call is over."""
    is_taken_back = call.gave_up and not channel.dial_status
    return "cancelled" if is_taken_back else of_leg(channel, "", answered=call.has_answered(channel))


def of_call(call: BridgeCall) -> str:
    """Say why the whole call ended; a missed call is one that no person answered, whatever its cause."""
    if call.answered:
        return "normal"
    if call.voicemail:
        return "voicemail"
    return "cancelled" if call.gave_up else _shared(call.causes)


def _shared(causes: Sequence[str]) -> str:
    """Return what all legs say; where they disagree, nobody answered.

    A leg that the phone system itself took back, as a queue does when its time is up, has not answered.
    """
    shared = causes[0] if len(set(causes)) == 1 else "no_answer"
    return "no_answer" if shared == "cancelled" else shared
