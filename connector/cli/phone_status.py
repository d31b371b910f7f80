"""Show which phone systems are heard, and which have fallen silent."""

import click
import msgspec

from connector.cli.opening import in_store
from connector.cli.output import json_option, moment, show_rows
from connector.keeping import Silence
from connector.times import system_clock


@click.command("status")
@json_option
def status(*, as_json: bool) -> None:
    """Show when each phone system was last heard, and whether that is longer ago than usual."""
    found = in_store(lambda store: Silence(store, system_clock).statuses())
    rows = [msgspec.structs.asdict(each) | {"last_at": moment(each.last_at)} for each in found]
    nothing = "No phone systems. Make one with: connector phones add SLUG --country FR"
    show_rows(rows, as_json=as_json, nothing=nothing)
