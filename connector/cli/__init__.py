"""Take an administrator's commands: one module a noun, and every failure is one sentence."""

from typing import Any

import click

from connector import __version__
from connector.cli import (
    agents,
    auditing,
    backing_up,
    bridge,
    calls,
    deliveries,
    directory,
    forgetting,
    importing,
    keys,
    phone_status,
    phones,
    portals,
    recordings,
    sandbox,
    serving,
    showing,
)
from connector.cli.remedies import next_step
from connector.errors import ConnectorError


class Commands(click.Group):
    """Commands that fail with one sentence on standard error: exit 1, or 2 where they were typed wrongly."""

    def invoke(self, ctx: click.Context) -> Any:
        """Carry a command out."""
        try:
            return super().invoke(ctx)
        except ConnectorError as problem:
            said = str(problem) or type(problem).__doc__ or problem.reason
            raise click.ClickException(" ".join(filter(None, (said, next_step(problem))))) from problem


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="connector")
def main() -> None:
    """Connect phone systems to Zoho Desk."""


for command in (
    serving.serve,
    serving.deliver,
    serving.migrate,
    serving.secret_key,
    showing.demo,
    sandbox.sandbox,
    portals.portals,
    phones.phones,
    agents.agents,
    keys.keys,
    calls.calls,
    deliveries.deliveries,
    auditing.audit,
    backing_up.backup,
    backing_up.restore,
    backing_up.restored,
    forgetting.forget,
    importing.import_calls,
    bridge.bridge,
    directory.directory,
    recordings.recordings,
):
    main.add_command(command)

phones.phones.add_command(phone_status.status)
phones.phones.add_command(recordings.source)
