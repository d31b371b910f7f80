"""The CRM of each portal: objects and fields, search order, pop policy, assign rules, business hours."""

from collections.abc import Awaitable, Callable
from typing import Any, BinaryIO

import click
import msgspec

from connector.cli.context import actor, with_services
from connector.cli.terminal import ROW_ID, confirm, json_option, show_rows, write_json, yes_option
from connector.cli.warnings import warn
from connector.crm import wanted
from connector.crm.service import Saved
from connector.crm.wanted import Parts
from connector.errors import CommandError
from connector.services import Services
from connector.web.api import crm as api

_portal = click.argument("portal", type=ROW_ID)
_revision = click.option(
    "--revision", type=click.IntRange(0), help="Refuse where somebody has saved after this one."
)
BYTES_AT_MOST = api.RULES_BYTES


@click.group()
def crm() -> None:
    """Set up what agents see of Desk while it rings, and what calls write there; JSON in and out."""


@crm.command("list")
@json_option
def list_all(*, as_json: bool) -> None:
    """List the CRMs, one a portal."""

    async def step(services: Services) -> list[dict[str, Any]]:
        return [
            {
                "portal": each.portal.id,
                "portal_name": each.portal.name,
                "name": each.crm.name,
                "enabled": each.crm.enabled,
                "revision": each.crm.revision,
                "fields_off": each.fields_off,
            }
            for each in await services.crms.list()
        ]

    show_rows(with_services(step), as_json=as_json, nothing="No portal is linked: open /connect.")


@crm.command("show")
@_portal
@click.option("--rules", "rules_only", is_flag=True, help="Its rules alone, as `save` takes them.")
def show(*, portal: int, rules_only: bool) -> None:
    """Write the CRM of PORTAL as JSON."""
    found = with_services(lambda services: api.whole_crm(services, portal))
    write_json(found.rules if rules_only else found)


@crm.command("save")
@_portal
@click.option("--file", "file", type=click.File("rb"), help="File of JSON, - for standard input.")
@click.option("--set", "text", help="The JSON itself.")
@_revision
def save(*, portal: int, file: BinaryIO | None, text: str | None, revision: int | None) -> None:
    """Save what is given of the CRM of PORTAL: name, enabled, objects, search, pop, assign, hours.

    What is left out stays; a part takes the place of the one there was, flows of pop each by itself.
    """
    given = wanted.read(_json(file, text))
    _report(lambda services: services.crms.save(portal, given, actor=actor(), revision=revision), portal)


def _json(file: BinaryIO | None, text: str | None) -> bytes:
    if (file is None) == (text is None):
        raise CommandError("Give the JSON by --file or by --set.")
    if text is not None:
        return text.encode()
    found = file.read(BYTES_AT_MOST + 1) if file else b""
    if len(found) > BYTES_AT_MOST:
        raise CommandError(f"The file is larger than {BYTES_AT_MOST:,} bytes.")
    return found


@crm.command("enable")
@_portal
@_revision
def enable(*, portal: int, revision: int | None) -> None:
    """Use the CRM of PORTAL."""
    _save(portal, Parts(enabled=True), revision)


@crm.command("disable")
@_portal
@_revision
def disable(*, portal: int, revision: int | None) -> None:
    """Use the CRM of PORTAL no more: agents see who is calling, and no card; records go on."""
    _save(portal, Parts(enabled=False), revision)


@crm.command("reset")
@_portal
@_revision
@yes_option
def reset(*, portal: int, revision: int | None, yes: bool) -> None:
    """Give the CRM of PORTAL the rules back that every CRM has from the start."""
    confirm("Fields, search order, policies, assign rules and hours are as from the start then.", yes=yes)
    _report(lambda services: services.crms.reset(portal, actor=actor(), revision=revision), portal)


@crm.command("fields")
@_portal
@json_option
def fields(*, portal: int, as_json: bool) -> None:
    """List the fields that the Desk of PORTAL has, and which of them its CRM uses."""
    found = with_services(lambda services: api.fields_of_desk(services, portal))
    if found.problem:
        click.echo(
            f"Desk could not be asked just now ({found.problem}): this is what it told before.", err=True
        )
    rows = [msgspec.to_builtins(each) for each in found.fields]
    show_rows(rows, as_json=as_json, nothing="Desk has not told its fields yet.")


@crm.command("values")
@_portal
@json_option
def values(*, portal: int, as_json: bool) -> None:
    """List the values that templates and conditions of PORTAL can name."""
    found = with_services(lambda services: api.values_of(services, portal))
    show_rows([msgspec.to_builtins(each) for each in found], as_json=as_json, nothing="None.")


@crm.command("preview")
@_portal
@click.option("--call", type=ROW_ID, help="A stored call, by its id; a sample unless given.")
@click.option("--sample", metavar="JSON", default="{}", help="What a call that never was is like.")
@click.option("--set", "text", metavar="JSON", help="Parts of rules, as `save` takes them, to try.")
def preview(*, portal: int, call: int | None, sample: str, text: str | None) -> None:
    """Write what the rules of PORTAL do with a call: nothing leaves, and nothing is kept."""
    changes = None if text is None else wanted.read(text.encode())
    asked = api.PreviewOf(call=call, sample=_sample(sample), changes=changes)
    write_json(with_services(lambda services: api.previewed(services, portal, asked)))


def _sample(text: str) -> api.SampleCall:
    try:
        return msgspec.json.decode(text.encode(), type=api.SampleCall)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as problem:
        raise CommandError(f"--sample is no JSON of a sample: {problem}") from problem


def _save(portal: int, parts: Parts, revision: int | None) -> None:
    _report(lambda services: services.crms.save(portal, parts, actor=actor(), revision=revision), portal)


def _report(save: Callable[[Services], Awaitable[Saved]], portal: int) -> None:
    """Save, write the CRM as it is then, and warn on standard error."""

    async def step(services: Services) -> api.WholeCrm:
        return await api.whole_crm(services, portal, await save(services))

    found = with_services(step)
    for warning in found.warnings:
        warn(warning)
    write_json(found)
