"""Make a fresh database of either engine, as safe as in earnest: what is acknowledged is on the disk."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from tests import postgresql

SCRATCH = Path(__file__).parents[2] / "artifacts"
"""On the disk of the clone: a temporary folder may lie in memory, where a commit costs nothing."""

engine_option = click.option(
    "--engine", type=click.Choice(["sqlite", "postgresql"]), default="sqlite", show_default=True
)


@contextmanager
def fresh(engine: str) -> Iterator[str]:
    """Return the address of an empty database, which is gone after the block."""
    if engine == "sqlite":
        SCRATCH.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="bench-", dir=SCRATCH) as folder:
            yield f"sqlite:///{folder}/connector.db"
        return
    if not postgresql.is_there():
        raise click.ClickException("PostgreSQL's wheel is missing: sh tests/run installs it.")
    with postgresql.running(durable=True) as server:
        yield server.url(server.create())
