"""Count what a call costs at Desk: requests and credits, from the ring to the late recording.

Nothing is timed; the sandbox counts. A whole connector takes the calls of known callers, a banner is open,
and its index has been filled before.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import click
import msgspec
from sqlalchemy import Connection

from connector.calls import CallEvent, Cause, Direction, EventType
from connector.clock import MINUTE, SECOND
from connector.dialects import Parsed
from connector.sandbox.desk.portal import weigh
from connector.sandbox.presets import DEMO_CLIENT_ID, DEMO_ORG_ID, client_secret
from connector.sandbox.serve import RunningSandbox
from connector.sandbox.state import Requests, SandboxState
from connector.sandbox.tokens import Grant
from connector.services import Services
from connector.settings import Secret, Settings
from connector.store import Store, grants, portals, users
from connector.store.phones import PhoneSystem
from connector.zoho.scopes import LINKING, names

CALLS = 100
LOOK_UPS = ("/api/v1/contacts/search", "/api/v1/contacts/{id}/tickets", "/api/v1/contacts/{id}")
LINE = "+442079460999"
MILLION = 1_000_000
PAGE = 100


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Requests for each call of a known caller, and what reading all contacts costs.

    `by_offset` is what GET /contacts would cost for a million, by the sandbox's table of prices, and
    `by_moment` what the sync costs, from the credits that it took for the sandbox's contacts.
    """

    calls: int
    lookup_requests_per_call: float
    delivery_requests_per_call: float
    delivery_requests_per_call_with_late_recording: float
    credits_per_call: float
    sync_credits: int
    sync_contacts: int
    million_credits_by_moment: int
    million_credits_by_offset: int


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """What a number of calls cost."""

    look_ups: int
    deliveries: int
    with_recording: int
    credits: int
    sync_credits: int
    sync_contacts: int


@click.command("credits")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--calls", "count", default=CALLS, show_default=True, help="Calls of known callers.")
def count_credits(as_json: bool, count: int) -> None:  # noqa: FBT001 - click's way
    """Count requests a call; aims: look-up 1.1, delivery 1.05, with a late recording 3.05."""
    whole = asyncio.run(_cost(count))
    report = Report(
        calls=count,
        lookup_requests_per_call=whole.look_ups / count,
        delivery_requests_per_call=whole.deliveries / count,
        delivery_requests_per_call_with_late_recording=whole.with_recording / count,
        credits_per_call=whole.credits / count,
        sync_credits=whole.sync_credits,
        sync_contacts=whole.sync_contacts,
        million_credits_by_moment=_by_moment(whole),
        million_credits_by_offset=sum(
            weigh("page", {"from": offset}, {}) for offset in range(0, MILLION + 1, PAGE)
        ),
    )
    if as_json:
        click.echo(msgspec.json.encode(report))
        return
    for name, value in msgspec.to_builtins(report).items():
        click.echo(f"{name}: {value}")


