"""Show what has not reached Desk and why, try it again, or give it up."""

import re
from collections.abc import Sequence
from typing import Any, get_args

import click
import msgspec

from connector.cli.context import actor, in_store
from connector.cli.terminal import HOW_MANY, ROW_ID, json_option, moment, show_one, show_rows, write_json
from connector.clock import system_clock
from connector.errors import CommandError, NotFound, NotNow
from connector.follow_up import Deliveries
from connector.follow_up.deliveries import DeliveryFound
from connector.follow_up.remedies import Then, remedy_of
from connector.store import Store
from connector.store.outbox import Row, State, Which


@click.group()
def deliveries() -> None:
    """See what has not reached Zoho Desk, try it again, or give it up."""


def _deliveries(store: Store) -> Deliveries:
    return Deliveries(store, system_clock)


@deliveries.command("list")
@click.option("--state", type=click.Choice(get_args(State)), default="dead", show_default=True,
    help="dead ones wait for a person; due, sending and unknown ones go on by themselves.")  # fmt: skip
@click.option("--portal", "portal_id", type=ROW_ID, help="Of one portal only.")
@click.option("--reason", default="", help="With one reason only.")
@click.option("--limit", type=HOW_MANY, default=100, show_default=True, help="How many.")
@json_option
def list_all(*, state: State, portal_id: int | None, reason: str, limit: int, as_json: bool) -> None:
    """List deliveries with the reason and what to do about it, the latest first."""
    which = Which(state=state, portal_id=portal_id, reason=reason)
    found = in_store(lambda store: _deliveries(store).page(which, limit))
    show_rows([_row(each) for each in found.rows], as_json=as_json, nothing=f"No delivery is {state}.")


@deliveries.command("show")
@click.argument("row_id", type=ROW_ID, metavar="ID")
@json_option
def show(*, row_id: int, as_json: bool) -> None:
    """Show one delivery whole: what shall be in Desk, what was sent, and what Desk answered each time."""
    found = in_store(lambda store: _deliveries(store).show(row_id))
    attempts = [msgspec.to_builtins(each) for each in found.seen.attempts]
    if as_json:
        write_json(_whole(found) | {"requests": attempts})
        return
    show_one(_whole(found), as_json=False)
    click.echo()
    show_rows(attempts, as_json=False, nothing="Nothing has been sent yet.")


@deliveries.command("drop")
@click.argument("row_id", type=ROW_ID, metavar="ID")
@click.argument("reason")
def drop(*, row_id: int, reason: str) -> None:
    """Give a delivery up for good, and say why; what comes of its call later changes nothing."""
    in_store(lambda store: _deliveries(store).drop(row_id, reason, actor=actor()))
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
        if everything:
            return await _deliveries(store).retry_all(absent=absent, actor=actor()), []
        return await _retry(_deliveries(store), ids, absent=absent)

    count, refused = in_store(step)
    if refused:
        again = f" Tried again: {count}." if len(ids) > 1 else ""
        raise CommandError(f"{' '.join(refused)}{again}")
    click.echo(f"Tried again: {count}.")


async def _retry(found: Deliveries, ids: Sequence[int], *, absent: bool) -> tuple[int, list[str]]:
    """Try again what can be; return how many those were, and why others were not."""
    refused: list[str] = []
    wanted = list(dict.fromkeys(ids))
    for row_id in wanted:
        try:
            await found.retry(row_id, absent=absent, actor=actor())
        except (NotFound, NotNow) as problem:
            refused.append(str(problem))
    return len(wanted) - len(refused), refused


def _whole(found: DeliveryFound) -> dict[str, Any]:
    row = found.row
    return _row(row) | {
        "wanted": _without_paths(row.wanted),
        "revision": row.revision,
        "sent_revision": row.sent_revision,
        "sent": None if row.sent is None else _without_paths(row.sent),
        "sent_at": moment(row.sent_at),
        "desk_url": row.desk_url,
        "created_at": moment(row.created_at),
        "waits_for": None if found.waits_for is None else found.waits_for.id,
    }


_BEHIND_HOST = re.compile(r'(https?://[^/\s"\\]+)/[^\s"\\]+')


def _without_paths(body: bytes) -> str:
    """Return a body with no more of addresses than their hosts: a recording's may hold a credential."""
    return _BEHIND_HOST.sub(r"\1/***", body.decode())


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


_STEPS: dict[Then, str] = {
    "": "{}",
    "retry": "{} (connector deliveries retry {})",
    "absent": "{} (connector deliveries retry {} --absent)",
}


def remedy(row: Row) -> str:
    """Return what to do about a delivery, with what to type."""
    remedy = remedy_of(row)
    return _STEPS[remedy.then].format(remedy.sentence, row.id)
