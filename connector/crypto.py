"""Seal what must not be read in the database, and give signing its keys: both derived from SECRET_KEY."""

import base64
import hashlib
import secrets
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from connector.errors import SettingsError
from connector.settings import Secret

SEALING = b"zoho-desk-phone-connector: sealing"
SIGNING = b"zoho-desk-phone-connector: signing"
"""Each purpose has keys of its own, so that what leaks from one says nothing of the other."""


class Sealer:
    """Seal with the first of the configured keys, open with any of them.

    Raises SettingsError where there is no key at all.
    """

    def __init__(self, keys: Sequence[Secret]) -> None:
        if not keys:
            raise SettingsError("SECRET_KEY is not set, and without it nothing can be sealed.")
        self._fernet = MultiFernet([Fernet(base64.urlsafe_b64encode(_derive(key, SEALING))) for key in keys])
        self._signing_keys = tuple(_derive(key, SIGNING) for key in keys)

    @property
    def signing_keys(self) -> tuple[bytes, ...]:
        """Return the keys for signing, the first of which signs."""
        return self._signing_keys

    def seal(self, text: str) -> bytes:
        """Return a token that only our keys open; the same text never gives the same token."""
        return self._fernet.encrypt(text.encode())

    def open(self, token: bytes) -> str:
        """Return the text that was sealed; SettingsError where none of the keys opens it."""
        try:
            return self._fernet.decrypt(token).decode()
        except InvalidToken as problem:
            raise SettingsError(
                "SECRET_KEY does not open what it once sealed: add the former key behind the present one, "
                "separated by a comma, or link the portals and set the phone systems' secrets again."
            ) from problem


def _derive(key: Secret, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(key.reveal().encode())


def new_secret() -> str:
    """Return 256 random bits as a text that fits into an address or a cookie."""
    return secrets.token_urlsafe(32)


def digest(text: str) -> str:
    """Return the SHA-256 of a text in hex: what is kept of a secret that only has to be recognised."""
    return hashlib.sha256(text.encode()).hexdigest()
