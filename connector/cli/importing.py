"""Bring in past calls from a file: the same road as live ones, at a pace that leaves room for these."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import click
import msgspec

from connector.app import Services
from connector.calls import CallEvent
from connector.cli.opening import actor, with_services
from connector.cli.output import write_json
from connector.cli.past_lines import Line, lines_of
from connector.clock import MINUTE, SECOND
from connector.dialects import SystemConfig
from connector.dialects.past_calls import FIELDS, OddTimes
from connector.dialects.past_calls import events as past_events
from connector.errors import CommandError, InvalidEvent
from connector.store import audit
from connector.store.ingester import Arrival, EventIngester, Sender
from connector.store.phones import PhoneSystem

AT_A_TIME = 100
"""Calls in one commit."""


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for; `columns` says which column of the file a field stands in."""

    path: Path
    slug: str
    is_csv: bool
    delimiter: str
    columns: Mapping[str, str]
    time_format: str
    odd_times: OddTimes
    per_minute: int
    dry_run: bool


class Outcome(msgspec.Struct, kw_only=True):
    """What came of it."""

    calls: int = 0
    events: int = 0
    new: int = 0
    again: int = 0
    rejected: list[tuple[int, str]] = []


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--phone", "slug", required=True, help="The phone system whose calls they are.")
@click.option("--format", "form", type=click.Choice(["csv", "jsonl"]), required=True,
    help="CSV with a line of headings, or a JSON object a line.")  # fmt: skip
@click.option("--column", "columns", multiple=True, metavar="FIELD=HEADING",
    help="Where a field stands, if not under its own name; may be repeated.")  # fmt: skip
@click.option("--delimiter", default=",", show_default=True, help="Between the columns of CSV; \\t is a tab.")
@click.option(
    "--time-format", default="", help="Of times that are not ISO 8601, such as '%d/%m/%Y %H:%M:%S'."
)
@click.option("--odd-times", type=click.Choice(get_args(OddTimes)), default="refuse", show_default=True,
    help="Which moment a local time is that the clocks showed twice, or never.")  # fmt: skip
@click.option("--per-minute", type=click.IntRange(1), default=60, show_default=True,
    help="How many records become due in Desk a minute; live calls go in between.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Read everything and keep nothing.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON, for machines.")
@click.pass_context
def import_calls(context: click.Context, /, *, file: Path, slug: str, form: str, columns: Sequence[str],
                 as_json: bool, **wished: Any) -> None:  # fmt: skip
    """Bring in past calls from FILE; doing it again changes nothing. Exits with 1 if a line was no call.

    A row is a whole call, with whoever answered last as its agent: of an export with a row
    for each agent, bring in one row a call. It has started_at and direction (in, out,
    internal), and ended_at, duration_seconds, or answered_at and talk_seconds; and may have
    from, to, agent, queue, call_id, parent, cause, recording_url and recording_seconds. Times
    without offset lie in the phone system's time zone.

    Give call_id as the phone system tells it live, and what was heard live is the same call.
    A row without it is known by all that it says: it doubles a call that was heard live, and
    is another call once something in it has changed. A row that gives another's call_id and
    says something else is rejected; one that is written twice counts once.
    """
    wished["delimiter"] = wished["delimiter"].replace("\\t", "\t")
    wishes = Wishes(path=file, slug=slug, is_csv=form == "csv", columns=_columns(columns), **wished)
    if len(wishes.delimiter) != 1:
        raise CommandError("The delimiter is one character.")
    outcome = with_services(lambda services: _import(services, wishes))
    _show(outcome, wishes, as_json=as_json)
    context.exit(1 if outcome.rejected else 0)


async def _import(services: Services, wishes: Wishes) -> Outcome:
    known = await services.phone_systems.find(wishes.slug)
    outcome = Outcome()
    batch: list[CallEvent] = []
    seen = _Seen()
    for number, told in lines_of(wishes.path, wishes.columns, wishes.delimiter if wishes.is_csv else ""):
        try:
            events = _events(told, known.config, wishes)
            seen.check(number, events)
        except InvalidEvent as problem:
            outcome.rejected.append(
                (number, f"{problem.pointer[1:]}: {problem}" if problem.pointer else str(problem))
            )
            continue
        batch += events
        outcome.events += len(events)
        outcome.calls += 1
        if outcome.calls % AT_A_TIME == 0:
            await _take(services, known.phone, batch, outcome, wishes)
            batch = []
    await _take(services, known.phone, batch, outcome, wishes)
    if not wishes.dry_run:
        detail = f"{wishes.path.name}: {outcome.calls} calls, {outcome.new} new events"
        await services.store.write(
            lambda c: audit.append(c, services.clock(), actor(), "calls.imported", wishes.slug, detail)
        )
    return outcome


class _Seen:
    """Remember which line told of which call: of two that differ, one would be dropped unheard."""

    def __init__(self) -> None:
        self._lines: dict[str, tuple[int, int]] = {}

    def check(self, number: int, events: Sequence[CallEvent]) -> None:
        """Raise InvalidEvent where an earlier line told of the same call, and told something else."""
        said = hash(tuple(events))
        first, before = self._lines.setdefault(events[0].call_id, (number, said))
        if before != said:
            raise InvalidEvent(f"line {first} has the same one and says something else", "/call_id")


async def _take(
    services: Services, phone: PhoneSystem, events: Sequence[CallEvent], outcome: Outcome, wishes: Wishes
) -> None:
    """Commit some calls; the further down the file, the later their records become due."""
    if not events or wishes.dry_run:
        return
    wait = outcome.calls * MINUTE // wishes.per_minute // SECOND
    ingester = EventIngester(
        services.clock, record_after_seconds=wait, silent_after_seconds=services.settings.silent_after_seconds
    )
    sender = Sender(phone.id, phone.uid, phone.portal_id, phone.records_internal)
    arrival = Arrival(sender, events)
    taken = await services.store.batch(ingester.take, arrival)
    outcome.new += taken.accepted
    outcome.again += taken.duplicate


def _events(told: Line, config: SystemConfig, wishes: Wishes) -> list[CallEvent]:
    if isinstance(told, InvalidEvent):
        raise told
    row: dict[str, str] = {field: told.get(wishes.columns.get(field, field), "") for field in FIELDS}
    return past_events(row, config, wishes.odd_times, wishes.time_format)


def _columns(texts: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in texts:
        field, equals, column = text.partition("=")
        if not equals or field not in FIELDS:
            raise CommandError(f"{text} is not FIELD=HEADING with a field of: {', '.join(FIELDS)}.")
        found[field] = column.strip()
    return found


def _show(outcome: Outcome, wishes: Wishes, *, as_json: bool) -> None:
    if as_json:
        rejected = [{"line": number, "error": error} for number, error in outcome.rejected]
        write_json(msgspec.structs.asdict(outcome) | {"rejected": rejected, "dry_run": wishes.dry_run})
        return
    for number, error in outcome.rejected:
        click.echo(f"Line {number}: {error}", err=True)
    kept = "nothing kept" if wishes.dry_run else f"{outcome.new} events new, {outcome.again} known already"
    click.echo(f"{outcome.calls} calls read, {len(outcome.rejected)} lines rejected; {kept}.")
