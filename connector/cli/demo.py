"""Run the sandbox, a Zoho of one's own, and the demo: for a person at a browser, or without one."""

import asyncio
import shlex
import signal
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import click
import httpx2

from connector.cli.terminal import show_rows, write_json
from connector.demo import headless, live
from connector.demo.environment import Environment, Options, command_line
from connector.demo.headless import RunOptions, RunResult
from connector.demo.processes import check_free
from connector.errors import CommandError
from connector.sandbox.config import Config
from connector.sandbox.oddities import ODDITIES, named
from connector.sandbox.presets import DEMO_CLIENT_ID, client_secret, demo_config
from connector.sandbox.serve import run

PORT = 8080
SANDBOX_PORT = 8900
INTERRUPTED = 130

Result = TypeVar("Result")


@click.command()
@click.option("--port", type=click.IntRange(1, 65_535), default=SANDBOX_PORT, show_default=True)
@click.option("--redirect-uri", "redirect_uris", multiple=True,
    help="Where clients may be sent back to; a connector at 127.0.0.1:8080 unless given.")  # fmt: skip
@click.option("--latency-ms", type=click.IntRange(0), default=200, show_default=True,
    help="How long Desk takes to answer; half of it more or less.")  # fmt: skip
@click.option("--oddity", "oddities", multiple=True, metavar="NAME",
    type=click.Choice([oddity.name for oddity in ODDITIES]),
    help="What Zoho does beside its contract; more than one may be named.")  # fmt: skip
@click.option("--list-oddities", is_flag=True, help="List them, and what each does.")
def sandbox(
    *, port: int, redirect_uris: Sequence[str], latency_ms: int, oddities: Sequence[str], list_oddities: bool
) -> None:
    """Run Zoho Accounts and Zoho Desk on this machine, with invented people and contacts."""
    if list_oddities:
        rows = [{"name": each.name, "what Zoho does": each.does} for each in ODDITIES]
        show_rows(rows, as_json=False, nothing="")
        return
    public = "http://127.0.0.1:8080"
    config = demo_config(
        port, redirect_uris=redirect_uris or (f"{public}/login/callback", f"{public}/oauth/callback")
    )
    config.latency_ms, config.latency_jitter_ms = latency_ms, latency_ms // 2
    check_free(port, "--port")
    _introduce_sandbox(config, port)
    try:
        run(config, "127.0.0.1", port, named(oddities))
    except KeyboardInterrupt:
        click.echo("Stopped.", err=True)


def _introduce_sandbox(config: Config, port: int) -> None:
    """Write commands that set a connector up on standard output, and what they are for on standard error."""
    email, name = config.users[0].email, f"{config.users[0].first_name} {config.users[0].last_name}"
    click.echo(
        f"The sandbox is at http://127.0.0.1:{port}. Paste this into another shell, so that a connector that "
        "is started there finds it;\nevery shell needs the same SECRET_KEY:\n",
        err=True,
    )
    for variable, value in _settings_of(config).items():
        click.echo(f"export {variable}={shlex.quote(value)}")
    click.echo('export SECRET_KEY="${SECRET_KEY:-$(connector secret-key)}"')
    click.echo("\nThen make the database, add an administrator, and serve:\n", err=True)
    click.echo("connector migrate")
    click.echo(f"connector agents add {email} {shlex.quote(name)} --role administrator")
    click.echo("connector serve")
    click.echo(f"\nSign in as {name}, and link the portal, at {_public_url(config)}/connect\n", err=True)


def _settings_of(config: Config) -> dict[str, str]:
    origins = {center.location: f"{center.accounts}|{center.desk}" for center in config.data_centers}
    rows = ",".join(f"{location}={addresses}" for location, addresses in origins.items())
    public, address = _public_url(config), urlsplit(_public_url(config))
    # Behind https stands a proxy, which alone knows where the connector listens.
    listen = {"LISTEN": address.netloc} if address.scheme == "http" and address.port else {}
    return {
        "PUBLIC_URL": public,
        **listen,
        "ZOHO_CLIENT_ID": DEMO_CLIENT_ID,
        "ZOHO_CLIENT_SECRET": client_secret(DEMO_CLIENT_ID, "us"),
        "ZOHO_CLIENT_SECRET_EU": client_secret(DEMO_CLIENT_ID, "eu"),
        "ZOHO_DATA_CENTERS": rows,
        "ZOHO_DATA_CENTER": "us",
    }


def _public_url(config: Config) -> str:
    """Return the origin of the connector that clients may be sent back to."""
    address = urlsplit(config.clients[0].redirect_uris[0])
    return f"{address.scheme}://{address.netloc}"


