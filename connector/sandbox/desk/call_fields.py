"""Custom fields of calls: listing them, and making one. Those of other modules are not played here."""

import re

from connector.sandbox.desk import bodies, params, scopes
from connector.sandbox.desk.gateway import Answer, DeskRequest, Operation
from connector.sandbox.desk.portal import MadeField
from connector.sandbox.desk.records import JsonObject
from connector.sandbox.desk.refusals import Problem, Refusal, bad_parameter, invalid_data
from connector.sandbox.desk.shapes import listing

_ID_BASE = 104_000_000_000_000_900
_OTHERWISE = {"url": ("URL", 2_500)}
_USUALLY = ("Text", 255)


def list_fields(request: DeskRequest) -> Answer:
    """List the custom fields of calls, which are all that this sandbox has; an older Desk has no list."""
    if not request.config.lists_fields:
        raise Refusal("URL_NOT_FOUND")
    if not "".join(request.query.get("module", ())):
        raise Refusal("UNPROCESSABLE_ENTITY")
    return listing(
        _shape(request, name, number)
        for number, name in enumerate(request.portal.call_fields if _is_of_calls(request) else ())
        if name in request.query.get("apiNames", (name,))
    )


def create_field(request: DeskRequest) -> Answer:
    """Make a custom field of calls; its API name is made of its label, which no other field may have."""
    if not request.config.lists_fields:
        raise Refusal("URL_NOT_FOUND")
    if not _is_of_calls(request):
        raise bad_parameter("module")
    portal, label = request.portal, request.body["displayLabel"].strip()
    taken = {portal.label_of(name).lower() for name in portal.call_fields}
    if label.lower() in taken:
        raise invalid_data([Problem("/displayLabel", "duplicate")])
    name = _api_name(label, portal.call_fields)
    most = request.body.get("maxLength")
    kind = request.body["type"]
    portal.made_fields[name] = MadeField(portal.new_id(), label, kind, None if most is None else int(most))
    return _shape(request, name, 0)


def _api_name(label: str, taken: list[str]) -> str:
    plain = re.sub(r"[^a-z0-9]+", "_", label.lower()).strip("_") or "field"
    names = (f"cf_{plain}", *(f"cf_{plain}_{number}" for number in range(1, len(taken) + 2)))
    return next(name for name in names if name not in taken)


def _is_of_calls(request: DeskRequest) -> bool:
    return request.query.get("module") == ("calls",)


def _shape(request: DeskRequest, name: str, number: int) -> JsonObject:
    portal = request.portal
    made = portal.made_fields.get(name)
    kind, most = _OTHERWISE["url"] if "url" in name else _USUALLY
    if made is not None:
        kind, most = made.type, made.most or most
    return {
        "id": made.id if made else str(_ID_BASE + number),
        "apiName": name,
        "name": name,
        "displayLabel": portal.label_of(name),
        "i18NLabel": portal.label_of(name),
        "isCustomField": True,
        "isEncryptedField": False,
        "isMandatory": False,
        "maxLength": most,
        "type": request.config.call_field_types.get(name, kind),
    }


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
)
