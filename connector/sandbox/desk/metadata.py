"""Fields and layouts over the API: listing them, and making custom fields of calls.

Of other modules none are made here. A layout says what a new record of its department cannot be without.
"""

import re
from collections.abc import Iterator

from connector.sandbox.desk import bodies, params, scopes
from connector.sandbox.desk.fields import STANDARD, Field, fields_of
from connector.sandbox.desk.gateway import Answer, DeskRequest, Operation
from connector.sandbox.desk.portal import BY_DEPARTMENT, MadeField, Portal
from connector.sandbox.desk.records import Department, JsonObject
from connector.sandbox.desk.refusals import Problem, Refusal, bad_parameter, invalid_data
from connector.sandbox.desk.search import any_match, cut
from connector.sandbox.desk.shapes import listing
from connector.sandbox.desk.times import write_time

_ID_BASE = 104_000_000_000_030_000
_IDS_OF_A_MODULE = 1_000
_LAYOUTS_MOST = 99
_INNER_NAMES = {"contacts": "Contacts", "accounts": "Accounts", "tickets": "Cases", "calls": "Calls"}


def list_fields(request: DeskRequest) -> Answer:
    """List the fields of a module; an older Desk has no list."""
    if not request.config.lists_fields:
        raise Refusal("URL_NOT_FOUND")
    (module,) = request.query.get("module", ("",))
    if not module:
        raise Refusal("UNPROCESSABLE_ENTITY")
    return listing(
        _shape_field(request.portal, module, field)
        for field in fields_of(request.portal, module)
        if field.name in request.query.get("apiNames", (field.name,))
    )


def create_field(request: DeskRequest) -> Answer:
    """Make a custom field of calls; its API name is made of its label, which no other field may have."""
    if not request.config.lists_fields:
        raise Refusal("URL_NOT_FOUND")
    if request.query.get("module") != ("calls",):
        raise bad_parameter("module")
    portal, label = request.portal, request.body["displayLabel"].strip()
    taken = {field.label.lower() for field in portal.custom_fields("calls")}
    if label.lower() in taken:
        raise invalid_data([Problem("/displayLabel", "duplicate")])
    name = _api_name(label, portal.call_fields)
    most = request.body.get("maxLength")
    kind = request.body["type"]
    portal.made_fields[name] = MadeField(portal.new_id(), label, kind, None if most is None else int(most))
    made = next(field for field in fields_of(portal, "calls") if field.name == name)
    return _shape_field(portal, "calls", made)


def _api_name(label: str, taken: list[str]) -> str:
    plain = re.sub(r"[^a-z0-9]+", "_", label.lower()).strip("_") or "field"
    names = (f"cf_{plain}", *(f"cf_{plain}_{number}" for number in range(1, len(taken) + 2)))
    return next(name for name in names if name not in taken)


def _shape_field(portal: Portal, module: str, field: Field) -> JsonObject:
    """Return a field as the list of a module's fields shows it."""
    picklist = {"pickListValues": [_option(field, value) for value in field.options]} if field.options else {}
    return _common_field(portal, module, field) | {"isMandatory": field.mandatory} | picklist


def _option(field: Field, value: str) -> JsonObject:
    is_status = field.name == "status" and not field.is_custom
    return {"value": value} | ({"statusType": _STATUS_TYPES.get(value, "Open")} if is_status else {})


_STATUS_TYPES = {"On Hold": "On Hold", "Closed": "Closed"}


def _common_field(portal: Portal, module: str, field: Field) -> JsonObject:
    made = portal.made_fields.get(field.name) if module == "calls" else None
    return {
        "id": made.id if made else _field_id(portal, module, field.name),
        "apiName": field.name,
        "name": field.name,
        "displayLabel": field.label,
        "i18NLabel": field.label,
        "isCustomField": field.is_custom,
        "isEncryptedField": False,
        "maxLength": field.most,
        "type": field.type,
    }


def _field_id(portal: Portal, module: str, name: str) -> str:
    names = [field.name for field in fields_of(portal, module)]
    return str(_ID_BASE + _IDS_OF_A_MODULE * list(STANDARD).index(module) + names.index(name))


