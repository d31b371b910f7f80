"""Let administrators set up authentication methods: list, new, change, enable, disable, remove."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from wtforms import (
    PasswordField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]
from wtforms.validators import Length

from connector.errors import InvalidValue
from connector.portals.method_values import FEATURES, NAME_AT_MOST, TEXT_AT_MOST
from connector.portals.methods import MethodView
from connector.services import services_of
from connector.web.api.operation import Paging, query_of, row_cursor
from connector.web.auth import require_right
from connector.web.forms import CheckboxesField, Form, required
from connector.web.languages import gettext as _
from connector.web.languages import lazy
from connector.web.rendering import redirect, render
from connector.web.sign_in import redirect_uri

PATH = "/authentication-methods"
SECRETS_AT_MOST = 4_000

_MODES = [
    SelectChoice("oauth", lazy("OAuth: an administrator of Zoho Desk agrees on Zoho's consent page (usual)")),
    SelectChoice(
        "self_client",
        lazy("Self client: a code is made in Zoho's API console, without redirect addresses"),
    ),
]
ENVIRONMENTS = [
    SelectChoice("production", lazy("Production: the Zoho Desk that agents work in")),
    SelectChoice("sandbox", lazy("Sandbox: for trying things out; every page says so")),
]


class _Secrets(TextAreaField):
    """Secrets of data centres, one a line as `eu = secret`; what was sent is never shown again."""

    def _value(self) -> str:
        return ""

    def by_place(self) -> dict[str, str]:
        """Return them by location, "" where one is to be taken away."""
        lines = [line.strip() for line in (self.data or "").splitlines() if line.strip()]
        parts = [line.partition("=") for line in lines]
        if any(not middle for _place, middle, _secret in parts):
            raise ValidationError(_("Write each line as eu = secret."))
        return {place.strip(): secret.strip() for place, _middle, secret in parts}

    def pre_validate(self, form: Any) -> None:  # noqa: ARG002 - WTForms' signature
        """Refuse a line that cannot be read."""
        self.by_place()


class MethodForm(Form):
    """What an authentication method holds, but for its client's mode and secret."""

    name = StringField(
        lazy("Name"),
        [required(), Length(max=NAME_AT_MOST)],
        description=lazy("How people tell it from others, such as Support Europe."),
    )
    location = SelectField(
        lazy("Data centre"),
        description=lazy("Where the client is registered: the end of the API console's address says it."),
    )
    client_id = StringField(lazy("Client ID"), [required(), Length(max=TEXT_AT_MOST)])
    secrets = _Secrets(
        lazy("Secrets of single data centres"),
        [Length(max=SECRETS_AT_MOST)],
        description=lazy(
            "Only where the API console shows different ones: one a line, as eu = secret. "
            "A line with nothing behind the = takes that one away."
        ),
    )
    environment_url = StringField(
        lazy("Address of Zoho Desk"),
        [Length(max=TEXT_AT_MOST)],
        description=lazy("May be left empty: your company's Zoho Desk, as the browser shows it."),
    )
    features = CheckboxesField(lazy("Also enabled"))
    extra_scopes = TextAreaField(
        lazy("Further scopes"),
        [Length(max=SECRETS_AT_MOST)],
        description=lazy("May be left empty: scopes that your programs need, one a line."),
    )

    def prepare(self, request: Request) -> None:
        """Fill in what may be chosen; to be called before the form is checked."""
        centers = services_of(request).data_centers.values()
        self.location.choices = [SelectChoice(dc.location, f"{dc.name} ({dc.location})") for dc in centers]
        self.features.choices = [SelectChoice(name, _(feature.title)) for name, feature in FEATURES.items()]

    def values(self) -> dict[str, Any]:
        """Return what the rules take."""
        return {
            "name": self.name.data,
            "location": self.location.data,
            "client_id": self.client_id.data,
            "secrets": self.secrets.by_place(),
            "environment_url": self.environment_url.data or "",
            "features": self.features.data or [],
            "extra_scopes": (self.extra_scopes.data or "").replace(",", " ").split(),
        }


class NewMethodForm(MethodForm):
    """A new method."""

    mode = RadioField(lazy("Mode"), choices=_MODES, default="oauth")
    secret = PasswordField(lazy("Client secret"), [required(), Length(max=TEXT_AT_MOST)])

    def values(self) -> dict[str, Any]:
        """Return what the rules take."""
        return super().values() | {"mode": self.mode.data, "secret": self.secret.data}


class ChangeMethodForm(MethodForm):
    """A method that is there; an empty secret stays as it is."""

    secret = PasswordField(
        lazy("New client secret"),
        [Length(max=TEXT_AT_MOST)],
        description=lazy("Left empty, the present one stays."),
    )

    def values(self) -> dict[str, Any]:
        """Return what the rules take."""
        return super().values() | {"secret": self.secret.data or None}


class EnvironmentForm(Form):
    """What enabling confirms."""

    environment = RadioField(lazy("What is it?"), choices=ENVIRONMENTS)


