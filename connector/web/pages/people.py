"""Show administrators the people: the list, each of them, and what is asked before they are shut out."""

from typing import Annotated, Any
from urllib.parse import urlencode

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response
from wtforms import SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]

from connector.accounts.words import PhoneWord, read_all, shown
from connector.errors import InvalidValue
from connector.services import Services, services_of
from connector.store.people import Person, Which
from connector.store.rights import RIGHTS, THINGS
from connector.store.tables import ANY_PORTAL
from connector.web.api.operation import query_of
from connector.web.api.people import People
from connector.web.auth import count_request, require_user
from connector.web.forms import CheckboxesField, Form
from connector.web.languages import gettext as _
from connector.web.languages import lazy
from connector.web.rendering import redirect, render

SHOWN = 50
"""People on a page."""

ROLE_NAMES: dict[str, Any] = {
    "agent": lazy("Agent"),
    "supervisor": lazy("Supervisor"),
    "administrator": lazy("Administrator"),
}
ROLE_CHOICES = [SelectChoice(role, name) for role, name in ROLE_NAMES.items()]
STATES: dict[str, Any] = {"active": lazy("Active"), "deactivated": lazy("Deactivated")}
THING_NAMES: dict[str, Any] = {
    "authentication_methods": lazy("Authentication methods"),
    "sign_in_connectors": lazy("Sign-in connectors"),
    "crm": lazy("CRM"),
}
RIGHT_NAMES: dict[str, Any] = {
    "access": lazy("see"),
    "modify": lazy("see and change"),
    "create": lazy("see and make"),
}

_WORDS_HINT = lazy(
    "One a line: an extension, a login or an e-mail address. Every phone system may say it; "
    "write \u201c1001 at paris\u201d for the phone system paris alone."
)


class PersonForm(Form):
    """Somebody's name, role, words and queues."""

    name = StringField(lazy("Name"), render_kw={"required": True, "maxlength": 200, "autocomplete": "off"})
    role = SelectField(lazy("Role"), choices=ROLE_CHOICES, default="agent")
    extensions = TextAreaField(
        lazy("Extensions, logins and e-mail addresses"), description=_WORDS_HINT, render_kw={"rows": 3}
    )
    queues = TextAreaField(
        lazy("Queues"), description=lazy("One a line, written in the same way."), render_kw={"rows": 3}
    )

    def words(self) -> dict[str, list[PhoneWord]]:
        """Return what the two fields of words say."""
        return {
            "extensions": read_all(self.extensions.data or "", "\n"),
            "queues": read_all(self.queues.data or "", "\n"),
        }


class NewPersonForm(PersonForm):
    """The same for somebody who is to be added."""

    email = StringField(
        lazy("E-mail address"),
        description=lazy("The one that Zoho has of them: by it they are known when they first sign in."),
        render_kw={"required": True, "type": "email", "maxlength": 320, "autocomplete": "off"},
    )


class RightsForm(Form):
    """What somebody may do beside their role, for one portal or all."""

    rights = CheckboxesField(lazy("Rights"), choices=[])


class Confirmation(Form):
    """Nothing but the proof that it comes from our own page."""


async def people_page(request: Request) -> Response:
    """Return `GET /people`: those whom the form asks for, in the order of their addresses."""
    await _administrator(request)
    services, asked = services_of(request), query_of(request, People)
    which = Which(
        text=asked.text,
        role=asked.role or None,
        active={"active": True, "deactivated": False}.get(asked.state),
        after=asked.cursor,
    )
    found = await services.agents.page(which, SHOWN + 1)
    further = ""
    if len(found) > SHOWN:
        kept = {name: getattr(asked, name) for name in ("text", "role", "state") if getattr(asked, name)}
        further = "/people?" + urlencode(kept | {"cursor": found[SHOWN - 1].user.email})
    context: dict[str, Any] = {
        "people": await _rows(services, found[:SHOWN]),
        "asked": asked,
        "further_on": further,
        "roles": ROLE_NAMES,
        "states": STATES,
    }
    return render(request, "people.html", **context)


async def new_person_page(request: Request) -> Response:
    """Return `GET /people/new`, and add somebody by its form: `POST /people/new`."""
    user = await _administrator(request)
    form = await NewPersonForm.of(request)
    if request.method == "POST" and form.accepts():
        try:
            added = await services_of(request).agents.add_agent(
                form.email.data or "", form.name.data or "", form.role.data, **form.words(), actor=user.email
            )
            told = _("{name} is added, and may sign in with Zoho.").format(name=added.user.name)
            return redirect(request, f"/people/{added.user.id}", told)
        except InvalidValue as problem:
            form.refuse(problem)
    return render(request, "person_new.html", 422 if form.is_refused else 200, form=form)


async def person_page(request: Request) -> Response:
    """Return `GET /people/{id}`, and change somebody by its form: `POST /people/{id}`."""
    user = await _administrator(request)
    services, person_id = services_of(request), request.path_params["id"]
    person, slugs = await services.agents.find(person_id), await services.agents.slugs()
    form = await PersonForm.of(
        request,
        name=person.user.name,
        role=person.user.role,
        extensions="\n".join(shown(person.extensions, slugs)),
        queues="\n".join(shown(person.queues, slugs)),
    )
    if request.method == "POST" and form.accepts():
        try:
            await services.agents.change_agent(
                person_id, name=form.name.data or "", role=form.role.data, **form.words(), actor=user.email
            )
            return redirect(request, f"/people/{person_id}", _("Saved."))
        except InvalidValue as problem:
            form.refuse(problem)
    context: dict[str, Any] = {
        "form": form,
        "person": person.user,
        "sessions": await services.agents.open_sessions(person_id),
        "given": len(await services.agents.rights_of(person_id)),
        "slugs": sorted(slugs.values()),
        "profiles": await services.profile_setup.of_user(person_id),
    }
    return render(request, "person.html", 422 if form.is_refused else 200, **context)


