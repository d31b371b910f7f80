"""Show which phone systems are heard, and which have fallen silent."""

from collections.abc import Sequence

import click
import msgspec

from connector.cli.opening import in_store
from connector.cli.output import json_option, moment, show_rows
from connector.clock import system_clock
from connector.maintenance import Silence
from connector.maintenance.baseline import Status
from connector.store import Store, orders


@click.command("status")
@json_option
def status(*, as_json: bool) -> None:
    """Show when each phone system was last heard, and whether that is longer ago than usual.

    `orders_at` is when the program beside it last asked what to do, where it does.
    """
    found, asked = in_store(_look)
    rows = [
        msgspec.structs.asdict(each)
        | {"last_at": moment(each.last_at), "orders_at": moment(asked.get(each.slug))}
        for each in found
    ]
    nothing = "No phone systems. Make one with: connector phones add SLUG --country FR"
    show_rows(rows, as_json=as_json, nothing=nothing)


async def _look(store: Store) -> tuple[Sequence[Status], dict[str, int]]:
    statuses = await Silence(store, system_clock).statuses()
    return statuses, await store.read(orders.takers_asked_at)
