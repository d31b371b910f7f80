"""Let programs set up the CRM of each portal."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from connector.clock import DAY, LATEST
from connector.crm.against_desk import TYPE_OF, Known
from connector.crm.model import OBJECTS, FieldType, ObjectName, Rules
from connector.crm.service import Listed, Saved
from connector.crm.values import KnownAt, catalogue
from connector.crm.wanted import Name, Parts, WholeRules, every_part
from connector.delivery.preview import Previewed, Sample
from connector.services import Services
from connector.web.api.operation import Call, Page, Paging, operation, row_cursor

Seconds = Annotated[int, Meta(ge=0, le=10**6)]

RULES_BYTES = 512 * 1_024


class ListedCrm(msgspec.Struct, frozen=True, kw_only=True):
    """A portal's CRM without its rules; `revision` is 0 while nobody has changed the usual one.

    So many fields (`fields_off`) are not used, because Desk has them no more or otherwise.
    """

    portal: int
    portal_name: str
    name: str
    type: Literal["integration"] = "integration"
    enabled: bool
    revision: int
    fields_off: int


class FieldOff(msgspec.Struct, frozen=True, kw_only=True):
    """A field that is neither shown nor written, and why."""

    object: str
    name: str
    reason: str


class WholeCrm(ListedCrm, frozen=True, kw_only=True):
    """A portal's CRM with its rules; `warnings` are sentences about what may not have been meant."""

    rules: Rules
    off: list[FieldOff]
    warnings: list[str] = []


class NewCrm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the CRM shall be as a whole; `revision` is the one that you have seen."""

    revision: int
    rules: WholeRules
    name: Name | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET


class CrmChange(Parts, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What shall be otherwise; what is left out stays, and each part takes the place of the one there was.

    With `revision`, the one that you have seen, nothing is saved where somebody has saved another meanwhile.
    """

    revision: int | None = None


