"""Portals: settings, and letting one go; authorising needs Zoho, and is tried with the sandbox."""

from sqlalchemy import Connection

from connector.store import portals
from tests.integration.three_ways.ways import Row


def linked(connection: Connection) -> None:
    """Have a portal, as far as the database knows."""
    portals.put(
        connection,
        location="us",
        org_id="600000001",
        name="Harbour & Hill",
        client_id="1000.TESTS",
        state="linked",
        linked_by="ada@example.com",
        linked_at=0,
    )


FORM = {"recording_links": "connector", "recording_downloads": "supervisors", "concurrency": "7"}

ROWS = [
    Row(
        "portal-set",
        ("portals", "set", "1", "--concurrency", "7", "--recording-downloads", "supervisors"),
        ("/portals/1/settings", FORM),
        ("PATCH", "/api/v1/portals/1", {"concurrency": 7, "recording_downloads": "supervisors"}),
        prepare=linked,
    ),
    Row(
        "portal-name-that-cannot-be-asked",
        ("portals", "set", "1", "--default-owner-id", "Ada Fontaine"),
        ("/portals/1/settings", FORM | {"default_owner_id": "Ada Fontaine"}),
        ("PATCH", "/api/v1/portals/1", {"default_owner_id": "Ada Fontaine"}),
        refused="Which agent is called 'Ada Fontaine' could not be asked",
        prepare=linked,
    ),
    Row(
        "portal-unlink",
        ("portals", "unlink", "1", "--yes"),
        ("/portals/1/unlink", {}),
        ("POST", "/api/v1/portals/1/unlink", None),
        prepare=linked,
    ),
]
