"""Set up authentication methods: the clients at Zoho with which portals are linked and people sign in."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

import click
import msgspec

from connector.cli.context import actor, with_services
from connector.cli.terminal import confirm, json_option, secret_in, show_one, show_rows, yes_option
from connector.portals.method_values import ENVIRONMENTS, FEATURES, MODES
from connector.portals.methods import MethodView
from connector.services import Services
from connector.web.api.methods import told


@click.group()
def methods() -> None:
    """Add, change, enable and list the clients at Zoho that portals and signing in use."""


_method = click.argument("method", metavar="NAME")
_secret_file = click.option("--secret-file", type=click.File(encoding="utf-8"),
    help="File with the client secret; - reads it from standard input.")  # fmt: skip
_secrets = click.option("--secret-at", "secrets_at", multiple=True, nargs=2, metavar="LOCATION FILE",
    help="A data centre and the file with its own secret; - instead of FILE takes it away.")  # fmt: skip
_url = click.option("--environment-url", help="Where people open this Zoho Desk; may be left out.")
_features = click.option("--feature", "features", multiple=True,
    help=f"What else its portals may do ({', '.join(FEATURES)}); may be repeated.")  # fmt: skip
_scopes = click.option("--scope", "extra_scopes", multiple=True,
    help="A further scope to ask for; may be repeated.")  # fmt: skip


@methods.command("list")
@json_option
def list_all(*, as_json: bool) -> None:
    """List the methods; the client of the settings comes first, and wins where nothing names a method."""
    found = with_services(lambda services: services.methods.list())
    nothing = "There is no authentication method: add one with `connector methods add`."
    show_rows([_row(each) for each in found], as_json=as_json, nothing=nothing)


@methods.command("add")
@_method
@click.option("--location", required=True, help="Data centre where the client is registered: us, eu, ...")
@click.option("--client-id", required=True, help="Client ID from Zoho's API console.")
@click.option("--mode", default="oauth", help=f"One of {', '.join(MODES)}.")
@_secret_file
@_secrets
@_url
@_features
@_scopes
@json_option
def add(
    *,
    method: str,
    secret_file: TextIO | None,
    secrets_at: Sequence[tuple[str, str]],
    environment_url: str | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Add a method, which serves once it is enabled."""
    added = with_services(
        lambda services: services.methods.add(
            name=method,
            secret=secret_in(secret_file) or click.prompt("Client secret", hide_input=True, err=True),
            secrets=_own_secrets(secrets_at),
            environment_url=environment_url or "",
            **given,
            actor=actor(),
        )
    )
    show_one(_row(added), as_json=as_json)


@methods.command("change")
@_method
@click.option("--name", help="Another name.")
@click.option("--location", help="Data centre where the client is registered.")
@click.option("--client-id", help="Another client, whose secret is given too.")
@_secret_file
@_secrets
@_url
@_features
@_scopes
@click.option("--no-features", is_flag=True, help="Take all features away.")
@click.option("--no-scopes", is_flag=True, help="Take all further scopes away.")
@json_option
def change(
    *,
    method: str,
    secret_file: TextIO | None,
    secrets_at: Sequence[tuple[str, str]],
    features: Sequence[str],
    extra_scopes: Sequence[str],
    no_features: bool,
    no_scopes: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Change what is given; features and scopes take the place of those there were."""

    async def step(services: Services) -> MethodView:
        return await services.methods.change(
            await services.methods.id_of(method),
            secret=secret_in(secret_file) or None,
            secrets=_own_secrets(secrets_at) or None,
            features=features if features or no_features else None,
            extra_scopes=extra_scopes if extra_scopes or no_scopes else None,
            **given,
            actor=actor(),
        )

    show_one(_row(with_services(step)), as_json=as_json)


@methods.command("enable")
@_method
@click.option("--environment", required=True, help=f"What it is: {' or '.join(ENVIRONMENTS)}.")
@json_option
def enable(*, method: str, environment: str, as_json: bool) -> None:
    """Let a method serve, and say whether it is production or a sandbox."""

    async def step(services: Services) -> MethodView:
        method_id = await services.methods.id_of(method)
        return await services.methods.enable(method_id, environment=environment, actor=actor())

    show_one(_row(with_services(step)), as_json=as_json)


@methods.command("disable")
@_method
@yes_option
@json_option
def disable(*, method: str, yes: bool, as_json: bool) -> None:
    """Let a method serve nobody: the calls of its portals wait, and nobody signs in with it."""

    async def step(services: Services) -> MethodView:
        method_id = await services.methods.id_of(method)
        using = ", ".join(await services.methods.consequences(method_id))
        told = f"Nothing of {using} reaches Zoho Desk until" if using else "Nobody signs in with it until"
        confirm(f"{told} {method} is enabled again. Nothing is lost.", yes=yes)
        return await services.methods.disable(method_id, actor=actor())

    show_one(_row(with_services(step)), as_json=as_json)


@methods.command("remove")
@_method
@yes_option
def remove(*, method: str, yes: bool) -> None:
    """Delete a method that nothing uses; the client in Zoho's API console stays."""

    async def step(services: Services) -> None:
        method_id = await services.methods.id_of(method)
        confirm(f"Client ID and secrets of {method} are deleted.", yes=yes)
        await services.methods.remove(method_id, actor=actor())

    with_services(step)
    click.echo(f"{method} is removed.")


def _own_secrets(given: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return the secrets of data centres; "-" stands for none, for a text may not be empty."""
    return {place: "" if path == "-" else _read(path) for place, path in given}


def _read(path: str) -> str:
    try:
        with Path(path).open(encoding="utf-8") as file:
            return secret_in(file)
    except OSError as problem:
        raise click.UsageError(f"{path} cannot be read: {problem.strerror}.") from problem


def _row(view: MethodView) -> dict[str, Any]:
    row = msgspec.structs.asdict(told(view))
    return {name: row[name] for name in row if name != "type"}
