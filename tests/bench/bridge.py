"""Measure whether the Asterisk bridge keeps up: recorded calls replayed, many at a time, none missed."""

import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import click
import msgspec

from connector.bridge.ami import WANTED, Reader
from connector.bridge.channels import ChannelNames
from connector.bridge.tracker import Tracker
from connector.calls import Call, CallState
from connector.clock import system_clock
from tests.integration.bridge.manager import Manager, spoken
from tests.integration.bridge.receiver import Receiver, free_port

SAMPLES = Path(__file__).parents[1] / "samples" / "asterisk"
PLAYED = ("ring_group", "recorded", "queue_refused", "refused_then_answered", "outbound", "busy")
_UNIQUEID = re.compile(rb"\b(\d{10}\.\d{1,5})(?=[\r;.])")
_MOMENT = re.compile(rb"Timestamp: \d+\.\d+")
_BRIDGE = re.compile(rb"BridgeUniqueid: ")


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What was played and what was told; delays are from Asterisk's word to the connector's receipt.

    `behind_ms` is how far the replay fell behind at worst, for want of somebody who reads.
    """

    calls: int
    told: int
    missed: int
    doubled: int
    calls_per_s: int
    behind_ms: int
    ami_events_per_s: int
    tell_ms_p50: float
    tell_ms_p99: float
    cpu_share: float
    memory_mb: int
    read_events_per_s: int


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--seconds", default=10, show_default=True, help="How long calls begin.")
@click.option("--rate", default=100, show_default=True, help="Calls that begin each second.")
def bridge(as_json: bool, seconds: int, rate: int) -> None:  # noqa: FBT001 - click's way
    """Replay recorded calls to `connector bridge asterisk`, and count what the connector is told."""
    report = _measure(seconds, rate)
    if as_json:
        click.echo(msgspec.json.encode(report))
        return
    for name, value in msgspec.to_builtins(report).items():
        click.echo(f"{name:>20}  {value}")


def _measure(seconds: int, rate: int) -> Report:
    receiver, manager = Receiver(), Manager()
    receiver.start()
    schedule = sorted(_schedule(seconds * rate, rate))
    with tempfile.TemporaryDirectory() as folder, _started(Path(folder), receiver, manager) as process:
        manager.is_heard.wait(20)
        begun = time.monotonic()
        behind = _play(schedule, manager)
        took = time.monotonic() - begun
        calls = receiver.wait(lambda told: len(_ended(told)) >= seconds * rate, 20)
        process.terminate()
        process.wait(10)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    receiver.stop()
    manager.stop()
    delays = sorted(one.received_at - one.at for one in receiver.events.values() if one.direction is None)
    ended = len(_ended(calls))
    return Report(
        calls=seconds * rate,
        told=ended,
        missed=seconds * rate - ended,
        doubled=max(0, len(calls) - seconds * rate),
        calls_per_s=rate,
        behind_ms=round(behind * 1_000),
        ami_events_per_s=round(len(schedule) / took),
        tell_ms_p50=delays[len(delays) // 2],
        tell_ms_p99=delays[len(delays) * 99 // 100],
        cpu_share=round((used.ru_utime + used.ru_stime) / took, 2),
        memory_mb=used.ru_maxrss // 1024,
        read_events_per_s=_reading_speed(),
    )


def _started(folder: Path, receiver: Receiver, manager: Manager) -> subprocess.Popen[bytes]:
    environment = os.environ | {
        "BRIDGE_ADDRESS": receiver.address,
        "BRIDGE_SECRET": receiver.secret,
        "BRIDGE_AMI": manager.address,
        "BRIDGE_AMI_SECRET": "x",
        "BRIDGE_SPOOL": str(folder / "spool.db"),
        "BRIDGE_TRUNKS": "PJSIP/carrier",
        "BRIDGE_LISTEN": f"127.0.0.1:{free_port()}",
        "BRIDGE_LOG_LEVEL": "WARNING",
    }
    return subprocess.Popen([sys.executable, "-m", "connector", "bridge", "asterisk"], env=environment)


def _ended(calls: list[Call]) -> list[Call]:
    return [call for call in calls if call.state is CallState.ENDED]


def _schedule(calls: int, rate: int) -> Iterator[tuple[float, int, bytes]]:
    """Return what Asterisk says, and when: each call a recorded one with ids of its own."""
    samples = [spoken((SAMPLES / f"{name}.ami").read_bytes()) for name in PLAYED]
    order = count()
    for number in range(calls):
        own = b"\\g<1>%05d" % number
        for after, block in samples[number % len(samples)]:
            said = _BRIDGE.sub(b"BridgeUniqueid: %d-" % number, _UNIQUEID.sub(own, block))
            yield number / rate + after, next(order), said


def _play(schedule: list[tuple[float, int, bytes]], manager: Manager) -> float:
    """Say everything in its time; answers how many seconds too late at worst."""
    begun, offset, behind = time.monotonic(), 0, 0.0
    while offset < len(schedule):
        now = time.monotonic() - begun
        due = offset
        while due < len(schedule) and schedule[due][0] <= now:
            due += 1
        stamp = b"Timestamp: %.6f" % (system_clock() / 1_000)
        manager.say(b"".join(_MOMENT.sub(stamp, block) for _, _, block in schedule[offset:due]))
        if due > offset:
            behind = max(behind, time.monotonic() - begun - schedule[offset][0])
        offset = due
        time.sleep(0.002)
    return behind


def _reading_speed() -> int:
    """Return how many unfiltered events a second one core reads and makes sense of."""
    data = (SAMPLES / "unfiltered.ami").read_bytes() * 200
    tracker = Tracker(
        ChannelNames("PJSIP/([0-9]+)", ["PJSIP/carrier"], ["from-trunk"]), lambda _: None, system_clock
    )
    reader, begun = Reader(WANTED), time.perf_counter()
    for start in range(0, len(data), 65_536):
        for message in reader.push(data[start : start + 65_536]):
            tracker.handle(message)
    return round(reader.events / (time.perf_counter() - begun))
