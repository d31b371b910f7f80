"""List calls with what came of each, tell the history of one, and bring in past ones from a file."""

import csv
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, get_args

import click
import msgspec

from connector.calls import CallEvent, CallState, NotRecorded
from connector.cli.context import actor, in_store, with_services
from connector.cli.terminal import HOW_MANY, Moment, json_option, show_one, show_rows, write_json
from connector.clock import MINUTE, SECOND, system_clock
from connector.dialects import SystemConfig
from connector.dialects.past_calls import FIELDS, OddTimes
from connector.dialects.past_calls import events as past_events
from connector.errors import CommandError, InvalidEvent
from connector.follow_up import CallLists, History
from connector.follow_up.listing import CallLine, Filter
from connector.follow_up.sections import sections
from connector.follow_up.viewers import COMMANDS
from connector.logs import spelt_out
from connector.services import Services
from connector.store import Store, audit
from connector.store.ingester import Arrival, EventIngester, Sender
from connector.store.phones import PhoneSystem

NAMED_AT_MOST = 5
"""Agents whom a line of the table names; a program is told all."""

PAGE = 1_000
"""Calls that are read at a time."""

AT_A_TIME = 100
"""Calls in one commit."""

LINE_AT_MOST = 65_536
"""Bytes of a line; a longer one is no call."""

Line = Mapping[str, str] | InvalidEvent
"""What a line says by column, or why it says nothing."""

_decode_line = msgspec.json.Decoder(dict[str, Any]).decode


@click.group()
def calls() -> None:
    """See what came of calls, and which leave no record in Zoho Desk."""


@calls.command("list")
@click.option("--from", "since", type=Moment(), help="Calls that began at this moment or later.")
@click.option("--to", "until", type=Moment(), help="Calls that began before this moment.")
@click.option("--number", help="Calls with this number at either end, however it is written.")
@click.option("--agent", help="Calls of a user, by e-mail address, or by an extension or login.")
@click.option("--state", type=click.Choice([state.value for state in CallState]),
    help="Calls that ring, that are talked, or that have ended.")  # fmt: skip
@click.option("--phone", "slug", help="Of one phone system only.")
@click.option("--not-recorded", "only_not_recorded", is_flag=True,
    help="Only calls that ended without a record, with the reason.")  # fmt: skip
@click.option("--reason", type=click.Choice([reason.value for reason in NotRecorded]),
    help="Only calls without a record for this reason.")  # fmt: skip
@click.option("--limit", type=HOW_MANY, default=100, show_default=True, help="How many.")
@json_option
def list_all(*, limit: int, as_json: bool, **options: Any) -> None:
    """List calls, the latest first; a call with its transfers is one call.

    The record is due, sending, unknown, done, dead or dropped as `connector deliveries list` has it; none
    while the call goes on, and erased with its call. A call that leaves no record says why. Moments are
    written as 2026-11-30 or 2026-11-30T09:00, in UTC unless they say otherwise. `connector calls show CALL`
    tells all of one.
    """
    asked = _filter(options)
    found, is_complete = in_store(lambda store: _listed(store, asked, limit))
    nothing = "There is no such call." if asked != Filter() else "There is no call yet."
    show_rows([_call_row(each, whole=as_json) for each in found], as_json=as_json, nothing=nothing)
    if not is_complete:
        click.echo("Calls from before the upgrade are still being listed: some are missing here.", err=True)


def _filter(options: Mapping[str, Any]) -> Filter:
    for option, name in (("--number", "number"), ("--agent", "agent"), ("--phone", "slug")):
        if options[name] is not None and not options[name].strip():
            raise CommandError(f"{option} is empty: give what calls shall be found by, or leave it out.")
    state, reason = options["state"], options["reason"]
    return Filter(
        since=options["since"],
        until=options["until"],
        number=options["number"],
        agent=options["agent"],
        state=state and CallState(state),
        phone_system=options["slug"],
        not_recorded=options["only_not_recorded"],
        reason=reason and NotRecorded(reason),
    )


