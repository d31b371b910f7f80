"""What users see and may do in the banner."""

from collections.abc import Callable, Sequence
from typing import Any

import click
from msgspec import UNSET

from connector.cli.context import actor, in_store
from connector.cli.terminal import ROW_ID, confirm, json_option, show_one, show_rows, yes_option
from connector.clock import system_clock
from connector.crm import ObjectName, Profile, ProfileSetup
from connector.crm.model import OBJECTS
from connector.crm.profile_setup import RIGHTS, Wanted
from connector.crm.profiles import ObjectAccess
from connector.store import Store

Objects = dict[ObjectName, ObjectAccess]

_given = (
    click.option("--portal", "portals", multiple=True, type=ROW_ID, metavar="ID",
        help="Only these portals' CRM; may be repeated."),
    click.option("--sees", multiple=True, metavar="OBJECT[.FIELD]",
        help=f"What is seen of {', '.join(OBJECTS)}: all fields, or one; may be repeated."),
    click.option("--edits", multiple=True, metavar="OBJECT[.FIELD]",
        help="What is edited of that; may be repeated."),
    click.option("--may", multiple=True, type=click.Choice(list(RIGHTS)), help="What else; may be repeated."),
)  # fmt: skip


def _with_given(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(_given):
        command = option(command)
    return command


@click.group()
def profiles() -> None:
    """Set up what users see of callers and may do in the banner."""


@profiles.command("list")
@json_option
def list_all(*, as_json: bool) -> None:
    """List them, that of everyone first."""
    found = in_store(lambda store: _service(store).list_all())
    rows = [_row(each.profile) | {"users": each.user_count} for each in found]
    show_rows(rows, as_json=as_json, nothing="")


@profiles.command("show")
@click.argument("profile_id", metavar="ID", type=ROW_ID)
@json_option
def show(*, profile_id: int, as_json: bool) -> None:
    """Show one with its users."""
    show_one(in_store(lambda store: _whole(store, profile_id)), as_json=as_json)


@profiles.command("add")
@click.argument("name")
@_with_given
@json_option
def add(*, name: str, as_json: bool, **given: Any) -> None:
    """Add one; what is not named is not seen and not allowed."""
    wanted = Wanted(
        name=name,
        portals=given["portals"] or None,
        objects=_objects(given["sees"], given["edits"]),
        **_rights(given["may"]),
    )

    async def step(store: Store) -> dict[str, Any]:
        return await _whole(store, (await _service(store).add(wanted, actor=actor())).id)

    show_one(in_store(step), as_json=as_json)


@profiles.command("change")
@click.argument("profile_id", metavar="ID", type=ROW_ID)
@click.option("--name", help="What people choose it by.")
@_with_given
@click.option("--all-portals", is_flag=True, help="The CRM of all portals.")
@click.option("--sees-nothing", is_flag=True, help="No object is seen.")
@click.option("--may-nothing", is_flag=True, help="Nothing is allowed beside seeing.")
@json_option
def change(*, profile_id: int, name: str | None, as_json: bool, **given: Any) -> None:
    """Change what is given; what is seen and edited is replaced as a whole, and so is what is allowed."""
    is_object_given = given["sees"] or given["edits"] or given["sees_nothing"]
    wanted = Wanted(
        name=UNSET if name is None else name,
        portals=None if given["all_portals"] else given["portals"] or UNSET,
        objects=_objects(given["sees"], given["edits"]) if is_object_given else UNSET,
        **(_rights(given["may"]) if given["may"] or given["may_nothing"] else {}),
    )

    async def step(store: Store) -> dict[str, Any]:
        await _service(store).change(profile_id, wanted, actor=actor())
        return await _whole(store, profile_id)

    show_one(in_store(step), as_json=as_json)


@profiles.command("remove")
@click.argument("profile_id", metavar="ID", type=ROW_ID)
@yes_option
def remove(*, profile_id: int, yes: bool) -> None:
    """Remove one; its users fall back to another of theirs, else to that of everyone."""
    found = in_store(lambda store: _service(store).get(profile_id))
    confirm(f"Nobody works with the profile {found.name} any more.", yes=yes)
    in_store(lambda store: _service(store).remove(profile_id, actor=actor()))
    click.echo(f"The profile {found.name} is removed.")


@profiles.command("give")
@click.argument("profile_id", metavar="ID", type=ROW_ID)
@click.argument("emails", metavar="EMAIL...", nargs=-1, required=True)
def give(*, profile_id: int, emails: Sequence[str]) -> None:
    """Give it to users; the first that somebody has is the one they work with."""
    in_store(lambda store: _service(store).give(profile_id, emails, actor=actor()))
    click.echo("Given.")


@profiles.command("take")
@click.argument("profile_id", metavar="ID", type=ROW_ID)
@click.argument("emails", metavar="EMAIL...", nargs=-1, required=True)
def take(*, profile_id: int, emails: Sequence[str]) -> None:
    """Take it from users, who fall back to another of theirs, else to that of everyone."""
    in_store(lambda store: _service(store).take(profile_id, emails, actor=actor()))
    click.echo("Taken.")


def _service(store: Store) -> ProfileSetup:
    return ProfileSetup(store, system_clock)


def _rights(words: Sequence[str]) -> dict[str, Any]:
    return {right: word in words for word, right in RIGHTS.items()}


def _objects(sees: Sequence[str], edits: Sequence[str]) -> Objects:
    """Return what is seen and edited of each object that is named."""
    seen, edited = _by_object(sees, "--sees"), _by_object(edits, "--edits")
    if unseen := sorted(edited.keys() - seen.keys()):
        raise click.UsageError(f"--edits {unseen[0]}: what is edited has to be seen too, by --sees.")
    return {name: ObjectAccess(seen=fields, edited=edited.get(name, ())) for name, fields in seen.items()}


def _by_object(words: Sequence[str], option: str) -> dict[ObjectName, tuple[str, ...] | None]:
    found: dict[ObjectName, tuple[str, ...] | None] = {}
    for word in words:
        name, dot, field = word.partition(".")
        if name not in OBJECTS:
            raise click.UsageError(f"{option} {word}: name one of {', '.join(OBJECTS)}, or one with a field.")
        before = found.get(name, ())
        found[name] = (*before, field) if dot and before is not None else None
    return found


async def _whole(store: Store, profile_id: int) -> dict[str, Any]:
    service = _service(store)
    return _row(await service.get(profile_id)) | {"users": await service.users_of(profile_id)}


def _row(profile: Profile) -> dict[str, Any]:
    access = profile.access
    return {
        "id": profile.id,
        "name": profile.name,
        "portals": "all" if access.portals is None else list(access.portals),
        "sees": _words({name: each.seen for name, each in access.objects.items()}),
        "edits": _words({name: each.edited for name, each in access.objects.items()}),
        "may": [word for word, right in RIGHTS.items() if getattr(access, right)],
    }


def _words(fields: dict[ObjectName, tuple[str, ...] | None]) -> list[str]:
    """Write fields as the options take them."""
    found: list[str] = []
    for name, some in fields.items():
        found += [name] if some is None else [f"{name}.{field}" for field in some]
    return found
