"""Name the events that the bridge hears, and have Asterisk send no others."""

EVENTS = (
    "Newchannel",
    "Newstate",
    "NewCallerid",
    "DialBegin",
    "DialEnd",
    "QueueCallerJoin",
    "BridgeEnter",
    "BridgeLeave",
    "BlindTransfer",
    "AttendedTransfer",
    "HangupRequest",
    "Hangup",
    "OriginateResponse",
)
LISTED = ("CoreShowChannel", "CoreShowChannelsComplete")
VARIABLES = ("MIXMONITOR_FILENAME", "VMSTATUS")
WANTED = frozenset((*EVENTS, *LISTED, "VarSet"))

FILTERS = (
    f"^Event: ({'|'.join((*EVENTS, *LISTED))})[^a-zA-Z]",
    f"Variable: ({'|'.join(VARIABLES)})[^a-zA-Z]",
)
"""Extended regular expressions over the whole text of an event; one that matches lets it pass.

They stand in the PBX's manager.conf: an action could set them too, but would need the right `system`.
"""
