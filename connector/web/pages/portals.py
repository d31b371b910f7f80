"""Let administrators look after portals: list, settings by name, revoking, unlinking, self clients."""

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from wtforms import IntegerField, PasswordField, RadioField, SelectField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]
from wtforms.validators import Length, NumberRange, Optional

from connector.errors import InvalidValue
from connector.portals.administration import NAMED
from connector.portals.method_values import NAME_AT_MOST, TEXT_AT_MOST, asked_scopes
from connector.portals.portals import CHANGEABLE, CONCURRENCY_AT_MOST
from connector.portals.self_client import CODE_MINUTES, DESCRIPTION, SelfClient
from connector.services import services_of
from connector.store.portals import Portal
from connector.web.api.operation import Paging, query_of, row_cursor
from connector.web.auth import require_user
from connector.web.forms import Form
from connector.web.languages import gettext as _
from connector.web.languages import lazy
from connector.web.pages.methods import ENVIRONMENTS
from connector.web.rendering import redirect, render
from connector.zoho.naming import Known

_LINKS = [
    SelectChoice("connector", lazy("Our page, which asks who may hear it")),
    SelectChoice("original", lazy("The phone system's own address")),
]
_DOWNLOADS = [
    SelectChoice("nobody", lazy("Nobody")),
    SelectChoice("supervisors", lazy("Supervisors")),
    SelectChoice("listeners", lazy("Whoever may hear it")),
]


class SettingsForm(Form):
    """What may be set of a portal; names of Desk's things are offered, and found by the rules."""

    default_department_id = StringField(
        lazy("Default department"),
        [Length(max=TEXT_AT_MOST)],
        description=lazy("Of records that nothing else decides: its name. Empty is none."),
        render_kw={"list": "departments"},
    )
    default_owner_id = StringField(
        lazy("Default owner"),
        [Length(max=TEXT_AT_MOST)],
        description=lazy("Desk agent who owns records where none of ours does: name or e-mail address."),
        render_kw={"list": "agents"},
    )
    recording_field = StringField(
        lazy("Field for the recording"),
        [Length(max=TEXT_AT_MOST)],
        description=lazy("Custom field of calls: its label or API name."),
        render_kw={"list": "fields"},
    )
    key_field = StringField(
        lazy("Field for the call's key"),
        [Length(max=TEXT_AT_MOST)],
        description=lazy("Custom field of calls: its label or API name."),
        render_kw={"list": "fields"},
    )
    recording_links = RadioField(lazy("Link to the recording in Desk"), choices=_LINKS)
    recording_downloads = RadioField(lazy("Who may keep a copy of a recording"), choices=_DOWNLOADS)
    concurrency = IntegerField(
        lazy("Requests at a time"),
        [Optional(), NumberRange(0, CONCURRENCY_AT_MOST)],
        description=lazy("Where Zoho allows other than the edition has; empty is the edition's."),
    )

    def values(self) -> dict[str, str | int | None]:
        """Return what the rules take."""
        return {name: self[name].data for name in CHANGEABLE}


class SelfClientForm(Form):
    """What is pasted from the API console."""

    aliases = {"/method": "method"}  # noqa: RUF012 - as the form declares it

    method = SelectField(lazy("Authentication method"), default="")
    name = StringField(
        lazy("Name of the new method"),
        [Length(max=NAME_AT_MOST)],
        description=lazy("Only for a new one, like the fields down to the secret."),
    )
    environment = RadioField(lazy("What is it?"), choices=ENVIRONMENTS, default="production")
    location = SelectField(lazy("Data centre"))
    client_id = StringField(lazy("Client ID"), [Length(max=TEXT_AT_MOST)])
    secret = PasswordField(lazy("Client secret"), [Length(max=TEXT_AT_MOST)])
    minutes = SelectField(
        lazy("Time of the code"),
        default="10",
        description=lazy("As chosen in the API console: it counts down from when the code is pasted."),
    )
    code = PasswordField(lazy("Code"), [Length(max=TEXT_AT_MOST)])
    refresh_token = PasswordField(
        lazy("Refresh token"),
        [Length(max=TEXT_AT_MOST)],
        description=lazy("Instead of a code, where there is one already."),
    )
    org_id = StringField(
        lazy("Organisation's id"),
        [Length(max=TEXT_AT_MOST)],
        description=lazy("May be left empty: it is found."),
    )

    def given(self) -> SelfClient:
        """Return what the rules take; fields of a new method count only for a new one."""
        method_id = int(self.method.data) if self.method.data else None
        names = ["code", "refresh_token", "org_id"]
        if method_id is None:
            names += ["name", "environment", "location", "client_id", "secret"]
        return SelfClient(method_id=method_id, **{name: self[name].data or "" for name in names})


async def portals_page(request: Request) -> Response:
    """Return `GET /portals`: every portal, and how it is as far as we know."""
    await require_user(request, "administrator")
    asked: Paging = query_of(request, Paging)
    services = services_of(request)
    found = await services.administration.list(row_cursor(asked.cursor) or 0, asked.limit + 1)
    shown = found[: asked.limit]
    further = f"/portals?cursor={shown[-1].id}&limit={asked.limit}" if len(found) > len(shown) else ""
    methods = {each.id: each for each in await services.methods.list()}
    return render(request, "portals.html", portals=shown, methods=methods, further_on=further)


