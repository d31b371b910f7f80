"""Show what has not reached Desk and why, try it again, or give it up."""

from collections.abc import Sequence
from functools import partial
from typing import Any, get_args

import click
from sqlalchemy import Connection

from connector.cli.context import actor, in_store
from connector.cli.terminal import HOW_MANY, ROW_ID, json_option, moment, show_one, show_rows
from connector.clock import system_clock
from connector.errors import CommandError, NotFound, NotNow
from connector.outbox import by_hand
from connector.store import Store, outbox
from connector.store.outbox import Row, State


@click.group()
def deliveries() -> None:
    """See what has not reached Zoho Desk, try it again, or give it up."""


@deliveries.command("list")
@click.option("--state", type=click.Choice(get_args(State)), default="dead", show_default=True,
    help="dead ones wait for a person; due, sending and unknown ones go on by themselves.")  # fmt: skip
@click.option("--limit", type=HOW_MANY, default=100, show_default=True, help="How many.")
@json_option
def list_all(*, state: State, limit: int, as_json: bool) -> None:
    """List deliveries with the reason and what to do about it, the latest changed first."""
    found = in_store(lambda store: store.read(partial(outbox.list_rows, state=state, limit=limit)))
    show_rows([_row(each) for each in found], as_json=as_json, nothing=f"No delivery is {state}.")


@deliveries.command("show")
@click.argument("row_id", type=ROW_ID, metavar="ID")
@json_option
def show(*, row_id: int, as_json: bool) -> None:
    """Show one delivery whole: what shall be in Desk, what was sent, why it stands where it does."""
    row = in_store(lambda store: store.read(partial(outbox.get, row_id=row_id)))
    if row is None:
        raise CommandError(f"There is no delivery {row_id}; `connector deliveries list` shows them.")
    show_one(_whole(row), as_json=as_json)


@deliveries.command("drop")
@click.argument("row_id", type=ROW_ID, metavar="ID")
def drop(*, row_id: int) -> None:
    """Give a delivery up for good; what comes of its call later changes nothing, only a retry does."""
    change = partial(by_hand.drop, row_id=row_id, now=system_clock(), actor=actor())
    in_store(lambda store: store.write(change))
    click.echo(f"Dropped: {row_id}.")


@deliveries.command("retry")
@click.argument("ids", nargs=-1, type=ROW_ID, metavar="[ID]...")
@click.option("--all", "everything", is_flag=True, help="Retry every dead one.")
@click.option("--absent", is_flag=True,
    help="You have looked in Desk: the record is not there, so it can be sent without looking.")  # fmt: skip
def retry(*, ids: Sequence[int], everything: bool, absent: bool) -> None:
    """Try deliveries again, in whatever state but being sent; one that cannot be tried stops no other."""
    if bool(ids) == everything:
        raise click.UsageError("Give the ids of deliveries, or --all.")

    async def step(store: Store) -> tuple[int, list[str]]:
        return await store.write(partial(_retry, ids=ids, absent=absent))

    count, refused = in_store(step)
    if refused:
        raise CommandError(f"{' '.join(refused)} Tried again: {count}.")
    click.echo(f"Tried again: {count}.")


def _retry(connection: Connection, *, ids: Sequence[int], absent: bool) -> tuple[int, list[str]]:
    """Try again what can be; return how many those were, and why others were not."""
    now, who = system_clock(), actor()
    if not ids:
        return by_hand.retry_all(connection, now, who, absent=absent)[0], []
    refused: list[str] = []
    for row_id in dict.fromkeys(ids):
        try:
            by_hand.retry(connection, row_id, now, who, absent=absent)
        except (NotFound, NotNow) as problem:
            refused.append(str(problem))
    return len(dict.fromkeys(ids)) - len(refused), refused


def _whole(row: Row) -> dict[str, Any]:
    return _row(row) | {
        "wanted": row.wanted.decode(),
        "revision": row.revision,
        "sent_revision": row.sent_revision,
        "sent": None if row.sent is None else row.sent.decode(),
        "sent_at": moment(row.sent_at),
        "desk_url": row.desk_url,
        "created_at": moment(row.created_at),
    }


def _row(row: Row) -> dict[str, Any]:
    return {
        "id": row.id,
        "kind": row.kind,
        "key": row.key,
        "portal": row.portal_id,
        "state": row.state,
        "attempts": row.attempts,
        "due_at": moment(row.due_at),
        "changed_at": moment(row.changed_at),
        "desk_id": row.desk_id,
        "reason": row.reason,
        "detail": row.detail,
        "remedy": remedy(row),
    }


_LINK = "An administrator links the portal again at /connect; then it is delivered by itself."
_DELIVERED_LATER = "Nothing to do: it is delivered by itself once Zoho accepts it."

_REMEDIES = {
    "invalid_data": "Put right what Desk refuses, as the detail says, then: connector deliveries retry {id}",
    "duplicate": "Find in Desk who has what the detail names, and change it: connector deliveries retry {id}",
    "forbidden": "Give the linking agent the permission in Desk, then: connector deliveries retry {id}",
    "license_limited": "Link as a full agent or change Desk's plan, then: connector deliveries retry {id}",
    "blocked": "A firewall or proxy blocks it; have it allowed, then: connector deliveries retry {id}",
    "record_not_found": "The detail says what is gone from Desk. Then: connector deliveries retry {id}",
    "dropped": "Somebody dropped its contact. To make the contact after all: connector deliveries retry {id}",
    "outcome_unknown": "Look in Desk for the call key. Absent: connector deliveries retry {id} --absent",
    "grant_lost": _LINK,
    "scope_missing": _LINK,
    "org_mismatch": _LINK,
    "client_refused": "Check ZOHO_CLIENT_ID and this data centre's secret; then it is delivered by itself.",
    "no_token": "Nothing to do: it is delivered by itself once Zoho Accounts gives a token.",
    "settings": "Set what the detail names; then it is delivered by itself.",
    "concurrency_exceeded": _DELIVERED_LATER,
    "credits_exhausted": "Nothing to do: Desk's credits of the day are used up; tried again at {due}.",
    "tokens_throttled": _DELIVERED_LATER,
    "zoho_busy": _DELIVERED_LATER,
    "zoho_down": "It is delivered once Zoho answers; if that takes long, check what the detail names.",
    "": "",
}


def remedy(row: Row) -> str:
    """Return what to do about a delivery; a reason that has no row of its own is for our own logs."""
    reason = row.reason.removeprefix("contact_")
    if reason not in _REMEDIES and row.state == "dead":
        return f"See the detail and the log, then: connector deliveries retry {row.id}"
    return _REMEDIES.get(reason, "").format(id=row.id, due=moment(row.due_at))
