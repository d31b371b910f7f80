"""Show administrators the phone systems, and let them add, set up, rotate and remove each."""

from typing import Any
from urllib.parse import quote

import msgspec
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from wtforms import BooleanField, IntegerField, PasswordField, RadioField, SelectField, StringField
from wtforms.validators import InputRequired, Length

from connector.dialects import DIALECTS, template
from connector.errors import InvalidValue, NotFound
from connector.phone_systems.setup import Introduction, NewPhoneSystem
from connector.services import services_of
from connector.web import countries
from connector.web.api.operation import Paging, query_of
from connector.web.api.phone_systems import hearing_of, page_of
from connector.web.auth import count_request, require_user
from connector.web.forms import Form, required
from connector.web.languages import gettext as _
from connector.web.languages import lazy
from connector.web.pages import phone_texts
from connector.web.pages.phone_forms import choices
from connector.web.rendering import redirect, render

SHOWN = 25
"""Phone systems on a page: the hours of each are read, a fortnight's."""

TEXT_AT_MOST = 320


def _stripped(text: str | None) -> str:
    return (text or "").strip()


class NewForm(Form):
    """What is asked of a new phone system; all else has a form of its own on its page."""

    slug = StringField(
        lazy("Address"),
        [required(), Length(max=TEXT_AT_MOST)],
        [_stripped],
        lazy("The last part of its address: small letters, digits and hyphens, such as paris."),
    )
    called = StringField(
        lazy("Name"),
        [Length(max=TEXT_AT_MOST)],
        [_stripped],
        lazy("What people call it; the address unless given."),
    )
    dialect = RadioField(lazy("How it writes its events"))
    country = StringField(
        lazy("Country"),
        [required(), Length(max=TEXT_AT_MOST)],
        [_stripped],
        lazy("Where its national numbers are at home: choose from the list, or type a name or two letters."),
        render_kw={"list": "countries"},
    )
    time_zone = StringField(
        lazy("Time zone"),
        [Length(max=TEXT_AT_MOST)],
        [_stripped],
        lazy("Of times that name none: choose from the list, or type a place or Europe/Paris."),
        render_kw={"list": "time-zones"},
    )
    portal_id = SelectField(lazy("Portal"), coerce=int, description=lazy("Where its calls are recorded."))
    secret = PasswordField(
        lazy("The vendor's secret"),
        [Length(max=8_000)],
        [_stripped],
        lazy("Only for sipgate, Twilio, Placetel and Aircall, whose vendors make it."),
        render_kw={"autocomplete": "new-password"},
    )
    agreed = BooleanField(lazy("Its calls may be recorded in a sandbox of Zoho's"))
    aliases = {"/name": "called"}  # noqa: RUF012 - declared as a class variable there


class RotateForm(Form):
    """How a secret is replaced."""

    overlap_hours = IntegerField(
        lazy("Hours for which the former secret stays valid"),
        [InputRequired(lazy("Give a whole number of hours."))],
        description=lazy("Until then the phone system may post with either."),
    )
    secret = PasswordField(
        lazy("The vendor's new secret"),
        [Length(max=8_000)],
        [_stripped],
        lazy("Only where the vendor makes it."),
        render_kw={"autocomplete": "new-password"},
    )


class RemoveForm(Form):
    """Nothing but the proof that it is meant."""


async def phone_systems_page(request: Request) -> Response:
    """Return `GET /phone-systems`: each with its portal, when it was heard, and what is wrong."""
    await _administrator(request)
    asked = msgspec.structs.replace(query_of(request, Paging), limit=SHOWN)
    found = await page_of(services_of(request), asked)
    further = f"/phone-systems?cursor={quote(found.next)}" if found.next else ""
    return render(
        request,
        "phone_systems.html",
        found=found,
        further_on=further,
        states=phone_texts.STATES,
        wrong=phone_texts.WRONG,
        titles={name: each.title for name, each in DIALECTS.items()},
    )


async def new_phone_system(request: Request) -> Response:
    """Return `GET /phone-systems/new`, and add what its form says: address and secret are shown once."""
    user = await _administrator(request)
    services = services_of(request)
    portals = {each.id: each.name for each in await services.portals.list_portals()}
    form = await NewForm.of(request, time_zone="UTC", dialect="neutral")
    form.portal_id.choices = choices(portals)
    form.dialect.choices = choices(phone_texts.DIALECTS)
    if request.method == "POST" and form.accepts():
        try:
            return await show_ready(request, await services.phone_setup.add(_new(form), user.email))
        except InvalidValue as problem:
            form.refuse(problem)
    context: dict[str, Any] = {"form": form, "portals": portals}
    return render(request, "phone_system_new.html", 422 if form.is_refused else 200, **context | _choices())


