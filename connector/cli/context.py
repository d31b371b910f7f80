"""What a command works on: settings, logs, and the database of `connector serve`, also while that runs."""

import asyncio
import getpass
from collections.abc import Awaitable, Callable
from typing import Literal, TypeVar, cast

from connector import logs
from connector.services import Services
from connector.settings import Settings, check_secret_key, load
from connector.store import Store

Result = TypeVar("Result")


def in_store(step: Callable[[Store], Awaitable[Result]]) -> Result:
    """Do something with the database, and close it."""
    settings = load()
    set_up_logs(settings, "WARNING")
    store = Store.open_existing(settings.database_url)
    try:
        return asyncio.run(_awaited(step(store)))
    finally:
        store.close()


def with_services(step: Callable[[Services], Awaitable[Result]]) -> Result:
    """Do something with all services, which needs SECRET_KEY; nothing works in the background."""
    settings = load()
    check_secret_key(settings)
    set_up_logs(settings, "WARNING")
    store = Store.open_existing(settings.database_url)
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
    logs.set_up(cast("Literal['console', 'json']", settings.log_format), level)


def actor() -> str:
    """Return who the audit says it was: the user of the operating system."""
    try:
        return f"cli:{getpass.getuser()}"
    except (OSError, KeyError):
        return "cli:unknown"
