"""Check the installation and every portal, and say of each thing that is wrong who mends it and how."""

from collections.abc import Iterator

import click

from connector.checks import LAYERS, Check, Report, Subject
from connector.cli.context import with_services
from connector.cli.terminal import ROW_ID, json_option, write_json
from connector.logs import spelt_out
from connector.services import Services

WORDS = {"ok": "works", "warning": "look at this", "unknown": "not known", "refused": "does not work"}
"""What each state is called."""


@click.command()
@click.option("--portal", "portal_id", type=ROW_ID, help="Check one portal only, by its id.")
@json_option
def doctor(*, portal_id: int | None, as_json: bool) -> None:
    """Check the installation and every portal: reads only, at Zoho too.

    Exit code 1 where something is refused. What does not answer, or is not told, is unknown.
    """

    async def step(services: Services) -> Report:
        return await services.self_check.run(portal_id)

    report = with_services(step, is_migrating=False)
    if as_json:
        write_json(report.told())
    else:
        for subject in report.subjects:
            click.echo("\n".join((*_lines(subject), "")))
    if report.state == "refused":
        raise SystemExit(1)


def _lines(subject: Subject) -> Iterator[str]:
    """Yield a subject as text, what is well in one line."""
    yield f"{spelt_out(subject.name)}: {WORDS[subject.state]}"
    for check in subject.checks:
        if check.state != "ok":
            yield from map(spelt_out, _told(check))
    if well := [check.what for check in subject.checks if check.state == "ok"]:
        yield f"  works: {spelt_out(', '.join(dict.fromkeys(well)))}"


def _told(check: Check) -> Iterator[str]:
    yield f"  {WORDS[check.state]}: {check.what} ({LAYERS[check.layer]})"
    yield f"    {check.why}"
    if check.needs:
        yield f"    needed: {check.needs}"
    if check.place:
        yield f"    where: {check.place}"
    if check.remedy:
        yield f"    {check.remedy}"