async def _listed(store: Store, asked: Filter, limit: int) -> tuple[list[CallLine], bool]:
    lists, found = CallLists(store, system_clock), list[CallLine]()
    page = await lists.page(COMMANDS, asked, cursor=None, limit=min(limit, PAGE))
    found += page.calls
    while page.next is not None and len(found) < limit:
        page = await lists.page(COMMANDS, asked, cursor=page.next, limit=min(limit - len(found), PAGE))
        found += page.calls
    return found, page.complete


def _call_row(each: CallLine, *, whole: bool) -> dict[str, Any]:
    row: dict[str, Any] = msgspec.to_builtins(each)
    agents = list(each.agents)
    few = whole or len(agents) <= NAMED_AT_MOST
    call = row.pop("call")
    del row["names"]
    return row | {"agents": agents if few else _first_agents(agents), "call": call}


def _first_agents(agents: list[str]) -> list[str]:
    return [*agents[:NAMED_AT_MOST], f"and {len(agents) - NAMED_AT_MOST} more"]


@calls.command("show")
@click.argument("key")
@click.option("--phone", "slug", help="KEY is what this phone system calls the call.")
@json_option
def show(*, key: str, slug: str | None, as_json: bool) -> None:
    """Tell the history of a call: what was heard of it, what became of it, and what Desk answered.

    KEY stands in `connector calls list` and in the record in Desk ("Call key").
    """
    found = in_store(lambda store: History(store, system_clock).show(COMMANDS, key, phone_system=slug))
    if as_json:
        write_json(found)
    else:
        for heading, content in sections(found):
            _show_section(heading, content)


def _show_section(heading: str, content: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> None:
    if heading:
        click.echo(f"\n{heading}")
    if isinstance(content, Mapping):
        show_one(content, as_json=False)
    else:
        show_rows(content, as_json=False, nothing="-")


class ImportRequest(msgspec.Struct, frozen=True, kw_only=True):
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


class ImportResult(msgspec.Struct, kw_only=True):
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
                 as_json: bool, **options: Any) -> None:  # fmt: skip
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
    options["delimiter"] = options["delimiter"].replace("\\t", "\t")
    request = ImportRequest(path=file, slug=slug, is_csv=form == "csv", columns=_columns(columns), **options)
    if len(request.delimiter) != 1:
        raise CommandError("The delimiter is one character.")
    result = with_services(lambda services: _import(services, request))
    _show_import(result, request, as_json=as_json)
    context.exit(1 if result.rejected else 0)


async def _import(services: Services, request: ImportRequest) -> ImportResult:
    known = await services.phone_systems.find(request.slug)
    result = ImportResult()
    batch: list[CallEvent] = []
    seen = _KnownCalls()
    for number, told in lines_of(request.path, request.columns, request.delimiter if request.is_csv else ""):
        try:
            events = _events_of(told, known.config, request)
            seen.check(number, events)
        except InvalidEvent as problem:
            result.rejected.append(
                (number, f"{problem.pointer[1:]}: {problem}" if problem.pointer else str(problem))
            )
            continue
        batch += events
        result.events += len(events)
        result.calls += 1
        if result.calls % AT_A_TIME == 0:
            await _commit(services, known.phone, batch, result, request)
            batch = []
    await _commit(services, known.phone, batch, result, request)
    if not request.dry_run:
        detail = f"{request.path.name}: {result.calls} calls, {result.new} new events"
        await services.store.write(
            lambda c: audit.append(c, services.clock(), actor(), "calls.imported", request.slug, detail)
        )
    return result


class _KnownCalls:
    """Remember which line had which call: of two that differ, one would be dropped without a word."""

    def __init__(self) -> None:
        self._lines: dict[str, tuple[int, int]] = {}

    def check(self, number: int, events: Sequence[CallEvent]) -> None:
        """Raise InvalidEvent where an earlier line told of the same call, and told something else."""
        content = hash(tuple(events))
        first, before = self._lines.setdefault(events[0].call_id, (number, content))
        if before != content:
            raise InvalidEvent(f"line {first} has the same one and says something else", "/call_id")


