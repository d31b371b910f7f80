"""Let programs set what belongs to a phone system: numbers, queues, who may post, rules, recordings."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from connector.clock import to_iso
from connector.phone_systems.numbering import Form
from connector.phone_systems.warnings import Warnings
from connector.recordings.sources import Changes
from connector.store import events
from connector.store.recordings import SourceRow
from connector.web.api.operation import Call, Page, operation
from connector.web.api.phone_systems import Secret, Text

ONE = "/api/v1/phone-systems/{slug:slug}"
Names = Annotated[tuple[Text, ...], Meta(max_length=200)]
RoleWord = Literal["agent", "supervisor", "administrator", "nobody"]


class Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every body of this module begins with: nothing."""


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """It is done; `warnings` say what was probably mistyped."""

    warnings: list[str] = []


class Line(Body, frozen=True, kw_only=True):
    """A number of the company's own; `department` is a name or an id, "" where it decides nothing.

    Without `name`, what it is called stays.
    """

    number: Text
    department: Text = ""
    name: Text | None = None


class NumberQuery(Body, frozen=True, kw_only=True):
    """Which number, its plus written %2B."""

    number: Text


class QueueBody(Body, frozen=True, kw_only=True):
    """A queue: `queue` is what the phone system calls it, `department` a name or an id, "" for none."""

    queue: Text
    department: Text = ""
    name: Text | None = None


class QueueQuery(Body, frozen=True, kw_only=True):
    """Which queue, as the phone system calls it."""

    queue: Text


class Prefixes(Body, frozen=True, kw_only=True):
    """All that is dialled before a number, and cut before it is read."""

    prefixes: Names


class NumberForm(Body, frozen=True, kw_only=True):
    """Whether numbers of other countries have their plus."""

    form: Form


class Senders(Body, frozen=True, kw_only=True):
    """All addresses and networks from which may be posted; none: from anywhere."""

    networks: Names


class Answers(Body, frozen=True, kw_only=True):
    """What is told of a call that begins; null leaves a choice as it is."""

    names: bool | None = None
    owners: bool | None = None


class Switch(Body, frozen=True, kw_only=True):
    """On or off."""

    on: bool


class Blocking(Body, frozen=True, kw_only=True):
    """A number, many as +331*, or withheld; `everywhere`: at all phone systems of the portal."""

    number: Text
    reason: Text = ""
    everywhere: bool = False


class BlockedQuery(Body, frozen=True, kw_only=True):
    """Which number, its plus written %2B, and whether it is blocked at all phone systems of the portal."""

    number: Text
    everywhere: bool = False


class BlockedNumber(msgspec.Struct, frozen=True, kw_only=True):
    """A number that is turned away."""

    number: str
    everywhere: bool
    reason: str
    since: str


class CallerId(Body, frozen=True, kw_only=True):
    """Which of our numbers those see who fit `to`: one, many as +49*, or * for all."""

    number: Text
    to: Text = "*"


class ToQuery(Body, frozen=True, kw_only=True):
    """For whom, as it was given."""

    to: Text = "*"


class Rule(Body, frozen=True, kw_only=True):
    """From which role on these numbers may be called with the connector's help."""

    number: Text
    role: RoleWord


class RecordingPlace(msgspec.Struct, frozen=True, kw_only=True):
    """Where recordings are kept; credentials are never told, but for the name of their header."""

    folder: str | None
    folder_address: str | None
    origins: tuple[str, ...]
    redirect_origins: tuple[str, ...]
    networks: tuple[str, ...]
    header: str | None


class RecordingChanges(Body, frozen=True, kw_only=True):
    """What is to be changed: what is left out stays, "" and [] take away; `forget` takes away all there was.

    `secret` is the password of `user`, or the value of `header`.
    """

    folder: Text | UnsetType = UNSET
    folder_address: Text | UnsetType = UNSET
    origins: Names | UnsetType = UNSET
    redirect_origins: Names | UnsetType = UNSET
    networks: Names | UnsetType = UNSET
    user: Text = ""
    header: Text = ""
    secret: Secret = ""
    forget: bool = False


