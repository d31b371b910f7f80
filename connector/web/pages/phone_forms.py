"""Ask for what a phone system has: one form for each part, each with an `apply` that calls its service."""

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec
from starlette.requests import Request
from wtforms import BooleanField, PasswordField, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # its stubs are older
from wtforms.validators import Length

from connector.dialects import DIALECTS
from connector.phone_systems.setup import Introduction
from connector.phone_systems.warnings import Warnings
from connector.recordings.sources import Changes
from connector.services import Services
from connector.store.phones import PhoneSystem
from connector.store.recordings import SourceRow
from connector.web import countries
from connector.web.forms import Form
from connector.web.languages import gettext, lazy
from connector.web.pages import phone_texts

TEXT_AT_MOST = 320
LIST_AT_MOST = 20_000
REMOVE = "remove"
"""What the button of a row sends as `do`."""


def choices(labels: Mapping[Any, Any]) -> list[Any]:
    """Return what can be chosen, each with its label."""
    return [SelectChoice(value, label) for value, label in labels.items()]


class Whole(msgspec.Struct, frozen=True, kw_only=True):
    """What the forms of a phone system's page begin with."""

    phone: PhoneSystem
    place: SourceRow
    departments: Mapping[str, str]
    portals: Mapping[int, str]


def _text(label: Any, hint: Any = "", **more: Any) -> Any:
    return StringField(label, [Length(max=TEXT_AT_MOST)], [_stripped], hint, **more)


def _list(label: Any, hint: Any) -> Any:
    return TextAreaField(label, [Length(max=LIST_AT_MOST)], description=hint, render_kw={"rows": 3})


def _secret(label: Any, hint: Any) -> Any:
    kept_out = {"autocomplete": "new-password"}
    return PasswordField(label, [Length(max=8_000)], [_stripped], hint, render_kw=kept_out)


def _stripped(text: str | None) -> str:
    return (text or "").strip()


def _words(text: str | None) -> tuple[str, ...]:
    return tuple((text or "").replace(",", " ").split())


class Part(Form):
    """A form of a phone system's page: `name` is the end of its address, `title` its heading."""

    name: ClassVar[str]
    title: ClassVar[Any]
    label: ClassVar[Any] = lazy("Save")

    def __init__(self, *given: Any, **named: Any) -> None:
        """Give its fields ids of their own: a page has many forms."""
        super().__init__(*given, **named)
        for field in self:
            field.id = f"{self.name}-{field.name}"
            field.label.field_id = field.id

    @classmethod
    def present(cls, whole: Whole) -> dict[str, Any]:  # noqa: ARG003 - for those that have something
        """Return what the fields hold before anybody fills them in."""
        return {}

    @classmethod
    def blank(cls, request: Request, whole: Whole) -> Any:
        """Make the form as it stands on the page while another one is sent."""
        return cls(data=cls.present(whole), meta={"csrf_context": request}).prepared(whole)

    def prepared(self, whole: Whole) -> Any:  # noqa: ARG002 - for those that have something
        """Fill in what can be chosen."""
        return self

    async def apply(self, services: Services, slug: str, actor: str) -> Warnings | Introduction:
        """Do what was filled in; InvalidValue, NotFound."""
        raise NotImplementedError


