"""Show the CRM of each portal, and let administrators set it up part by part."""

from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from connector.crm.against_desk import Known
from connector.crm.filters import FILTERS
from connector.crm.service import Listed, Saved
from connector.errors import InvalidValue, NotAllowed, NotFound, NotNow
from connector.services import services_of
from connector.store import rights
from connector.store.rights import Right
from connector.store.users import User
from connector.web import countries
from connector.web.api.crm import values_of
from connector.web.api.operation import Paging, query_of, row_cursor
from connector.web.auth import count_request, require_right, require_user
from connector.web.forms import Form
from connector.web.languages import gettext as _
from connector.web.pages import crm_texts
from connector.web.pages.crm_forms import Part, Place, object_of
from connector.web.pages.crm_rule_forms import PARTS
from connector.web.rendering import redirect, render
from connector.zoho.actions import CARDS, NEW_TICKETS

OF_DESK = ("fields", "assign")
"""Parts whose page offers Desk's fields."""


class ResetForm(Form):
    """Nothing but the proof that it is meant."""


async def crms_page(request: Request) -> Response:
    """Return `GET /crm`: the CRM of each portal that the reader may see."""
    user = await require_user(request)
    count_request(request, user.email)
    asked = query_of(request, Paging)
    found = await services_of(request).crms.list(row_cursor(asked.cursor) or 0, asked.limit + 1)
    shown = [each for each in found[: asked.limit] if await _may_see(request, user, each)]
    if not shown and user.role != "administrator":
        raise NotAllowed("This needs the right to access crm, which an administrator gives.")
    further = ""
    if len(found) > asked.limit:
        query = urlencode({"limit": asked.limit, "cursor": found[asked.limit - 1].portal.id})
        further = f"/crm?{query}"
    return render(request, "crms.html", found=shown, further_on=further)


async def _may_see(request: Request, user: User, each: Listed) -> bool:
    if user.role == "administrator":
        return True
    given = await services_of(request).agents.rights_of(user.id)
    return rights.allow(given, "crm", "access", each.portal.id)


async def crm_page(request: Request) -> Response:
    """Return `GET /crm/{portal}`: what it is, and the way to each of its parts."""
    portal_id = request.path_params["portal"]
    user = await require_right(request, "crm", "access", portal_id)
    count_request(request, user.email)
    services = services_of(request)
    found = await services.crms.show(portal_id)
    features = await services.portals.features_of(found.portal)
    return render(
        request,
        "crm.html",
        found=found,
        off=sorted((await services.desk_fields.off(portal_id)).items()),
        parts=PARTS.values(),
        objects=crm_texts.OBJECTS,
        not_linked_for=[_(each.title) for each in (CARDS, NEW_TICKETS) if each not in features],
    )


async def part_page(request: Request) -> Response:
    """Return `GET /crm/{portal}/{part}`: a part with its form, and change what the form says."""
    portal_id, kind = request.path_params["portal"], PARTS.get(request.path_params["part"])
    wanted: Right = "modify" if request.method == "POST" else "access"
    user = await require_right(request, "crm", wanted, portal_id)
    count_request(request, user.email)
    if kind is None:
        raise NotFound("A CRM has no such page.")
    place = await _place(request, portal_id, kind)
    form = (await kind.of(request, **_present(kind, place, request))).prepared(place)
    if request.method == "POST" and form.accepts():
        try:
            return _done(request, place, form, await _save(request, place, form, user.email))
        except InvalidValue as problem:
            form.refuse(problem)
        except NotNow as problem:
            form.form_errors = [*form.form_errors, str(problem)]
    return _shown(request, place, kind, form)


def _present(kind: type[Part], place: Place, request: Request) -> dict[str, Any]:
    if request.method == "POST":
        return {}
    asked = dict(request.query_params)
    return kind.present(place, asked) | {"revision": str(place.crm.revision), "do": ""}


async def _place(request: Request, portal_id: int, kind: type[Part]) -> Place:
    services = services_of(request)
    found = await services.crms.show(portal_id)
    known = Known()
    if kind.name in OF_DESK:
        fields = services.desk_fields
        known = await (fields.kept(portal_id) if request.method == "POST" else fields.of(portal_id))
    off = await services.desk_fields.off(portal_id)
    return Place(portal=found.portal, crm=found.crm, known=known, off=off)


async def _save(request: Request, place: Place, form: Part, actor: str) -> Saved:
    """Save what a form says, unless its CRM was saved since it was opened; InvalidValue, NotNow."""
    crms, portal_id = services_of(request).crms, place.portal.id
    await crms.refuse_second(portal_id, form.seen)
    return await crms.save(portal_id, form.parts(place), actor=actor, revision=form.seen)


def _done(request: Request, place: Place, form: Part, saved: Saved) -> Response:
    """Go back to the part, at the object that was changed, and say what may not have been meant."""
    told = " ".join([_("Saved."), *(str(each) for each in saved.warnings)])
    query = "?" + urlencode({"object": form["object"].data}) if form.name == "fields" else ""
    return redirect(request, f"/crm/{place.portal.id}/{form.name}{query}", told)


def _shown(request: Request, place: Place, kind: type[Part], form: Any) -> Response:
    asked = dict(request.query_params)
    if "object" in form and form.object.data:
        asked["object"] = form.object.data
    chosen = object_of(place.rules, asked.get("object", ""))
    return render(
        request,
        "crm_part.html",
        422 if form.is_refused else 200,
        portal=place.portal,
        crm=place.crm,
        form=form,
        part=kind,
        parts=PARTS.values(),
        rows=[(row, urlencode(row.key)) for row in kind.rows(place, asked)],
        objects=crm_texts.OBJECTS if kind.name == "fields" else {},
        chosen=chosen.name,
        known=place.known.fields.get(chosen.name, {}).values() if kind.name == "fields" else (),
        problem=place.known.problem,
        time_zones=countries.time_zones() if kind.name == "hours" else (),
    )


async def values_page(request: Request) -> Response:
    """Return `GET /crm/{portal}/values`: what templates and conditions can name."""
    portal_id = request.path_params["portal"]
    await require_right(request, "crm", "access", portal_id)
    services = services_of(request)
    found = await services.crms.show(portal_id)
    return render(
        request,
        "crm_values.html",
        portal=found.portal,
        crm=found.crm,
        values=await values_of(services, portal_id),
        filters=FILTERS.values(),
        types=crm_texts.TYPES,
        known_at=crm_texts.KNOWN_AT,
    )


async def reset_page(request: Request) -> Response:
    """Serve `/crm/{portal}/reset`: asks, then gives the CRM its usual rules back."""
    portal_id = request.path_params["portal"]
    user = await require_right(request, "crm", "modify", portal_id)
    crms = services_of(request).crms
    found = await crms.show(portal_id)
    form = await ResetForm.of(request)
    if request.method == "POST" and form.accepts():
        await crms.reset(portal_id, actor=user.email)
        return redirect(request, f"/crm/{portal_id}", _("It has the usual rules again."))
    return render(
        request,
        "confirm.html",
        422 if form.is_refused else 200,
        title=_("Give {name} the usual rules back?").format(name=found.portal.name),
        will=[
            _("Fields, search order, policies, assign rules and hours are as from the start."),
            _("Its name, and whether it is used, stay. The audit says what was otherwise."),
        ],
        form=form,
        label=_("Take the usual rules"),
        back=f"/crm/{portal_id}",
    )
