"""Rows for profiles."""

from tests.integration.three_ways.ways import ADMINISTRATOR, Row

PROFILES = "/profiles"
API = f"/api/v1{PROFILES}"
ADD = ("profiles", "add", "Night", "--sees", "contacts.lastName", "--sees", "tickets")
BO = ("agents", "add", "bo@example.com", "Bo Lind")
FORM = {
    "name": "Night",
    "portals": "*",
    "contacts_seen": ["lastName"],
    "tickets_seen": ["*"],
}
OBJECTS = {"contacts": {"seen": ["lastName"], "edited": []}, "tickets": {"edited": []}}
BODY = {"name": "Night", "objects": OBJECTS}

ROWS = [
    Row(
        "a profile is added",
        (*ADD, "--edits", "contacts.lastName", "--may", "edit", "--may", "tickets", "--portal", "1"),
        (
            f"{PROFILES}/new",
            FORM | {"portals": "1", "contacts_edited": "lastName", "may": ["edit", "tickets"]},
        ),
        (
            "POST",
            API,
            {
                "name": "Night",
                "portals": [1],
                "objects": OBJECTS | {"contacts": {"seen": ["lastName"], "edited": ["lastName"]}},
                "may_edit": True,
                "may_make_tickets": True,
            },
        ),
    ),
    Row(
        "a profile's name is that of everyone",
        ("profiles", "add", "Everyone"),
        (f"{PROFILES}/new", {"name": "Everyone"}),
        ("POST", API, {"name": "Everyone"}),
        refused="There is a profile Everyone already: choose another name.",
    ),
    Row(
        "a profile sees a field that no CRM has",
        ("profiles", "add", "Night", "--sees", "contacts.cf_nothing"),
        (f"{PROFILES}/new", {"name": "Night", "contacts_seen": ["cf_nothing"]}),
        ("POST", API, {"name": "Night", "objects": {"contacts": {"seen": ["cf_nothing"]}}}),
        refused="cf_nothing",
    ),
    Row(
        "a profile edits what it does not see",
        (*ADD, "--edits", "contacts.phone"),
        (f"{PROFILES}/new", FORM | {"contacts_edited": ["phone"]}),
        (
            "POST",
            API,
            BODY | {"objects": OBJECTS | {"contacts": {"seen": ["lastName"], "edited": ["phone"]}}},
        ),
        refused="contacts.phone cannot be edited without being seen: let it be seen too.",
    ),
    Row(
        "everyone loses what they had",
        ("profiles", "change", "1", "--sees", "contacts.lastName", "--sees", "tickets", "--may-nothing"),
        (f"{PROFILES}/1", FORM | {"name": "Everyone"}),
        (
            "PATCH",
            f"{API}/1",
            {"objects": OBJECTS, "may_create": False, "may_edit": False}
            | {"may_make_tickets": False, "may_listen": False},
        ),
    ),
    Row(
        "a profile is named otherwise, and has all portals",
        ("profiles", "change", "2", "--name", "Day", "--all-portals"),
        (f"{PROFILES}/2", FORM | {"name": "Day"}),
        ("PATCH", f"{API}/2", {"name": "Day", "portals": None}),
        before=[(*ADD, "--portal", "1")],
    ),
    Row(
        "a profile is given",
        ("profiles", "give", "2", "bo@example.com"),
        (f"{PROFILES}/2", FORM | {"users": "bo@example.com"}),
        ("PATCH", f"{API}/2", {"users": ["bo@example.com"]}),
        before=[BO, ADD],
    ),
    Row(
        "somebody is given a profile",
        ("profiles", "give", "2", ADMINISTRATOR),
        ("/people/1/profiles", {"profiles": ["2"]}),
        ("PUT", "/api/v1/people/1/profiles", {"profiles": [2]}),
        before=[ADD],
    ),
    Row(
        "a profile is taken, and its user falls back to another one",
        ("profiles", "take", "2", ADMINISTRATOR),
        ("/people/1/profiles", {"profiles": ["3"]}),
        ("PUT", "/api/v1/people/1/profiles", {"profiles": [3]}),
        before=[
            ADD,
            ("profiles", "add", "Day"),
            ("profiles", "give", "2", ADMINISTRATOR),
            ("profiles", "give", "3", ADMINISTRATOR),
        ],
    ),
    Row(
        "a profile is removed, and its users fall back to that of everyone",
        ("profiles", "remove", "2", "--yes"),
        (f"{PROFILES}/2/remove", {}),
        ("DELETE", f"{API}/2", None),
        before=[BO, ADD, ("profiles", "give", "2", "bo@example.com", ADMINISTRATOR)],
    ),
    Row(
        "the profile of everyone stays",
        ("profiles", "remove", "1", "--yes"),
        (f"{PROFILES}/1/remove", {}),
        ("DELETE", f"{API}/1", None),
        refused="Everyone is the profile of all who were given none, and is not removed: change it instead.",
    ),
]