class General(Part):
    """What a phone system is."""

    name, title = "general", lazy("General")
    aliases: ClassVar[dict[str, str]] = {"/name": "called"}
    called = _text(lazy("Name"), lazy("What people call it."))
    slug = _text(
        lazy("Address"), lazy("The last part of its address. What posts to it must be told of another one.")
    )
    portal_id = SelectField(lazy("Portal"), coerce=int)
    dialect = SelectField(
        lazy("Dialect"), description=lazy("Another dialect has another secret: the present one ends at once.")
    )
    country = _text(
        lazy("Country"), lazy("Where its national numbers are at home."), render_kw={"list": "countries"}
    )
    time_zone = _text(lazy("Time zone"), lazy("Of times that name none."), render_kw={"list": "time-zones"})
    department = _text(
        lazy("Department of its records"),
        lazy("Unless queue or own number say another; empty for the portal's."),
        render_kw={"list": "departments"},
    )
    secret = _secret(lazy("The vendor's secret"), lazy("Only where another dialect needs one."))
    agreed = BooleanField(lazy("Its calls may be recorded in a sandbox of Zoho's, if its portal is one"))

    @classmethod
    def present(cls, whole: Whole) -> dict[str, Any]:
        """Return what it is now."""
        phone = whole.phone
        same = {
            name: getattr(phone, name) for name in ("slug", "portal_id", "dialect", "country", "time_zone")
        }
        department = whole.departments.get(phone.department_id or "", phone.department_id or "")
        return same | {"called": phone.name, "department": department}

    def prepared(self, whole: Whole) -> Any:
        """Fill in portals and dialects."""
        self.portal_id.choices = choices(whole.portals)
        self.dialect.choices = choices({name: gettext(each.title) for name, each in DIALECTS.items()})
        self.before = self.present(whole)
        return self

    async def apply(self, services: Services, slug: str, actor: str) -> Introduction:
        """Change what is not as it was."""
        given = {name: self[name].data for name in self.before}
        given["country"] = countries.country_code(given["country"])
        given["time_zone"] = countries.time_zone(given["time_zone"])
        changed = {name: each for name, each in given.items() if each != self.before[name]}
        values = {"name" if name == "called" else name: each for name, each in changed.items()}
        setup, agreed = services.phone_setup, self.agreed.data
        return await setup.change(slug, values, actor, self.secret.data or "", agreed=agreed)


class _Listed(Part):
    """A form that adds one of several, or takes it away again where `do` says so."""

    label = lazy("Add or change")
    do = StringField()

    @property
    def removes(self) -> bool:
        """Tell whether one is to be taken away."""
        return bool(self.do.data == REMOVE)


class Lines(_Listed):
    """Numbers of the company itself."""

    name, title = "lines", lazy("Own numbers")
    number = _text(lazy("Number"), lazy("Such as +33987654321."), render_kw={"type": "tel"})
    called = _text(lazy("Name"), lazy("What people call it, such as Front desk."))
    department = _text(lazy("Department of its calls"), render_kw={"list": "departments"})
    aliases: ClassVar[dict[str, str]] = {"/name": "called"}

    async def apply(self, services: Services, slug: str, actor: str) -> Warnings:
        """Add, change or take away a number."""
        number = self.number.data
        if self.removes:
            await services.numbering.remove_line(slug, number, actor)
            return ()
        department, called = self.department.data, self.called.data
        return (await services.numbering.set_line(slug, number, department, actor, called))[1]


class Queues(_Listed):
    """Queues that ring several people."""

    name, title = "queues", lazy("Queues")
    queue = _text(lazy("Queue"), lazy("As the phone system calls it."))
    called = _text(lazy("Name"), lazy("What people call it."))
    department = _text(lazy("Department of its calls"), render_kw={"list": "departments"})
    aliases: ClassVar[dict[str, str]] = {"/name": "called"}

    async def apply(self, services: Services, slug: str, actor: str) -> Warnings:
        """Add, change or take away a queue."""
        queue = self.queue.data
        if self.removes:
            await services.numbering.remove_queue(slug, queue, actor)
            return ()
        department, called = self.department.data, self.called.data
        return await services.numbering.set_queue(slug, queue, department, actor, called)


class Prefixes(Part):
    """What is dialled before a number."""

    name, title = "prefixes", lazy("Prefixes to cut")
    prefixes = _list(
        lazy("Dialled before a number"), lazy("Such as 9 or *67: cut before a number is read. One a line.")
    )

    @classmethod
    def present(cls, whole: Whole) -> dict[str, Any]:
        """Return what is cut now."""
        return {"prefixes": "\n".join(whole.phone.prefixes)}

    async def apply(self, services: Services, slug: str, actor: str) -> Warnings:
        """Write the whole list."""
        await services.numbering.set_prefixes(slug, _words(self.prefixes.data), actor)
        return ()


