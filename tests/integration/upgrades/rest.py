"""Rows for the tables that no delivery writes, so that nothing in a former release's database is untried."""

from typing import Any

from sqlalchemy import Connection, MetaData

from connector.crypto import Encryptor, digest
from tests.integration.delivery.env import NOON

KEY = f"ck_{'k' * 43}"
SESSION = "a-session-of-tests"
SIGNING = "whsec_dGVzdHMtb25seS1hbmQtbm8tc2VjcmV0LTAxMjM0NTY3ODk="
DAY = 86_400_000
CALL, PHONE, PORTAL, USER = 1, 1, 1, 1


def write(connection: Connection, encryptor: Encryptor) -> None:
    """Write them, as the release does whose tables these are."""
    metadata = MetaData()
    metadata.reflect(connection)
    for name, rows in _rows(encryptor).items():
        for row in rows:
            connection.execute(metadata.tables[name].insert(), row)


def _rows(encryptor: Encryptor) -> dict[str, list[dict[str, Any]]]:
    """Return each table's rows, in an order in which they can be written."""
    return _access(encryptor) | _phones(encryptor) | _contacts() | _calls()


def _access(encryptor: Encryptor) -> dict[str, list[dict[str, Any]]]:
    flow: dict[str, Any] = {
        "location": "us",
        "sealed_verifier": encryptor.encrypt("verifier"),
        "nonce": "nonce",
    }
    flow |= {"next_path": "/banner", "expires_at": NOON + 600_000, "browser_hash": digest("browser")}
    session: dict[str, Any] = {"user_id": USER, "created_at": NOON, "expires_at": NOON + DAY}
    return {
        "api_keys": [
            {"name": "dialler", "role": "supervisor", "key_hash": digest(KEY), "created_at": NOON},
            {
                "name": "gone",
                "role": "administrator",
                "key_hash": digest("gone"),
                "created_at": NOON,
                "revoked_at": NOON,
            },
        ],
        "nonce_issuers": [{"issuer": "https://accounts.example.com", "seen_at": NOON}],
        "sessions": [session | {"id_hash": digest(SESSION)}],
        "flows": [
            flow | {"state_hash": digest("in"), "purpose": "sign_in"},
            flow | {"state_hash": digest("link"), "purpose": "link", "user_id": USER},
        ],
    }


def _phones(encryptor: Encryptor) -> dict[str, list[dict[str, Any]]]:
    phone: dict[str, Any] = {"phone_system_id": PHONE}
    secret: dict[str, Any] = {"sealed_secret": encryptor.encrypt(SIGNING), "created_at": NOON}
    former: dict[str, Any] = {"sealed_secret": encryptor.encrypt("former"), "created_at": NOON - DAY}
    blocked: dict[str, Any] = {"portal_id": PORTAL, "phone_system_id": 0, "pattern": "+1900*"}
    return {
        "blocked_numbers": [blocked | {"reason": "dear", "created_at": NOON}],
        "queue_members": [phone | {"queue": "sales", "user_id": USER}],
        "activity": [phone | {"hour_at": NOON, "first_at": NOON, "last_at": NOON}],
        "caller_ids": [phone | {"pattern": "*", "number": "+33987654321"}],
        "destinations": [phone | {"pattern": "+33*", "role": "agent"}],
        "phone_secrets": [
            phone | secret | {"kind": "signing", "valid_until": None},
            phone | former | {"kind": "signing", "valid_until": NOON + DAY},
        ],
        "recording_sources": [phone | {"origins": "https://pbx.example.com"}],
        "senders": [phone | {"network": "192.0.2.0/24"}],
        "takers": [phone | {"asked_at": NOON}],
        "unread": [
            phone
            | {"body_hash": digest("x"), "reason": "schema", "body": b"x", "first_at": NOON, "last_at": NOON}
        ],
    }


def _contacts() -> dict[str, list[dict[str, Any]]]:
    contact: dict[str, Any] = {"portal_id": PORTAL, "contact_id": "7"}
    return {
        "caller_credits": [{"portal_id": PORTAL, "caller": "ada", "day": NOON // DAY, "spent": 3}],
        "contact_changes": [contact | {"deleted": False, "told_at": NOON}],
        "contacts": [contact | {"name": "Vane", "seen_at": NOON}],
        "contact_numbers": [contact | {"number": "+442079460001"}],
        "directory_syncs": [{"portal_id": PORTAL, "phase": "kept", "started_at": NOON}],
    }


def _calls() -> dict[str, list[dict[str, Any]]]:
    event: dict[str, Any] = {"phone_system_id": PHONE, "source": "pbx", "event_id": "e-1"}
    heard: dict[str, Any] = {"call_id": CALL, "user_id": USER, "at": NOON, "last_at": NOON}
    return {
        "events": [event | {"call_id": CALL, "received_at": NOON, "body": b"{}"}],
        "event_repeats": [event | {"times": 1, "last_at": NOON}],
        "listed_until": [{"id": 1, "changed_at": NOON}],
        "listed_calls": [
            {"call_id": CALL, "revision": 1, "phone_system_id": PHONE, "started_at": NOON, "state": "ended"}
        ],
        "listed_parties": [
            {"call_id": CALL, "party": "n+442079460001", "phone_system_id": PHONE, "started_at": NOON}
        ],
        "recording_accesses": [heard | {"what": "opened"}, heard | {"what": "played", "piece": "p"}],
    }
