"""Keep records, and with them what the search index still believes of them."""

from collections.abc import Iterator
from typing import Generic, TypeVar

from connector.sandbox.desk.records import Record

R = TypeVar("R", bound=Record)


class Shelf(Generic[R]):
    """Hold every version of the records of one kind, oldest record first.

    Lists and single reads see the newest version at once; a search sees the newest version that was
    written by a given moment, and nothing of a record that is younger (design.md, index delay).
    """

    def __init__(self) -> None:
        self._versions: dict[str, list[tuple[int, R]]] = {}

    def __len__(self) -> int:
        return len(self._versions)

    def put(self, record: R, at: int) -> R:
        """Keep a new record or a new version of one, written at a moment."""
        self._versions.setdefault(record.id, []).append((at, record))
        return record

    def find(self, record_id: str) -> R | None:
        """Return a record as it is now, trashed or not; None if there is none."""
        versions = self._versions.get(record_id)
        return versions[-1][1] if versions else None

    def present(self) -> Iterator[R]:
        """Go through all records that are not trashed, as they are now."""
        return (versions[-1][1] for versions in self._versions.values() if not versions[-1][1].is_trashed)

    def everything(self) -> Iterator[R]:
        """Go through all records as they are now, trashed ones too."""
        return (versions[-1][1] for versions in self._versions.values())

    def indexed(self, written_by: int) -> Iterator[R]:
        """Go through the records as a search finds them if the index knows only what was written by then."""
        for versions in self._versions.values():
            known = next((record for at, record in reversed(versions) if at <= written_by), None)
            if known is not None and not known.is_trashed:
                yield known