class NumberForm(Part):
    """Whether numbers have their plus."""

    name, title = "number-form", lazy("Numbers without plus")
    form = RadioField(
        lazy("Numbers of other countries are written"),
        choices=choices(
            {
                "with-plus": lazy("with a plus, as +41812886393"),
                "without-plus": lazy("without, as 41812886393"),
            }
        ),
    )

    @classmethod
    def present(cls, whole: Whole) -> dict[str, Any]:
        """Return how they are written now."""
        return {"form": "without-plus" if whole.phone.without_plus else "with-plus"}

    async def apply(self, services: Services, slug: str, actor: str) -> Warnings:
        """Say how they are written."""
        await services.numbering.set_form(slug, self.form.data, actor)
        return ()


class Senders(Part):
    """From where it may post."""

    name, title = "senders", lazy("From where it may post")
    networks = _list(
        lazy("Addresses and networks"),
        lazy("Such as 203.0.113.7 or 203.0.113.0/24, one a line; empty: from anywhere."),
    )

    @classmethod
    def present(cls, whole: Whole) -> dict[str, Any]:
        """Return the list."""
        return {"networks": "\n".join(whole.phone.senders)}

    async def apply(self, services: Services, slug: str, actor: str) -> Warnings:
        """Write the whole list."""
        await services.permissions.set_senders(slug, _words(self.networks.data), actor)
        return ()


class Blocked(_Listed):
    """Whom it turns away."""

    name, title, label = "blocked", lazy("Block list"), lazy("Turn away")
    number = _text(lazy("Number"), lazy("A number, many as +331*, or withheld."))
    reason = _text(lazy("Reason"), lazy("For whoever asks later."))
    everywhere = BooleanField(lazy("At all phone systems of its portal"))

    async def apply(self, services: Services, slug: str, actor: str) -> Warnings:
        """Turn a caller away, or no more."""
        number, everywhere = self.number.data, self.everywhere.data
        if self.removes:
            await services.permissions.unblock(slug, number, actor, everywhere=everywhere)
        else:
            reason = self.reason.data
            await services.permissions.block(slug, number, actor, reason=reason, everywhere=everywhere)
        return ()


class CallerIds(_Listed):
    """Which number is shown to whom."""

    name, title = "caller-ids", lazy("Shown numbers")
    number = _text(
        lazy("Your number that is shown"),
        lazy("Where the phone system asks for it."),
        render_kw={"type": "tel"},
    )
    to = _text(lazy("To"), lazy("A number, many as +49*, or * for all."))

    @classmethod
    def present(cls, whole: Whole) -> dict[str, Any]:  # noqa: ARG003 - nothing of the phone system's
        """Begin with everybody."""
        return {"to": "*"}

    async def apply(self, services: Services, slug: str, actor: str) -> Warnings:
        """Set or forget a rule."""
        if self.removes:
            await services.permissions.remove_caller_id(slug, self.to.data, actor)
            return ()
        return await services.permissions.set_caller_id(slug, self.to.data, self.number.data, actor)


class Rules(_Listed):
    """Who may call whom."""

    name, title = "rules", lazy("Who may call whom")
    number = _text(lazy("Numbers"), lazy("A number, or many as +44*. The rule with the most digits decides."))
    role = SelectField(lazy("From which role on"), choices=choices(phone_texts.ROLES))

    async def apply(self, services: Services, slug: str, actor: str) -> Warnings:
        """Set or forget a rule."""
        if self.removes:
            await services.permissions.remove_rule(slug, self.number.data, actor)
        else:
            await services.permissions.set_rule(slug, self.number.data, self.role.data, actor)
        return ()


