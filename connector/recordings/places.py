"""Say where a phone system keeps its recordings, in a folder or on hosts, and with which credentials."""

from sqlalchemy import Connection

from connector.crypto import Encryptor
from connector.phone_systems import PhoneSystems, warnings
from connector.phone_systems.warnings import Warnings
from connector.recordings import sources
from connector.recordings.sources import Changes
from connector.store import Store
from connector.store import recordings as table
from connector.store.phones import PhoneSystem
from connector.store.recordings import SourceRow


class RecordingPlaces:
    """Show and change where recordings are kept."""

    def __init__(self, store: Store, phone_systems: PhoneSystems, encryptor: Encryptor) -> None:
        self._store = store
        self._phone_systems = phone_systems
        self._encryptor = encryptor

    async def show(self, slug: str) -> SourceRow:
        """Return where a phone system keeps its recordings, as far as anybody has said."""
        phone = (await self._phone_systems.find(slug)).phone
        return await self._store.read(lambda connection: table.source_of(connection, phone.id))

    async def change(self, slug: str, changes: Changes, actor: str) -> Warnings:
        """Change it and audit it, nothing of a secret; InvalidValue for what could not be meant."""
        before = await self.show(slug)
        detail = _in_short(before, sources.changed(before, changes, self._encryptor), changes)

        def change(connection: Connection, phone: PhoneSystem) -> None:
            now = table.source_of(connection, phone.id)
            table.set_source(connection, phone.id, sources.changed(now, changes, self._encryptor))

        await self._phone_systems.edit(slug, change, "phone_system.recordings", detail, actor)
        return warnings.of_folder(changes.folder)


_SAID = {"folder": "folder", "origins": "hosts", "redirect_origins": "redirects", "networks": "networks"}


def _in_short(before: SourceRow, after: SourceRow, changes: Changes) -> str:
    """Say for the audit what is different now, and nothing of a secret."""
    said = ["all forgotten"] if changes.forget else []
    for name, called in _SAID.items():
        value = getattr(after, name)
        if value != getattr(SourceRow() if changes.forget else before, name):
            listed = value if isinstance(value, str) else " ".join(value or ())
            said.append(f"{called} {listed or 'none'}")
    return "; ".join(said + (["credentials"] if changes.secret else [])) or "as before"