async def settings_page(request: Request) -> Response:
    """Return `/portals/{portal_id}/settings`: a form with departments, agents and fields by name."""
    user = await require_user(request, "administrator")
    services = services_of(request)
    portal = await services.portals.get(request.path_params["portal_id"])
    names = await services.administration.names(portal.id)
    form = await SettingsForm.of(request, **_present(portal, names))
    if request.method == "POST" and form.accepts():
        try:
            changed = await services.administration.set(portal.id, actor=user.email, **form.values())
            said = " ".join([_("Saved."), *changed.warnings])
            return redirect(request, f"/portals/{portal.id}", said)
        except InvalidValue as problem:
            form.refuse(problem)
    status = 422 if form.is_refused else 200
    return render(request, "portal_settings.html", status, form=form, portal=portal, names=names)


def _present(portal: Portal, names: Any) -> dict[str, Any]:
    """Return the settings as people know them: names where these are unmistakable, else ids."""
    values = {name: getattr(portal, name) for name in CHANGEABLE}
    return values | {
        name: _called(values[name], names[what]) for name, what in NAMED.items() if values[name] is not None
    }


def _called(wanted: str, known: Sequence[Known]) -> str:
    called = [each.names[-1] for each in known if each.id == wanted]
    is_one = called and called[0] and sum(called[0] in each.names for each in known) == 1
    return called[0] if is_one else wanted


async def revoke_page(request: Request) -> Response:
    """Return `/portals/{portal_id}/revoke`: say what waits then, and give the grant back to Zoho."""
    user = await require_user(request, "administrator")
    services = services_of(request)
    portal = await services.portals.get(request.path_params["portal_id"])
    form = await Form.of(request)
    if request.method == "POST" and form.accepts():
        try:
            await services.administration.revoke(portal.id, actor=user.email)
            return redirect(request, f"/portals/{portal.id}", _("The grant is revoked, at Zoho too."))
        except InvalidValue as problem:
            form.refuse(problem)
    title = _("Revoke the grant of {name}?").format(name=portal.name)
    first = _("Zoho takes the access of the connector back at once.")
    return await _confirm(request, form, portal, title, first, _("Revoke the grant"))


async def unlink_page(request: Request) -> Response:
    """Return `/portals/{portal_id}/unlink`: say what waits then, and let the portal go."""
    user = await require_user(request, "administrator")
    services = services_of(request)
    portal = await services.portals.get(request.path_params["portal_id"])
    form = await Form.of(request)
    if request.method == "POST" and form.accepts():
        try:
            unlinked = await services.administration.unlink(portal.id, actor=user.email)
            said = _("Unlinked.")
            if not unlinked.revoked:
                said = _("Unlinked here. At Zoho, remove the connector under Connected Apps.")
            return redirect(request, "/portals", said)
        except InvalidValue as problem:
            form.refuse(problem)
    title = _("Unlink {name}?").format(name=portal.name)
    first = _("The connector forgets its access and gives it back to Zoho. The portal's settings stay.")
    return await _confirm(request, form, portal, title, first, _("Unlink the portal"))


async def _confirm(
    request: Request, form: Form, portal: Portal, title: str, first: str, label: str
) -> Response:
    waits = await services_of(request).administration.waiting(portal.id)
    will = [
        first,
        _("Agents no longer see who calls, and nothing reaches Zoho Desk, until it is authorised again."),
        _("{count} records wait for Zoho Desk now. None is dropped: they are delivered after that.").format(
            count=waits.rows
        ),
    ]
    if waits.phone_systems:
        will.append(
            _("Calls of these phone systems wait too: {names}.").format(names=", ".join(waits.phone_systems))
        )
    return render(
        request,
        "confirm.html",
        422 if form.is_refused else 200,
        title=title,
        will=will,
        form=form,
        label=label,
        back=f"/portals/{portal.id}",
    )


async def self_client_page(request: Request) -> Response:
    """Return `/portals/self-client`: link a portal by what the API console gives, without redirects."""
    user = await require_user(request, "administrator")
    services = services_of(request)
    known = [each for each in await services.methods.list() if each.mode == "self_client" and each.enabled]
    form = await SelfClientForm.of(
        request,
        method=request.query_params.get("method", ""),
        location=services.settings.zoho_data_center,
        environment="production",
        minutes="10",
    )
    form.method.choices = [
        SelectChoice("", _("A new one")),
        *(SelectChoice(str(each.id), each.name) for each in known),
    ]
    form.location.choices = [
        SelectChoice(dc.location, f"{dc.name} ({dc.location})") for dc in services.data_centers.values()
    ]
    form.minutes.choices = [
        SelectChoice(str(each), _("{count} min").format(count=each)) for each in CODE_MINUTES
    ]
    if request.method == "POST" and form.accepts():
        try:
            portal = await services.self_clients.link(form.given(), actor=user.email)
            await services.deliverer.resume(portal.id)
            return redirect(request, f"/portals/{portal.id}", _("Linked, and seen to work."))
        except InvalidValue as problem:
            form.refuse(problem)
    scopes = asked_scopes((), ())
    chosen = next((each for each in known if str(each.id) == form.method.data), None)
    return render(
        request,
        "self_client.html",
        422 if form.is_refused else 200,
        form=form,
        scopes=",".join(scope.name for scope in (chosen.scopes if chosen else scopes)),
        description=DESCRIPTION,
    )
