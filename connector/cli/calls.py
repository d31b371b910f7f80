"""List calls with what came of each: the state of its record, or why it leaves none."""

from functools import partial
from typing import Any

import click

from connector import numbers
from connector.banner import views
from connector.calls import Call, Direction, NotRecorded
from connector.cli.opening import in_store
from connector.cli.output import json_option, moment, show_rows
from connector.cli.values import HOW_MANY
from connector.clock import system_clock
from connector.errors import CommandError
from connector.store import Store, phones, unrecorded
from connector.store.unrecorded import Listed

WHY = {
    NotRecorded.INTERNAL: "among colleagues, as the phone system says or as both ends are yours; "
    "`connector phones internal` has such calls recorded",
    NotRecorded.NOT_TAKEN: "nobody took the ring of the agent's own telephone, so nobody was called",
    NotRecorded.NOTHING_TOLD: "the phone system told neither the direction nor a caller nor a ring",
    NotRecorded.ERASED: "erased by `connector forget`",
    NotRecorded.EARLIER: "ended before reasons were kept",
}


NAMED_AT_MOST = 5
"""Agents whom a line of the table names; a program is told all."""


@click.group()
def calls() -> None:
    """See what came of calls, and which leave no record in Zoho Desk."""


@calls.command("list")
@click.option("--not-recorded", "only_not_recorded", is_flag=True,
    help="Only calls that ended without a record, with the reason.")  # fmt: skip
@click.option("--phone", "slug", help="Of one phone system only.")
@click.option("--reason", type=click.Choice([reason.value for reason in NotRecorded]),
    help="Only calls without a record for this reason.")  # fmt: skip
@click.option("--limit", type=HOW_MANY, default=100, show_default=True, help="How many.")
@json_option
def list_all(
    *, only_not_recorded: bool, slug: str | None, reason: str | None, limit: int, as_json: bool
) -> None:
    """List calls, those first that were heard of last; what was handed on is one call.

    The record is due, sending, unknown, done, dead or dropped as `connector deliveries list` has it; none
    while the call goes on. A call that leaves no record says why.
    """
    wishes: dict[str, Any] = {"only_not_recorded": only_not_recorded, "phone_system": slug, "reason": reason}
    found = in_store(partial(_read, slug=slug, asked=partial(unrecorded.list_calls, limit=limit, **wishes)))
    nothing = (
        "No such call has been heard of." if only_not_recorded or reason else "No call has been heard of."
    )
    show_rows([_row(each, whole=as_json) for each in found], as_json=as_json, nothing=nothing)


async def _read(store: Store, *, slug: str | None, asked: partial[list[Listed]]) -> list[Listed]:
    now = system_clock()
    if slug is not None and await store.read(partial(phones.find, slug=slug, now=now)) is None:
        raise CommandError(f"There is no phone system {slug}; `connector phones list` shows them all.")
    return await store.read(asked)


def _row(each: Listed, *, whole: bool) -> dict[str, Any]:
    call = each.call
    from_number, to_number = (None, None) if call is None else _ends(call, each)
    agents = [] if call is None else [leg.agent for leg in call.legs]
    return {
        "at": moment(each.heard_at if call is None else call.started_at),
        "phone_system": each.phone_system,
        "direction": None if call is None else call.direction,
        "from": from_number,
        "to": to_number,
        "agents": agents if whole or len(agents) <= NAMED_AT_MOST else _some(agents),
        "record": each.delivery,
        "not_recorded": each.not_recorded,
        "why": "" if each.not_recorded is None else WHY[each.not_recorded],
        "call": each.key,
    }


def _some(agents: list[str]) -> list[str]:
    return [*agents[:NAMED_AT_MOST], f"and {len(agents) - NAMED_AT_MOST} more"]


def _ends(call: Call, each: Listed) -> tuple[str | None, str | None]:
    """Return both ends as the banner and the record show them: the customer's by the habits there."""
    customer = numbers.labelled(views.customer(call, each.country, each.habits))
    if call.direction is Direction.OUTBOUND:
        return _number(call.from_number, each.country), customer if call.to_number else None
    return customer if call.from_number else None, _number(call.to_number, each.country)


def _number(raw: str | None, country: str) -> str | None:
    return None if raw is None else numbers.labelled(numbers.read(raw, country))
