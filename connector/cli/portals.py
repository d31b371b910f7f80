"""Show the linked portals, and say what is to be written where."""

from collections.abc import Iterator, Sequence
from typing import Any, TextIO

import click
import msgspec

from connector.checks import Check
from connector.cli.context import actor, with_services
from connector.cli.terminal import (
    ROW_ID,
    confirm,
    json_option,
    moment,
    secret_in,
    show_one,
    show_rows,
    write_json,
    yes_option,
)
from connector.cli.warnings import warn
from connector.errors import ConnectorError
from connector.portals.administration import Unlinked
from connector.portals.call_fields import listed_fields
from connector.portals.obstacles import field_checks, obstacles_of
from connector.portals.portals import CHANGEABLE, CHOICES, CONCURRENCY_AT_MOST
from connector.portals.refused_work import RefusedWork, not_refused
from connector.portals.self_client import SelfClient
from connector.services import Services
from connector.store.portals import Portal
from connector.zoho import scopes

secret_file_option = click.option("--secret-file", type=click.File(encoding="utf-8"),
    help="File with the client secret of the new method.")  # fmt: skip

_REMEDIES = {
    "linked": "",
    "grant_lost": "An administrator links it again at /connect; deliveries wait until then.",
    "unlinked": "An administrator links it at /connect.",
}


@click.group()
def portals() -> None:
    """Show and set up the Zoho Desk organisations that are linked."""


@portals.command("list")
@json_option
def list_all(*, as_json: bool) -> None:
    """List every portal with its state, missing scopes, what stands in its way, and how to mend it."""

    async def step(services: Services) -> list[tuple[Portal, list[RefusedWork], list[Check]]]:
        found = []
        for portal in await services.portals.list_portals():
            refused = await services.portals.refused(portal.id)
            obstacles = obstacles_of(portal, await services.portals.features_of(portal))
            found.append((portal, refused, not_refused(obstacles, refused)))
        return found

    listed = with_services(step)
    rows = [_row(*each) for each in listed]
    nothing = "No portal is linked: sign in as an administrator and open /connect."
    show_rows(rows, as_json=as_json, nothing=nothing)
    for portal, refused, obstacles in [] if as_json else listed:
        for sentence in _remedies(refused, obstacles):
            click.echo(f"\n{portal.name}: {sentence}")


def _row(portal: Portal, refused: Sequence[RefusedWork], obstacles: Sequence[Check]) -> dict[str, Any]:
    return {
        "id": portal.id,
        "name": portal.name,
        "location": portal.location,
        "org_id": portal.org_id,
        "state": portal.state,
        "missing_scopes": scopes.missing(portal.scopes or None),
        "in_the_way": [_headline(each) for each in obstacles],
        "refused": [f"{each.what} ({each.reason})" for each in refused],
        "linked_by": portal.linked_by,
        "linked_at": moment(portal.linked_at),
    }


def _headline(check: Check) -> str:
    return f"Not known: {check.what}" if check.state == "unknown" else check.what


def _remedies(refused: Sequence[RefusedWork], obstacles: Sequence[Check]) -> Iterator[str]:
    """Say of each thing that stands in the way, or that Desk refuses, how to put it right."""
    for each in refused:
        yield f"{each.what} since {each.since}. {each.remedy}"
    for check in obstacles:
        if check.state != "unknown":
            yield f"{check.what}: {check.why} {check.remedy}"


@portals.command("show")
@click.argument("portal_id", type=ROW_ID, metavar="ID")
@click.option(
    "--live", is_flag=True, help="Also ask Desk: what works, which departments and agents there are."
)
@json_option
def show(*, portal_id: int, live: bool, as_json: bool) -> None:
    """Show how a portal is, what Desk refuses it, which scopes its grant has, and why each is needed."""

    async def step(services: Services) -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
        portal = await services.portals.get(portal_id)
        asked = await _key_of(services, portal) if live else {}
        refused = [msgspec.structs.asdict(each) for each in await services.portals.refused(portal_id)]
        portal = await services.portals.get(portal_id)
        obstacles = [*await services.portals.obstacles(portal_id), *await _fields_not_there(services, portal)]
        in_the_way = [msgspec.structs.asdict(each) for each in obstacles]
        listed = {"in_the_way": in_the_way, "refused": refused, "scopes": await _scopes(services, portal)}
        return await _shown(services, portal), listed | asked

    whole, listed = with_services(step)
    if as_json:
        write_json(whole | listed)
        return
    show_one(whole, as_json=False)
    for title, rows in listed.items():
        click.echo(f"\n{title.capitalize().replace('_', ' ')}")
        show_rows(rows, as_json=False, nothing="none")