class UnreadBody(msgspec.Struct, frozen=True, kw_only=True):
    """What came, signed well, and could not be read; secrets in it are blanked."""

    reason: str
    times: int
    first_at: str
    last_at: str
    body: str


@operation("PUT", f"{ONE}/lines", role="administrator")
async def set_line(call: Call, body: Line) -> Done:
    """Say that a number is your own: it is never looked up, and may decide the department."""
    _, told = await call.services.numbering.set_line(
        call.path("slug"), body.number, body.department, call.actor, body.name
    )
    return _done(told)


@operation("DELETE", f"{ONE}/lines", role="administrator", status=204)
async def remove_line(call: Call, query: NumberQuery) -> None:
    """Say that a number is not your own any more."""
    await call.services.numbering.remove_line(call.path("slug"), query.number, call.actor)


@operation("PUT", f"{ONE}/queues", role="administrator")
async def set_queue(call: Call, body: QueueBody) -> Done:
    """Say which department a queue belongs to."""
    told = await call.services.numbering.set_queue(
        call.path("slug"), body.queue, body.department, call.actor, body.name
    )
    return _done(told)


@operation("DELETE", f"{ONE}/queues", role="administrator", status=204)
async def remove_queue(call: Call, query: QueueQuery) -> None:
    """Forget a queue."""
    await call.services.numbering.remove_queue(call.path("slug"), query.queue, call.actor)


@operation("PUT", f"{ONE}/prefixes", role="administrator")
async def set_prefixes(call: Call, body: Prefixes) -> Done:
    """Say what is dialled before a number, such as 9: it is cut before a number is read."""
    await call.services.numbering.set_prefixes(call.path("slug"), body.prefixes, call.actor)
    return Done()


@operation("PUT", f"{ONE}/number-form", role="administrator")
async def set_number_form(call: Call, body: NumberForm) -> Done:
    """Say whether the phone system writes country codes without a plus."""
    await call.services.numbering.set_form(call.path("slug"), body.form, call.actor)
    return Done()


@operation("PUT", f"{ONE}/senders", role="administrator")
async def set_senders(call: Call, body: Senders) -> Done:
    """Say from where the phone system may post."""
    await call.services.permissions.set_senders(call.path("slug"), body.networks, call.actor)
    return Done()


@operation("PUT", f"{ONE}/answers", role="administrator")
async def set_answers(call: Call, body: Answers) -> Done:
    """Say what the phone system is told of a call that begins, where its dialect can be told."""
    await call.services.permissions.set_answers(
        call.path("slug"), names=body.names, owners=body.owners, actor=call.actor
    )
    return Done()


@operation("PUT", f"{ONE}/orders", role="administrator")
async def set_takes_orders(call: Call, body: Switch) -> Done:
    """Let the phone system do what agents ask for: dial, hang up, transfer."""
    await call.services.permissions.set_takes_orders(
        call.path("slug"), takes_orders=body.on, actor=call.actor
    )
    return Done()


@operation("PUT", f"{ONE}/internal-calls", role="administrator")
async def set_internal_calls(call: Call, body: Switch) -> Done:
    """Say whether calls among colleagues are logged in Desk too."""
    await call.services.permissions.set_records_internal(
        call.path("slug"), records_internal=body.on, actor=call.actor
    )
    return Done()


@operation("GET", f"{ONE}/blocked", role="supervisor")
async def list_blocked(call: Call) -> Page[BlockedNumber]:
    """List whom the phone system turns away, its portal's numbers included."""
    found = await call.services.permissions.blocked(call.path("slug"))
    return Page(
        items=[
            BlockedNumber(
                number=one.pattern,
                everywhere=one.everywhere,
                reason=one.reason,
                since=to_iso(one.created_at),
            )
            for one in found
        ]
    )


@operation("PUT", f"{ONE}/blocked", role="administrator")
async def block_number(call: Call, body: Blocking) -> Done:
    """Turn a caller away, where the phone system asks."""
    await call.services.permissions.block(
        call.path("slug"), body.number, call.actor, reason=body.reason, everywhere=body.everywhere
    )
    return Done()


