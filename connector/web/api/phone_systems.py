"""Let programs list, add, change and remove phone systems; `phone_parts` has what belongs to each."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from connector.clock import DAY, to_iso
from connector.errors import UnknownPhoneSystem
from connector.maintenance.baseline import State, Status
from connector.phone_systems import programs
from connector.phone_systems.setup import Introduction, NewPhoneSystem
from connector.phone_systems.systems import OVERLAP_HOURS_AT_MOST
from connector.services import Services
from connector.store import events, phone_overview
from connector.store.phone_changes import Bound
from connector.store.phones import PhoneSystem
from connector.web.api.operation import Call, Page, Paging, operation

Text = Annotated[str, Meta(max_length=320)]
Secret = Annotated[str, Meta(max_length=8_000, description="The vendor's, where the dialect has one.")]
RowId = Annotated[int, Meta(ge=1, le=2**63 - 1)]
Hours = Annotated[int, Meta(ge=0, le=OVERLAP_HOURS_AT_MOST)]
Agreed = Annotated[bool, Meta(description="Says that a portal in a sandbox of Zoho's is meant.")]
Wrong = Literal["never_heard", "silent", "unread", "program", "portal"]

UNREAD_FOR = DAY
"""What could not be read is wrong with a phone system for so long."""


class ListedPhoneSystem(msgspec.Struct, frozen=True, kw_only=True):
    """A phone system of the list.

    `wrong` says what somebody should look at; `unread` is what could not be read within a day.
    """

    slug: str
    name: str
    dialect: str
    portal_id: int
    portal_name: str
    state: State
    last_at: str | None
    unread: int
    program_problems: int
    wrong: list[Wrong]


class OwnNumber(msgspec.Struct, frozen=True, kw_only=True):
    """A number of the company itself."""

    number: str
    name: str
    department_id: str | None


class Queue(msgspec.Struct, frozen=True, kw_only=True):
    """A queue: `queue` is what the phone system calls it, `name` what people do."""

    queue: str
    name: str
    department_id: str | None


class ReportedProgram(msgspec.Struct, frozen=True, kw_only=True):
    """A program beside a phone system, with what somebody must mend."""

    source: str
    program: str
    reported_at: str
    problems: list[str]


class ShownPhoneSystem(msgspec.Struct, frozen=True, kw_only=True):
    """A phone system with what it has of its own; its secrets are never told."""

    slug: str
    name: str
    address: str
    dialect: str
    portal_id: int
    country: str
    time_zone: str
    department_id: str | None
    lines: list[OwnNumber]
    queues: list[Queue]
    prefixes: tuple[str, ...]
    without_plus: bool
    senders: tuple[str, ...]
    tells_names: bool
    routes_to_owners: bool
    takes_orders: bool
    records_internal: bool
    bound: Bound


class Introduced(msgspec.Struct, frozen=True, kw_only=True):
    """How a phone system is reached; `secret` is told this once, "" where it stays or is the vendor's.

    `test` is a shell script that posts a first call, "" where nobody but the vendor can sign.
    """

    slug: str
    address: str
    secret: str
    test: str
    warnings: list[str]


class Hearing(msgspec.Struct, frozen=True, kw_only=True):
    """When a phone system was heard, and what came last that could not be read."""

    state: State
    last_at: str | None
    silent_seconds: int | None
    usual_seconds: int | None
    unread_at: str | None
    unread_reason: str
    programs: list[ReportedProgram]


class Changes(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be changed; `department` is a name or an id, "" for the portal's."""

    slug: Text | UnsetType = UNSET
    name: Text | UnsetType = UNSET
    portal_id: RowId | UnsetType = UNSET
    dialect: Text | UnsetType = UNSET
    country: Text | UnsetType = UNSET
    time_zone: Text | UnsetType = UNSET
    department: Text | UnsetType = UNSET
    secret: Secret = ""
    agreed: Agreed = False