@portals.command("set")
@click.argument("portal_id", type=ROW_ID, metavar="ID")
@click.option(
    "--default-department-id", help="Department of records that nothing else decides, by name or id."
)
@click.option(
    "--default-owner-id",
    help="Desk agent who owns records where none of ours does: e-mail address, name or id.",
)
@click.option("--recording-field", help="Custom field of calls for the recording: API name or label.")
@click.option("--key-field", help="Custom field of calls for the call key: API name or label.")
@click.option("--recording-links", type=click.Choice(CHOICES["recording_links"]),
    help="What Desk is given: our page, or the phone system's own address.")  # fmt: skip
@click.option("--recording-downloads", type=click.Choice(CHOICES["recording_downloads"]),
    help="Who may keep a copy of a recording that they may hear.")  # fmt: skip
@click.option(
    "--concurrency",
    type=click.IntRange(0, CONCURRENCY_AT_MOST),
    help="Requests at a time, where Zoho allows other than the edition has; 0 for the edition's.",
)
@json_option
def change(*, portal_id: int, as_json: bool, **given: str | int | None) -> None:
    """Change what is given; an empty text ("") takes a setting away."""
    values = {name: given[name] for name in CHANGEABLE if given[name] is not None}
    if not values:
        raise click.UsageError("Nothing to set was given.")

    async def step(services: Services) -> dict[str, Any]:
        changed = await services.administration.set(portal_id, actor=actor(), **values)
        for warning in changed.warnings:
            warn(warning)
        return await _shown(services, changed.portal)

    show_one(with_services(step), as_json=as_json)


@portals.command("make-field")
@click.argument("portal_id", type=ROW_ID, metavar="ID")
@json_option
def make_field(*, portal_id: int, as_json: bool) -> None:
    """Make the custom field of calls for the recording in Desk, unless there is one, and fill it from now on.

    The portal has to be linked while DESK_FIELDS is true: that asks for the right to it.
    """

    async def step(services: Services) -> dict[str, Any]:
        await services.portals.get(portal_id)
        made = await services.portals.make_recording_field(portal_id, actor=actor())
        return await _shown(services, made)

    show_one(with_services(step), as_json=as_json)


@portals.command("revoke")
@click.argument("portal_id", type=ROW_ID, metavar="ID")
@yes_option
def revoke(*, portal_id: int, yes: bool) -> None:
    """Give a portal's grant back to Zoho; what is to reach Desk waits until it is authorised again."""

    async def step(services: Services) -> Portal:
        confirm(await _what_waits(services, portal_id), yes=yes)
        return await services.administration.revoke(portal_id, actor=actor())

    portal = with_services(step)
    click.echo(f"The grant of {portal.name} is revoked. An administrator authorises it again at /portals.")


@portals.command("unlink")
@click.argument("portal_id", type=ROW_ID, metavar="ID")
@yes_option
def unlink(*, portal_id: int, yes: bool) -> None:
    """Let a portal go with its grant; its settings and what waits for Desk stay."""

    async def step(services: Services) -> Unlinked:
        confirm(await _what_waits(services, portal_id), yes=yes)
        return await services.administration.unlink(portal_id, actor=actor())

    unlinked = with_services(step)
    if not unlinked.revoked:
        warn(NOT_REVOKED)
    click.echo(f"{unlinked.portal.name} is unlinked.")


@portals.command("link-self-client")
@click.option("--method", help="Authentication method of the mode self_client; else a new one is made.")
@click.option("--name", default="", help="Name of the new method.")
@click.option("--location", default="", help="Data centre of the client.")
@click.option("--client-id", default="", help="Client ID of the new method.")
@secret_file_option
@click.option("--environment", default="", help="What the new method is: production or sandbox.")
@click.option("--code-file", type=click.File(encoding="utf-8"),
    help="File with the code; - reads it from standard input. Without a token, it is asked for.")  # fmt: skip
