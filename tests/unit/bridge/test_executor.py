"""What the bridge does at Asterisk for each order, and how it reads what Asterisk says of it."""

from collections.abc import Mapping, Sequence

import anyio
import msgspec
import pytest

from connector.bridge.ami import BadStream, Fields, Message
from connector.bridge.connection import Refused
from connector.bridge.executor import Executor, Order, Outcome
from connector.bridge.tracker import Tracker
from connector.numbers import is_emergency, read
from tests.unit.bridge.samples import SETTINGS, messages, new_tracker

pytestmark = pytest.mark.anyio

CALL = "connector-c1"
DIAL = Order(id="c1", kind="dial", agent="1001", number="+442071838750", call=CALL)
ANSWERED = {"Event": "OriginateResponse", "Uniqueid": CALL, "Response": "Success", "Reason": "4"}
RINGING = {"Event": "Newstate", "Uniqueid": CALL, "ChannelStateDesc": "Ringing"}


def hung_up(cause: str) -> Message:
    """Write the end of the channel."""
    return {"Event": "Hangup", "Uniqueid": CALL, "Cause": cause}


def failed(reason: str) -> Message:
    """Write that the call came to nothing."""
    return {"Event": "OriginateResponse", "Uniqueid": CALL, "Response": "Failure", "Reason": reason}


class Asterisk:
    """Take actions, and send the messages that were given, once each."""

    def __init__(self, says: Sequence[Message] = (), refuses: BadStream | None = None) -> None:
        self.says = says
        self.refuses = refuses
        self.acted: list[tuple[str, Mapping[str, object]]] = []
        self.executor = Executor(SETTINGS, new_tracker().registry)

    async def act(self, action: str, fields: Fields | None = None) -> Message:
        """Perform an action."""
        self.acted.append((action, fields or {}))
        if self.refuses is not None:
            raise self.refuses
        for message in self.says:
            self.executor.handle(message)
        return {"Response": "Success"}


async def outcome(asterisk: Asterisk, order: Order = DIAL) -> Outcome:
    """Have an order carried out."""
    asterisk.executor.connected(asterisk.act)
    return await asterisk.executor.execute(order)


async def test_dials() -> None:
    """The telephone shows who is called; what the customer sees is the caller id, where one was chosen."""
    asterisk = Asterisk([ANSWERED])
    assert await outcome(asterisk, msgspec.structs.replace(DIAL, caller_id="+442079460177")) == Outcome(
        state="done"
    )
    ((action, fields),) = asterisk.acted
    assert (action, fields["Channel"], fields["ChannelId"]) == ("Originate", "PJSIP/1001", CALL)
    assert (fields["Exten"], fields["Async"]) == (DIAL.number, "true")
    assert fields["Variable"] == [
        "CALLERID(num)=+442079460177",
        "CONNECTEDLINE(num)=+442071838750",
    ]


async def test_dials_as_the_dialplan_wants_it() -> None:
    """The plus may be written otherwise, an extension stays, and the telephone may be no PJSIP one."""
    for number, dialled in (("+442071838750", "000442071838750"), ("1002", "1002")):
        asterisk = Asterisk([ANSWERED])
        own = msgspec.structs.replace(SETTINGS, plus="000", telephone="SIP/{agent}", context="agents")
        asterisk.executor = Executor(own, new_tracker().registry)
        await outcome(asterisk, msgspec.structs.replace(DIAL, number=number))
        fields = asterisk.acted[0][1]
        assert (fields["Channel"], fields["Exten"], fields["Context"]) == ("SIP/1001", dialled, "agents")
        assert fields["Variable"] == [f"CONNECTEDLINE(num)={number}"]


@pytest.mark.parametrize(
    ("plus", "dialled", "is_call_for_help"),
    [("+", "+911123456789", False), ("", "911123456789", True), ("011", "011911123456789", False)],
)
async def test_the_trap_of_no_plus(plus: str, dialled: str, is_call_for_help: object) -> None:
    """As the guide warns: digits abroad without their plus may begin like an emergency number at home."""
    asterisk = Asterisk([ANSWERED])
    asterisk.executor = Executor(msgspec.structs.replace(SETTINGS, plus=plus), new_tracker().registry)
    await outcome(asterisk, msgspec.structs.replace(DIAL, number="+911123456789"))
    exten = str(asterisk.acted[0][1]["Exten"])
    assert exten == dialled
    # With its plus it is a whole number, and is not dialled by its digits.
    assert (exten[0] != "+" and is_emergency(exten, "US")) is is_call_for_help


@pytest.mark.parametrize(
    ("dialled", "read_as"), [("6562345678", "+16562345678"), ("0116562345678", "+6562345678")]
)
async def test_the_trap_of_no_plus_in_records(dialled: str, read_as: str) -> None:
    """As the guide warns: what the trunk was asked for is read at home first."""
    assert read(dialled, "US").e164 == read_as


@pytest.mark.parametrize(
    ("says", "reason"),
    [
        ([RINGING, hung_up("19"), failed("3")], "not_answered"),
        ([failed("3"), hung_up("19")], "unreachable"),
        ([RINGING, failed("0"), hung_up("21")], "rejected"),
        ([RINGING, hung_up("17"), failed("0")], "rejected"),
        ([hung_up("17"), failed("0")], "busy"),
        ([failed("0"), hung_up("17")], "busy"),
        ([failed("0"), hung_up("20")], "unreachable"),
    ],
)
async def test_why_nobody_was_called(says: Sequence[Message], reason: str) -> None:
    """Asterisk says 0 for most things; the end of the channel, before or after it, tells them apart."""
    found = await outcome(Asterisk(says))
    assert (found.state, found.reason) == ("refused", reason)


