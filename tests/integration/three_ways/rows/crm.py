"""The CRM: each kind of its settings, and what is refused."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from connector.crm import defaults
from tests.integration.three_ways.ways import Row, Words

PAGE, API = "/crm/1", "/api/v1/crms/1"
RULES: dict[str, Any] = msgspec.to_builtins(defaults.RULES)
POP: dict[str, Any] = RULES["pop"]

Fields = Mapping[str, str | Sequence[str]]


def saving(parts: object) -> Words:
    """Return the command that saves parts of the CRM."""
    return ("crm", "save", "1", "--set", json.dumps(parts), "--revision", "0")


def row(name: str, part: str, fields: Fields, parts: dict[str, Any], refused: str = "") -> Row:
    """Return a row of a setting of the CRM as it is from the start."""
    sent = dict(fields) | {"revision": "0"}
    return Row(name, saving(parts), (f"{PAGE}/{part}", sent), ("PATCH", API, parts | {"revision": 0}),
               refused=refused)  # fmt: skip


def objects(name: str, **changed: Any) -> dict[str, Any]:
    """Return the usual objects, one of them changed."""
    return {"objects": [each | changed if each["name"] == name else each for each in RULES["objects"]]}


def fields(name: str, *more: dict[str, Any]) -> dict[str, Any]:
    """Return the usual objects, one of them with more fields."""
    (own,) = [each["fields"] for each in RULES["objects"] if each["name"] == name]
    return objects(name, fields=[*own, *more])


def pop_fields(**changed: str) -> dict[str, str]:
    """Return the fields of the pop policy's form, some of them changed."""
    usual = {f"{flow}_{name}": value for flow, each in POP.items() for name, value in each.items()}
    return usual | changed


PLAN = {"name": "cf_plan", "label": "Plan", "type": "one_of", "template": "Basic", "shown": ["pop", "card"],
        "editable": True}  # fmt: skip
PLAN_FORM = {"object": "contacts", "field": "cf_plan", "called": "Plan", "type": "one_of",
             "template": "Basic", "shown": ["pop", "card"], "editable": "y"}  # fmt: skip
STEP = {"object": "contacts", "match": "email", "fields": ["email"], "flows": ["queue"], "search_on": True}
STEP_FORM = {"object": "contacts", "match": "email", "fields": "email", "flows": ["queue"], "search_on": "y",
             "enabled": "y"}  # fmt: skip
SALES: dict[str, Any] = {
    "name": "Sales",
    "target": "new_ticket",
    "conditions": {
        "fieldConditions": [
            {"fieldName": "queue.name", "condition": "one of", "value": ["Sales", "Front desk"]},
            {"fieldName": "call.flow", "condition": "is", "value": ["queue"]},
        ],
        "pattern": "1 or 2",
    },
    "form": [{"object": "tickets", "name": "priority", "template": "High"}],
}
SALES_FORM: dict[str, str] = {
    "called": "Sales",
    "target": "new_ticket",
    "account_contact": "only",
    "conditions-0-field": "queue.name",
    "conditions-0-condition": "one of",
    "conditions-0-value": "Sales; Front desk",
    "conditions-1-field": "call.flow",
    "conditions-1-condition": "is",
    "conditions-1-value": "queue",
    "pattern": "1 or 2",
    "form-0-object": "tickets",
    "form-0-field": "priority",
    "form-0-template": "High",
}
OFFICE = {"name": "Office", "time_zone": "Europe/Paris", "closed_on": ["2026-12-25"],
          "open": [{"day": day, "since": 540, "until": 1_050} for day in (0, 1)]}  # fmt: skip
OFFICE_FORM = {"called": "Office", "time_zone": "Europe/Paris", "closed_on": "2026-12-25",
               "open": "Mon-Tue 9:00-17:30"}  # fmt: skip
OTHERWISE = RULES["assign"]

ROWS = [
    row("crm general", "general", {"called": "Desk Europe"}, {"name": "Desk Europe", "enabled": False}),
    row("crm general without a name", "general", {"called": " ", "enabled": "y"}, {"name": " "},
        "Name the CRM with 1 to 100 characters."),
    row("crm objects", "objects", {"object": "accounts", "called": "Companies", "enabled": "y"},
        objects("accounts", label="Companies", enabled=True)),
    row("crm calls switched off", "objects", {"object": "calls", "called": "Calls"},
        objects("calls", enabled=False), "calls cannot be switched off"),
    row("crm fields", "fields", PLAN_FORM, fields("contacts", PLAN)),
    row("crm fields whose template is none", "fields", PLAN_FORM | {"template": "{{ call.nosuch }}"},
        fields("contacts", PLAN | {"template": "{{ call.nosuch }}"}), "call.nosuch"),
    row("crm fields known too late", "fields", PLAN_FORM | {"template": "{{ call.duration }}"},
        fields("contacts", PLAN | {"template": "{{ call.duration }}"}), "call.duration"),
    row("crm fields with a stand-in", "fields", PLAN_FORM | {"default": "--"},
        fields("contacts", PLAN | {"default": "--"}), "-- can stand only in custom fields of text"),
    row("crm search", "search", STEP_FORM, {"search": [*RULES["search"], STEP]}),
    row("crm search that Desk cannot", "search", STEP_FORM | {"object": "accounts"},
        {"search": [*RULES["search"], STEP | {"object": "accounts"}]},
        "Desk cannot search accounts by email"),
    row("crm pop", "pop", pop_fields(queue_when="answer", queue_none="new_card", direct_many="mine_first"),
        {"pop": {"queue": POP["queue"] | {"when": "answer", "none": "new_card"},
                 "direct": POP["direct"] | {"many": "mine_first"}}}),
    row("crm assign", "assign", SALES_FORM, {"assign": [SALES, *OTHERWISE]}),
    row("crm assign by what there is not", "assign", SALES_FORM | {"pattern": "1 and 9"},
        {"assign": [SALES | {"conditions": SALES["conditions"] | {"pattern": "1 and 9"}}, *OTHERWISE]},
        "The pattern cannot be read at '9'"),
    row("crm hours", "hours", OFFICE_FORM, {"hours": [OFFICE]}),
    row("crm hours elsewhere", "hours", OFFICE_FORM | {"time_zone": "Mars/Base"},
        {"hours": [OFFICE | {"time_zone": "Mars/Base"}]}, "is no time zone; name one"),
    Row("crm reset", ("crm", "reset", "1", "--yes"), (f"{PAGE}/reset", {}), ("POST", f"{API}/reset", {}),
        [saving({"hours": [OFFICE]})]),
    Row("crm enabled", ("crm", "enable", "1"),
        (f"{PAGE}/general", {"called": "Zoho Desk", "enabled": "y", "revision": "1"}),
        ("PATCH", API, {"enabled": True}), [("crm", "disable", "1")]),
    Row("crm saved meanwhile", ("crm", "disable", "1", "--revision", "0"),
        (f"{PAGE}/general", {"called": "Zoho Desk", "revision": "0"}),
        ("PUT", API, {"revision": 0, "enabled": False, "rules": RULES}), [saving({"hours": [OFFICE]})],
        "Nothing is saved, because this CRM is not as you have seen it: cli:"),
]  # fmt: skip
