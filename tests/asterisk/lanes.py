"""Play calls side by side: each lane has telephones, a carrier and queues of its own in the one Asterisk.

Lane 1 is what tests/asterisk/cfg holds and the recorded samples show. In lane 2 the agent 1001 is 2001, the
carrier is carrier2 and the queue support is support2; what is dialled is the same in all: the dialplan reads
the lane off the variables of the caller's endpoint.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Empty, SimpleQueue

import msgspec

from connector.calls import Call, CallState
from tests.asterisk.calls import CUSTOMER, PLAYED
from tests.asterisk.pbx import FIRST_LANE, Phone, Phones
from tests.integration.bridge.receiver import Receiver

LANES = 4
SOON_SECONDS = 20
_AGENT = re.compile(r"(?<!Local/)\b1(?=00[1-4]\b)")
_ON_SIGHT = re.compile(r"\b(carrier|support|locals|phone)(?=[\])])|(?<= )(carrier)$", re.MULTILINE)


class Outcome(msgspec.Struct, frozen=True):
    """What came of a call that was played: what the telephones complain of, and what was reported."""

    lane: int
    wrong: list[str]
    calls: list[Call]


def write_lanes(configured: Path) -> None:
    """Add the telephones, carriers and queues of all lanes but the first to Asterisk's configuration."""
    for name, begin in (("pjsip.conf", "[phone](!)"), ("queues.conf", "[support]")):
        path = configured / name
        whole = path.read_text(encoding="utf-8")
        first = whole[whole.index(begin) :]
        path.write_text("\n".join([whole, *(_of_lane(first, lane) for lane in range(2, LANES + 1))]))


def _of_lane(text: str, lane: int) -> str:
    text = text.replace("127.7.0.", f"127.7.{lane - 1}.").replace(f"127.7.{lane - 1}.1\n", "127.7.0.1\n")
    text = _AGENT.sub(str(lane), text)
    text = _ON_SIGHT.sub(lambda found: f"{found[0]}{lane}", text)
    text = text.replace("__TRUNK=carrier", f"__TRUNK=carrier{lane}")
    return text.replace("__LANE=1", f"__LANE={lane}").replace("__QUEUES=", f"__QUEUES={lane}")


def agent_of(agent: str, lane: int) -> str:
    """Return how an agent of the first lane is called in another."""
    return _AGENT.sub(str(lane), agent)


def queue_of(queue: str | None, lane: int) -> str | None:
    """Return how a queue of the first lane is called in another."""
    return queue if queue is None or lane == 1 else f"{queue}{lane}"


def customer(lane: int) -> str:
    """Return the number of who calls in a lane."""
    return CUSTOMER[:-1] + str(lane - 1)


def in_lane(phone: Phone, lane: int) -> Phone:
    """Return a telephone of the first lane as it is in another."""
    keys = [(name, text.replace(CUSTOMER[1:], customer(lane)[1:])) for name, text in phone.keys]
    program = [word.replace(FIRST_LANE, f"lane={lane}") for word in phone.program]
    # Whose telephone it is; what is dialled there is the same in all lanes.
    program[1:2] = [_AGENT.sub(str(lane), word) for word in program[1:2]]
    return msgspec.structs.replace(
        phone,
        address=phone.address.replace("127.7.0.", f"127.7.{lane - 1}."),
        keys=tuple(keys),
        program=tuple(program),
    )


def lane_of(call: Call) -> int | None:
    """Return in which lane a call was played; None where nothing in it tells."""
    lanes = {customer(lane): lane for lane in range(1, LANES + 1)}
    if call.from_number in lanes:
        return lanes[call.from_number]
    return next((int(leg.agent[0]) for leg in call.legs), None)


def play_all(
    names: Iterable[str], receiver: Receiver, folder: Path, soon_seconds: float = SOON_SECONDS
) -> dict[str, Outcome]:
    """Play calls, in each lane one after the other; return what came of each by its name, after so long."""
    waiting: SimpleQueue[str] = SimpleQueue()
    for name in names:
        waiting.put(name)

    def play_in(lane: int) -> dict[str, Outcome]:
        phones = Phones(folder)
        return {name: _play(PLAYED[name], lane, phones, receiver, soon_seconds) for name in _drained(waiting)}

    with ThreadPoolExecutor(LANES) as pool:
        done = list(pool.map(play_in, range(1, LANES + 1)))
    return {name: outcome for each in done for name, outcome in each.items()}


def _drained(waiting: "SimpleQueue[str]") -> Iterator[str]:
    while True:
        try:
            yield waiting.get_nowait()
        except Empty:
            return


def _play(
    begin: Callable[[], Sequence[Phone]], lane: int, phones: Phones, receiver: Receiver, soon_seconds: float
) -> Outcome:
    before = {call.call_id for call in receiver.calls()}

    def fresh(calls: Sequence[Call]) -> list[Call]:
        found = [call for call in calls if call.call_id not in before and call.parent is None]
        return [call for call in found if lane_of(call) == lane]

    def is_over(calls: Sequence[Call]) -> bool:
        found = fresh(calls)
        return bool(found) and all(call.state is CallState.ENDED for call in found)

    phones.start([in_lane(phone, lane) for phone in begin()])
    wrong = phones.wait()
    return Outcome(lane, wrong, fresh(receiver.wait(is_over, soon_seconds)))
