"""Let administrators set up the ways to sign in with Zoho."""

from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from wtforms import BooleanField, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined] # newer than its stubs

from connector.accounts.sign_in_connectors import Wanted
from connector.errors import InvalidValue
from connector.services import services_of
from connector.store.sign_in_connectors import SignInConnector
from connector.web.api.operation import Paging, query_of
from connector.web.api.sign_in_connectors import address_of, sign_in_connectors, user_names
from connector.web.auth import require_right, require_user
from connector.web.forms import CheckboxesField, Form, required
from connector.web.languages import gettext as _
from connector.web.languages import lazy
from connector.web.rendering import redirect, render

LIST = "/sign-in-connectors"


class SignInConnectorForm(Form):
    """What a sign-in connector shall be."""

    name = StringField(
        lazy("Name"), [required()], description=lazy("What people choose it by when they sign in.")
    )
    method_id = SelectField(
        lazy("Authentication method"), description=lazy("The client at Zoho that people sign in with.")
    )
    match_by = RadioField(
        lazy("Zoho's verified e-mail address is compared with"),
        choices=[
            SelectChoice("email", lazy("the user's e-mail address")),
            SelectChoice("user_name", lazy("the user's user name")),
        ],
    )
    users = TextAreaField(
        lazy("Users"),
        description=lazy("E-mail addresses, one a line. These users sign in this way, or another that is "
                         "theirs, and no other; everybody else may sign in any way."),
    )  # fmt: skip
    portals = CheckboxesField(
        lazy("Only for agents of"),
        description=lazy("Zoho Desk is asked whether somebody is an agent there; without any it is for all."),
    )
    enabled = BooleanField(lazy("People can sign in this way"))
    is_default = BooleanField(lazy("The way that is taken where nobody chooses"))

    def wanted(self, reference: str = "") -> Wanted:
        """Return what the service takes."""
        return Wanted(
            reference=reference,
            name=self.name.data or "",
            method_id=int(self.method_id.data) if self.method_id.data else None,
            match_by=self.match_by.data,
            users=(self.users.data or "").split(),
            portals=[int(portal) for portal in self.portals.data or ()],
            enabled=self.enabled.data,
            is_default=self.is_default.data,
        )


class NewSignInConnectorForm(SignInConnectorForm):
    """The same, and its reference, which never changes."""

    reference = StringField(
        lazy("Reference"),
        [required()],
        description=lazy("Stands in its address, which people bookmark, so it never changes: small letters, "
                         "digits and hyphens."),
    )  # fmt: skip


class UserNameForm(Form):
    """Somebody's address at Zoho."""

    email = StringField(lazy("The user's e-mail address here"), [required()])
    user_name = StringField(
        lazy("User name"),
        description=lazy("The e-mail address that Zoho has of them; empty takes it away."),
    )


class RemoveForm(Form):
    """Nothing but a yes."""


async def sign_in_connectors_page(request: Request) -> Response:
    """Return `GET /sign-in-connectors`: the ways to sign in."""
    await require_right(request, "sign_in_connectors", "access")
    asked = query_of(request, Paging)
    found = await sign_in_connectors(services_of(request), asked)
    further = f"{LIST}?" + urlencode({"limit": asked.limit, "cursor": found.next}) if found.next else ""
    return render(request, "sign_in_connectors.html", found=found, further_on=further)


async def new_sign_in_connector_page(request: Request) -> Response:
    """Serve `/sign-in-connectors/new`."""
    user = await require_right(request, "sign_in_connectors", "create")
    form = await NewSignInConnectorForm.of(request, method_id="", match_by="email", enabled=True)
    await _offer(request, form)
    if request.method == "POST" and form.accepts():
        try:
            wanted = form.wanted(form.reference.data)
            made = await services_of(request).sign_in_connectors.add(wanted, actor=user.email)
            return redirect(request, f"{LIST}/{made.reference}", _("{name} is added.").format(name=made.name))
        except InvalidValue as problem:
            form.refuse(problem)
    status = 422 if form.is_refused else 200
    return render(request, "sign_in_connector.html", status, form=form, connector=None, address="")


