"""A new SECRET_KEY takes the place of the former one in the whole database."""

import json

import pytest
from click.testing import CliRunner
from sqlalchemy import insert, select

from connector.cli import main
from connector.crypto import Encryptor
from connector.maintenance import KeyRotation
from connector.maintenance.key_rotation import CHUNK
from connector.settings import Secret
from connector.store import Store, audit
from connector.store.tables import authentication_methods, flows
from tests.integration.databases import url_of

pytestmark = pytest.mark.anyio
FORMER, PRESENT = Secret("the former key of tests"), Secret("the present key of tests")
NOW = 1_900_000_000_000


def add(store: Store, count: int, encryptor: Encryptor) -> None:
    """Add flows, of which there are more than a chunk, and a method with two secrets."""
    rows = [
        {
            "state_hash": f"{number:064}",
            "browser_hash": "b",
            "purpose": "link",
            "location": "us",
            "sealed_verifier": encryptor.encrypt(f"verifier {number}"),
            "nonce": "",
            "next_path": "/",
            "expires_at": NOW,
        }
        for number in range(count)
    ]
    method = {
        "name": "Europe",
        "type": "desk",
        "mode": "oauth",
        "location": "eu",
        "client_id": "1000.X",
        "sealed_secret": encryptor.encrypt("secret"),
        "sealed_secrets": encryptor.encrypt("{}"),
        "created_at": NOW,
    }
    store.write_now(lambda c: c.execute(insert(flows), rows))
    store.write_now(lambda c: c.execute(insert(authentication_methods), [method]))


@pytest.mark.both_engines
async def test_everything_is_encrypted_anew_once(store: Store) -> None:
    """In chunks, with what it says kept, and audited; afterwards the former key opens nothing more."""
    add(store, CHUNK + 1, Encryptor([FORMER]))
    rotation = KeyRotation(store, Encryptor([PRESENT, FORMER]), lambda: NOW)
    found = await rotation.rotate(actor="test")
    assert found.renewed == {
        "flows.sealed_verifier": CHUNK + 1,
        "authentication_methods.sealed_secret": 1,
        "authentication_methods.sealed_secrets": 1,
    }
    assert found.unreadable == {}
    alone = Encryptor([PRESENT])
    tokens = await store.read(lambda c: c.execute(select(flows.c.sealed_verifier)).scalars().all())
    assert {alone.decrypt(token) for token in tokens} == {f"verifier {n}" for n in range(CHUNK + 1)}
    assert (await rotation.rotate(actor="test")).renewed == {}
    entries = await store.read(audit.newest)
    assert [entry.action for entry in entries] == ["secret_key.rotated"]
    assert "secret" not in entries[0].detail.replace("sealed_secret", "")


async def test_what_no_key_opens_is_told_and_left(store: Store) -> None:
    """Where the former key is not among the settings', nothing is lost: it can be added, and run again."""
    add(store, 1, Encryptor([FORMER]))
    found = await KeyRotation(store, Encryptor([PRESENT]), lambda: NOW).rotate(actor="test")
    assert (found.renewed, found.unreadable["flows.sealed_verifier"]) == ({}, 1)
    again = await KeyRotation(store, Encryptor([PRESENT, FORMER]), lambda: NOW).rotate(actor="test")
    assert again.renewed["flows.sealed_verifier"] == 1


def test_the_command_says_what_it_did(store: Store) -> None:
    """`connector secret-key rotate` works on the settings' database; without a word, a key is printed."""
    keys = ["new-key-of-tests-0123456789-abcdefghijklmnop", "former-key-of-tests-0123456789-abcdefghijkl"]
    add(store, 1, Encryptor([Secret(keys[1])]))
    environment = {"SECRET_KEY": ",".join(keys), "DATABASE_URL": url_of(store)}
    typed = CliRunner().invoke(main, ["secret-key", "rotate", "--json"], env=environment)
    assert typed.exit_code == 0, typed.output
    assert json.loads(typed.stdout)["renewed"]["flows.sealed_verifier"] == 1
    assert len(CliRunner().invoke(main, ["secret-key"]).stdout.strip()) >= 43
