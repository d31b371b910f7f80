"""Check that Asterisk tells the bridge what it needs: at each connection, and again while it lasts.

A user of the manager interface cannot ask which events they may hear. So what was begun is compared with
what was heard, and channels' names with the settings.
"""

import re
from collections import Counter
from collections.abc import Collection, Sequence

from anyio.to_thread import run_sync

from connector.bridge.ami import Message, event_of
from connector.bridge.cdr import has_uniqueid, last_line
from connector.bridge.channels import ChannelNames, Party
from connector.bridge.connection import Connection, Refused
from connector.bridge.settings import BridgeSettings
from connector.bridge.status import SetupProblem, Status
from connector.casing import ascii_lower

CHECK_SECONDS = 20
ENOUGH_CHANNELS, ENOUGH_STRANGERS = 20, 10
"""So many channels tell whether the patterns of the settings fit."""

_NEEDED = {"CoreShowChannels": "reporting", "CoreStatus": "reporting", "Getvar": "reporting"}
_NEEDED_FOR_ORDERS = {"Originate": "originate", "Hangup": "call", "BlindTransfer": "call"}
_TOO_MUCH = {"Command": "command", "UpdateConfig": "config", "ModuleLoad": "system"}
_NO_CONTEXT = "did not find context"
_RELOAD = "then: asterisk -rx 'manager reload'"


class SetupCheck:
    """Finds what is missing for this bridge to hear all, and shows it in the status.

    `unheard` are events that must have been, by what was found in another way (recordings.py), since this
    connection was made.
    """

    def __init__(self, settings: BridgeSettings, names: ChannelNames, status: Status) -> None:
        self._settings = settings
        self._status = status
        self._channels = SeenChannels(names)
        self._begun_before = 0
        self._is_deaf = False
        self._without_time = False
        self._heard: Counter[str] = Counter()
        self.unheard: set[str] = set()

    def handle(self, message: Message) -> None:
        """Count what Asterisk tells."""
        event = event_of(message)
        if event == "VarSet":
            event = message.get("Variable", "")
        if event is not None:
            self._heard[event] += 1
        if event == "Newchannel":
            self._channels.add(message)
            self._without_time = "Timestamp" not in message

    def heard(self, event: str) -> bool:
        """Tell whether an event, or the setting of a variable, has come over this connection."""
        return self._heard[event] > 0

    async def begin(self, connection: Connection) -> list[SetupProblem]:
        """Return what is wrong with Asterisk itself and with its user; begin to count anew."""
        self._heard.clear()
        self.unheard.clear()
        self._is_deaf = self._without_time = False
        core = await _answer(connection, "CoreSettings")
        commands = await _answer(connection, "ListCommands")
        self._begun_before = await _calls_begun(connection)
        self._status.asterisk_version = core.get("AsteriskVersion", "") or connection.greeting
        settings = self._settings
        missing = [one for one in _contexts(settings) if not await _has_context(connection, one)]
        return [
            *rights_problems(commands, wants_orders=bool(settings.context)),
            *context_problems(settings, missing),
            *([_NO_CDR] if core.get("CoreCDRenabled") == "No" else []),
        ]

    async def again(self, connection: Connection) -> list[SetupProblem]:
        """Return what is wrong by what was heard until now, and with the PBX's files."""
        begun = await _calls_begun(connection) - self._begun_before
        was_deaf, self._is_deaf = self._is_deaf, begun > 0 and not self.heard("Newchannel")
        # Twice in a row: the events of a call that has just begun may still be on their way.
        deaf = [_deaf(begun)] if was_deaf and self._is_deaf else []
        unheard = [_UNHEARD[what] for what in sorted(self.unheard) if not self.heard(what)]
        times = [_WITHOUT_TIMES] if self._without_time else []
        files = await run_sync(file_problems, self._settings, self._begun_before + begun, self._files_used())
        return [*deaf, *unheard, *times, *self._channels.problems(), *files]

    def _files_used(self) -> tuple[str, ...]:
        return ("queue_log",) if self.heard("QueueCallerJoin") else ()


class SeenChannels:
    """Counts whose the channels were by their names, and remembers one that was nobody's."""

    def __init__(self, names: ChannelNames) -> None:
        self._names = names
        self._counts: Counter[str] = Counter()
        self._stranger = ""

    def add(self, message: Message) -> None:
        """Count a new channel."""
        name, context = message.get("Channel", ""), message.get("Context", "")
        party, _ = self._names.read(name, context, message.get("CallerIDNum", ""))
        if party in (Party.LOCAL, Party.MACHINE):
            return
        kind = "trunk" if self._names.is_trunk(name, context) else str(party)
        self._counts[kind] += 1
        if kind == Party.OUTSIDE:
            self._stranger = f"{name} in the context {context or 'of none'}"

    def problems(self) -> list[SetupProblem]:
        """Return which pattern of the settings fits no channel, once there were enough."""
        agents, strangers = self._counts[Party.AGENT], self._counts[Party.OUTSIDE]
        found = []
        if self._counts["trunk"] == 0 and self._counts.total() >= ENOUGH_CHANNELS:
            last = f" The last that is no agent's was {self._stranger}." if self._stranger else ""
            text = (
                f"None of {self._counts.total()} channels fits BRIDGE_TRUNKS or BRIDGE_TRUNK_CONTEXTS, so a "
                f"trunk whose name is a number counts as an agent's telephone.{last} Name your trunks."
            )
            found.append(SetupProblem(about="dialplan", text=text, spoils_calls=agents > 0 and not strangers))
        if agents == 0 and strangers >= ENOUGH_STRANGERS:
            text = (
                f"No channel fits BRIDGE_AGENTS; the last that is nobody's was {self._stranger}. "
                "Calls have no agent: set the pattern to how your telephones' channels are named."
            )
            found.append(SetupProblem(about="dialplan", text=text, spoils_calls=True))
        return found


