"""Tell from a channel's name and context whose it is."""

import re
from collections.abc import Collection
from enum import StrEnum
from fnmatch import fnmatchcase

import msgspec


class Party(StrEnum):
    """Who is at the other end of a channel."""

    AGENT = "agent"
    OUTSIDE = "outside"
    LOCAL = "local"
    MACHINE = "machine"


class Channel(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One channel of a call; `agent` is the extension of the agent whose phone it is.

    `is_trunk`: by the settings it is a trunk's, and not only no agent's. `dialled_by` is the Uniqueid of the
    channel that dialled it, nobody did where a call begins; `asked_for` is the number that a trunk was given.
    """

    uniqueid: str
    name: str
    party: Party
    agent: str | None = None
    is_trunk: bool = False
    is_up: bool = False
    rang: bool = False
    transfers: bool = False
    dial_status: str = ""
    dialled_by: str = ""
    asked_for: str = ""
    bridge: str = ""

    @property
    def keeps_open(self) -> bool:
        """Tell whether a call goes on while it has this channel."""
        return self.party is not Party.MACHINE

    @property
    def is_only_rung(self) -> bool:
        """Tell whether a telephone is rung that nobody has picked up."""
        return self.party in (Party.AGENT, Party.OUTSIDE) and not (self.is_up or self.bridge)


_MACHINES = (
    "Announcer/",
    "Recorder/",
    "Snoop/",
    "Message/",
    "CBAnn/",
    "CBRec/",
    "ConfBridge",
    "Bridge/",
    "UnicastRTP/",
    "AudioSocket/",
)
# Drivers count their channels in hexadecimal of either case, in decimal, or by line: 1a, 1B, 412, 1.
_INSTANCE = re.compile(r"-[^-/]*$")
_EXTENSION = re.compile(r"[0-9]{2,6}")
_STANDS_IN = ("AsyncGoto/", "Surrogate/")
_IN_TRANSIT = ("<ZOMBIE>", "<MASQ>")


class ChannelNames:
    """Read channel names by the settings of a PBX."""

    def __init__(
        self, agents: str, trunks: Collection[str], trunk_contexts: Collection[str], own_context: str = ""
    ) -> None:
        self._own_context = own_context
        self._agents = re.compile(agents)
        self._trunks = tuple(trunks)
        self._trunk_contexts = tuple(trunk_contexts)

    def read(self, name: str, context: str = "", number: str = "") -> tuple[Party, str | None]:
        """Return who is at the other end, and an agent's extension.

        A trunk is known by its name or by the context in which its calls arrive; only then does the
        pattern of agents count, so that a trunk whose name is a number is no agent. Telephones whose names
        hold no extension, such as DAHDI/7, are known by the context in which agents dial and their number.
        """
        name = replaced(name) or name
        if name.startswith(_MACHINES):
            return Party.MACHINE, None
        if name.startswith("Local/"):
            return Party.LOCAL, None
        if self.is_trunk(name, context):
            return Party.OUTSIDE, None
        found = self._agents.fullmatch(_INSTANCE.sub("", name))
        if found:
            return Party.AGENT, found[1]
        is_own = bool(self._own_context) and context == self._own_context and _EXTENSION.fullmatch(number)
        return (Party.AGENT, number) if is_own else (Party.OUTSIDE, None)

    def is_trunk(self, name: str, context: str = "") -> bool:
        """Tell whether a channel is a trunk's, by its name or the context in which its calls arrive."""
        peer = _INSTANCE.sub("", name)
        return any(fnmatchcase(context, one) for one in self._trunk_contexts) or any(
            fnmatchcase(peer, trunk) for trunk in self._trunks
        )


def replaced(name: str) -> str | None:
    """Return the name of the channel whose place one takes that is called so; None where it takes none's."""
    return next((name.removeprefix(one) for one in _STANDS_IN if name.startswith(one)), None)


def in_transit(name: str) -> bool:
    """Tell whether the name is one that a channel bears only while two are exchanged."""
    return name.endswith(_IN_TRANSIT)
