"""People: added, changed, shut out and let in again, and what they may do beside their role."""

from tests.integration.three_ways.ways import ADMINISTRATOR, Row

BRUNO = ("agents", "add", "bruno@example.com", "Bruno Keller", "--extension", "1001")
WORDS = {"extensions": "1002\nbruno.k", "queues": "support"}
SAID = {"extensions": [{"text": "1002"}, {"text": "bruno.k"}], "queues": [{"text": "support"}]}
TYPED = ("--extension", "1002", "--extension", "bruno.k", "--queue", "support")
LAST = "ada@example.com is the last administrator: make somebody else one first."
TAKEN = "1001 belongs to Bruno Keller (bruno@example.com) already: take it from them first, or give another."


def adding(name: str, email: str, *more: str, refused: str = "", before: bool = False) -> Row:
    """Return a row that adds somebody, with or without an extension."""
    extension = more[0] if more else ""
    said = {"email": email, "name": "Chiara", "role": "agent"}
    words = [{"text": extension}] if extension else []
    return Row(
        name,
        command=("agents", "add", email, "Chiara", *(("--extension", extension) if extension else ())),
        page=("/people/new", said | {"extensions": extension}),
        call=("POST", "/api/v1/people", said | {"extensions": words}),
        before=[BRUNO] if before else (),
        refused=refused,
    )


ROWS = [
    Row(
        "somebody is added",
        command=("agents", "add", "Bruno@example.com", "Bruno", "--role", "supervisor", *TYPED),
        page=("/people/new", {"email": "Bruno@example.com", "name": "Bruno", "role": "supervisor"} | WORDS),
        call=(
            "POST",
            "/api/v1/people",
            {"email": "Bruno@example.com", "name": "Bruno", "role": "supervisor"} | SAID,
        ),
    ),
    adding(
        "an address is there",
        "bruno@example.com",
        before=True,
        refused="bruno@example.com has been added before: change them instead.",
    ),
    adding("an extension is taken", "chiara@example.com", "1001", before=True, refused=TAKEN),
    Row(
        "a phone system is unknown",
        command=(
            "agents",
            "change",
            "bruno@example.com",
            "--queue-at",
            "paris",
            "support",
            "--extension",
            "1001",
        ),
        page=(
            "/people/2",
            {"name": "Bruno Keller", "role": "agent", "extensions": "1001", "queues": "support at paris"},
        ),
        call=("PATCH", "/api/v1/people/2", {"queues": [{"text": "support", "phone_system": "paris"}]}),
        before=[BRUNO],
        refused="There is no phone system paris: give the reference of one that is there.",
    ),
    Row(
        "somebody is changed",
        command=(
            "agents",
            "change",
            "bruno@example.com",
            "--name",
            "Bruno K.",
            "--role",
            "supervisor",
            *TYPED,
        ),
        page=("/people/2", {"name": "Bruno K.", "role": "supervisor"} | WORDS),
        call=("PATCH", "/api/v1/people/2", {"name": "Bruno K.", "role": "supervisor"} | SAID),
        before=[BRUNO],
    ),
    Row(
        "the last administrator is demoted",
        command=("agents", "change", ADMINISTRATOR, "--role", "agent"),
        page=("/people/1", {"name": "Ada Mbeki", "role": "agent"}),
        call=("PATCH", "/api/v1/people/1", {"role": "agent"}),
        refused=LAST,
    ),
    Row(
        "the last administrator is deactivated",
        command=("agents", "deactivate", ADMINISTRATOR),
        page=("/people/1/deactivate", {}),
        call=("POST", "/api/v1/people/1/deactivate", None),
        refused=LAST,
    ),
    Row(
        "somebody is deactivated",
        command=("agents", "deactivate", "bruno@example.com"),
        page=("/people/2/deactivate", {}),
        call=("POST", "/api/v1/people/2/deactivate", None),
        before=[BRUNO],
    ),
    Row(
        "somebody is reactivated",
        command=("agents", "reactivate", "bruno@example.com"),
        page=("/people/2/reactivate", {}),
        call=("POST", "/api/v1/people/2/reactivate", None),
        before=[BRUNO, ("agents", "deactivate", "bruno@example.com")],
    ),
    Row(
        "an identity is released",
        command=("agents", "release", "bruno@example.com"),
        page=("/people/2/release", {}),
        call=("POST", "/api/v1/people/2/release", None),
        before=[BRUNO],
    ),
    Row(
        "rights are given",
        command=(
            "agents",
            "rights",
            "bruno@example.com",
            "--right",
            "crm",
            "modify",
            "--right",
            "crm",
            "create",
        ),
        page=("/people/2/rights", {"rights": ["crm create", "crm modify"]}),
        call=(
            "PUT",
            "/api/v1/people/2/rights",
            {"rights": [{"thing": "crm", "right": "modify"}, {"thing": "crm", "right": "create"}]},
        ),
        before=[BRUNO],
    ),
    Row(
        "rights for no portal",
        command=("agents", "rights", "bruno@example.com", "--portal", "7", "--right", "crm", "access"),
        page=("/people/2/rights?portal=7", {"rights": ["crm access"]}),
        call=(
            "PUT",
            "/api/v1/people/2/rights",
            {"portal_id": 7, "rights": [{"thing": "crm", "right": "access"}]},
        ),
        before=[BRUNO],
        refused="There is no portal 7: give one that is linked.",
    ),
]