@click.option("--refresh-token-file", type=click.File(encoding="utf-8"),
    help="File with a refresh token, instead of a code.")  # fmt: skip
@click.option("--org-id", default="", help="Organisation's id; without it, it is found.")
@json_option
def link_self_client(
    *,
    method: str | None,
    secret_file: TextIO | None,
    code_file: TextIO | None,
    refresh_token_file: TextIO | None,
    as_json: bool,
    **given: str,
) -> None:
    """Link a portal with a code or refresh token of a self client; nothing is kept unless it works."""

    async def step(services: Services) -> dict[str, Any]:
        method_id = None if method is None else await services.methods.id_of(method)
        refresh_token, code = secret_in(refresh_token_file), secret_in(code_file)
        if not (refresh_token or code):
            click.echo(f"Scopes: {','.join(scopes.names(scopes.LINKING))}", err=True)
            code = click.prompt("Code", hide_input=True, err=True)
        asked = SelfClient(
            method_id=method_id,
            secret=secret_in(secret_file),
            code=code,
            refresh_token=refresh_token,
            **given,
        )
        portal = await services.self_clients.link(asked, actor=actor())
        await services.deliverer.resume(portal.id)
        return await _shown(services, portal)

    show_one(with_services(step), as_json=as_json)


async def _what_waits(services: Services, portal_id: int) -> str:
    portal, waits = await services.portals.get(portal_id), await services.administration.waiting(portal_id)
    bound = ", ".join(waits.phone_systems) or "none"
    return (
        f"Nothing of {portal.name} reaches Zoho Desk any more until it is authorised again. Phone systems: "
        f"{bound}. Records that wait now: {waits.rows}. None is dropped."
    )


NOT_REVOKED = (
    "Zoho has not taken the grant back: remove the connector at accounts.zoho.com under Sessions, Connected "
    "Apps, of whoever linked the portal."
)


async def _shown(services: Services, portal: Portal) -> dict[str, Any]:
    """Return a portal for people and programs, its default department by name too."""
    whole = _whole(portal)
    if portal.default_department_id is not None:
        names = await services.departments.names(portal.id)
        whole["default_department"] = names.get(portal.default_department_id)
    return whole


def _whole(portal: Portal) -> dict[str, Any]:
    return {
        "id": portal.id,
        "name": portal.name,
        "location": portal.location,
        "org_id": portal.org_id,
        "edition": portal.edition,
        "state": portal.state,
        "remedy": _REMEDIES[portal.state],
        "linked_by": portal.linked_by,
        "linked_at": moment(portal.linked_at),
        **{name: getattr(portal, name) for name in CHANGEABLE},
        "required_fields": portal.required_fields,
        "refused_fields": portal.refused_fields,
        "refused_sorts": portal.refused_sorts,
    }


async def _fields_not_there(services: Services, portal: Portal) -> list[Check]:
    try:
        fields = await listed_fields(await services.portals.desk(portal.id))
    except ConnectorError:
        # Whether Desk can be asked at all stands beside it.
        return []
    return [each for each in field_checks(portal, fields) if each.state == "refused"]


async def _scopes(services: Services, portal: Portal) -> list[dict[str, Any]]:
    asked = scopes.asked_for(await services.portals.features_of(portal))
    missing = set(scopes.missing(portal.scopes or None, asked))
    return [
        {"scope": scope.name, "granted": _granted(portal, scope.name, missing), "why": scope.why}
        for scope in asked
    ]


def _granted(portal: Portal, name: str, missing: set[str]) -> bool | None:
    """Say whether a scope was granted; None where Zoho did not tell which were."""
    return name not in missing if portal.scopes else None


async def _key_of(services: Services, portal: Portal) -> dict[str, list[dict[str, Any]]]:
    checked = await services.portals.check(portal.id)
    checks = [msgspec.structs.asdict(check) for check in checked.checks]
    try:
        desk = await services.portals.desk(portal.id)
        departments, agents = await desk.departments(), await desk.agents()
    except ConnectorError:
        # Why not stands among the checks.
        return {"checks": checks}
    return {
        "checks": checks,
        "departments": [{"id": each.id, "name": each.name} for each in departments],
        "agents": [{"id": each.id, "name": each.name, "email": each.email} for each in agents],
    }