def list_layouts(request: DeskRequest) -> Answer:
    """List the layouts of a module: one, or one for each department."""
    query = request.query
    (module,) = query.get("module", ("",))
    if not module:
        raise Refusal("UNPROCESSABLE_ENTITY")
    kept = [
        _shape_layout(request.portal, module, department)
        for name, department in _places(request.portal)
        if name == module and query.get("departmentId") in (None, department.id if department else None)
    ]
    kept = [each for each in kept if query.get("id", each["id"]) == each["id"]]
    kept = [each for each in kept if any_match(query.get("layoutName", ("*",)), [each["layoutName"]])]
    if query.get("status") == "inactive":
        return None
    return listing(each | {"layoutProfiles": []} for each in cut(kept, query, _LAYOUTS_MOST))


def get_layout(request: DeskRequest) -> Answer:
    """Read one layout with its sections: what Desk has itself, then what the portal has added."""
    portal = request.portal
    for module, department in _places(portal):
        department_id = department.id if department else None
        if portal.layout_id(module, department_id) == request.path["id"]:
            shape = _shape_layout(portal, module, department)
            return shape | {"sections": _sections(portal, module, department_id)}
    raise Refusal("URL_NOT_FOUND")


def _places(portal: Portal) -> Iterator[tuple[str, Department | None]]:
    """Go through the layouts: their modules, and the departments of those that have one."""
    for module in STANDARD:
        if module in BY_DEPARTMENT:
            yield from ((module, department) for department in portal.departments.values())
        else:
            yield module, None


def _shape_layout(portal: Portal, module: str, department: Department | None) -> JsonObject:
    first = next(iter(portal.departments.values()))
    name = department.name if department else module.capitalize()
    shape: JsonObject = {
        "id": portal.layout_id(module, department.id if department else None),
        "layoutName": name,
        "layoutDisplayName": name,
        "layoutDesc": None,
        "module": _INNER_NAMES[module],
        "status": "active",
        "isDefaultLayout": True,
        "isStandardLayout": True,
        "hasLogo": False,
        "photoURL": None,
        "skipDeptAccessValidation": False,
        "createdBy": first.creator_id,
        "createdTime": write_time(first.created_at),
        "modifiedBy": first.creator_id,
        "modifiedTime": write_time(first.created_at),
    }
    return shape | ({"departmentId": department.id} if department else {})


def _sections(portal: Portal, module: str, department_id: str | None) -> list[JsonObject]:
    wanted = portal.mandatory_fields(module, department_id)
    fields = [(field, field.mandatory or field.name in wanted) for field in fields_of(portal, module)]
    parts = [[each for each in fields if each[0].is_custom is is_custom] for is_custom in (False, True)]
    return [
        {
            "id": str(number + 1),
            "name": name,
            "i18NLabel": name,
            "isCustomSection": False,
            "fields": [_shape_in_layout(portal, module, field, is_mandatory=must) for field, must in part],
        }
        for number, (name, part) in enumerate(zip(_SECTIONS, parts, strict=True))
    ]


_SECTIONS = ("General Information", "Additional Information")


def _shape_in_layout(portal: Portal, module: str, field: Field, *, is_mandatory: bool) -> JsonObject:
    shape = _common_field(portal, module, field) | {
        "isMandatory": is_mandatory,
        "isSystemMandatory": field.mandatory,
        "isRemovable": not field.mandatory,
        "isReadOnly": False,
        "isTrackLastActivityTime": False,
        "toolTip": None,
        "toolTipType": None,
    }
    if not field.options:
        return shape
    return shape | {"allowedValues": [*field.options], "defaultValue": None, "sortBy": "userDefined"}


OPERATIONS = (
    Operation(
        method="GET",
        path="/api/v1/fields",
        scopes=scopes.FIELDS,
        handler=list_fields,
        query=params.FIELD_LIST,
        cost="page",
    ),
    Operation(
        method="POST",
        path="/api/v1/fields",
        scopes=scopes.CREATE_FIELDS,
        handler=create_field,
        query=params.FIELD_MAKE,
        body=bodies.FIELD_CREATE,
        permission="setup.tabsAndFields",
        status=201,
    ),
    Operation(
        method="GET",
        path="/api/v1/layouts",
        scopes=scopes.LAYOUTS,
        handler=list_layouts,
        query=params.LAYOUT_LIST,
        cost="page",
    ),
    Operation(method="GET", path="/api/v1/layouts/{id:int}", scopes=scopes.LAYOUTS, handler=get_layout),
)
