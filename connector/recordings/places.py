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

        def change(connection: Connection, phone: PhoneSystem) -> None:
            before = table.source_of(connection, phone.id)
            table.set_source(connection, phone.id, sources.changed(before, changes, self._encryptor))

        await self._phone_systems.edit(slug, change, "phone_system.recordings", _in_short(changes), actor)
        return warnings.of_folder(changes.folder)


def _in_short(changes: Changes) -> str:
    """Say for the audit what was changed, and nothing of a secret."""
    said = ["all forgotten"] if changes.forget else []
    if changes.folder is not None:
        said.append(f"folder {changes.folder or 'none'}")
    named = {
        "hosts": changes.origins,
        "redirects": changes.redirect_origins,
        "networks": changes.networks,
    }
    said += [f"{what} {' '.join(each) or 'none'}" for what, each in named.items() if each is not None]
    return "; ".join(said + (["credentials"] if changes.secret else []))
