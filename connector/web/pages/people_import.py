"""Let administrators bring people in: from a file, which they look over first, or from Zoho Desk's agents."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response
from wtforms import BooleanField, FileField, HiddenField, SelectField, SelectMultipleField, TextAreaField

from connector.accounts.desk_people import DeskPage
from connector.accounts.people_files import BYTES_AT_MOST, decoded, plain, template, written
from connector.accounts.people_import import Preview
from connector.errors import InvalidValue, NotFound, NotNow, ZohoError
from connector.services import services_of
from connector.web.api.operation import query_of
from connector.web.auth import count_request, require_user
from connector.web.bodies import SMALL_BYTES
from connector.web.forms import Form, read_upload, said
from connector.web.languages import gettext as _
from connector.web.languages import lazy
from connector.web.pages.people import ROLE_CHOICES
from connector.web.rendering import redirect, render

UPLOADED_AT_MOST = BYTES_AT_MOST + SMALL_BYTES

STATE_NAMES: dict[str, Any] = {
    "new": lazy("Not here yet"),
    "here": lazy("Here"),
    "deactivated": lazy("Here, deactivated"),
    "no_email": lazy("Desk shows no e-mail address"),
    "not_active": lazy("Not active in Desk"),
}
STEP_NAMES: dict[str, Any] = {
    "add": lazy("Is added"),
    "change": lazy("Is changed"),
    "same": lazy("Stays as it is"),
    "left_out": lazy("Is left out: deactivated"),
    "wrong": lazy("Is wrong"),
}


class ImportForm(Form):
    """A file, or its text; behind the preview, exactly the text that was looked over, and its digest."""

    file = FileField(
        lazy("CSV file"), description=lazy("In UTF-8, 512 KiB at most."), render_kw={"accept": ".csv"}
    )
    csv = TextAreaField(
        lazy("Or its text"),
        description=lazy("As it is copied out of a spreadsheet, with the line of headings."),
        render_kw={"rows": 8, "spellcheck": "false"},
    )
    digest = HiddenField()


class DeskForm(Form):
    """Which of Desk's agents are added, and as what."""

    ids = SelectMultipleField(choices=[], validate_choice=False)
    role = SelectField(lazy("Role"), choices=ROLE_CHOICES, default="agent")
    with_extensions = BooleanField(lazy("Take the extensions along that Desk has of them"), default=True)


async def import_page(request: Request) -> Response:
    """Return `GET /people/import`; `POST` shows what a file would do, and with its digest does that."""
    user = await _administrator(request)
    if request.method != "POST":
        return _import_form(request, await ImportForm.of(request))
    form, text, problem = await _uploaded(request)
    if problem is not None or not form.accepts():
        if problem is not None:
            form.refuse(problem)
        return _import_form(request, form)
    importing = services_of(request).people_import
    try:
        if form.digest.data:
            taken = await importing.carry_out(text, digest=form.digest.data, actor=user.email)
            told = _("Added: {added}. Changed: {changed}.").format(
                added=taken.count("add"), changed=taken.count("change")
            )
            return redirect(request, "/people", told)
        return _preview(request, form, text, await importing.preview(text))
    except NotNow:
        moved = _("People have been changed since you looked it over. This is what would be done now.")
        return _preview(request, form, text, await importing.preview(text), moved, 422)
    except InvalidValue as refused:
        form.refuse(refused)
        return _import_form(request, form)


async def _uploaded(request: Request) -> tuple[ImportForm, str, InvalidValue | None]:
    data, files = await read_upload(request, UPLOADED_AT_MOST)
    form = ImportForm(formdata=data, meta={"csrf_context": request})
    content, problem = files.get("file", b""), None
    text = plain(form.csv.data or "")
    if content:
        try:
            text = plain(decoded(content))
        except InvalidValue as refused:
            problem = refused
    return form, text, problem


def _import_form(request: Request, form: Form) -> Response:
    return render(request, "people_import.html", 422 if form.is_refused else 200, form=form)


