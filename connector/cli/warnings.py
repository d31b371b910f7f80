"""Warn of what was done and may not have been meant; it is done all the same, as it may be right tomorrow."""

from collections.abc import Collection, Iterable

import click
from sqlalchemy import Connection

from connector.clock import system_clock
from connector.phone_systems import warnings
from connector.phone_systems.warnings import Warnings
from connector.store import people, phones


def warn(sentence: str) -> None:
    """Write a warning on standard error, where it is in no program's way."""
    click.echo(f"Warning: {sentence}", err=True)


def warn_of(told: Warnings, next_step: str = "") -> None:
    """Warn of what was done and may not have been meant."""
    for each in told:
        warn(" ".join(filter(None, (str(each), next_step))))


def known_queues(connection: Connection, besides: int | None = None) -> frozenset[str]:
    """Return the queues of the phone systems and of everybody but one user."""
    told = {queue for phone in phones.list_all(connection, system_clock()) for queue in phone.queues}
    return frozenset(told | people.queue_names(connection, besides))


def warn_of_queues(names: Iterable[str], known: Collection[str]) -> None:
    """Warn of queues that nobody has named before, where others have been."""
    warn_of(warnings.of_queues(names, known))