def rights_problems(commands: Collection[str], *, wants_orders: bool) -> list[SetupProblem]:
    """Return which rights to write are missing, or more than is needed, by the actions that are allowed."""
    if not commands:
        return []
    needed = _NEEDED | (_NEEDED_FOR_ORDERS if wants_orders else {})
    missing = list(dict.fromkeys(right for action, right in needed.items() if action not in commands))
    more = [right for action, right in _TOO_MUCH.items() if action in commands]
    wanted = f"write = {','.join(dict.fromkeys(needed.values()))}"
    found = []
    if missing:
        text = f"manager.conf: the bridge's user lacks {', '.join(missing)}; it needs {wanted}, {_RELOAD}."
        found.append(SetupProblem(about="rights", text=text))
    if more:
        text = (
            f"manager.conf: the bridge's user may do more than it needs ({', '.join(more)}): "
            f"whoever learns its secret has the PBX. {wanted} is enough."
        )
        found.append(SetupProblem(about="rights", text=text))
    return found


def context_problems(settings: BridgeSettings, missing: Sequence[str]) -> list[SetupProblem]:
    """Return which contexts of the settings the dialplan does not have."""
    found = []
    if settings.context in missing:
        text = f"The dialplan has no context {settings.context} (BRIDGE_CONTEXT): no call can be made there."
        found.append(SetupProblem(about="dialplan", text=text))
    if not settings.trunks and set(settings.trunk_contexts) <= set(missing):
        text = (
            f"The dialplan has none of the contexts {', '.join(settings.trunk_contexts)} "
            "(BRIDGE_TRUNK_CONTEXTS), and BRIDGE_TRUNKS names no trunk: say where calls from outside arrive."
        )
        found.append(SetupProblem(about="dialplan", text=text))
    return found


def file_problems(settings: BridgeSettings, begun: int, used: Collection[str]) -> list[SetupProblem]:
    """Return what is wrong with the files that tell of calls which ended unheard.

    `begun` calls have been made since Asterisk started: the first that ends makes Master.csv.
    """
    found = []
    csv = settings.master_csv
    try:
        line = last_line(csv)
        if line and not has_uniqueid(line):
            found.append(f"{csv} does not name its calls: cdr.conf needs loguniqueid = yes below [csv]")
    except FileNotFoundError:
        if begun:
            found.append(
                f"{csv} is not there, though calls were made: load cdr_csv, or set BRIDGE_MASTER_CSV"
            )
    except OSError as problem:
        found.append(f"{csv} cannot be read: {problem.strerror}; is the bridge's user in the group asterisk?")
    try:
        last_line(settings.queue_log)
    except FileNotFoundError:
        if "queue_log" in used:
            found.append(f"{settings.queue_log} is not there: logger.conf needs queue_log = yes")
    except OSError as problem:
        found.append(f"{settings.queue_log} cannot be read: {problem.strerror}")
    what = "Until then a call that ends while the bridge is not connected is lost, or has no agent."
    return [SetupProblem(about="files", text=f"{one}. {what}") for one in found]


_NO_CDR = SetupProblem(
    about="files",
    text="Asterisk keeps no call detail records: cdr.conf needs enable = yes. "
    "Until then a call that ends while the bridge is not connected is lost, or has no agent.",
)
_WITHOUT_TIMES = SetupProblem(
    about="events",
    text="Events say no moment, so the bridge's clock counts: manager.conf wants timestampevents = yes below "
    f"[general], {_RELOAD}.",
)
_UNHEARD = {
    "MIXMONITOR_FILENAME": SetupProblem(
        about="rights",
        text="A call is recorded, and Asterisk has not said so: the bridge's user needs read = "
        f"call,agent,dialplan and the guide's event filters in manager.conf, {_RELOAD}.",
    ),
    "QueueCallerJoin": SetupProblem(
        about="rights",
        text="A caller waits in a queue, and Asterisk has not said so: the bridge's user needs read = "
        f"call,agent,dialplan and the guide's event filters in manager.conf, {_RELOAD}.",
    ),
}
"""What was found by asking and not told, each with what that means."""


def _deaf(begun: int) -> SetupProblem:
    text = (
        f"Asterisk has begun {begun} calls since the bridge is connected, and told nothing of them: the "
        "bridge's user needs read = call,agent,dialplan and the guide's event filters in manager.conf, "
        f"{_RELOAD}. Until then no call is recorded while it goes on."
    )
    return SetupProblem(about="rights", text=text, spoils_calls=True)


def _contexts(settings: BridgeSettings) -> list[str]:
    named = (settings.context, *settings.trunk_contexts)
    return [one for one in named if one and not re.search(r"[*?\[]", one)]


async def _has_context(connection: Connection, context: str) -> bool:
    """Tell whether the dialplan has a context; asked for an extension that it will hardly have."""
    try:
        await connection.act("ShowDialPlan", {"Context": context, "Extension": "connector-bridge"})
    except Refused as problem:
        return _NO_CONTEXT not in ascii_lower(str(problem))
    return True


async def _answer(connection: Connection, action: str) -> Message:
    """Return what Asterisk answers, nothing where it refuses."""
    try:
        return await connection.act(action)
    except Refused:
        return {}


async def _calls_begun(connection: Connection) -> int:
    text = (await _answer(connection, "CoreStatus")).get("CoreProcessedCalls", "")
    return int(text) if text.isascii() and text.isdigit() else 0