class Seen(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The revision that you have seen; null: whatever it is now."""

    revision: int | None = None


class FieldOfDesk(msgspec.Struct, frozen=True, kw_only=True):
    """A field that Desk has: its own type, and ours that fits (null where Desk fills it by itself).

    `used` is whether the CRM has it.
    """

    object: ObjectName
    name: str
    label: str
    desk_type: str
    type: FieldType | None
    max_length: int | None
    options: list[str]
    is_custom: bool
    used: bool


class FieldsOfDesk(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of a portal's Desk; `problem` says why it could not be asked just now, "" if it was."""

    fields: list[FieldOfDesk]
    problem: str


class ListedValue(msgspec.Struct, frozen=True, kw_only=True):
    """A value that templates and conditions can name: what it is, when it is known, and an example."""

    path: str
    label: str
    type: FieldType
    known_at: KnownAt
    example: str


class SampleCall(Sample, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A call that never was; `phone_system` is its address, "" for the portal's first one."""

    phone_system: Name = ""
    customer: Name | None = "+33199001234"
    line: Name | None = None
    queue: Name | None = None
    agents: Annotated[tuple[Name, ...], Meta(max_length=10)] = ()
    started_at: Annotated[int, Meta(ge=0, le=LATEST - DAY)] | None = None
    duration_seconds: Seconds = 252
    waiting_seconds: Seconds = 12
    recording_url: Annotated[str, Meta(max_length=2_000)] | None = None
    email: Annotated[str, Meta(max_length=320)] = ""


class PreviewOf(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be tried: a stored call (its id), or a sample where none is given.

    `changes` are parts that would be otherwise, checked as if they were saved; null: none.
    """

    call: Annotated[int, Meta(ge=1, le=10**18 - 1)] | None = None
    sample: SampleCall = SampleCall()
    changes: Parts | None = None


@operation("GET", "/api/v1/crms", role="administrator", right=("crm", "access"))
async def list_crms(call: Call, query: Paging) -> Page[ListedCrm]:
    """List the CRMs, one a portal, in the order in which these were linked."""
    found = await call.services.crms.list(row_cursor(query.cursor) or 0, query.limit + 1)
    shown = found[: query.limit]
    more = str(shown[-1].portal.id) if len(found) > len(shown) else None
    return Page(items=[ListedCrm(**_facts(each)) for each in shown], next=more)


@operation("GET", "/api/v1/crms/{portal:id}", role="administrator", right=("crm", "access"), portal="portal")
async def show_crm(call: Call) -> WholeCrm:
    """Show a portal's CRM with all its rules."""
    return await whole_crm(call.services, call.path("portal"))


@operation(
    "PUT",
    "/api/v1/crms/{portal:id}",
    role="administrator",
    right=("crm", "modify"),
    portal="portal",
    largest=RULES_BYTES,
)
async def save_crm(call: Call, body: NewCrm) -> WholeCrm:
    """Save all the rules of a portal's CRM; 409 where somebody has saved others than you have seen."""
    parts = msgspec.structs.replace(every_part(body.rules), name=body.name, enabled=body.enabled)
    return await _save(call, parts, body.revision)


@operation(
    "PATCH",
    "/api/v1/crms/{portal:id}",
    role="administrator",
    right=("crm", "modify"),
    portal="portal",
    largest=RULES_BYTES,
)
async def change_crm(call: Call, body: CrmChange) -> WholeCrm:
    """Change the name of a portal's CRM, whether it is used, or some of its rules."""
    return await _save(call, body, body.revision)


@operation(
    "POST", "/api/v1/crms/{portal:id}/reset", role="administrator", right=("crm", "modify"), portal="portal"
)
async def reset_crm(call: Call, body: Seen) -> WholeCrm:
    """Give a portal's CRM the rules back that it has from the start."""
    saved = await call.services.crms.reset(call.path("portal"), actor=call.actor, revision=body.revision)
    return await whole_crm(call.services, call.path("portal"), saved)


@operation(
    "GET", "/api/v1/crms/{portal:id}/fields", role="administrator", right=("crm", "access"), portal="portal"
)
async def list_desk_fields(call: Call) -> FieldsOfDesk:
    """List the fields that a portal's Desk has, to be used in its CRM."""
    return await fields_of_desk(call.services, call.path("portal"))


@operation(
    "GET", "/api/v1/crms/{portal:id}/values", role="administrator", right=("crm", "access"), portal="portal"
)
async def list_values(call: Call) -> Page[ListedValue]:
    """List the values that templates and conditions of a portal's CRM can name."""
    return Page(items=await values_of(call.services, call.path("portal")))


@operation(
    "POST",
    "/api/v1/crms/{portal:id}/preview",
    role="administrator",
    right=("crm", "access"),
    portal="portal",
    largest=RULES_BYTES,
)
async def preview_crm(call: Call, body: PreviewOf) -> Previewed:
    """Show what the rules of a portal's CRM do with a call: nothing leaves, and nothing is kept."""
    return await previewed(call.services, call.path("portal"), body)


async def previewed(services: Services, portal_id: int, asked: PreviewOf) -> Previewed:
    """Return what rules do with a call, as programs and commands read it; InvalidValue, NotFound."""
    rules, _warnings = await services.crms.check(portal_id, asked.changes or Parts())
    return await services.preview.of(portal_id, rules, asked.call or asked.sample)


OPERATIONS = (
    list_crms,
    show_crm,
    save_crm,
    change_crm,
    reset_crm,
    list_desk_fields,
    list_values,
    preview_crm,
)


async def _save(call: Call, parts: Parts, revision: int | None) -> WholeCrm:
    portal_id = call.path("portal")
    saved = await call.services.crms.save(portal_id, parts, actor=call.actor, revision=revision)
    return await whole_crm(call.services, portal_id, saved)


async def whole_crm(services: Services, portal_id: int, saved: Saved | None = None) -> WholeCrm:
    """Return a portal's CRM as programs and commands read it."""
    found = await services.crms.show(portal_id)
    off = await services.desk_fields.off(portal_id)
    return WholeCrm(
        **_facts(found),
        rules=found.crm.rules,
        off=[FieldOff(object=name, name=field, reason=why) for (name, field), why in sorted(off.items())],
        warnings=[str(each) for each in saved.warnings] if saved else [],
    )


async def fields_of_desk(services: Services, portal_id: int) -> FieldsOfDesk:
    """Return what a portal's Desk has for fields, as programs and commands read it."""
    rules = (await services.crms.get(portal_id)).rules
    known = await services.desk_fields.of(portal_id)
    return FieldsOfDesk(fields=_of_desk(rules, known), problem=known.problem)


def _of_desk(rules: Rules, known: Known) -> list[FieldOfDesk]:
    used = {(each.name, field.name) for each in rules.objects for field in each.fields}
    return [
        FieldOfDesk(
            object=name,
            name=field.name,
            label=field.label,
            desk_type=field.type,
            type=TYPE_OF.get(field.type),
            max_length=field.max_length,
            options=list(field.options),
            is_custom=field.is_custom,
            used=(name, field.name) in used,
        )
        for name in OBJECTS
        for field in known.fields.get(name, {}).values()
    ]


async def values_of(services: Services, portal_id: int) -> list[ListedValue]:
    """Return the values that there are with a portal's CRM, in the order of their paths."""
    rules = (await services.crms.get(portal_id)).rules
    return [
        ListedValue(
            path=value.path,
            label=value.label,
            type=value.type,
            known_at=value.known_at,
            example=str(value.example),
        )
        for _path, value in sorted(catalogue(rules).items())
    ]


def _facts(found: Listed) -> dict[str, Any]:
    return {
        "portal": found.portal.id,
        "portal_name": found.portal.name,
        "name": found.crm.name,
        "enabled": found.crm.enabled,
        "revision": found.crm.revision,
        "fields_off": found.fields_off,
    }