@operation("DELETE", f"{ONE}/blocked", role="administrator", status=204)
async def unblock_number(call: Call, query: BlockedQuery) -> None:
    """Turn a caller away no more."""
    await call.services.permissions.unblock(
        call.path("slug"), query.number, call.actor, everywhere=query.everywhere
    )


@operation("GET", f"{ONE}/caller-ids", role="supervisor")
async def list_caller_ids(call: Call) -> Page[CallerId]:
    """List which of your numbers is shown to whom."""
    found = await call.services.permissions.caller_ids(call.path("slug"))
    return Page(items=[CallerId(number=number, to=to) for to, number in found.items()])


@operation("PUT", f"{ONE}/caller-ids", role="administrator")
async def set_caller_id(call: Call, body: CallerId) -> Done:
    """Say which of your numbers is shown to those who are called, where the phone system asks."""
    told = await call.services.permissions.set_caller_id(call.path("slug"), body.to, body.number, call.actor)
    return _done(told)


@operation("DELETE", f"{ONE}/caller-ids", role="administrator", status=204)
async def remove_caller_id(call: Call, query: ToQuery) -> None:
    """Forget which number is shown to them."""
    await call.services.permissions.remove_caller_id(call.path("slug"), query.to, call.actor)


@operation("GET", f"{ONE}/rules", role="supervisor")
async def list_rules(call: Call) -> Page[Rule]:
    """List who may call whom; without a rule, numbers of its own country, by everybody."""
    found = await call.services.permissions.rules(call.path("slug"))
    return Page(items=[Rule(number=number, role=role or "nobody") for number, role in found.items()])


@operation("PUT", f"{ONE}/rules", role="administrator")
async def set_rule(call: Call, body: Rule) -> Done:
    """Say who may call these numbers with the connector's help; the rule with the most digits decides."""
    await call.services.permissions.set_rule(call.path("slug"), body.number, body.role, call.actor)
    return Done()


@operation("DELETE", f"{ONE}/rules", role="administrator", status=204)
async def remove_rule(call: Call, query: NumberQuery) -> None:
    """Forget the rule for these numbers."""
    await call.services.permissions.remove_rule(call.path("slug"), query.number, call.actor)


@operation("GET", f"{ONE}/recordings", role="supervisor")
async def show_recording_place(call: Call) -> RecordingPlace:
    """Show where the phone system keeps its recordings."""
    return _place(await call.services.recording_places.show(call.path("slug")))


@operation("PATCH", f"{ONE}/recordings", role="administrator")
async def change_recording_place(call: Call, body: RecordingChanges) -> Done:
    """Say where the phone system keeps its recordings."""
    given: dict[str, Any] = {
        name: None if each is UNSET else each for name, each in msgspec.structs.asdict(body).items()
    }
    given |= {"user": body.user or None, "header": body.header or None}
    changes = Changes(**given)
    return _done(await call.services.recording_places.change(call.path("slug"), changes, call.actor))


@operation("GET", f"{ONE}/unread", role="administrator")
async def list_unread(call: Call) -> Page[UnreadBody]:
    """List what came and could not be read, the latest first."""
    phone = (await call.services.phone_systems.find(call.path("slug"))).phone
    found = await call.services.store.read(lambda c: events.list_unread(c, phone.id))
    return Page(items=[_unread(each) for each in found])


def _unread(each: events.Unread) -> UnreadBody:
    return UnreadBody(
        reason=each.reason,
        times=each.times,
        first_at=to_iso(each.first_at),
        last_at=to_iso(each.last_at),
        body=each.body.decode("utf-8", "replace"),
    )


def _place(row: SourceRow) -> RecordingPlace:
    return RecordingPlace(**{name: getattr(row, name) for name in RecordingPlace.__struct_fields__})


def _done(told: Warnings) -> Done:
    return Done(warnings=list(map(str, told)))


OPERATIONS = (
    *(set_line, remove_line, set_queue, remove_queue, set_prefixes, set_number_form),
    *(set_senders, set_answers, set_takes_orders, set_internal_calls),
    *(list_blocked, block_number, unblock_number, list_caller_ids, set_caller_id, remove_caller_id),
    *(list_rules, set_rule, remove_rule, show_recording_place, change_recording_place, list_unread),
)