@click.command()
@click.option(
    "--port", type=click.IntRange(1, 65_535), help=f"Of the connector; {PORT}, or any with --headless."
)
@click.option("--sandbox-port", type=click.IntRange(1, 65_535),
    help=f"Of the sandbox; {SANDBOX_PORT}, or any with --headless.")  # fmt: skip
@click.option("--data", type=click.Path(file_okay=False, path_type=Path),
    help="A folder to keep the connector's database and logs in; a temporary one unless given.")  # fmt: skip
@click.option("--fresh", is_flag=True, help="Delete what an earlier demo left in --data.")
@click.option("--latency-ms", type=click.IntRange(0), default=200, show_default=True,
    help="How long the sandbox's Desk takes to answer; half of it more or less.")  # fmt: skip
@click.option(
    "--headless", "is_headless", is_flag=True, help="Run without a person, and compare what Desk holds."
)
@click.option("--calls", type=click.IntRange(1), default=20, show_default=True,
    help="Headless: how many call records must come of it.")  # fmt: skip
@click.option("--rate", type=click.FloatRange(0, min_open=True), default=4, show_default=True,
    help="Headless: how many calls begin in a second.")  # fmt: skip
@click.option("--seed", type=int, default=1, show_default=True, help="Headless: chooses the calls.")
@click.option("--json", "as_json", is_flag=True, help="Headless: write one JSON object.")
@click.pass_context
def demo(context: click.Context, /, *, is_headless: bool, as_json: bool, calls: int, rate: float, seed: int,
         **wished: Any) -> None:  # fmt: skip
    """Show everything at work: a Zoho of its own, the connector, and a phone that rings.

    Needs no account, and leaves nothing behind but --data.
    """
    if not is_headless:
        wished |= {"port": wished["port"] or PORT, "sandbox_port": wished["sandbox_port"] or SANDBOX_PORT}
    env = Environment(Options(**wished))
    try:
        if not is_headless:
            _until_stopped(_live(env))
            return
        if not as_json:
            click.echo(f"Ringing {calls} calls, and looking for them in Desk ...", err=True)
        result = _until_stopped(_headless(env, RunOptions(calls=calls, rate=rate, seed=seed)))
    except asyncio.CancelledError:
        click.echo("\nStopped.", err=True)
        context.exit(INTERRUPTED if is_headless else 0)
    _show(result, as_json=as_json)
    context.exit(0 if result.is_clean else 1)


def _until_stopped(work: Coroutine[Any, Any, Result]) -> Result:
    """Do some work; Ctrl-C, or a signal to end, raises CancelledError once all is cleaned up."""

    async def working() -> Result:
        loop, task = asyncio.get_running_loop(), asyncio.ensure_future(work)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, task.cancel)
        try:
            return await task
        except ExceptionGroup as several:
            # Calls go on beside each other; the first of them to fail says what happened.
            raise several.exceptions[0] from several
        except httpx2.TransportError as problem:
            lost = "The connector or the sandbox does not answer any more"
            raise CommandError(f"{lost} ({type(problem).__name__}).") from problem

    return asyncio.run(working())


async def _headless(env: Environment, options: RunOptions) -> RunResult:
    async with env:
        return await headless.run(env, options)


async def _live(env: Environment) -> None:
    click.echo("Starting: a Zoho, the connector, a phone ...", err=True)
    async with env:
        click.echo(_introduction(env))
        await live.run(env, click.echo)


def _introduction(env: Environment) -> str:
    names = [person.name for person in env.team.agents]
    zoho = env.sandbox_admin.origin
    return f"""
Everybody and every number here is invented, and nothing leaves this machine.

  1. Open      {env.origin}
     and sign in with Zoho as {", ".join(names[:-1])} or {names[-1]}.
     Calls ring there every {live.EVERY_SECONDS} seconds, are answered and end.
     Click to call, hang up or transfer: the phone does it.
  2. Look at   {zoho}/desk/contacts   whom Desk knows
               {zoho}/desk/calls      the records that calls become, seconds after their end
               Listen, beside some, leads to the recording, a tune, if you may hear the call
  3. Link      {env.origin}/connect   as {names[0]}, an administrator; it is linked already

Commands, in another terminal:  {command_line(env.settings_file, "phones", "list")}
Logs: {env.folder}
Ctrl-C ends it. Waiting for somebody to sign in.
"""


def _show(result: RunResult, *, as_json: bool) -> None:
    if as_json:
        write_json(result.figures)
        return
    for name, value in result.figures.items():
        spread = value.items() if isinstance(value, dict) else ()
        written = ", ".join(f"{part} {each}" for part, each in spread) if spread else value
        click.echo(f"{name.replace('_', ' '):<28}{written}")
