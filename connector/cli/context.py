"""What a command works on: settings, logs, and the database of `connector serve`, also while that runs."""

import asyncio
import getpass
from collections.abc import Awaitable, Callable
from typing import TypeVar

from connector import logs
from connector.services import Services
from connector.settings import Check, Settings, check_secret_key, load
from connector.store import Store
from connector.store.engine import open_engine, read_address
from connector.zoho import data_centers

Result = TypeVar("Result")


def check_database_url(settings: Settings) -> None:
    """Refuse an address that is no database's; nothing is connected."""
    open_engine(settings.database_url).dispose()


def check_listen_url(settings: Settings) -> None:
    """Refuse an address that is no database's, where one for listening is set."""
    if settings.database_listen_url:
        read_address(settings.database_listen_url, "DATABASE_LISTEN_URL")


def check_data_centers(settings: Settings) -> None:
    """Refuse data centres that cannot be read, and a client that is registered at none there is."""
    data_centers.chosen(settings.zoho_data_centers, settings.zoho_data_center)


ADDRESSES: tuple[Check, ...] = (check_database_url, check_listen_url, check_data_centers)
"""What is known to be wrong before anything is opened, so that it is named with all the rest."""


def in_store(step: Callable[[Store], Awaitable[Result]]) -> Result:
    """Do something with the database, and close it."""
    settings = load(checks=(check_database_url,))
    set_up_logs(settings, "WARNING")
    store = Store.open_existing(settings.database_url)
    try:
        return asyncio.run(_awaited(step(store)))
    finally:
        store.close()


def with_services(step: Callable[[Services], Awaitable[Result]], *, is_migrating: bool = True) -> Result:
    """Do something with all services, which needs SECRET_KEY; nothing works in the background.

    The tables are brought up to date first, unless somebody wants to see how they are.
    """
    settings = load(checks=(check_secret_key, *ADDRESSES))
    set_up_logs(settings, "WARNING")
    opening = Store.open_existing if is_migrating else Store.open_as_it_is
    store = opening(settings.database_url)
    try:
        return asyncio.run(_with_services(Services(settings, store), step))
    finally:
        store.close()


async def _with_services(services: Services, step: Callable[[Services], Awaitable[Result]]) -> Result:
    try:
        return await step(services)
    finally:
        await services.portals.close()
        await services.http.aclose()


async def _awaited(step: Awaitable[Result]) -> Result:
    return await step


def set_up_logs(settings: Settings, level: str) -> None:
    """Write logs in the form that is set."""
    logs.set_up(settings.log_format, level)


def actor() -> str:
    """Return who the audit says it was: the user of the operating system."""
    try:
        return f"cli:{getpass.getuser()}"
    except (OSError, KeyError):
        return "cli:unknown"
