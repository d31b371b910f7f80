"""Encrypt what must not be read in the database; these keys and those for signing come from SECRET_KEY."""

import base64
import hashlib
import secrets
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from connector.errors import SettingsError
from connector.settings import Secret

ENCRYPTION = b"zoho-desk-phone-connector: sealing"
SIGNING = b"zoho-desk-phone-connector: signing"
"""Each purpose has keys of its own, so that what leaks from one says nothing of the other.

A purpose's text is part of its keys: with another one nothing that is stored could be decrypted.
"""


class Encryptor:
    """Encrypt with the first of the configured keys, decrypt with any of them.

    Raises SettingsError where there is no key at all.
    """

    def __init__(self, keys: Sequence[Secret]) -> None:
        if not keys:
            raise SettingsError("SECRET_KEY is not set, and without it nothing can be encrypted.")
        fernets = [Fernet(base64.urlsafe_b64encode(_derive(key, ENCRYPTION))) for key in keys]
        self._first = fernets[0]
        self._fernet = MultiFernet(fernets)
        self._signing_keys = tuple(_derive(key, SIGNING) for key in keys)

    @property
    def signing_keys(self) -> tuple[bytes, ...]:
        """Return the keys for signing, the first of which signs."""
        return self._signing_keys

    def encrypt(self, text: str) -> bytes:
        """Return a text as a token that only our keys decrypt; no two tokens are the same."""
        return self._fernet.encrypt(text.encode())

    def decrypt(self, token: bytes) -> str:
        """Return the text of a token; SettingsError where none of the keys decrypts it."""
        try:
            return self._fernet.decrypt(token).decode()
        except InvalidToken as problem:
            raise SettingsError(
                "The database was encrypted with another SECRET_KEY: add the former key behind the present "
                "one, separated by a comma. If it is lost, link the portals and set the phone systems' "
                "secrets again."
            ) from problem

    def is_current(self, token: bytes) -> bool:
        """Tell whether a token was encrypted with the first key."""
        try:
            self._first.decrypt(token)
        except InvalidToken:
            return False
        return True


def _derive(key: Secret, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(key.reveal().encode())


def new_secret() -> str:
    """Return 256 random bits as a text that fits into an address or a cookie."""
    return secrets.token_urlsafe(32)


def digest(text: str) -> str:
    """Return the SHA-256 of a text in hex: what is kept of a secret that only has to be recognised."""
    return hashlib.sha256(text.encode()).hexdigest()
