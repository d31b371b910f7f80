"""Offer each benchmark as a command: `python -m tests.bench ingest --json`."""

import click

from tests.bench import bridge, ingest


@click.group()
def main() -> None:
    """Measure what the connector can do."""


for command in (ingest.ingest, bridge.bridge):
    main.add_command(command)

if __name__ == "__main__":
    main(prog_name="python -m tests.bench")
