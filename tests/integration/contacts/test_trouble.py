"""What a look-up comes to when Desk, the grant or our own store fails."""

import pytest

from connector.errors import (
    ConcurrencyExceeded,
    ConnectorError,
    CreditsExhausted,
    Forbidden,
    GrantLost,
    ZohoDown,
)
from connector.sandbox.faults import FaultKind, Rule
from connector.store import contacts
from tests.integration.contacts.conftest import OTHER_PORTAL, PORTAL, Services

pytestmark = pytest.mark.anyio

E164 = "+493023125999"


async def _is_kept(services: Services) -> bool:
    return await services.store.read(lambda connection: contacts.answer(connection, PORTAL, E164)) is not None


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        ("server_error", ZohoDown),
        ("html", ZohoDown),
        ("reset", ZohoDown),
        ("drop", ZohoDown),
        ("too_many_requests", ConcurrencyExceeded),
        ("threshold", CreditsExhausted),
        ("unauthorized", GrantLost),
    ],
)
async def test_trouble_is_named_and_not_kept(
    services: Services, fault: FaultKind, problem: type[ConnectorError], *, live: bool
) -> None:
    """The error says whose fault it is, no 'unknown' is kept, and the next look-up is a new one."""
    services.add("There", phone=E164)
    services.state.faults.add(Rule(kind=fault, seconds=60))
    with pytest.raises(problem):
        await services.contact_lookup.look_up(PORTAL, E164, country="DE", live=live)
    assert not await _is_kept(services)
    services.state.faults.clear()
    services.later(61)
    found = await services.contact_lookup.look_up(PORTAL, E164, country="DE", live=live)
    assert [contact.name for contact in found.contacts] == ["There"]


async def test_one_field_alone_is_no_answer(services: Services) -> None:
    """Where one of the two searches fails, the other's matches are not taken for all."""
    services.add("There", phone=E164)
    services.state.faults.add(Rule(kind="server_error", times=1))
    with pytest.raises(ZohoDown):
        await services.contact_lookup.look_up(PORTAL, E164, country="DE", live=True)
    assert not await _is_kept(services)


async def test_nobody_waits_for_a_slow_desk(services: Services) -> None:
    """Whoever waits is told after the time that we allow ourselves; nothing is kept."""
    services.state.faults.add(Rule(kind="latency", seconds=0.5))
    hasty = services.another(timeout_seconds=0.05)
    with pytest.raises(ZohoDown, match="within"):
        await hasty.look_up(PORTAL, E164, country="DE", live=True)
    with pytest.raises(ZohoDown, match="within"):
        await hasty.open_tickets(PORTAL, services.people()[0].id)
    with pytest.raises(ZohoDown, match="within"):
        await hasty.search(PORTAL, "Ann", country="DE")
    assert not await _is_kept(services)


async def test_a_question_outlasts_our_time_out(services: Services) -> None:
    """Whoever asks again meanwhile waits for the same answer: Desk is asked once, at no more width."""
    services.add("There", phone=E164)
    services.state.faults.add(Rule(kind="latency", seconds=0.3))
    hasty = services.another(timeout_seconds=0.02)
    before = services.state.requests.count(path="/api/v1/contacts/search")
    refused = 0
    while True:
        try:
            found = await hasty.look_up(PORTAL, E164, country="DE", live=True)
            break
        except ZohoDown:
            refused += 1
    assert refused > 1
    assert [contact.name for contact in found.contacts] == ["There"]
    assert services.state.requests.count(path="/api/v1/contacts/search") == before + 2


async def test_a_lost_grant(services: Services) -> None:
    """A portal that is not linked any more says so."""
    with pytest.raises(GrantLost):
        await services.contact_lookup.look_up(OTHER_PORTAL, E164, country="DE", live=True)


async def test_a_missing_permission(services: Services) -> None:
    """A profile that may not see contacts is not taken for a number that nobody bears."""
    services.state.desk.deny("contacts.view")
    with pytest.raises(Forbidden):
        await services.contact_lookup.look_up(PORTAL, E164, country="DE", live=True)
    assert not await _is_kept(services)


async def test_what_cannot_be_kept_is_still_told(services: Services) -> None:
    """Where our own store refuses, the name that Desk gave reaches the banner all the same."""
    services.add("There", phone=E164)
    refuse = "CREATE TRIGGER full BEFORE INSERT ON directory BEGIN SELECT RAISE(ABORT, 'full'); END"
    services.store.write_now(lambda connection: connection.exec_driver_sql(refuse))
    found = await services.contact_lookup.look_up(PORTAL, E164, country="DE", live=True)
    assert [contact.name for contact in found.contacts] == ["There"]
