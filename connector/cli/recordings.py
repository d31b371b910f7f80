"""Say where recordings are kept, try one, and show who has heard which."""

from functools import partial
from typing import Any, TextIO

import click
import msgspec

from connector.cli.context import actor, in_store, with_services
from connector.cli.terminal import HOW_MANY, json_option, moment, secret_in, show_one, show_rows
from connector.cli.warnings import warn_of
from connector.recordings.sources import Changes
from connector.services import Services
from connector.store import recordings as table
from connector.store.recordings import SourceRow


@click.command("recordings")
@click.argument("slug")
@click.option("--folder", help="A folder of this machine that holds them; goes with --address.")
@click.option("--address", help="What their addresses begin with in events; the rest is a name in it.")
@click.option(
    "--host",
    "origins",
    multiple=True,
    help="From where they are fetched: recordings.example.com, http://pbx.lan:8088; may be repeated.",
)
@click.option(
    "--redirect-to",
    "redirects",
    multiple=True,
    help="Where that may lead, without credentials; may be repeated.",
)
@click.option(
    "--network",
    "networks",
    multiple=True,
    help="A private network that may be reached, such as 10.1.0.0/16; may be repeated.",
)
@click.option("--user", help="Name that is shown to --host with the password in --secret-file.")
@click.option("--header", help="Or the header that bears --secret-file whole, such as Authorization.")
@click.option("--secret-file", type=click.File(encoding="utf-8"), help="Holds it; - is standard input.")
@click.option("--forget", is_flag=True, help="First forget all that was said before.")
@json_option
def source(*, slug: str, secret_file: TextIO | None, as_json: bool, **given: Any) -> None:
    """Show or say where a phone system keeps its recordings.

    Without any of this, they are fetched from the public https addresses that it tells.
    What is given takes the place of what was said of the same before; the rest stays.
    """
    changes = Changes(
        folder=given["folder"],
        folder_address=given["address"],
        origins=given["origins"] or None,
        redirect_origins=given["redirects"] or None,
        networks=given["networks"] or None,
        user=given["user"],
        header=given["header"],
        secret=secret_in(secret_file),
        forget=given["forget"],
    )

    async def step(services: Services) -> SourceRow:
        if not changes.says_nothing:
            warn_of(await services.recording_places.change(slug, changes, actor()))
        return await services.recording_places.show(slug)

    show_one(_shown(with_services(step)), as_json=as_json)


def _shown(row: SourceRow) -> dict[str, Any]:
    return {
        "folder": row.folder,
        "address": row.folder_address,
        "hosts": row.origins,
        "redirects_to": row.redirect_origins,
        "networks": row.networks,
        "credentials": None if row.header is None else f"in the header {row.header}",
    }


@click.group()
def recordings() -> None:
    """Try recordings, and show who has heard which."""


@recordings.command("accesses")
@click.option("--call", "key", help="Of one call only: its key, the last part of its page's address.")
@click.option("--limit", type=HOW_MANY, default=100, show_default=True, help="How many.")
@json_option
def accesses(*, key: str | None, limit: int, as_json: bool) -> None:
    """Show who opened, heard, kept or was refused which recording, the latest first."""
    found = in_store(lambda store: store.read(partial(table.accesses, key=key, limit=limit)))
    rows = [
        msgspec.structs.asdict(each) | {"at": moment(each.at), "last_at": moment(each.last_at)}
        for each in found
    ]
    show_rows(rows, as_json=as_json, nothing="Nobody has opened a recording.")


@recordings.command("check")
@click.argument("key")
@json_option
def check(*, key: str, as_json: bool) -> None:
    """Try whether the recordings of a call can be had; KEY is the last part of their page's address."""

    async def step(services: Services) -> list[dict[str, Any]]:
        return [
            {
                "recording": tried.id,
                "seconds": tried.seconds,
                "works": tried.problem is None,
                "reason": "" if tried.problem is None else tried.problem.reason,
                "detail": "" if tried.problem is None else str(tried.problem),
            }
            for tried in await services.recordings.check(key)
        ]

    show_rows(with_services(step), as_json=as_json, nothing="No recording of this call has been told.")