class New(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A phone system to be added; departments are names or ids, "" for none."""

    slug: Text
    country: Text
    name: Text = ""
    time_zone: Text = "UTC"
    dialect: Text = "neutral"
    portal_id: RowId | None = None
    department: Text = ""
    lines: dict[str, str] = {}
    queues: dict[str, str] = {}
    prefixes: tuple[Text, ...] = ()
    secret: Secret = ""
    agreed: Agreed = False


class Rotation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long the former secret stays valid."""

    overlap_hours: Hours = 24
    secret: Secret = ""


@operation("GET", "/api/v1/phone-systems", role="supervisor")
async def list_phone_systems(call: Call, query: Paging) -> Page[ListedPhoneSystem]:
    """List the phone systems, with when each was heard and what is wrong with it."""
    return await page_of(call.services, query)


@operation("POST", "/api/v1/phone-systems", role="administrator", status=201)
async def add_phone_system(call: Call, body: New) -> Introduced:
    """Add a phone system; its address and its secret are told this once."""
    new = NewPhoneSystem(**msgspec.structs.asdict(body))
    return _introduced(await call.services.phone_setup.add(new, call.actor))


@operation("GET", "/api/v1/phone-systems/{slug:slug}", role="supervisor")
async def show_phone_system(call: Call) -> ShownPhoneSystem:
    """Show a phone system, and what is bound to it."""
    services, slug = call.services, call.path("slug")
    phone = (await services.phone_systems.find(slug)).phone
    return _shown(phone, services.phone_setup.address_of(slug), await services.phone_systems.bound_to(slug))


@operation("PATCH", "/api/v1/phone-systems/{slug:slug}", role="administrator")
async def change_phone_system(call: Call, body: Changes) -> Introduced:
    """Change what is given; another dialect has a secret of its own, told this once."""
    values = {name: each for name, each in msgspec.structs.asdict(body).items() if each is not UNSET}
    secret, agreed = values.pop("secret"), values.pop("agreed")
    setup = call.services.phone_setup
    return _introduced(await setup.change(call.path("slug"), values, call.actor, secret, agreed=agreed))


@operation("DELETE", "/api/v1/phone-systems/{slug:slug}", role="administrator")
async def remove_phone_system(call: Call) -> Bound:
    """Remove a phone system, and say what was bound to it; its calls and their records stay."""
    return await call.services.phone_systems.remove(call.path("slug"), call.actor)


@operation("POST", "/api/v1/phone-systems/{slug:slug}/rotate", role="administrator")
async def rotate_secret(call: Call, body: Rotation) -> Introduced:
    """Give a new secret, and let the former one be valid for a while."""
    setup = call.services.phone_setup
    return _introduced(await setup.rotate(call.path("slug"), body.overlap_hours, call.actor, body.secret))


@operation("GET", "/api/v1/phone-systems/{slug:slug}/hearing", role="supervisor")
async def show_hearing(call: Call) -> Hearing:
    """Tell when a phone system was heard, and what its programs lack; a first event is waited for by this."""
    return await hearing_of(call.services, call.path("slug"))


async def page_of(services: Services, asked: Paging, slug: str | None = None) -> Page[ListedPhoneSystem]:
    """Return a part of the list, by as many statements for many phone systems as for few."""
    since = services.clock() - UNREAD_FOR
    rows = await services.store.read(
        lambda c: phone_overview.page(c, asked.cursor, asked.limit + 1, since, slug)
    )
    shown = rows[: asked.limit]
    statuses = await services.silence.statuses([row.id for row in shown])
    states = {status.slug: status for status in statuses}
    now = services.clock()
    return Page(
        items=[_listed(row, states[row.slug], now) for row in shown if row.slug in states],
        next=shown[-1].slug if len(rows) > len(shown) else None,
    )


def _listed(row: phone_overview.Listed, status: Status, now: int) -> ListedPhoneSystem:
    problems = sum(len(each.problems) for each in programs.statuses_of(row.programs, now))
    wrong: dict[Wrong, bool] = {
        "never_heard": status.state == "never",
        "silent": status.state == "silent",
        "unread": row.unread > 0,
        "program": problems > 0,
        "portal": not row.portal_is_linked,
    }
    return ListedPhoneSystem(
        slug=row.slug,
        name=row.name,
        dialect=row.dialect,
        portal_id=row.portal_id,
        portal_name=row.portal_name,
        state=status.state,
        last_at=_moment(status.last_at),
        unread=row.unread,
        program_problems=problems,
        wrong=[name for name, is_so in wrong.items() if is_so],
    )


async def hearing_of(services: Services, slug: str) -> Hearing:
    """Return when a phone system was heard; UnknownPhoneSystem."""
    phone = (await services.phone_systems.find(slug)).phone
    rows = await services.store.read(lambda c: phone_overview.page(c, "", 1, 0, slug))
    statuses = await services.silence.statuses([phone.id])
    if not rows or not statuses:
        raise UnknownPhoneSystem("The phone system has been removed.")
    status = statuses[0]
    newest = await services.store.read(lambda c: events.list_unread(c, phone.id, 1))
    told = programs.statuses_of(rows[0].programs, services.clock())
    return Hearing(
        state=status.state,
        last_at=_moment(status.last_at),
        silent_seconds=status.silent_seconds,
        usual_seconds=status.usual_seconds,
        unread_at=_moment(newest[0].last_at) if newest else None,
        unread_reason=newest[0].reason if newest else "",
        programs=[
            ReportedProgram(
                source=each.source,
                program=each.program,
                reported_at=to_iso(each.reported_at),
                problems=list(each.problems),
            )
            for each in told
        ],
    )


def _moment(at: int | None) -> str | None:
    return None if at is None else to_iso(at)


def _introduced(told: Introduction) -> Introduced:
    return Introduced(
        slug=told.slug,
        address=told.address,
        secret=told.secret,
        test=told.script,
        warnings=list(map(str, told.warnings)),
    )


def _shown(phone: PhoneSystem, address: str, bound: Bound) -> ShownPhoneSystem:
    same: dict[str, Any] = {
        name: getattr(phone, name)
        for name in ShownPhoneSystem.__struct_fields__
        if name not in ("address", "bound", "lines", "queues")
    }
    return ShownPhoneSystem(
        **same,
        address=address,
        bound=bound,
        lines=own_numbers(phone),
        queues=queues_of(phone),
    )


def own_numbers(phone: PhoneSystem) -> list[OwnNumber]:
    """Return a phone system's own numbers."""
    return [
        OwnNumber(number=number, name=phone.line_names.get(number, ""), department_id=department_id)
        for number, department_id in phone.lines.items()
    ]


def queues_of(phone: PhoneSystem) -> list[Queue]:
    """Return a phone system's queues."""
    return [
        Queue(queue=queue, name=phone.queue_names.get(queue, ""), department_id=department_id)
        for queue, department_id in phone.queues.items()
    ]


OPERATIONS = (
    *(list_phone_systems, add_phone_system, show_phone_system, change_phone_system, remove_phone_system),
    *(rotate_secret, show_hearing),
)