def _by_moment(cost: Cost) -> int:
    """Reckon with a million: each page brings 99 contacts and says one again; the rest is constant."""
    pages = -(-(cost.sync_contacts - 1) // (PAGE - 1))
    constant = cost.sync_credits - 3 * pages
    return 3 * -(-(MILLION - 1) // (PAGE - 1)) + constant


async def _cost(count: int) -> Cost:
    with (
        tempfile.TemporaryDirectory() as folder,
        RunningSandbox(index_delay_seconds=0) as sandbox,
    ):
        callers = _build_desk(sandbox.state, count)
        async with _services(Path(folder), sandbox) as services:
            await services.syncing.work()
            (standing,) = await services.syncing.statuses()
            if standing.sync is None or standing.sync.phase != "kept":
                raise click.ClickException("The index was not filled.")
            return await _measure(services, sandbox.state, callers, standing.sync.credits_used)


async def _measure(
    services: Services, world: SandboxState, callers: Sequence[str], sync_credits: int
) -> Cost:
    requests, portal = world.requests, world.desk.portals()[0]
    before = portal.credits.left(world.clock.now())
    requests.reset()
    phone = (await services.phone_systems.find("pbx")).phone
    (agent_id,) = (await services.store.read(users.load_team)).agents
    services.hub.subscribe(agent_id, "bench")
    for number, caller in enumerate(callers):
        await _call(services, phone, f"c-{number}", caller)
    look_ups = _look_ups(requests)
    await _deliver(services)
    deliveries = _total(requests) - look_ups
    spent = before - portal.credits.left(world.clock.now())
    for number in range(len(callers)):
        await _record(services, phone, f"c-{number}")
    await _deliver(services)
    return Cost(
        look_ups=look_ups,
        deliveries=deliveries,
        with_recording=_total(requests) - look_ups,
        credits=spent,
        sync_credits=sync_credits,
        sync_contacts=len(portal.contacts),
    )


async def _deliver(services: Services) -> None:
    while await services.deliverer.once():
        pass


def _look_ups(requests: Requests) -> int:
    return sum(requests.count(path=path) for path in LOOK_UPS)


def _total(requests: Requests) -> int:
    return sum(each.count for each in requests.listing() if each.path.startswith("/api/"))


def _event(services: Services, call_id: str, kind: EventType, ago: int, **facts: Any) -> Parsed:
    now = services.clock()
    event = CallEvent(
        source="/pbx",
        id=f"{call_id}-{kind}",
        type=kind,
        call_id=call_id,
        at=now - ago * SECOND,
        received_at=now,
        direction=Direction.INBOUND,
        to_number=LINE,
        **facts,
    )
    return Parsed(events=(event,))


async def _call(services: Services, phone: PhoneSystem, call_id: str, caller: str) -> None:
    """Let a call ring until the banner knows everything, then be answered and end."""
    facts = {"from_number": caller, "agent": "1001"}
    await services.pipeline.take(phone, _event(services, call_id, EventType.RINGING, 9, **facts))
    await services.pipeline.settle()
    await services.pipeline.take(phone, _event(services, call_id, EventType.ANSWERED, 8, **facts))
    await services.pipeline.take(phone, _event(services, call_id, EventType.ENDED, 1, cause=Cause.NORMAL))
    await services.pipeline.settle()


async def _record(services: Services, phone: PhoneSystem, call_id: str) -> None:
    url = f"https://pbx.example/{call_id}.mp3"
    await services.pipeline.take(phone, _event(services, call_id, EventType.RECORDED, 0, recording_url=url))
    await services.pipeline.settle()


def _build_desk(world: SandboxState, count: int) -> list[str]:
    """Add the callers, typed as people do, each with an open ticket; answer their numbers."""
    for number in range(count):
        contact = world.desk.add_contact(
            DEMO_ORG_ID,
            last_name=f"Caller {number}",
            phone=f"(020) 7946 {2_000 + number}",
            created_at=world.clock.now() - number,
        )
        world.desk.add_ticket(contact, subject="Open")
    return [f"+44207946{2_000 + number}" for number in range(count)]


@asynccontextmanager
async def _services(folder: Path, sandbox: RunningSandbox) -> AsyncIterator[Services]:
    url = f"sqlite:///{folder}/connector.db"
    settings = Settings(
        database_url=url,
        secret_key=[Secret("a key of the benchmark")],
        zoho_client_id=DEMO_CLIENT_ID,
        zoho_client_secret=Secret(client_secret(DEMO_CLIENT_ID, "us")),
        zoho_data_centers=[f"us={sandbox.origin}|{sandbox.origin}"],
        record_after_seconds=0,
    )
    services = Services(settings, Store.open(url))
    _link(services, sandbox.state)
    await services.agents.add_agent("ada@example.com", "Ada", extensions=[(None, "1001")], actor="bench")
    phone = PhoneSystem(
        id=0,
        uid="",
        slug="pbx",
        name="PBX",
        portal_id=1,
        dialect="neutral",
        country="GB",
        time_zone="UTC",
        lines={LINE: None},
    )
    await services.phone_systems.add(phone, "bench")
    yield services
    await services.close()


def _link(services: Services, world: SandboxState) -> None:
    scopes, now = " ".join(names(LINKING)), services.clock()
    grant = Grant(
        client_id=DEMO_CLIENT_ID,
        zuid=world.config.users[0].zuid,
        location="us",
        scopes=frozenset(scopes.lower().split()),
        scope_text=scopes,
        org_id=DEMO_ORG_ID,
    )
    refresh = world.tokens.add_refresh_token(grant)
    encrypted = [
        services.encryptor.encrypt(each.token)
        for each in (refresh, world.tokens.add_access_token(grant, refresh))
    ]
    desk = world.desk.portals()[0]
    values: dict[str, Any] = {
        "location": "us",
        "org_id": DEMO_ORG_ID,
        "name": "Zylker",
        "client_id": DEMO_CLIENT_ID,
    }
    values |= {"state": "linked", "scopes": scopes, "linked_by": "bench", "edition": desk.org.edition}
    values |= {"linked_at": now, "default_department_id": next(iter(desk.departments))}

    def write(connection: Connection) -> None:
        portal = portals.put(connection, **values)
        grants.put(connection, portal.id, encrypted[0], encrypted[1], now + 50 * MINUTE, now)

    services.store.write_now(write)
