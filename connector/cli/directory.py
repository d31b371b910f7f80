"""Fill the contact index, show how it is, and let Desk's webhooks keep it fresh."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import click

from connector.cli.context import actor, with_services
from connector.cli.terminal import ROW_ID, json_option, moment, show_rows, write_json
from connector.clock import SECOND
from connector.contacts.sync import SyncStatus
from connector.contacts.sync_plan import pace_of, spent_today, state_of
from connector.errors import CommandError
from connector.services import Services

SHOWN_EVERY = 2 * SECOND

WEBHOOK_PATH = "/webhooks/desk/{portal_id}"

portal_option = click.option(
    "--portal", "portal_id", type=ROW_ID, help="Id of the portal, if there are several."
)


@click.group()
def directory() -> None:
    """Keep an index of Desk's contacts, so that a known caller costs no request."""


@directory.command()
@portal_option
@json_option
def status(*, portal_id: int | None, as_json: bool) -> None:
    """Show how far each portal's index is, what it cost today, and what it waits for."""
    rows = [
        _row(each, services_now)
        for each, services_now in with_services(_standings)
        if _is_meant(each, portal_id)
    ]
    show_rows(rows, as_json=as_json, nothing="No portal is linked: open /connect as an administrator.")


@directory.command()
@portal_option
@click.option("--again", is_flag=True, help="Read everything again, also what is there already.")
@json_option
def sync(*, portal_id: int | None, again: bool, as_json: bool) -> None:
    """Read all contacts of a portal, and go on where an earlier attempt ended; progress is shown."""
    standing, now = with_services(partial(_read_all, portal_id, again=again))
    if as_json:
        write_json(_row(standing, now))
    else:
        click.echo(_ended(standing, now))


@directory.command()
@click.argument("turn", type=click.Choice(["on", "off"]))
@portal_option
def webhooks(*, turn: str, portal_id: int | None) -> None:
    """Let Desk tell of changed contacts; needs edition Professional, and DESK_WEBHOOKS at linking."""

    async def step(services: Services) -> str:
        portal = _chosen(await services.syncing.statuses(), portal_id).portal
        if turn == "off":
            await services.desk_hooks.unsubscribe(portal.id, actor())
            return f"Desk no longer reports changes of {portal.name}; the index asks every few minutes."
        url = services.settings.public_url.rstrip("/") + WEBHOOK_PATH.format(portal_id=portal.id)
        await services.desk_hooks.subscribe(portal.id, url, actor())
        return f"Desk reports every contact of {portal.name} that changes to {url}."

    click.echo(with_services(step))


async def _standings(services: Services) -> list[tuple[SyncStatus, int]]:
    return [(each, services.clock()) for each in await services.syncing.statuses()]


async def _read_all(portal_id: int | None, services: Services, *, again: bool) -> tuple[SyncStatus, int]:
    """Do all that may be done today, and return where that has led."""
    chosen, shown_at = _chosen(await services.syncing.statuses(), portal_id), 0
    if again or chosen.sync is None:
        await services.syncing.restart(chosen.portal.id)
    try:
        while await services.syncing.step(chosen.portal.id):
            if services.clock() - shown_at >= SHOWN_EVERY:
                shown_at = services.clock()
                click.echo(_progress(await services.syncing.status(chosen.portal)), err=True)
    finally:
        await services.syncing.close()
    return await services.syncing.status(chosen.portal), services.clock()


def _is_meant(standing: SyncStatus, portal_id: int | None) -> bool:
    return portal_id in (None, standing.portal.id)


def _chosen(standings: Sequence[SyncStatus], portal_id: int | None) -> SyncStatus:
    meant = [each for each in standings if _is_meant(each, portal_id)]
    if not meant:
        raise CommandError("There is no such portal; `connector portals list` shows those there are.")
    if len(meant) > 1:
        raise CommandError("There are several portals: name one with --portal.")
    return meant[0]


def _row(standing: SyncStatus, now: int) -> dict[str, Any]:
    sync = standing.sync
    return {
        "portal": standing.portal.id,
        "name": standing.portal.name,
        "state": state_of(standing.sync, standing.terms, now),
        "contacts": standing.contacts,
        "progress": _progress(standing),
        "refreshed_at": moment(sync.refreshed_at or None) if sync else None,
        "pace": pace_of(standing.terms),
        "credits_today": spent_today(sync, now) if sync else 0,
        "credits_a_day": standing.terms.credits_a_day,
        "webhooks": bool(sync and sync.webhook_id),
        "waits_until": moment(sync.waits_until) if sync and sync.waits_until > now else None,
    }


def _progress(standing: SyncStatus) -> str:
    sync = standing.sync
    if sync is None:
        return ""
    whole = sync.counted if sync.phase != "filling" else (sync.expected or 0)
    share = f", {100 * sync.counted // whole} %" if whole else ""
    return f"{sync.counted} of {whole or 'unknown'}{share}, {sync.credits_used} credits"


def _ended(standing: SyncStatus, now: int) -> str:
    state = state_of(standing.sync, standing.terms, now)
    if state == "complete":
        return f"The index of {standing.portal.name} is complete: {standing.contacts} contacts."
    is_leased = standing.sync.leased_until > now if standing.sync else False
    note = " Another process is at work on it." if is_leased else ""
    return f"The index of {standing.portal.name} is not complete ({state}): {_progress(standing)}.{note}"