async def sign_in_connector_page(request: Request) -> Response:
    """Serve `/sign-in-connectors/{reference}`: how it is, to be changed."""
    user = await require_right(request, "sign_in_connectors", "access")
    service = services_of(request).sign_in_connectors
    connector = await service.get(request.path_params["reference"])
    form = await SignInConnectorForm.of(request, **await _present(request, connector))
    await _offer(request, form)
    if request.method == "POST":
        await require_right(request, "sign_in_connectors", "modify")
    if request.method == "POST" and form.accepts():
        try:
            await service.change(connector.reference, form.wanted(), actor=user.email)
            return redirect(request, f"{LIST}/{connector.reference}", _("Saved."))
        except InvalidValue as problem:
            form.refuse(problem)
    return render(
        request,
        "sign_in_connector.html",
        422 if form.is_refused else 200,
        form=form,
        connector=connector,
        address=address_of(services_of(request), connector.reference),
    )


async def remove_sign_in_connector_page(request: Request) -> Response:
    """Serve `/sign-in-connectors/{reference}/remove`: asks, then removes it."""
    user = await require_right(request, "sign_in_connectors", "modify")
    service = services_of(request).sign_in_connectors
    connector = await service.get(request.path_params["reference"])
    form = await RemoveForm.of(request)
    if request.method == "POST" and form.accepts():
        await service.remove(connector.reference, actor=user.email)
        return redirect(request, LIST, _("{name} is removed.").format(name=connector.name))
    return render(
        request,
        "confirm.html",
        422 if form.is_refused else 200,
        title=_("Remove {name}?").format(name=connector.name),
        will=[
            _("Nobody signs in by its address any more; whoever is signed in stays so."),
            _("Users for whom no other way was chosen may sign in by any that is left."),
            _("Without any sign-in connector, all sign in by the usual authentication method."),
        ],
        form=form,
        label=_("Remove the sign-in connector"),
        back=f"{LIST}/{connector.reference}",
    )


async def user_names_page(request: Request) -> Response:
    """Serve `/sign-in-connectors/user-names`: who has which user name, and a form that gives one."""
    user = await require_user(request, "administrator")
    service, asked = services_of(request).sign_in_connectors, query_of(request, Paging)
    form = await UserNameForm.of(request)
    if request.method == "POST" and form.accepts():
        try:
            await service.set_user_name(form.email.data or "", form.user_name.data or "", actor=user.email)
            return redirect(request, f"{LIST}/user-names", _("Saved."))
        except InvalidValue as problem:
            form.refuse(problem)
    found = await user_names(services_of(request), asked)
    query = urlencode({"limit": asked.limit, "cursor": found.next}) if found.next else ""
    further = f"{LIST}/user-names?{query}" if query else ""
    status = 422 if form.is_refused else 200
    return render(request, "user_names.html", status, form=form, found=found, further_on=further)


async def _present(request: Request, connector: SignInConnector) -> dict[str, Any]:
    users = await services_of(request).sign_in_connectors.users_of(connector)
    return {
        "name": connector.name,
        "method_id": "" if connector.method_id is None else str(connector.method_id),
        "match_by": connector.match_by,
        "users": "\n".join(users),
        "portals": [str(each) for each in sorted(connector.portals)],
        "enabled": connector.enabled,
        "is_default": connector.is_default,
    }


async def _offer(request: Request, form: Any) -> None:
    """Give a form what there is to choose from."""
    services = services_of(request)
    usable = [each for each in await services.methods.list() if each.id is not None and each.mode == "oauth"]
    form.method_id.choices = [
        SelectChoice("", lazy("The usual one")),
        *(SelectChoice(str(each.id), each.name) for each in usable),
    ]
    form.portals.choices = [
        SelectChoice(str(each.id), each.name) for each in await services.portals.list_portals()
    ]
