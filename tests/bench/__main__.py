"""Offer each benchmark as a command: `python -m tests.bench ingest --json`."""

import click

from tests.bench import bridge, deliver, grow, ingest, pop
from tests.bench.credits import count_credits


@click.group()
def main() -> None:
    """Measure what the connector can do."""


for command in (ingest.ingest, bridge.bridge, count_credits, deliver.deliver, grow.grow, pop.pop):
    main.add_command(command)

if __name__ == "__main__":
    main(prog_name="python -m tests.bench")
