"""Rows for API keys and sign-in connectors."""

from tests.integration.three_ways.ways import ADMINISTRATOR, Row

CONNECTORS = "/sign-in-connectors"
OFFICE = ("sign-in-connectors", "add", "office", "Office")
FORM = {"name": "Office", "match_by": "email", "enabled": "y"}
WANTED = {"reference": "office", "match_by": "user_name"}

ROWS = [
    Row(
        "a key is made",
        ("keys", "add", "crm", "--role", "supervisor", "--expires", "2999-01-31"),
        ("/keys/new", {"name": "crm", "role": "supervisor", "expires_at": "2999-01-31"}),
        ("POST", "/api/v1/keys", {"name": "crm", "role": "supervisor", "expires_at": "2999-01-31"}),
    ),
    Row(
        "a key's name is taken",
        ("keys", "add", "crm"),
        ("/keys/new", {"name": "crm", "role": "agent"}),
        ("POST", "/api/v1/keys", {"name": "crm"}),
        before=[("keys", "add", "crm")],
        refused="There is or was a key crm: choose another name",
    ),
    Row(
        "a key would be over already",
        ("keys", "add", "crm", "--expires", "2001-01-31"),
        ("/keys/new", {"name": "crm", "role": "agent", "expires_at": "2001-01-31"}),
        ("POST", "/api/v1/keys", {"name": "crm", "expires_at": "2001-01-31"}),
        refused="The key would be over already",
    ),
    Row(
        "a key may call no such actions",
        ("keys", "add", "crm", "--action", "calls;drop"),
        ("/keys/new", {"name": "crm", "role": "agent", "actions": "calls;drop"}),
        ("POST", "/api/v1/keys", {"name": "crm", "actions": ["calls;drop"]}),
        refused="calls;drop is no pattern of actions",
    ),
    Row(
        "a key is revoked",
        ("keys", "revoke", "crm"),
        ("/keys/1/revoke", {}),
        ("DELETE", "/api/v1/keys/1", None),
        before=[("keys", "add", "crm")],
    ),
    Row(
        "a sign-in connector is added",
        (*OFFICE, "--match-by", "user_name", "--user", ADMINISTRATOR, "--default"),
        (f"{CONNECTORS}/new", FORM | WANTED | {"users": ADMINISTRATOR, "is_default": "y"}),
        (
            "POST",
            f"/api/v1{CONNECTORS}",
            {"name": "Office", **WANTED, "users": [ADMINISTRATOR], "is_default": True},
        ),
    ),
    Row(
        "a reference is taken",
        OFFICE,
        (f"{CONNECTORS}/new", FORM | {"reference": "office"}),
        ("POST", f"/api/v1{CONNECTORS}", {"name": "Office", "reference": "office"}),
        before=[OFFICE],
        refused="There is a sign-in connector office already: choose another reference.",
    ),
    Row(
        "a sign-in connector is for nobody whom we know",
        (*OFFICE, "--user", "nobody@example.com"),
        (f"{CONNECTORS}/new", FORM | {"reference": "office", "users": "nobody@example.com"}),
        (
            "POST",
            f"/api/v1{CONNECTORS}",
            {"name": "Office", "reference": "office", "users": ["nobody@example.com"]},
        ),
        refused="There is no user nobody@example.com",
    ),
    Row(
        "a sign-in connector is changed",
        ("sign-in-connectors", "change", "office", "--name", "Night", "--disable", "--no-users"),
        (f"{CONNECTORS}/office", {"name": "Night", "match_by": "email", "users": ""}),
        ("PATCH", f"/api/v1{CONNECTORS}/office", {"name": "Night", "enabled": False, "users": []}),
        before=[(*OFFICE, "--user", ADMINISTRATOR)],
    ),
    Row(
        "somebody has another address at Zoho",
        ("sign-in-connectors", "user-name", ADMINISTRATOR, "A@office.example"),
        (f"{CONNECTORS}/user-names", {"email": ADMINISTRATOR, "user_name": "A@office.example"}),
        ("PUT", "/api/v1/user-names", {"email": ADMINISTRATOR, "user_name": "A@office.example"}),
    ),
    Row(
        "a user name is another one's",
        ("sign-in-connectors", "user-name", ADMINISTRATOR, "BO@office.example"),
        (f"{CONNECTORS}/user-names", {"email": ADMINISTRATOR, "user_name": "BO@office.example"}),
        ("PUT", "/api/v1/user-names", {"email": ADMINISTRATOR, "user_name": "BO@office.example"}),
        before=[
            ("agents", "add", "bo@example.com", "Bo Lind"),
            ("sign-in-connectors", "user-name", "bo@example.com", "bo@office.example"),
        ],
        refused="BO@office.example is the user name of bo@example.com: give another one.",
    ),
    Row(
        "a sign-in connector is removed",
        ("sign-in-connectors", "remove", "office", "--yes"),
        (f"{CONNECTORS}/office/remove", {}),
        ("DELETE", f"/api/v1{CONNECTORS}/office", None),
        before=[(*OFFICE, "--user", ADMINISTRATOR)],
    ),
]
