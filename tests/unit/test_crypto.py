"""Encryption, signing keys, digests."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.crypto import Encryptor, digest, new_secret
from connector.errors import SettingsError
from connector.settings import Secret

OLD, NEW = Secret("old"), Secret("new")


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_what_is_encrypted_is_decrypted(text: str) -> None:
    """Every text comes back as it was."""
    encryptor = Encryptor([NEW])
    assert encryptor.decrypt(encryptor.encrypt(text)) == text


def test_the_same_text_never_gives_the_same_token() -> None:
    """Nobody sees that two portals share a token."""
    encryptor = Encryptor([NEW])
    assert encryptor.encrypt("token") != encryptor.encrypt("token")


def test_a_rotation_decrypts_with_the_old_and_encrypts_with_the_new() -> None:
    """The former key can go once everything is encrypted anew."""
    rotated = Encryptor([NEW, OLD])
    assert rotated.decrypt(Encryptor([OLD]).encrypt("token")) == "token"
    assert Encryptor([NEW]).decrypt(rotated.encrypt("token")) == "token"


@pytest.mark.parametrize(
    "token", [Encryptor([OLD]).encrypt("token"), b"", b"nonsense"], ids=["other", "", "nonsense"]
)
def test_what_no_key_decrypts_names_the_setting(token: bytes) -> None:
    """The message says what to do, and holds nothing of the token."""
    with pytest.raises(SettingsError, match="SECRET_KEY") as caught:
        Encryptor([NEW]).decrypt(token)
    assert not token or token.decode() not in str(caught.value)


def test_nothing_is_encrypted_without_a_key() -> None:
    """A missing key is refused at once."""
    with pytest.raises(SettingsError, match="SECRET_KEY"):
        Encryptor([])


def test_each_purpose_has_keys_of_its_own() -> None:
    """Signing keys are neither the configured text nor what encrypts."""
    encryptor = Encryptor([NEW, OLD])
    assert len(set(encryptor.signing_keys)) == 2
    assert b"new" not in encryptor.signing_keys
    assert encryptor.signing_keys[1:] == Encryptor([OLD]).signing_keys


def test_a_secret_is_long_and_fits_anywhere() -> None:
    """256 bits, in letters that need no quoting."""
    made = {new_secret() for _ in range(100)}
    assert len(made) == 100
    assert all(len(secret) == 43 and secret.replace("-", "").replace("_", "").isalnum() for secret in made)


def test_a_digest_is_sha_256() -> None:
    """The known digest of a known text."""
    assert digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