async def deactivate_page(request: Request) -> Response:
    """Ask before somebody is shut out, and do it: `/people/{id}/deactivate`."""
    user = await _administrator(request)
    services, person = services_of(request), await _person(request)
    form = await Confirmation.of(request)
    if request.method == "POST" and form.accepts():
        try:
            ended = await services.agents.deactivate(person.user.id, actor=user.email)
            told = _("{name} is deactivated; sessions ended: {count}.").format(
                name=person.user.name, count=ended
            )
            return redirect(request, f"/people/{person.user.id}", told)
        except InvalidValue as problem:
            form.refuse(problem)
    count = await services.agents.open_sessions(person.user.id)
    return _confirmation(
        request,
        form,
        person,
        title=_("Deactivate {name}?"),
        will=[
            _("They are signed out of {count} sessions at once, and their open banners end within seconds."),
            _("They cannot sign in until somebody reactivates them."),
            _("Their extensions and queues stay theirs, and mean nobody meanwhile."),
            _("What they did stays theirs, in records and in the audit."),
        ],
        label=_("Deactivate {name}"),
        count=count,
    )


async def reactivate_page(request: Request) -> Response:
    """Ask before somebody may sign in again, and let them: `/people/{id}/reactivate`."""
    user = await _administrator(request)
    person, form = await _person(request), await Confirmation.of(request)
    if request.method == "POST" and form.accepts():
        await services_of(request).agents.reactivate(person.user.id, actor=user.email)
        told = _("{name} may sign in again.").format(name=person.user.name)
        return redirect(request, f"/people/{person.user.id}", told)
    return _confirmation(
        request,
        form,
        person,
        title=_("Reactivate {name}?"),
        will=[
            _("They may sign in again with the role that they had."),
            _("Their extensions and queues mean them again: calls there pop for them."),
        ],
        label=_("Reactivate {name}"),
    )


async def release_page(request: Request) -> Response:
    """Ask before it is forgotten which Zoho user somebody is, and do it: `/people/{id}/release`."""
    user = await _administrator(request)
    person, form = await _person(request), await Confirmation.of(request)
    if request.method == "POST" and form.accepts():
        ended = await services_of(request).agents.release(person.user.id, actor=user.email)
        told = _("{name} belongs to no Zoho user now; sessions ended: {count}.").format(
            name=person.user.name, count=ended
        )
        return redirect(request, f"/people/{person.user.id}", told)
    return _confirmation(
        request,
        form,
        person,
        title=_("Release the Zoho identity of {name}?"),
        will=[
            _("They are signed out of {count} sessions at once."),
            _("The next Zoho user who signs in with the verified address {email} is taken for them."),
        ],
        label=_("Release the identity of {name}"),
        count=await services_of(request).agents.open_sessions(person.user.id),
    )


class OnePortal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For which portal rights are shown; 0 stands for all of them."""

    portal: Annotated[int, Meta(ge=0, le=10**18 - 1)] = ANY_PORTAL


async def rights_page(request: Request) -> Response:
    """Show what somebody may do beside their role, and give it: `/people/{id}/rights?portal=`."""
    user = await _administrator(request)
    services, person, portal = (
        services_of(request),
        await _person(request),
        query_of(request, OnePortal).portal,
    )
    given = await services.agents.rights_of(person.user.id)
    here = [f"{each.thing} {each.right}" for each in sorted(given) if each.portal_id == portal]
    form = await RightsForm.of(request, rights=here)
    form.rights.choices = [
        SelectChoice(
            f"{thing} {right}",
            _("{thing}: {right}").format(thing=THING_NAMES[thing], right=RIGHT_NAMES[right]),
        )
        for thing in THINGS
        for right in RIGHTS
    ]
    if request.method == "POST" and form.accepts():
        wanted = [(each.partition(" ")[0], each.partition(" ")[2]) for each in form.rights.data or []]
        try:
            await services.agents.give_rights(
                person.user.id, wanted, portal_id=portal or None, actor=user.email
            )
            return redirect(request, f"/people/{person.user.id}/rights?portal={portal}", _("Saved."))
        except InvalidValue as problem:
            form.refuse(problem)
    context: dict[str, Any] = {
        "form": form,
        "person": person.user,
        "portal": portal,
        "portals": {each.id: each.name for each in await services.portals.list_portals()},
        "elsewhere": sorted({each.portal_id for each in given} - {portal}),
    }
    return render(request, "person_rights.html", 422 if form.is_refused else 200, **context)


async def _administrator(request: Request) -> Any:
    user = await require_user(request, "administrator")
    count_request(request, user.email)
    return user


async def _person(request: Request) -> Person:
    return await services_of(request).agents.find(request.path_params["id"])


async def _rows(services: Services, found: list[Person]) -> list[dict[str, Any]]:
    slugs = await services.agents.slugs()
    return [
        {
            "user": each.user,
            "extensions": shown(each.extensions, slugs),
            "queues": shown(each.queues, slugs),
        }
        for each in found
    ]


def _confirmation(
    request: Request,
    form: Form,
    person: Person,
    *,
    title: str,
    will: list[str],
    label: str,
    count: int = 0,
) -> Response:
    named = {"name": person.user.name, "email": person.user.email, "count": count}
    context: dict[str, Any] = {
        "form": form,
        "title": title.format(**named),
        "will": [sentence.format(**named) for sentence in will],
        "label": label.format(**named),
        "back": f"/people/{person.user.id}",
    }
    return render(request, "confirm.html", 422 if form.is_refused else 200, **context)