class Answers(Part):
    """What it is told."""

    name, title = "answers", lazy("What it is told")
    names = BooleanField(lazy("Who is calling, for the phone's display"))
    owners = BooleanField(lazy("To ring the owner of the caller's contact"))

    @classmethod
    def present(cls, whole: Whole) -> dict[str, Any]:
        """Return what it is told now."""
        return {"names": whole.phone.tells_names, "owners": whole.phone.routes_to_owners}

    async def apply(self, services: Services, slug: str, actor: str) -> Warnings:
        """Say what it is told."""
        names, owners = self.names.data, self.owners.data
        await services.permissions.set_answers(slug, names=names, owners=owners, actor=actor)
        return ()


class Orders(Part):
    """Whether it does what agents ask for."""

    name, title = "orders", lazy("Orders")
    takes_orders = BooleanField(lazy("It dials, hangs up and transfers when agents ask for it"))

    @classmethod
    def present(cls, whole: Whole) -> dict[str, Any]:
        """Return how it is."""
        return {"takes_orders": whole.phone.takes_orders}

    async def apply(self, services: Services, slug: str, actor: str) -> Warnings:
        """Allow or forbid it."""
        takes_orders = self.takes_orders.data
        await services.permissions.set_takes_orders(slug, takes_orders=takes_orders, actor=actor)
        return ()


class InternalCalls(Part):
    """Whether calls among colleagues are logged."""

    name, title = "internal-calls", lazy("Internal calls")
    logged = BooleanField(lazy("Calls among colleagues are logged in Desk, on a contact that they all share"))

    @classmethod
    def present(cls, whole: Whole) -> dict[str, Any]:
        """Return how it is."""
        return {"logged": whole.phone.records_internal}

    async def apply(self, services: Services, slug: str, actor: str) -> Warnings:
        """Log them or not."""
        logged = self.logged.data
        await services.permissions.set_records_internal(slug, records_internal=logged, actor=actor)
        return ()


class RecordingPlace(Part):
    """Where its recordings are."""

    name, title = "recordings", lazy("Recordings")
    folder = _text(lazy("Folder of this machine"), lazy("Such as /var/spool/asterisk/monitor."))
    folder_address = _text(lazy("Its address in events"), lazy("Such as https://pbx.example.com/recordings."))
    origins = _list(
        lazy("Hosts"), lazy("From where they are fetched, one a line; empty: where events say, by https.")
    )
    redirect_origins = _list(
        lazy("Hosts that those may lead to"), lazy("They are shown no credentials. One a line.")
    )
    networks = _list(lazy("Private networks that may be reached"), lazy("Such as 10.1.0.0/16, one a line."))
    user = _text(lazy("User"), lazy("Shown to the hosts with the secret as password, or:"))
    header = _text(lazy("Header"), lazy("Bears the secret whole, such as Authorization."))
    secret = _secret(lazy("Secret"), lazy("Empty: what was given before stays."))
    forget = BooleanField(lazy("Forget all that was said before, credentials too"))

    @classmethod
    def present(cls, whole: Whole) -> dict[str, Any]:
        """Return what is known, without credentials."""
        place = whole.place
        lists = ("origins", "redirect_origins", "networks")
        written: dict[str, Any] = {name: "\n".join(getattr(place, name)) for name in lists}
        return written | {"folder": place.folder, "folder_address": place.folder_address}

    async def apply(self, services: Services, slug: str, actor: str) -> Warnings:
        """Write it in the place of what was there."""
        if self.forget.data:
            return await services.recording_places.change(slug, Changes(forget=True), actor)
        changes = Changes(
            folder=self.folder.data,
            folder_address=self.folder_address.data,
            origins=_words(self.origins.data),
            redirect_origins=_words(self.redirect_origins.data),
            networks=_words(self.networks.data),
            user=self.user.data or None,
            header=self.header.data or None,
            secret=self.secret.data or "",
        )
        return await services.recording_places.change(slug, changes, actor)


PARTS: Mapping[str, type[Part]] = {
    part.name: part
    for part in (
        *(General, Lines, Queues, Prefixes, NumberForm, Senders, Blocked, CallerIds, Rules),
        *(Answers, Orders, InternalCalls, RecordingPlace),
    )
}
"""Every part by the end of its address."""
