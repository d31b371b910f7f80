"""Let administrators set up the profiles: what users see and may do in the banner, and who has which."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from wtforms import StringField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined] # newer than its stubs

from connector.crm.model import OBJECTS, Field, ObjectName
from connector.crm.profile_setup import RIGHTS, Wanted
from connector.crm.profiles import EVERYONE, ObjectAccess, Profile
from connector.errors import InvalidValue
from connector.services import services_of
from connector.store.profiles import EVERYONE_ID
from connector.web.api.operation import Paging, query_of
from connector.web.api.profiles import profiles
from connector.web.auth import require_right, require_user
from connector.web.forms import CheckboxesField, Form, required
from connector.web.languages import gettext as _
from connector.web.languages import lazy
from connector.web.rendering import redirect, render

LIST = "/profiles"
ALL = "*"
"""What a list of boxes says for all of it, with what is yet to come."""

RIGHT_NAMES: Mapping[str, Any] = {
    "create": lazy("make contacts for unknown callers"),
    "edit": lazy("edit the fields that are ticked as edited"),
    "tickets": lazy("make tickets and comments"),
    "listen": lazy("listen to recordings"),
}
_BY_FIELD: tuple[ObjectName, ...] = ("contacts", "accounts", "tickets")
"""Objects whose fields are chosen; a call's are our own, and are seen or not."""

_SEEN = lazy("Who sees no first name or no last name sees no names at all.")
_EDITED = lazy("Only fields that are seen as well, and only where the CRM has them edited.")


class ProfileForm(Form):
    """What a profile shall be."""

    aliases: ClassVar[dict[str, str]] = {
        f"/objects/{name}/{what}": f"{name}_{what}" for name in OBJECTS for what in ("seen", "edited")
    }

    name = StringField(
        lazy("Name"), [required()], description=lazy("What people choose it by in the banner.")
    )
    portals = CheckboxesField(
        lazy("Portals whose CRM it has"),
        description=lazy("Of callers of other portals the number is shown, and no name."),
    )
    contacts_seen = CheckboxesField(lazy("Contacts: fields that are seen"), description=_SEEN)
    contacts_edited = CheckboxesField(lazy("Contacts: fields that are edited"), description=_EDITED)
    accounts_seen = CheckboxesField(lazy("Accounts: fields that are seen"))
    accounts_edited = CheckboxesField(lazy("Accounts: fields that are edited"))
    tickets_seen = CheckboxesField(
        lazy("Tickets: fields that are seen"),
        description=lazy("The number of a ticket is seen with any of them."),
    )
    tickets_edited = CheckboxesField(lazy("Tickets: fields that are edited"))
    calls_seen = CheckboxesField(lazy("Calls"))
    may = CheckboxesField(lazy("Its users may"))

    def wanted(self) -> Wanted:
        """Return what the service takes."""
        portals, may = _chosen(self.portals.data), self.may.data or ()
        rights: dict[str, Any] = {right: word in may for word, right in RIGHTS.items()}
        return Wanted(
            name=self.name.data or "",
            portals=None if portals is None else [int(each) for each in portals],
            objects={name: self._access(name) for name in OBJECTS},
            **rights,
        )

    def _access(self, name: ObjectName) -> ObjectAccess:
        edited = self[f"{name}_edited"].data if f"{name}_edited" in self else ()
        return ObjectAccess(seen=_chosen(self[f"{name}_seen"].data), edited=_chosen(edited))


class OwnProfileForm(ProfileForm):
    """The same for a profile that is given to users, unlike that of everyone."""

    users = TextAreaField(
        lazy("Users"),
        description=lazy("E-mail addresses, one a line: all who have it. Whoever has several works with one "
                         "of them, and switches in the banner."),
    )  # fmt: skip

    def wanted(self) -> Wanted:
        """Return what the service takes."""
        return msgspec.structs.replace(super().wanted(), users=(self.users.data or "").split())


class PersonsProfilesForm(Form):
    """Which profiles somebody has."""

    profiles = CheckboxesField(
        lazy("Profiles"),
        description=lazy("Whoever has none has that of everyone."),
    )


class RemoveForm(Form):
    """Nothing but a yes."""


async def profiles_page(request: Request) -> Response:
    """Return `GET /profiles`: the profiles, that of everyone first."""
    await require_right(request, "crm", "access")
    asked = query_of(request, Paging)
    found = await profiles(services_of(request), asked)
    further = f"{LIST}?" + urlencode({"limit": asked.limit, "cursor": found.next}) if found.next else ""
    return render(request, "profiles.html", found=found, further_on=further, rights=RIGHT_NAMES)


async def new_profile_page(request: Request) -> Response:
    """Serve `/profiles/new`: it begins with everything, to be taken away."""
    user = await require_right(request, "crm", "create")
    form = await OwnProfileForm.of(request, **_present(EVERYONE) | {"name": ""})
    await _offer(request, form)
    if request.method == "POST" and form.accepts():
        try:
            made = await services_of(request).profile_setup.add(form.wanted(), actor=user.email)
            return redirect(request, f"{LIST}/{made.id}", _("{name} is added.").format(name=made.name))
        except InvalidValue as problem:
            form.refuse(problem)
    return render(request, "profile.html", 422 if form.is_refused else 200, form=form, profile=None)


