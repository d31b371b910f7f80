"""A store whose commits are cut, and whose process stands still before or after them."""

from collections.abc import Awaitable, Callable
from typing import Literal, TypeVar

from sqlalchemy import Connection

from connector.errors import StoreUnavailable
from connector.store import Store
from connector.store.writer import UNSURE, Handler
from tests.integration.databases import url_of

Item = TypeVar("Item")
Result = TypeVar("Result")
Cut = Literal["before", "after"]
"""Whether nothing of a commit is done when its connection breaks, or all of it."""


async def _nothing() -> None:
    """Do nothing."""


class TroubledStore(Store):
    """A store on the same database, as another process has it; `cut` is asked about each of its writes.

    `before` and `after` are awaited around each note and outcome, for what happens meanwhile.
    """

    def __init__(self, store: Store) -> None:
        super().__init__(url_of(store))
        self.cut: Callable[[], Cut | None] = lambda: None
        self.before: Callable[[str], Awaitable[None]] = lambda _: _nothing()
        self.after: Callable[[str], Awaitable[None]] = lambda _: _nothing()

    async def write(self, change: Callable[[Connection], Result]) -> Result:
        """Commit, unless the connection breaks."""
        return await self._troubled(lambda: super(TroubledStore, self).write(change))

    async def together(self, handler: Handler[Item, Result], item: Item) -> Result:
        """Commit a note or an outcome, unless the connection breaks."""
        name: str = getattr(handler, "__name__", "")
        await self.before(name)
        result: Result = await self._troubled(lambda: super(TroubledStore, self).together(handler, item))
        await self.after(name)
        return result

    async def _troubled(self, commit: Callable[[], Awaitable[Result]]) -> Result:
        cut = self.cut()
        if cut == "before":
            raise StoreUnavailable(UNSURE)
        result = await commit()
        if cut == "after":
            raise StoreUnavailable(UNSURE)
        return result
