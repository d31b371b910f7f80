"""Show that nothing is lost or doubled, whatever fails: python -m tests.faults --engine sqlite."""

import asyncio
import json
import secrets
from contextlib import ExitStack
from typing import Any

import click

from tests import postgresql
from tests.faults.running import Order, is_too_wide, run
from tests.pooler import before

BROKEN = (
    *("lost", "duplicated", "wrong", "contacts_duplicated"),
    *("tickets_lost", "tickets_duplicated", "tickets_wrong"),
)
"""Figures of which each must be nought."""


@click.command()
@click.option("--engine", type=click.Choice(["sqlite", "postgresql"]), default="sqlite", show_default=True)
@click.option(
    "--calls", type=click.IntRange(1), default=2_000, show_default=True, help="Records that are due."
)
@click.option("--rate", type=float, default=10.0, show_default=True, help="Scenarios begun a second.")
@click.option(
    "--share", type=float, default=0.05, show_default=True, help="Of requests, for each kind of fault."
)
@click.option(
    "--seed", type=click.IntRange(0), help="Repeats a run's calls, faults and oddities; any unless given."
)
@click.option("--pooler", is_flag=True, help="Put PgBouncer (Debian's package) before PostgreSQL.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def main(
    *, engine: str, calls: int, rate: float, share: float, seed: int | None, pooler: bool, as_json: bool
) -> None:
    """Ring calls while Desk fails, has three of its oddities, and programs are killed.

    Exit with 1 if any is lost, doubled or wrong, or if Desk was asked more at a time than it allows.
    """
    chosen = secrets.randbelow(10**6) if seed is None else seed
    order = Order(calls=calls, rate=rate, share=share, seed=chosen)
    figures = _with_postgresql(order, pooler=pooler) if engine == "postgresql" else asyncio.run(run(order))
    lines = (f"{name}: {value}" for name, value in figures.items())
    click.echo(json.dumps(figures, indent=2) if as_json else "\n".join(lines))
    broken = sum(figures[name] for name in BROKEN)
    raise SystemExit(1 if broken or is_too_wide(figures) else 0)


def _with_postgresql(order: Order, *, pooler: bool) -> dict[str, Any]:
    """Let several processes share a durable server, whose connections are cut again and again."""
    with postgresql.running(durable=True) as server, ExitStack() as ending:
        name = server.create()
        direct = server.url(name)
        url = ending.enter_context(before(server, name)) if pooler else direct
        settings = {"DATABASE_URL": url, "DATABASE_LISTEN_URL": direct}
        return asyncio.run(run(order, settings, lambda: server.cut(name)))


if __name__ == "__main__":
    main(prog_name="python -m tests.faults")
