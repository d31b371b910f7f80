"""Show that nothing is lost or doubled in bad weather: python -m tests.faults --engine sqlite."""

import asyncio
import json
from typing import Any

import click

from tests import postgresql
from tests.faults.running import run


@click.command()
@click.option("--engine", type=click.Choice(["sqlite", "postgresql"]), default="sqlite", show_default=True)
@click.option(
    "--calls", type=click.IntRange(1), default=2_000, show_default=True, help="Records that are due."
)
@click.option("--rate", type=float, default=10.0, show_default=True, help="Stories begun a second.")
@click.option(
    "--share", type=float, default=0.05, show_default=True, help="Of requests, for each kind of fault."
)
@click.option("--seed", type=int, default=1, show_default=True, help="Another one tells other stories.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def main(*, engine: str, calls: int, rate: float, share: float, seed: int, as_json: bool) -> None:
    """Ring calls while Desk fails and programs are killed; exit with 1 if any is lost, doubled or wrong."""
    figures = _run(engine, calls, rate, share, seed)
    lines = (f"{name}: {value}" for name, value in figures.items())
    click.echo(json.dumps(figures, indent=2) if as_json else "\n".join(lines))
    broken = sum(figures[name] for name in ("lost", "duplicated", "wrong", "contacts_duplicated"))
    raise SystemExit(1 if broken else 0)


def _run(engine: str, calls: int, rate: float, share: float, seed: int) -> dict[str, Any]:
    if engine == "sqlite":
        return asyncio.run(run(engine, calls, rate, share, seed, None, None))
    with postgresql.running(durable=True) as server:
        name = server.create()
        return asyncio.run(run(engine, calls, rate, share, seed, server.url(name), lambda: server.cut(name)))


if __name__ == "__main__":
    main(prog_name="python -m tests.faults")
