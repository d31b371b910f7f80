"""Sealing, signing keys, digests."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.crypto import Sealer, digest, new_secret
from connector.errors import SettingsError
from connector.settings import Secret

OLD, NEW = Secret("old"), Secret("new")


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_what_is_sealed_opens_again(text: str) -> None:
    """Every text comes back as it was."""
    sealer = Sealer([NEW])
    assert sealer.open(sealer.seal(text)) == text


def test_the_same_text_seals_differently() -> None:
    """Nobody sees that two portals share a token."""
    sealer = Sealer([NEW])
    assert sealer.seal("token") != sealer.seal("token")


def test_a_rotation_opens_the_old_and_seals_with_the_new() -> None:
    """The former key can go once everything is sealed anew."""
    rotated = Sealer([NEW, OLD])
    assert rotated.open(Sealer([OLD]).seal("token")) == "token"
    assert Sealer([NEW]).open(rotated.seal("token")) == "token"


@pytest.mark.parametrize(
    "token", [Sealer([OLD]).seal("token"), b"", b"nonsense"], ids=["other", "", "nonsense"]
)
def test_what_no_key_opens_names_the_setting(token: bytes) -> None:
    """The message says what to do, and holds nothing of the token."""
    with pytest.raises(SettingsError, match="SECRET_KEY") as caught:
        Sealer([NEW]).open(token)
    assert not token or token.decode() not in str(caught.value)


def test_nothing_is_sealed_without_a_key() -> None:
    """A missing key is refused at once."""
    with pytest.raises(SettingsError, match="SECRET_KEY"):
        Sealer([])


def test_each_purpose_has_keys_of_its_own() -> None:
    """Signing keys are neither the configured text nor what seals."""
    sealer = Sealer([NEW, OLD])
    assert len(set(sealer.signing_keys)) == 2
    assert b"new" not in sealer.signing_keys
    assert sealer.signing_keys[1:] == Sealer([OLD]).signing_keys


def test_a_secret_is_long_and_fits_anywhere() -> None:
    """256 bits, in letters that need no quoting."""
    made = {new_secret() for _ in range(100)}
    assert len(made) == 100
    assert all(len(secret) == 43 and secret.replace("-", "").replace("_", "").isalnum() for secret in made)


def test_a_digest_is_sha_256() -> None:
    """The known digest of a known text."""
    assert digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
