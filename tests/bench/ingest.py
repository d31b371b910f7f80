"""Measure how fast events come in, beside a server that does nothing and one that commits each."""

import subprocess
import sys
from statistics import median

import click
import msgspec

from tests.bench import servers
from tests.bench.databases import engine_option, fresh
from tests.bench.load import Order, Result
from tests.bench.servers import Running

ROUNDS = 3
BATCH = 100


class Acks(msgspec.Struct, frozen=True):
    """From the request's first byte out to the answer's last byte in."""

    p50: float
    p99: float


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Medians of all rounds; `of_bare` and `of_commit_each` are the medians of each round's ratio."""

    engine: str
    events_per_s: int
    batch_events_per_s: int
    ack_ms: Acks
    bare_per_s: int
    commit_each_per_s: int
    of_bare: float
    of_commit_each: float
    concurrency: int
    seconds: float
    rounds: int


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured within one minute, so that the machine's mood is the same for all."""

    bare: Result
    commit_each: Result
    singles: Result
    batches: Result


@click.command()
@engine_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--seconds", default=4.0, show_default=True, help="How long each measurement takes.")
@click.option("--rounds", default=ROUNDS, show_default=True, help="How often everything is measured.")
@click.option("--concurrency", default=64, show_default=True, help="Connections, one request on each.")
def ingest(engine: str, as_json: bool, seconds: float, rounds: int, concurrency: int) -> None:  # noqa: FBT001 - click's way
    """Post events to `connector serve` and to two yardsticks, and compare."""
    measured = [_round(engine, number, seconds, concurrency) for number in range(rounds)]
    report = _report(engine, measured, seconds, concurrency)
    if as_json:
        click.echo(msgspec.json.encode(report))
        return
    for name, value in msgspec.to_builtins(report).items():
        click.echo(f"{name:>20}  {value}")


def _round(engine: str, number: int, seconds: float, concurrency: int) -> Round:
    yardsticks = {}
    for yardstick in ("bare", "commit-each"):
        with fresh(engine) as url, servers.yardstick(yardstick, url) as running:
            yardsticks[yardstick] = _load(running, f"y{number}", 1, seconds, concurrency, 204)
    with fresh(engine) as url:
        with servers.connector(url) as running:
            singles = _load(running, f"s{number}", 1, seconds, concurrency, 202)
            batches = _load(running, f"b{number}", BATCH, seconds, concurrency, 202)
        _check(servers.kept_events(url), singles.sent + batches.sent)
    return Round(
        bare=yardsticks["bare"], commit_each=yardsticks["commit-each"], singles=singles, batches=batches
    )


def _load(running: Running, run: str, size: int, seconds: float, concurrency: int, status: int) -> Result:
    order = {
        "port": running.port,
        "path": f"/hooks/{servers.SLUG}",
        "secret": running.secret,
        "run": run,
        "size": size,
        "seconds": seconds,
        "concurrency": concurrency,
        "status": status,
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.load"],
        input=msgspec.json.encode(msgspec.convert(order, Order)),
        stdout=subprocess.PIPE,
        check=False,
    )
    if done.returncode:
        raise click.ClickException("The load could not be played; see what it says above.")
    return msgspec.json.decode(done.stdout, type=Result)


def _check(kept: int, acknowledged: int) -> None:
    """Refuse to report a speed at which events were lost."""
    if kept != acknowledged:
        raise click.ClickException(f"{acknowledged} events were acknowledged and {kept} are kept.")


def _report(engine: str, rounds: list[Round], seconds: float, concurrency: int) -> Report:
    return Report(
        engine=engine,
        events_per_s=round(median(one.singles.per_second for one in rounds)),
        batch_events_per_s=round(median(one.batches.per_second for one in rounds)),
        ack_ms=Acks(
            p50=round(median(one.singles.p50_ms for one in rounds), 1),
            p99=round(median(one.singles.p99_ms for one in rounds), 1),
        ),
        bare_per_s=round(median(one.bare.per_second for one in rounds)),
        commit_each_per_s=round(median(one.commit_each.per_second for one in rounds)),
        of_bare=round(median(one.singles.per_second / one.bare.per_second for one in rounds), 2),
        of_commit_each=round(
            median(one.singles.per_second / one.commit_each.per_second for one in rounds), 2
        ),
        concurrency=concurrency,
        seconds=seconds,
        rounds=len(rounds),
    )
