"""The fields of a record on Desk's pages: all of them to look at, and a form in which a person edits them.

People may write what the API refuses, such as brackets in a number; only lengths, picklists and what must not
be empty hold for them too. What they change is modified now, and webhooks tell of it.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from connector.sandbox.desk.accounts import change_account, shape_account
from connector.sandbox.desk.contacts import change_contact, shape_contact
from connector.sandbox.desk.fields import Field, fields_of
from connector.sandbox.desk.portal import Portal
from connector.sandbox.desk.records import JsonObject
from connector.sandbox.desk.ticket_shapes import shape_ticket
from connector.sandbox.desk.tickets import change_ticket
from connector.sandbox.responses import page
from connector.sandbox.state import SandboxState

_NOT_TYPED = frozenset({"LookUp", "DateTime"})
_LONG = frozenset({"Textarea"})


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """A module whose records people edit: what people call one, its shape, and how a change is written."""

    called: str
    shape: Callable[[Portal, Any], JsonObject]
    change: Callable[[Portal, Any, Mapping[str, Any], int], None]


KINDS: Mapping[str, Kind] = {
    "contacts": Kind(called="contact", shape=shape_contact, change=change_contact),
    "accounts": Kind(called="account", shape=shape_account, change=change_account),
    "tickets": Kind(called="ticket", shape=shape_ticket, change=change_ticket),
}


class Row(msgspec.Struct, kw_only=True):
    """A field of one record: its value as text, and what is wrong with what somebody typed."""

    field: Field
    value: str
    problem: str = ""

    @property
    def is_long(self) -> bool:
        """Tell whether it takes several lines."""
        return self.field.type in _LONG


def rows_of(portal: Portal, module: str, record: object) -> list[Row]:
    """Return the fields of a record that people may type in, each with its value."""
    shape = KINDS[module].shape(portal, record)
    return [
        Row(field=field, value=_text(shape["cf"] if field.is_custom else shape, field.name))
        for field in fields_of(portal, module)
        if field.type not in _NOT_TYPED
    ]


def _text(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name)
    return "" if value is None else str(value)


class EditPages:
    """The forms of one sandbox."""

    def __init__(self, state: SandboxState) -> None:
        self._state = state

    async def form(self, request: Request) -> Response:
        """Show the form of a record."""
        module, found = request.path_params["module"], self._find(request)
        if found is None:
            return _missing(module)
        return _form(module, found[1].id, rows_of(found[0], module, found[1]))

    async def save(self, request: Request) -> Response:
        """Write what was changed in a form, and show the record; or the form again with what is wrong."""
        module, found = request.path_params["module"], self._find(request)
        if found is None:
            return _missing(module)
        portal, record = found
        form = await request.form()
        rows = rows_of(portal, module, record)
        typed = {row.field.name: _typed(form.get(row.field.name, row.value)) for row in rows}
        changed = [row for row in rows if typed[row.field.name] != _typed(row.value)]
        must = portal.mandatory_fields(module, getattr(record, "department_id", None)) | {"status"}
        for row in changed:
            row.value = typed[row.field.name]
            row.problem = _problem(row, must)
        if any(row.problem for row in changed):
            return _form(module, record.id, rows, 422)
        if changed:
            KINDS[module].change(portal, record, _values(record, changed), self._state.clock.now())
        return RedirectResponse(f"/desk/{module}/{record.id}", 303)

    def _find(self, request: Request) -> tuple[Portal, Any] | None:
        module = request.path_params["module"]
        for portal in self._state.desk.portals() if module in KINDS else ():
            record = portal.tables[module].find(request.path_params["id"])
            if record is not None and not record.is_trashed:
                return portal, record
        return None


def _missing(module: str) -> Response:
    return page("desk_missing.html", 404, kind=KINDS[module].called if module in KINDS else "page")


def _form(module: str, record_id: str, rows: list[Row], status: int = 200) -> Response:
    called = KINDS[module].called
    return page("desk_edit.html", status, module=module, id=record_id, called=called, rows=rows)


def _typed(text: object) -> str:
    """Return a text without the spaces around it; forms break lines by two characters."""
    return str(text).replace("\r\n", "\n").strip()


def _problem(row: Row, must: Collection[str]) -> str:
    """Say what is wrong with what somebody typed; "" where nothing is."""
    field = row.field
    if not row.value:
        return "This must not be empty." if field.mandatory or field.name in must else ""
    if field.options and row.value not in field.options:
        return f"Choose one of {', '.join(field.options)}."
    if field.most is not None and len(row.value) > field.most:
        return f"Write at most {field.most} characters."
    return ""


def _values(record: msgspec.Struct, rows: Iterable[Row]) -> dict[str, Any]:
    """Return what was changed by the names of our fields: what a record has no field for is a further one."""
    own = {field.encode_name: field.name for field in msgspec.structs.fields(record)}
    values: dict[str, Any] = {"cf": {}}
    for row in rows:
        value = row.value or None
        if row.field.is_custom:
            values["cf"][row.field.name] = value
        elif row.field.name in own:
            values[own[row.field.name]] = value
        else:
            values.setdefault("extra", {})[row.field.name] = value
    return values


def routes_of_forms(state: SandboxState) -> list[BaseRoute]:
    """List the addresses of the forms."""
    pages, path = EditPages(state), "/desk/{module}/{id}/edit"
    return [Route(path, pages.form), Route(path, pages.save, methods=["POST"])]
