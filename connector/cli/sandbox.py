"""Run the sandbox, a Zoho of one's own."""

from collections.abc import Sequence

import click

from connector.demo.processes import check_free
from connector.sandbox.config import Config
from connector.sandbox.presets import DEMO_CLIENT_ID, client_secret, demo_config
from connector.sandbox.serve import run

PORT = 8900


@click.command()
@click.option("--port", type=click.IntRange(1, 65_535), default=PORT, show_default=True)
@click.option("--redirect-uri", "redirect_uris", multiple=True,
    help="Where clients may be sent back to; a connector at 127.0.0.1:8080 unless given.")  # fmt: skip
@click.option("--latency-ms", type=click.IntRange(0), default=200, show_default=True,
    help="How long Desk takes to answer; half of it more or less.")  # fmt: skip
def sandbox(*, port: int, redirect_uris: Sequence[str], latency_ms: int) -> None:
    """Run Zoho Accounts and Zoho Desk on this machine, with invented people and contacts."""
    public = "http://127.0.0.1:8080"
    config = demo_config(
        port, redirect_uris=redirect_uris or (f"{public}/login/callback", f"{public}/oauth/callback")
    )
    config.latency_ms, config.latency_jitter_ms = latency_ms, latency_ms // 2
    check_free(port, "--port")
    click.echo(_introduction(config, port), err=True)
    try:
        run(config, "127.0.0.1", port)
    except KeyboardInterrupt:
        click.echo("Stopped.", err=True)


def _introduction(config: Config, port: int) -> str:
    origins = {center.location: f"{center.accounts}|{center.desk}" for center in config.data_centers}
    rows = ",".join(f"{location}={addresses}" for location, addresses in origins.items())
    return (
        f"The sandbox is at http://127.0.0.1:{port}. A connector finds it with these settings:\n\n"
        f"  ZOHO_CLIENT_ID={DEMO_CLIENT_ID}\n"
        f"  ZOHO_CLIENT_SECRET={client_secret(DEMO_CLIENT_ID, 'us')}\n"
        f"  ZOHO_CLIENT_SECRET_EU={client_secret(DEMO_CLIENT_ID, 'eu')}\n"
        f"  ZOHO_DATA_CENTERS='{rows}'\n"
        f"  ZOHO_DATA_CENTER=us\n"
    )