async def profile_page(request: Request) -> Response:
    """Serve `/profiles/{id}`: how it is, to be changed."""
    user = await require_right(request, "crm", "access")
    service, profile_id = services_of(request).profile_setup, request.path_params["id"]
    profile, users = await service.get(profile_id), await service.users_of(profile_id)
    kind = ProfileForm if profile_id == EVERYONE_ID else OwnProfileForm
    form = await kind.of(request, **_present(profile), users="\n".join(users))
    await _offer(request, form, profile_id)
    if request.method == "POST":
        await require_right(request, "crm", "modify")
    if request.method == "POST" and form.accepts():
        try:
            await service.change(profile_id, form.wanted(), actor=user.email)
            return redirect(request, f"{LIST}/{profile_id}", _("Saved."))
        except InvalidValue as problem:
            form.refuse(problem)
    return render(request, "profile.html", 422 if form.is_refused else 200, form=form, profile=profile)


async def remove_profile_page(request: Request) -> Response:
    """Serve `/profiles/{id}/remove`: asks, then removes it."""
    user = await require_right(request, "crm", "modify")
    service, profile_id = services_of(request).profile_setup, request.path_params["id"]
    profile, form = await service.get(profile_id), await RemoveForm.of(request)
    if request.method == "POST" and form.accepts():
        try:
            await service.remove(profile_id, actor=user.email)
            return redirect(request, LIST, _("{name} is removed.").format(name=profile.name))
        except InvalidValue as problem:
            form.refuse(problem)
    return render(
        request,
        "confirm.html",
        422 if form.is_refused else 200,
        title=_("Remove {name}?").format(name=profile.name),
        will=[
            _("Its users work with another profile of theirs, and without one with that of everyone."),
            _("Their banners show it within two seconds."),
        ],
        form=form,
        label=_("Remove the profile"),
        back=f"{LIST}/{profile_id}",
    )


async def persons_profiles_page(request: Request) -> Response:
    """Serve `/people/{id}/profiles`: which profiles somebody has, to be given and taken."""
    user = await require_user(request, "administrator")
    services, person_id = services_of(request), request.path_params["id"]
    person = (await services.agents.find(person_id)).user
    given = await services.profile_setup.of_user(person_id)
    form = await PersonsProfilesForm.of(request, profiles=[str(each.id) for each in given])
    there = [each.profile for each in await services.profile_setup.list_all(EVERYONE_ID)]
    form.profiles.choices = [SelectChoice(str(each.id), each.name) for each in there]
    if request.method == "POST" and form.accepts():
        wanted = [int(each) for each in form.profiles.data or ()]
        await services.profile_setup.set_of_user(person_id, wanted, actor=user.email)
        return redirect(request, f"/people/{person_id}/profiles", _("Saved."))
    active = (await services.profiles.choices(person_id)).active
    context: dict[str, Any] = {"form": form, "person": person, "active": active, "is_any": bool(there)}
    return render(request, "person_profiles.html", 422 if form.is_refused else 200, **context)


async def _offer(request: Request, form: Any, profile_id: int | None = None) -> None:
    """Give a form's lists of boxes what there is to choose from."""
    services = services_of(request)
    fields = await services.profile_setup.fields(profile_id)
    every = SelectChoice(ALL, _("All fields, also those to come"))
    for name in _BY_FIELD:
        boxes = [every, *(SelectChoice(each, _label(field)) for each, field in fields[name].items())]
        form[f"{name}_seen"].choices = form[f"{name}_edited"].choices = boxes
    form.calls_seen.choices = [SelectChoice(ALL, _("The call's record in Zoho Desk, and earlier calls"))]
    form.may.choices = [SelectChoice(right, name) for right, name in RIGHT_NAMES.items()]
    linked = [SelectChoice(str(each.id), each.name) for each in await services.portals.list_portals()]
    form.portals.choices = [SelectChoice(ALL, _("All portals, also those to come")), *linked]


def _label(field: Field) -> str:
    return f"{field.label} ({field.name})" if field.label else field.name


def _present(profile: Profile) -> dict[str, Any]:
    access = profile.access
    present: dict[str, Any] = {
        "name": profile.name,
        "portals": _boxes(None if access.portals is None else list(map(str, access.portals))),
        "may": [word for word, right in RIGHTS.items() if getattr(access, right)],
    }
    for name in OBJECTS:
        found = access.objects.get(name, ObjectAccess(seen=(), edited=()))
        present |= {f"{name}_seen": _boxes(found.seen), f"{name}_edited": _boxes(found.edited)}
    return present


def _boxes(chosen: Sequence[str] | None) -> list[str]:
    return [ALL] if chosen is None else list(chosen)


def _chosen(boxes: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if ALL in (boxes or ()) else tuple(boxes or ())
