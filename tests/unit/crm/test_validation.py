"""Rules that cannot work are refused with their place; the usual ones are not."""

import re
from importlib import resources
from typing import Any

import msgspec
import pytest

from connector.calls import Flow
from connector.crm import defaults
from connector.crm.differences import differences
from connector.crm.model import (
    AssignRule,
    Condition,
    Conditions,
    CrmObject,
    Field,
    FormField,
    Hours,
    Opening,
    PopPolicy,
    Rules,
    SearchRow,
)
from connector.crm.validation import check_rules
from connector.crm.wanted import Parts, WholeRules, every_part, plain, read
from connector.errors import InvalidValue

USUAL = defaults.RULES
CONTACTS, ACCOUNTS, TICKETS, CALLS = USUAL.objects
FROM_QUEUES = Conditions(
    field_conditions=(Condition(field_name="call.flow", condition="is", value=("queue",)),)
)
LAST = AssignRule(name="Otherwise")
SALES = AssignRule(name="Sales", conditions=FROM_QUEUES)


def with_field(of: CrmObject = CONTACTS, **field: Any) -> Rules:
    """Return the usual rules with one more field."""
    changed = msgspec.structs.replace(of, fields=(*of.fields, Field(**field)))
    return with_objects(changed)


def with_objects(*changed: CrmObject) -> Rules:
    """Return the usual rules with some objects changed."""
    by_name = {each.name: each for each in changed}
    objects = tuple(by_name.get(each.name, each) for each in USUAL.objects)
    return msgspec.structs.replace(USUAL, objects=objects)


def with_parts(**parts: Any) -> Rules:
    """Return the usual rules with other parts."""
    return msgspec.structs.replace(USUAL, **parts)


def without(of: CrmObject, *names: str, **changed: Any) -> CrmObject:
    """Return an object without some fields."""
    kept = tuple(each for each in of.fields if each.name not in names)
    return msgspec.structs.replace(of, fields=kept, **changed)


