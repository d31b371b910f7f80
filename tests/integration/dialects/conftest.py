"""A served connector with a phone system of each vendor, and a shell beside it on the same database."""

from collections.abc import Iterator

import pytest

from connector.phone_systems import HintReader
from connector.store import phones
from tests.integration.cli.conftest import ENVIRONMENT, Shell
from tests.integration.databases import Databases
from tests.integration.dialects.vendors import AUTH_TOKEN, OWN_LINE, Vendors, pem
from tests.integration.pipeline.conftest import place, sandbox
from tests.integration.pipeline.place import Place
from tests.unit.dialects.vendor_posts import SHARED

__all__ = ["ENVIRONMENT", "Shell", "place", "sandbox"]
"""The pipeline's own fixtures serve here too."""

GIVEN = {
    "zammad": "", "sipgate": pem(), "twilio": AUTH_TOKEN, "placetel": SHARED, "aircall": SHARED, "3cx": "",
    "ringcentral": "", "freeswitch": "",
}  # fmt: skip


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    """Give each test a database of its own, on each engine."""
    with databases.fresh() as url:
        yield url


@pytest.fixture
async def vendors(place: Place) -> Vendors:
    """Add a phone system of each vendor; how soon an answer must be ready is tested elsewhere."""
    place.services.phone_systems.hint_reader = HintReader(place.services.store, timeout_seconds=10)
    secrets = {}
    for dialect, given in GIVEN.items():
        phone = phones.PhoneSystem(
            id=0, uid="", slug=dialect, name=dialect, portal_id=1, dialect=dialect, country="FR",
            time_zone="Europe/Paris", lines={OWN_LINE: None},
        )  # fmt: skip
        secrets[dialect] = await place.services.phone_systems.add(phone, "test", given)
    return Vendors(place, secrets)
