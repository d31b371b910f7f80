"""Authentication methods: added, changed, enabled, disabled, removed, and refused."""

from pathlib import Path

from tests.integration.three_ways.ways import Row, Words

PAGE = "/authentication-methods"
CALL = "/api/v1/authentication-methods"
SECRET = "invented-secret"
SECRET_FILE = str(Path(__file__).parent / "secret.txt")
FIELDS = {"name": "Support Europe", "location": "eu", "client_id": "1000.EUROPE", "mode": "oauth"}
PLACED = ("--location", "eu", "--client-id", "1000.EUROPE", "--secret-file", SECRET_FILE)
ADDED: Words = ("methods", "add", "Support Europe", *PLACED)
ENABLED: Words = ("methods", "enable", "Support Europe", "--environment", "sandbox")

ROWS = [
    Row(
        "method-add",
        (*ADDED, "--secret-at", "in", SECRET_FILE, "--feature", "webhooks", "--scope", "Desk.tickets.CREATE"),
        (
            f"{PAGE}/new",
            FIELDS
            | {"secret": SECRET, "secrets": f"in = {SECRET}", "features": "webhooks"}
            | {"extra_scopes": "Desk.tickets.CREATE"},
        ),
        (
            "POST",
            CALL,
            FIELDS
            | {"secret": SECRET, "secrets": {"in": SECRET}, "features": ["webhooks"]}
            | {"extra_scopes": ["Desk.tickets.CREATE"]},
        ),
    ),
    Row(
        "method-name-taken",
        ADDED,
        (f"{PAGE}/new", FIELDS | {"secret": SECRET}),
        ("POST", CALL, FIELDS | {"secret": SECRET}),
        before=[ADDED],
        refused="There is an authentication method Support Europe: choose another name.",
    ),
    Row(
        "method-change",
        ("methods", "change", "Support Europe", "--name", "Europe", "--location", "in"),
        (f"{PAGE}/1", {"name": "Europe", "location": "in", "client_id": "1000.EUROPE"}),
        ("PATCH", f"{CALL}/1", {"name": "Europe", "location": "in"}),
        before=[ADDED],
    ),
    Row(
        "method-enable",
        ENABLED,
        (f"{PAGE}/1/enable", {"environment": "sandbox"}),
        ("POST", f"{CALL}/1/enable", {"environment": "sandbox"}),
        before=[ADDED],
    ),
    Row(
        "method-disable",
        ("methods", "disable", "Support Europe", "--yes"),
        (f"{PAGE}/1/disable", {}),
        ("POST", f"{CALL}/1/disable", None),
        before=[ADDED, ENABLED],
    ),
    Row(
        "method-remove",
        ("methods", "remove", "Support Europe", "--yes"),
        (f"{PAGE}/1/remove", {}),
        ("DELETE", f"{CALL}/1", None),
        before=[ADDED],
    ),
]