REFUSED = [
    (with_parts(objects=USUAL.objects[:3]), "/objects", "calls is missing"),
    (with_parts(objects=(*USUAL.objects, CALLS)), "/objects/4/name", "calls is there twice"),
    (with_objects(msgspec.structs.replace(CALLS, enabled=False)), "/objects/3/enabled", "switched off"),
    (with_objects(without(CALLS, "contactId")), "/objects/3/fields", "contactId of calls stays"),
    (with_field(name="lastName"), "/objects/0/fields/5/name", "lastName is there twice"),
    (with_field(name="cf plan"), "/objects/0/fields/5/name", "as Desk's API does"),
    (with_field(name="cf_a", template="{{ 'a' * 9 }}"), "/objects/0/fields/5/template", ""),
    (with_field(name="cf_a", template="{{ call.duration }}"), "/objects/0/fields/5/template", "call.du"),
    (with_field(CALLS, name="recording", default="--"), "/objects/3/fields/8/default", "custom fields of"),
    (with_field(name="cf_a", type="email", default="--"), "/objects/0/fields/5/default", "custom fields"),
    (with_field(CALLS, name="cf_a", type="url", template="{{ recording.url | default('--') }}"),
     "/objects/3/fields/8/default", "custom fields"),
    (with_parts(search=(SearchRow(object="accounts", match="email", fields=("email",)),)),
     "/search/0/match", "cannot search accounts by email"),
    (with_parts(search=(SearchRow(object="contacts", fields=("email",)),)), "/search/0/fields", "phone, mo"),
    (with_parts(search=(SearchRow(object="contacts", fields=()),)), "/search/0/fields", "phone, mobile"),
    (with_parts(search=(USUAL.search[0], SearchRow(object="contacts", flows=(Flow.QUEUE,)))),
     "/search/1/object", "before already"),
    (msgspec.structs.replace(with_objects(msgspec.structs.replace(ACCOUNTS, enabled=False)),
                             search=(SearchRow(object="accounts"),)), "/search/0/object", "switched off"),
    (msgspec.structs.replace(with_objects(msgspec.structs.replace(
        CONTACTS, fields=tuple(msgspec.structs.replace(each, editable=False) for each in CONTACTS.fields))),
        pop={Flow.QUEUE: PopPolicy(none="new_card")}), "/pop/queue/none", "nothing to be filled in"),
    (with_parts(assign=()), "/assign", "1 to"),
    (with_parts(assign=(SALES, SALES, LAST)), "/assign/1/name", "twice"),
    (with_parts(assign=(AssignRule(name="Sales"), LAST)), "/assign/0/conditions", "has no conditions"),
    (with_parts(assign=(AssignRule(name="Last", conditions=FROM_QUEUES),)), "/assign/0/conditions", "last"),
    (with_parts(assign=(AssignRule(name=" ", conditions=FROM_QUEUES), LAST)), "/assign/0/name", "a name of"),
    (with_parts(assign=(msgspec.structs.replace(LAST, form=(FormField(
        object="tickets", name="priority", template="High"),)),)), "/assign/0/form/0/object", "new ticket"),
    (with_parts(assign=(msgspec.structs.replace(LAST, form=(FormField(
        object="calls", name="contactId", template="1"),)),)), "/assign/0/form/0/name", "target"),
    (msgspec.structs.replace(with_objects(msgspec.structs.replace(TICKETS, enabled=False)),
                             assign=(AssignRule(name="Last", target="new_ticket"),)),
     "/assign/0/target", "tickets are switched off"),
    (with_parts(hours=(Hours(name="Office", time_zone="Mars/Base"),)), "/hours/0/time_zone", "no time zone"),
    (with_parts(hours=(Hours(name="Office", open=(Opening(day=0, since=60, until=60),)),)),
     "/hours/0/open/0/until", "ends after it begins"),
    (with_parts(hours=(Hours(name="Office", closed_on=("25.12.2026",)),)), "/hours/0/closed_on/0", "no date"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rules", "pointer", "said"), REFUSED, ids=[f"{at}{each[1]}" for at, each in enumerate(REFUSED)]
)
def test_what_cannot_work_is_refused_at_its_place(rules: Rules, pointer: str, said: str) -> None:
    """The pointer leads to the very member, and the sentence says what is wrong."""
    with pytest.raises(InvalidValue) as refused:
        check_rules(rules)
    assert refused.value.pointer == pointer
    assert said in str(refused.value)


def test_what_works_is_taken() -> None:
    """The usual rules, a stand-in in a custom text field, and rules in front of the last one."""
    check_rules(USUAL)
    check_rules(with_field(CALLS, name="cf_recording", default="--", template="{{ recording.url }}"))
    check_rules(with_parts(assign=(AssignRule(name="Sales", target="asked", conditions=FROM_QUEUES), LAST)))


def test_rules_come_back_as_they_were_given() -> None:
    """What `show` writes is what `save` takes, and changes nothing."""
    given = msgspec.convert(msgspec.to_builtins(USUAL), WholeRules)
    assert plain(every_part(given).onto(USUAL)) == plain(USUAL)
    assert not differences(plain(USUAL), every_part(given).onto(USUAL))


def test_a_flow_is_changed_by_itself() -> None:
    """Policies of other flows stay, and the audit names the one."""
    after = read(b'{"pop": {"queue": {"when": "off"}}}').onto(USUAL)
    assert (after.policy(Flow.QUEUE).when, after.policy(Flow.INTERNAL)) == (
        "off",
        USUAL.policy(Flow.INTERNAL),
    )
    assert differences(USUAL, after) == ["pop queue: when off"]


@pytest.mark.parametrize("text", [b"", b"[]", b'{"nosuch": 1}', b'{"objects": [{"name": "leads"}]}', b"\xff",
                                  b'{"assign": [{"name": "A", "templat": "x"}]}'])  # fmt: skip
def test_a_member_that_is_mistyped_is_no_silence(text: bytes) -> None:
    """What no setting is called is refused instead of passed over."""
    with pytest.raises(InvalidValue, match="no JSON of a CRM"):
        read(text)


def test_the_audit_says_what_was_added_moved_and_taken_away() -> None:
    """By name and part, whatever the order was."""
    fields = (*reversed(CONTACTS.fields[1:]), Field(name="cf_plan"))
    after = with_objects(msgspec.structs.replace(CONTACTS, label="People", fields=fields))
    assert differences(USUAL, after) == [
        "contacts label: People",
        "contacts cf_plan: added",
        "contacts firstName: taken away",
        "contacts in the order: email, mobile, phone, lastName, cf_plan",
    ]
    assert not differences(USUAL, Parts().onto(USUAL))


def test_the_handbooks_example_is_taken() -> None:
    """The JSON that the page prints, as it is printed."""
    page = (resources.files("connector.handbook") / "crm.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```json\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    after = read(example.encode()).onto(USUAL)
    check_rules(after)
    assert [rule.name for rule in after.assign] == ["Missed in Sales", "Otherwise"]
