"""Let administrators make, list and revoke API keys."""

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from wtforms import SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined] # newer than its stubs

from connector.accounts.keys import Wanted
from connector.errors import InvalidValue
from connector.services import services_of
from connector.store.users import ROLES
from connector.web.api.keys import keys
from connector.web.api.operation import Paging, query_of
from connector.web.auth import require_user
from connector.web.forms import CheckboxesField, Form, required
from connector.web.languages import gettext as _
from connector.web.languages import lazy
from connector.web.rendering import redirect, render


class KeyForm(Form):
    """What a new key shall be."""

    name = StringField(
        lazy("Name"), [required()], description=lazy("The program that will use it. No name is used twice.")
    )
    role = SelectField(lazy("Role"), choices=[SelectChoice(role, lazy(role)) for role in ROLES])
    actions = TextAreaField(
        lazy("Actions"),
        description=lazy("Patterns of the actions that it may call, one a line; * stands for any letters. "
                         "Without any it calls none."),
    )  # fmt: skip
    portals = CheckboxesField(
        lazy("Portals"), description=lazy("What it is limited to; without any it is for all portals.")
    )
    expires_at = StringField(
        lazy("Ends"), description=lazy("A day or a moment in UTC, such as 2027-01-31; empty for never.")
    )

    def wanted(self) -> Wanted:
        """Return what the service takes."""
        return Wanted(
            name=self.name.data or "",
            role=self.role.data,
            actions=(self.actions.data or "").split(),
            portals=[int(portal) for portal in self.portals.data or ()],
            expires_at=self.expires_at.data or "",
        )


class RevokeForm(Form):
    """Nothing but a yes."""


async def keys_page(request: Request) -> Response:
    """Return `GET /keys`: every key there is or was."""
    await require_user(request, "administrator")
    services, asked = services_of(request), query_of(request, Paging)
    found = await keys(services, asked)
    further = "/keys?" + urlencode({"limit": asked.limit, "cursor": found.next}) if found.next else ""
    return render(request, "keys.html", found=found, further_on=further, portals=await _portal_names(request))


async def new_key_page(request: Request) -> Response:
    """Serve `/keys/new`: the POST's own answer shows the key, this once."""
    user = await require_user(request, "administrator")
    form = await KeyForm.of(request)
    names = await _portal_names(request)
    form.portals.choices = [SelectChoice(str(each), name) for each, name in names.items()]
    if request.method == "POST" and form.accepts():
        try:
            made, key = await services_of(request).keys.add(form.wanted(), actor=user.email)
            return render(request, "key_made.html", made=made, key=key)
        except InvalidValue as problem:
            form.refuse(problem)
    return render(request, "key_new.html", 422 if form.is_refused else 200, form=form)


async def revoke_key_page(request: Request) -> Response:
    """Serve `/keys/{id}/revoke`: asks, then ends the key."""
    user = await require_user(request, "administrator")
    service = services_of(request).keys
    key = await service.get(request.path_params["id"])
    form = await RevokeForm.of(request)
    if request.method == "POST" and form.accepts():
        await service.revoke_key(key.id, actor=user.email)
        return redirect(request, "/keys", _("The key {name} is revoked.").format(name=key.name))
    return render(
        request,
        "confirm.html",
        422 if form.is_refused else 200,
        title=_("Revoke the key {name}?").format(name=key.name),
        will=[
            _("The program that uses it is refused at once."),
            _("The name is not free again: a new key takes another one."),
        ],
        form=form,
        label=_("Revoke the key"),
        back="/keys",
    )


async def _portal_names(request: Request) -> dict[int, str]:
    return {each.id: each.name for each in await services_of(request).portals.list_portals()}
