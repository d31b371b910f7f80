"""Read together what many ask in one turn of the loop: one way to the database instead of one for each."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextvars import Context
from typing import Generic, TypeVar

from sqlalchemy import Connection

from connector.store import Store

Key = TypeVar("Key")
Answer = TypeVar("Answer")


class Together(Generic[Key, Answer]):
    """Return questions by key; `read` is given all keys of one turn and answers each.

    Nobody is answered by what was read before they asked, so that nothing is older than without it.
    """

    def __init__(
        self, store: Store, read: Callable[[Connection, Sequence[Key]], Mapping[Key, Answer]]
    ) -> None:
        self._store = store
        self._read = read
        self._keys: dict[Key, None] = {}
        self._turn: asyncio.Task[Mapping[Key, Answer]] | None = None

    async def ask(self, key: Key) -> Answer:
        """Return one question; what reading raises is everybody's who asked with it."""
        if self._turn is None:
            # With facts of its own: what it logs is not about whoever came first.
            self._turn = asyncio.create_task(self._take_turn(), context=Context())
            # Seen, even if all who asked have left: asyncio would report it as lost.
            self._turn.add_done_callback(lambda turn: turn.cancelled() or turn.exception())
        self._keys[key] = None
        found = await asyncio.shield(self._turn)
        return found[key]

    async def _take_turn(self) -> Mapping[Key, Answer]:
        keys, self._keys, self._turn = list(self._keys), {}, None
        return await self._store.read(lambda connection: self._read(connection, keys))