async def _commit(
    services: Services,
    phone: PhoneSystem,
    events: Sequence[CallEvent],
    result: ImportResult,
    request: ImportRequest,
) -> None:
    """Commit some calls; the further down the file, the later their records become due."""
    if not events or request.dry_run:
        return
    wait = result.calls * MINUTE // request.per_minute // SECOND
    ingester = EventIngester(
        services.clock, record_after_seconds=wait, silent_after_seconds=services.settings.silent_after_seconds
    )
    sender = Sender(phone.id, phone.uid, phone.portal_id, phone.records_internal)
    arrival = Arrival(sender, events)
    taken = await services.store.batch(ingester.take, arrival)
    result.new += taken.accepted
    result.again += taken.duplicate


def _events_of(told: Line, config: SystemConfig, request: ImportRequest) -> list[CallEvent]:
    if isinstance(told, InvalidEvent):
        raise told
    row: dict[str, str] = {field: told.get(request.columns.get(field, field), "") for field in FIELDS}
    return past_events(row, config, request.odd_times, request.time_format)


def _columns(texts: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in texts:
        field, equals, column = text.partition("=")
        if not equals or field not in FIELDS:
            raise CommandError(f"{text} is not FIELD=HEADING with a field of: {', '.join(FIELDS)}.")
        found[field] = column.strip()
    return found


def _show_import(result: ImportResult, request: ImportRequest, *, as_json: bool) -> None:
    if as_json:
        rejected = [{"line": number, "error": error} for number, error in result.rejected]
        write_json(msgspec.structs.asdict(result) | {"rejected": rejected, "dry_run": request.dry_run})
        return
    for number, error in result.rejected:
        click.echo(spelt_out(f"Line {number}: {error}"), err=True)
    kept = "nothing kept" if request.dry_run else f"{result.new} events new, {result.again} known already"
    click.echo(f"{result.calls} calls read, {len(result.rejected)} lines rejected; {kept}.")


def lines_of(path: Path, columns: Mapping[str, str], delimiter: str) -> Iterator[tuple[int, Line]]:
    """Read a file line by line, each with its number, with a progress bar where somebody looks on.

    `delimiter` is that of CSV; without one each line is a JSON object. CommandError for what is no CSV at
    all, or lacks one of `columns`.
    """
    size = path.stat().st_size
    with (
        path.open("rb") as file,
        click.progressbar(length=size, label=path.name, file=sys.stderr) as bar,
    ):
        lines = _lines(file, bar)
        yield from _csv(lines, columns, delimiter) if delimiter else _jsonl(lines)


def _lines(file: BinaryIO, bar: Any) -> Iterator[str]:
    while line := file.readline(LINE_AT_MOST):
        bar.update(len(line))
        yield line.decode("utf-8", "replace").removeprefix("\ufeff")


def _csv(lines: Iterator[str], columns: Mapping[str, str], delimiter: str) -> Iterator[tuple[int, Line]]:
    rows = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        headings = [heading.strip() for heading in next(rows, [])]
        missing = [column for column in columns.values() if column not in headings]
        if missing:
            raise CommandError(
                f"The file has no column {', '.join(missing)}; it has {', '.join(headings)}. Say which is "
                "what with --column FIELD=HEADING, and what parts them with --delimiter."
            )
        for row in rows:
            if len(row) == len(headings):
                yield rows.line_num, dict(zip(headings, row, strict=True))
            elif row:
                yield rows.line_num, InvalidEvent(f"{len(row)} columns, and the headings are {len(headings)}")
    except csv.Error as problem:
        raise CommandError(
            f"Line {rows.line_num} is no CSV: {problem}. Mend it there, or say with "
            "--delimiter what parts the columns."
        ) from problem


def _jsonl(lines: Iterator[str]) -> Iterator[tuple[int, Line]]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            told = _decode_line(line)
        except (msgspec.MsgspecError, RecursionError) as problem:
            yield number, InvalidEvent(f"no JSON object: {problem}")
            continue
        yield (
            number,
            {name: str(value) for name, value in told.items() if isinstance(value, (str, int, float))},
        )