def _new(form: Any) -> NewPhoneSystem:
    return NewPhoneSystem(
        slug=form.slug.data,
        name=form.called.data,
        country=countries.country_code(form.country.data),
        time_zone=countries.time_zone(form.time_zone.data) or "UTC",
        dialect=form.dialect.data,
        portal_id=form.portal_id.data,
        secret=form.secret.data,
        agreed=form.agreed.data,
    )


def _choices() -> dict[str, Any]:
    return {"countries": countries.countries(), "time_zones": countries.time_zones()}


async def set_up_page(request: Request) -> Response:
    """Return `GET /phone-systems/{slug}/set-up`: the dialect's guide, and whether anything came yet."""
    await _administrator(request)
    told = await services_of(request).phone_setup.introduction(request.path_params["slug"])
    return await show_ready(request, told)


async def template_file(request: Request) -> Response:
    """Return `GET /phone-systems/{slug}/template`: what the vendor's console wants uploaded."""
    await _administrator(request)
    told = await services_of(request).phone_setup.introduction(request.path_params["slug"])
    if not told.dialect.template:
        raise NotFound("This dialect needs no template.")
    named = {"Content-Disposition": f'attachment; filename="{told.dialect.template}"'}
    return PlainTextResponse(template(told.dialect, told.bare_address), headers=named)


async def rotate_page(request: Request) -> Response:
    """Return `GET /phone-systems/{slug}/rotate`, and give a new secret, which is shown once."""
    user = await _administrator(request)
    setup, slug = services_of(request).phone_setup, request.path_params["slug"]
    told = await setup.introduction(slug)
    form = await RotateForm.of(request, overlap_hours=24)
    if request.method == "POST" and form.accepts():
        try:
            hours, secret = form.overlap_hours.data, form.secret.data
            return await show_ready(request, await setup.rotate(slug, hours, user.email, secret))
        except InvalidValue as problem:
            form.refuse(problem)
    fields = ["overlap_hours", "secret"] if told.dialect.signing == "given" else ["overlap_hours"]
    will = [
        _("A new secret is made and shown once; what posts must be given it."),
        _("The former one stays valid for as long as you say, so that nothing is missed meanwhile."),
    ]
    context = {"form": form, "will": will, "fields": fields, "back": f"/phone-systems/{slug}"}
    title, label = _("Give %s a new secret?") % slug, _("Give a new secret")
    return render(
        request, "confirm.html", 422 if form.is_refused else 200, title=title, label=label, **context
    )


async def remove_page(request: Request) -> Response:
    """Return `GET /phone-systems/{slug}/remove`, which says what is bound to it, and remove it."""
    user = await _administrator(request)
    systems, slug = services_of(request).phone_systems, request.path_params["slug"]
    bound = msgspec.structs.asdict(await systems.bound_to(slug))
    form = await RemoveForm.of(request)
    if request.method == "POST" and form.accepts():
        await systems.remove(slug, user.email)
        return redirect(request, "/phone-systems", _("%s is removed.") % slug)
    listed = ", ".join(f"{phone_texts.BOUND[name]}: {count}" for name, count in bound.items() if count)
    will = [
        _("Bound to it: %s.") % (listed or _("nothing")),
        _("Nobody can post as it any more, and its address is free."),
        _("Calls that go on count as ended after a while; calls, records and what waits for Desk stay."),
    ]
    title, label = _("Remove the phone system %s?") % slug, _("Remove %s") % slug
    context = {"form": form, "will": will, "label": label, "back": f"/phone-systems/{slug}"}
    return render(request, "confirm.html", 422 if form.is_refused else 200, title=title, **context)


async def show_ready(request: Request, told: Introduction) -> Response:
    """Return the page that says how to reach a phone system, its new secret too, and waits for an event."""
    from connector import handbook

    hearing = await hearing_of(services_of(request), told.slug)
    guide = handbook.guide_at(told.dialect.name, told.bare_address)
    return render(request, "phone_system_ready.html", told=told, hearing=hearing, guide=guide)


async def _administrator(request: Request) -> Any:
    user = await require_user(request, "administrator")
    count_request(request, user.email)
    return user
