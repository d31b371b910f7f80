"""Do several things at once, and leave nothing behind where one of them fails."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

Answer = TypeVar("Answer")


async def at_once(works: Iterable[Coroutine[Any, Any, Answer]]) -> list[Answer]:
    """Return what each comes to, in order; where one fails, the others are over when the problem is told."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
