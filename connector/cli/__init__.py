"""Take an administrator's commands: one module a noun, loaded when needed; each failure is one sentence."""

import gc
import sys
from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import Any, NamedTuple

import click

from connector import __version__
from connector.errors import ConnectorError, InvalidValue
from connector.logs import spelt_out


class CommandPlace(NamedTuple):
    """Where a command is, and what the list of commands says of it without loading it."""

    module: str
    attribute: str
    summary: str


COMMANDS: Mapping[str, CommandPlace] = {
    "agents": CommandPlace("people", "agents", "Add, change and list the people who take calls."),
    "audit": CommandPlace("audit", "audit", "Show who changed what, the latest first."),
    "backup": CommandPlace(
        "database", "backup", "Copy the SQLite database to FILE, also while it is in use."
    ),
    "bridge": CommandPlace("bridge", "bridge", "Run beside a PBX and report its calls to the connector."),
    "calls": CommandPlace("calls", "calls", "See what came of calls, and which leave no record in Desk."),
    "crm": CommandPlace("crm", "crm", "Set up what agents see of Desk, and what calls write there."),
    "deliver": CommandPlace("serve", "deliver", "Deliver call records to Zoho Desk without serving."),
    "deliveries": CommandPlace(
        "deliveries", "deliveries", "See what has not reached Desk, retry or drop it."
    ),
    "demo": CommandPlace("demo", "demo", "Show it all, with a Zoho of its own and a simulated phone."),
    "directory": CommandPlace("directory", "directory", "Keep an index of Desk's contacts, to know callers."),
    "doctor": CommandPlace(
        "doctor", "doctor", "Check the installation and every portal, and say what to do."
    ),
    "forget": CommandPlace(
        "database", "forget", "Erase all that is known of a number or a contact, for ever."
    ),
    "guide": CommandPlace(
        "guide", "guide", "Print how to run, watch and upgrade it, with the settings of this shell in it."
    ),
    "import": CommandPlace("calls", "import_calls", "Bring in past calls from FILE, each once."),
    "keys": CommandPlace("access", "keys", "Make, list and revoke the keys with which programs use the API."),
    "login-link": CommandPlace(
        "access", "login_link", "Print a link that signs an administrator in, once, without Zoho."
    ),
    "mail": CommandPlace("mail", "mail", "Try the mails that tell administrators what stands in the way."),
    "methods": CommandPlace(
        "methods", "methods", "Add, enable and list the clients at Zoho that portals and signing in use."
    ),
    "migrate": CommandPlace(
        "database", "migrate", "Bring the database up to date; `serve` does so by itself."
    ),
    "phones": CommandPlace("phones", "phones", "Add, list and set up the phone systems that post events."),
    "portals": CommandPlace("portals", "portals", "Show and set up the linked Zoho Desk organisations."),
    "profiles": CommandPlace(
        "profiles", "profiles", "Set up what users see of callers and may do in the banner."
    ),
    "recordings": CommandPlace("recordings", "recordings", "Try recordings, and show who has heard which."),
    "restore": CommandPlace("database", "restore", "Put a backup in the place of the SQLite database."),
    "restored": CommandPlace("database", "restored", "Say that the database was restored by other means."),
    "sandbox": CommandPlace("demo", "sandbox", "Run Zoho Accounts and Zoho Desk on this machine."),
    "secret-key": CommandPlace("serve", "secret_key", "Print a fresh SECRET_KEY, or encrypt all anew."),
    "setup-link": CommandPlace("access", "setup_link", "Print a link that adds the first administrator."),
    "serve": CommandPlace("serve", "serve", "Serve pages, phone systems and banners, and deliver."),
    "sign-in-connectors": CommandPlace(
        "sign_in_connectors", "sign_in_connectors", "Set up the ways to sign in with Zoho."
    ),
}
"""Each command by its name; loading them all takes a second, and one needs only its own."""


NEXT_STEPS = {"unknown_phone_system": "`connector phones list` shows those there are."}
"""What to type next, by reason, where a message that phone systems are told as well cannot say it."""


OPTIONS = {"/secret": "Commands read it from a file: --secret-file."}
"""How to type what a rule wants, by the field that it names, where that is no option of its name."""


class Commands(click.Group):
    """Commands that fail with one sentence on standard error: exit 1, or 2 where they were typed wrongly."""

    def invoke(self, ctx: click.Context) -> Any:
        """Carry a command out."""
        try:
            return super().invoke(ctx)
        except ConnectorError as problem:
            sentence = str(problem) or type(problem).__doc__ or problem.reason
            pointer = problem.pointer if isinstance(problem, InvalidValue) else ""
            steps = filter(None, (sentence, NEXT_STEPS.get(problem.reason) or OPTIONS.get(pointer)))
            raise click.ClickException(spelt_out(" ".join(steps))) from problem


def _loaded(name: str) -> ModuleType:
    """Return a module; what loading it makes stays for good, so the collector need not go through it."""
    if name not in sys.modules:
        gc.disable()
        try:
            import_module(name)
        finally:
            gc.freeze()
            gc.enable()
    return sys.modules[name]


class Main(Commands):
    """The commands of the table, each loaded when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names of all commands, in order."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return a command, loaded from its module; None if there is none of that name."""
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
        command: click.Command = getattr(_loaded(f"{__name__}.{place.module}"), place.attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of commands, and load none of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, place.summary) for name, place in COMMANDS.items()])


@click.group(cls=Main, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="connector")
def main() -> None:
    """Connect phone systems to Zoho Desk."""