async def methods_page(request: Request) -> Response:
    """Return `GET /authentication-methods`: all of them, and what Zoho's API console asks for."""
    await require_right(request, "authentication_methods", "access")
    asked: Paging = query_of(request, Paging)
    services = services_of(request)
    found = await services.methods.list(row_cursor(asked.cursor), asked.limit + 1)
    shown = found[: asked.limit]
    further = f"{PATH}?cursor={shown[-1].id or 0}&limit={asked.limit}" if len(found) > len(shown) else ""
    return render(request, "methods.html", methods=shown, further_on=further, **_console(request))


async def new_method_page(request: Request) -> Response:
    """Return `/authentication-methods/new`: add one."""
    user = await require_right(request, "authentication_methods", "create")
    services = services_of(request)
    form = await NewMethodForm.of(request, location=services.settings.zoho_data_center, mode="oauth")
    form.prepare(request)
    if request.method == "POST" and form.accepts():
        try:
            added = await services.methods.add(**form.values(), actor=user.email)
            return redirect(request, f"{PATH}/{added.id}/enable", _("Added. Enable it to use it."))
        except InvalidValue as problem:
            form.refuse(problem)
    status = 422 if form.is_refused else 200
    return render(request, "method_new.html", status, form=form, **_console(request))


async def method_page(request: Request) -> Response:
    """Return `/authentication-methods/{id}`: show one, and change it."""
    user = await require_right(request, "authentication_methods", "access")
    services, method = services_of(request), await _method(request)
    present = {
        "name": method.name,
        "location": method.location,
        "client_id": method.client_id,
        "environment_url": method.environment_url,
        "features": list(method.features),
        "extra_scopes": "\n".join(method.extra_scopes),
    }
    form = await ChangeMethodForm.of(request, **present)
    form.prepare(request)
    if request.method == "POST":
        await require_right(request, "authentication_methods", "modify")
    if request.method == "POST" and form.accepts():
        try:
            await services.methods.change(method.id, **form.values(), actor=user.email)
            return redirect(request, f"{PATH}/{method.id}", _("Saved."))
        except InvalidValue as problem:
            form.refuse(problem)
    status = 422 if form.is_refused else 200
    return render(request, "method.html", status, form=form, method=method, **_console(request))


async def enable_page(request: Request) -> Response:
    """Return `/authentication-methods/{id}/enable`: confirm production or sandbox."""
    user = await require_right(request, "authentication_methods", "modify")
    services, method = services_of(request), await _method(request)
    form = await EnvironmentForm.of(request, environment=method.environment or None)
    if request.method == "POST" and form.accepts():
        try:
            await services.methods.enable(method.id, environment=form.environment.data, actor=user.email)
            return redirect(request, f"{PATH}/{method.id}", _("Enabled."))
        except InvalidValue as problem:
            form.refuse(problem)
    return render(request, "method_enable.html", 422 if form.is_refused else 200, form=form, method=method)


async def disable_page(request: Request) -> Response:
    """Return `/authentication-methods/{id}/disable`: say what stops, and disable it."""
    user = await require_right(request, "authentication_methods", "modify")
    services, method = services_of(request), await _method(request)
    form = await Form.of(request)
    if request.method == "POST" and form.accepts():
        await services.methods.disable(method.id, actor=user.email)
        return redirect(request, f"{PATH}/{method.id}", _("Disabled."))
    using = await services.methods.consequences(method.id)
    will = [
        _("Nobody can sign in or link a portal with it."),
        *(_("Calls of {portal} wait: nothing is sent to Zoho Desk.").format(portal=each) for each in using),
        _("Nothing is lost: what waits is delivered once it is enabled again."),
    ]
    return _confirm(request, form, method, will, _("Disable {name}?"), _("Disable the method"))


async def remove_page(request: Request) -> Response:
    """Return `/authentication-methods/{id}/remove`: remove one that nothing uses."""
    user = await require_right(request, "authentication_methods", "modify")
    services, method = services_of(request), await _method(request)
    form = await Form.of(request)
    if request.method == "POST" and form.accepts():
        try:
            await services.methods.remove(method.id, actor=user.email)
            return redirect(request, PATH, _("Removed."))
        except InvalidValue as problem:
            form.refuse(problem)
    will = [
        _("Client ID and secrets are deleted here. The client in Zoho's API console stays."),
        _("What portals and sign-in connectors use is not removed."),
    ]
    return _confirm(request, form, method, will, _("Remove {name}?"), _("Remove the method"))


def _confirm(
    request: Request, form: Form, method: MethodView, will: list[str], title: str, label: str
) -> Response:
    return render(
        request,
        "confirm.html",
        422 if form.is_refused else 200,
        title=title.format(name=method.name),
        will=will,
        form=form,
        label=label,
        back=f"{PATH}/{method.id}",
    )


async def _method(request: Request) -> Any:
    """Return the method that a path names; NotFound where there is none."""
    return await services_of(request).methods.get(request.path_params["id"])


def _console(request: Request) -> dict[str, Any]:
    """Return what has to be entered in Zoho's API console."""
    services = services_of(request)
    return {
        "home_page": services.settings.public_url.rstrip("/") + "/",
        "client_name": "Connector",
        "redirect_uris": [redirect_uri(services, "sign_in"), redirect_uri(services, "link")],
    }