async def test_asterisk_is_not_there() -> None:
    """Nothing is done; what was under way when it went is unknown."""
    assert (await Asterisk().executor.execute(DIAL)).reason == "phone_system_away"
    asterisk = Asterisk()
    asterisk.executor.connected(asterisk.act)
    found: list[Outcome] = []

    async def execute() -> None:
        found.append(await asterisk.executor.execute(DIAL))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(execute)
        while not asterisk.acted:
            await anyio.lowlevel.checkpoint()
        asterisk.executor.disconnected()
    assert [one.state for one in found] == ["unknown"]


@pytest.mark.parametrize(
    ("problem", "state", "reason"),
    [
        (Refused("Asterisk refuses Originate: Permission denied"), "refused", "not_permitted"),
        (Refused("Asterisk refuses Originate: Extension does not exist."), "refused", "failed"),
        (BadStream("the connection to Asterisk is lost"), "unknown", ""),
    ],
)
async def test_asterisk_refuses(problem: BadStream, state: str, reason: str) -> None:
    """Its words are reported; a connection that was lost meanwhile says nothing of what was done."""
    found = await outcome(Asterisk(refuses=problem))
    assert (found.state, found.reason, found.detail) == (state, reason, str(problem))


@pytest.mark.parametrize(
    "order",
    [
        msgspec.structs.replace(DIAL, agent="1001&PJSIP/1002"),
        msgspec.structs.replace(DIAL, agent=""),
        msgspec.structs.replace(DIAL, number="1002)"),
        msgspec.structs.replace(DIAL, kind="transfer", number="1002,1,x"),
        msgspec.structs.replace(DIAL, caller_id="1,FILE(/etc/asterisk/x)=y"),
    ],
)
async def test_what_is_no_telephone_is_not_dialled(order: Order) -> None:
    """Nothing that could mean something else to Asterisk reaches it."""
    asterisk = Asterisk([ANSWERED])
    assert (await outcome(asterisk, order)).state == "refused"
    assert asterisk.acted == []


def talking(name: str, last: str) -> tuple[Asterisk, Tracker, str]:
    """Play a sample until just before the first event of a kind; return the call's id too."""
    tracker = new_tracker()
    for message in messages(name):
        if message.get("Event") == last:
            break
        tracker.handle(message)
    asterisk = Asterisk()
    asterisk.executor = Executor(msgspec.structs.replace(SETTINGS, context="from-agents"), tracker.registry)
    (call,) = tracker.registry.calls
    return asterisk, tracker, call


async def test_hangs_up_ones_own_part() -> None:
    """Only the agent's channel is ended; without an agent every party's, the first party's before."""
    for agent, channels in (("1001", 1), ("", 2)):
        asterisk, _, call = talking("clicked", "HangupRequest")
        order = Order(id="c2", kind="hang_up", agent=agent, call=call)
        assert (await outcome(asterisk, order)).state == "done"
        ended = [str(fields["Channel"]) for action, fields in asterisk.acted if action == "Hangup"]
        assert len(ended) == channels
        assert ended[0].startswith("PJSIP/1001-")


async def test_refuses_a_call_that_rings() -> None:
    """A telephone that rings for a call from outside is made to refuse it."""
    asterisk, _, call = talking("ring_group", "BridgeEnter")
    await outcome(asterisk, Order(id="c2", kind="hang_up", agent="1002", call=call))
    ((_, fields),) = asterisk.acted
    assert (str(fields["Channel"])[:11], fields["Cause"]) == ("PJSIP/1002-", "21")


async def test_transfers() -> None:
    """Whoever talks with the agent goes on to the colleague."""
    asterisk, _, call = talking("blind_transfer", "BlindTransfer")
    order = Order(id="c2", kind="transfer", agent="1001", number="1002", call=call)
    assert (await outcome(asterisk, order)).state == "done"
    ((action, fields),) = asterisk.acted
    assert (action, fields["Exten"], fields["Context"]) == ("BlindTransfer", "1002", "from-agents")
    assert str(fields["Channel"]).startswith("PJSIP/1001-")


@pytest.mark.parametrize("kind", ["hang_up", "transfer"])
async def test_nothing_left_to_do(kind: str) -> None:
    """The call is over, or the agent has left it, or the channel went while we looked."""
    order = msgspec.convert(
        {"id": "c2", "kind": kind, "agent": "1003", "call": "gone", "number": "1002"}, Order
    )
    assert (await outcome(Asterisk(), order)).reason == "over"
    asterisk, _, call = talking("clicked", "HangupRequest")
    assert (await outcome(asterisk, msgspec.structs.replace(order, call=call))).reason == "over"


async def test_channel_went_meanwhile() -> None:
    """What is gone needs no end."""
    asterisk, _, call = talking("clicked", "HangupRequest")
    asterisk.refuses = Refused("Asterisk refuses Hangup: No such channel")
    order = Order(id="c2", kind="hang_up", agent="1001", call=call)
    assert (await outcome(asterisk, order)).reason == "over"