def _preview(
    request: Request, form: Form, text: str, preview: Preview, moved: str = "", status: int = 200
) -> Response:
    lines = [
        {
            "line": each.line,
            "email": each.email,
            "step": each.step,
            "problem": said(each.problem) if each.problem else "",
            "differences": preview.differences(each),
            "cells": preview.cells(each.after) if each.step == "add" and each.after else {},
        }
        for each in preview.lines
    ]
    context: dict[str, Any] = {
        "form": form,
        "lines": lines,
        "text": text,
        "preview": preview,
        "moved": moved,
        "steps": STEP_NAMES,
        "wrong": preview.count("wrong"),
        "doing": preview.count("add") + preview.count("change"),
    }
    return render(request, "people_preview.html", 422 if context["wrong"] else status, **context)


async def export_people(request: Request) -> Response:
    """Return `GET /people/people.csv`: everybody, as the import reads it."""
    await _administrator(request)
    services = services_of(request)
    listed, slugs = await services.agents.list_agents(), await services.agents.slugs()
    return _file(written(listed, slugs), "people.csv")


async def template_file(request: Request) -> Response:
    """Return `GET /people/template.csv`: a file to be filled in."""
    await _administrator(request)
    return _file(template(), "people-template.csv")


class DeskAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose agents, and from which on; without a portal, those of the first."""

    portal: Annotated[int, Meta(ge=0, le=10**18 - 1)] = 0
    begin: Annotated[int, Meta(ge=0, le=10**6)] = 0


async def desk_page(request: Request) -> Response:
    """Return `GET /people/desk`: the agents of a portal's Desk; `POST` adds those that are ticked."""
    user = await _administrator(request)
    services, asked = services_of(request), query_of(request, DeskAsked)
    form = await DeskForm.of(request, with_extensions=True)
    portals = await services.portals.list_portals()
    portal_id = asked.portal or (portals[0].id if portals else 0)
    if request.method == "POST" and form.accepts():
        try:
            added = await services.desk_people.add(
                portal_id,
                form.ids.data or [],
                role=form.role.data,
                with_extensions=form.with_extensions.data,
                actor=user.email,
            )
            return redirect(request, "/people", _("Added: {count}.").format(count=len(added)))
        except InvalidValue as problem:
            form.refuse(problem)
    found, trouble = DeskPage(people=(), next=None), ""
    if portal_id:
        try:
            found = await services.desk_people.page(portal_id, asked.begin)
        except (ZohoError, NotFound) as unreached:
            trouble = str(unreached) or _("Zoho Desk cannot be asked at the moment: try again later.")
    context: dict[str, Any] = {
        "form": form,
        "found": found,
        "trouble": trouble,
        "portals": {each.id: each.name for each in portals},
        "portal": portal_id,
        "states": STATE_NAMES,
        "ticked": set(form.ids.data or []),
        "further_on": f"/people/desk?portal={portal_id}&begin={found.next}" if found.next else "",
    }
    return render(request, "people_desk.html", 422 if form.is_refused else 200, **context)


async def desk_all_page(request: Request) -> Response:
    """Ask before all agents of a portal's Desk are added, and add them: `/people/desk/all?portal=`."""
    user = await _administrator(request)
    services, portal_id = services_of(request), query_of(request, DeskAsked).portal
    portal = await services.portals.get(portal_id)
    form = await DeskForm.of(request, with_extensions=True)
    if request.method == "POST" and form.accepts():
        try:
            added = await services.desk_people.add(
                portal_id,
                role=form.role.data,
                with_extensions=form.with_extensions.data,
                actor=user.email,
            )
            return redirect(request, "/people", _("Added: {count}.").format(count=len(added)))
        except InvalidValue as problem:
            form.refuse(problem)
    context: dict[str, Any] = {
        "form": form,
        "fields": ["role", "with_extensions"],
        "title": _("Add all agents of {portal}?").format(portal=portal.name),
        "will": [
            _("Everybody who is active in Desk, has an e-mail address there and is not here yet is added."),
            _("They may sign in with Zoho at once. Who is here already stays as they are."),
        ],
        "label": _("Add them all"),
        "back": f"/people/desk?portal={portal_id}",
    }
    return render(request, "confirm.html", 422 if form.is_refused else 200, **context)


async def _administrator(request: Request) -> Any:
    user = await require_user(request, "administrator")
    count_request(request, user.email)
    return user


def _file(text: str, name: str) -> Response:
    # Excel reads a file as UTF-8 only where it begins with this mark.
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(("\ufeff" + text).encode(), headers=headers, media_type="text/csv")
