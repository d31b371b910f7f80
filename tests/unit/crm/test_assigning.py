"""Every call goes to exactly one object: by the first rule that holds."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.crm import assigning, defaults, values
from connector.crm.assigning import OTHERWISE, assign
from connector.crm.model import AssignRule, Condition, Conditions, FormField, Rules
from connector.errors import InvalidValue
from tests.unit.crm import samples
from tests.unit.crm.samples import RULES
from tests.unit.crm.test_conditions import MONDAY_TEN, SUNDAY, any_conditions

EXAMPLES = values.examples(RULES)


def with_rules(*rules: AssignRule) -> Rules:
    """Return the sample's rules with other assign rules."""
    return msgspec.structs.replace(RULES, assign=rules)


def named(name: str, queue: str = "") -> AssignRule:
    """Return a rule for a queue, or for all calls."""
    row = Condition(field_name="queue.name", condition="is", value=(queue,))
    return AssignRule(name=name, conditions=Conditions(field_conditions=(row,) if queue else ()))


def test_the_usual_rules_send_every_call_to_its_contact() -> None:
    """As it was before there were rules."""
    found = assign(defaults.RULES, {}, 0)
    assert (found.rule.name, found.rule.target, found.truths) == ("Otherwise", "contact", ((),))


def test_the_first_rule_that_holds_counts() -> None:
    """The truth of each row is kept of the rules tried, up to the one that counts."""
    found = assign(RULES, EXAMPLES, MONDAY_TEN)
    assert (found.rule.name, found.truths) == ("Sales", ((True, True),))
    found = assign(RULES, {**EXAMPLES, "call.start": SUNDAY}, SUNDAY)
    assert (found.rule.name, found.truths) == ("All others", ((True, False), ()))


def test_the_order_decides() -> None:
    """Of two rules that hold, the one that stands first."""
    one, two = named("one", "Sales"), named("two", "Sales")
    assert assign(with_rules(one, two, OTHERWISE), EXAMPLES, 0).rule == one
    assert assign(with_rules(two, one, OTHERWISE), EXAMPLES, 0).rule == two


def test_without_any_rule_that_holds() -> None:
    """A call goes to its contact, though nobody has said so."""
    assert assign(Rules(), EXAMPLES, 0) == assigning.Assigned(OTHERWISE, ())
    assert assign(with_rules(named("other", "Other")), EXAMPLES, 0).rule == OTHERWISE


any_rules = st.builds(AssignRule, name=st.text(), conditions=any_conditions)


@settings(max_examples=50)
@given(st.lists(any_rules, max_size=3), samples.values, st.integers())
def test_there_is_exactly_one_outcome(rules: list[AssignRule], told: values.Values, at: int) -> None:
    """Whatever the rules and the values: every rule before it was tried and does not hold."""
    found = assign(with_rules(*rules), told, at)
    tried = rules[: len(found.truths)]
    assert [len(each.conditions.field_conditions) for each in tried] == list(map(len, found.truths))
    assert found.rule is OTHERWISE or found.rule in rules
    if found.rule is not OTHERWISE:
        assert tried[-1] is found.rule
        assert assign(with_rules(found.rule), told, at).rule is found.rule
    for before in tried[: len(tried) - (found.rule is not OTHERWISE)]:
        assert assign(with_rules(before), told, at).rule is OTHERWISE


REFUSED: list[tuple[tuple[AssignRule, ...], str]] = [
    ((), ""),
    ((named("x", "Sales"),) * 50 + (OTHERWISE,), ""),
    ((named("a", "Sales"),), "/0/conditions"),
    ((OTHERWISE, OTHERWISE), "/0/conditions"),
    ((named(" "),), "/0/name"),
    ((named("x" * 101),), "/0/name"),
    ((AssignRule(name="a", conditions=Conditions(pattern="1")), OTHERWISE), "/0/conditions/pattern"),
    (
        (
            AssignRule(
                name="a",
                conditions=Conditions(field_conditions=(Condition(field_name="x.y", condition="is empty"),)),
            ),
            OTHERWISE,
        ),
        "/0/conditions/fieldConditions/0/fieldName",
    ),
    ((AssignRule(name="a", form=(samples.FORM, samples.FORM)),), "/0/form/1/name"),
    (
        (AssignRule(name="a", form=(FormField(object="calls", name="a", template="{{ nothing }}"),)),),
        "/0/form/0/template",
    ),
    (
        (
            AssignRule(
                name="a",
                form=tuple(FormField(object="calls", name=f"a{place}", template="") for place in range(51)),
            ),
        ),
        "/0/form",
    ),
]


@pytest.mark.parametrize(("rules", "pointer"), REFUSED, ids=range(len(REFUSED)))
def test_what_is_refused(rules: tuple[AssignRule, ...], pointer: str) -> None:
    """Rules that cannot be meant are refused, each where it is wrong."""
    with pytest.raises(InvalidValue) as refused:
        assigning.check(with_rules(*rules), pointer="/assign")
    assert refused.value.pointer == f"/assign{pointer}"


def test_the_samples_pass() -> None:
    """A form writes into a call and a ticket what has the same name."""
    assigning.check(RULES, pointer="/assign")
    both = (samples.FORM, FormField(object="tickets", name="cf_outcome", template="x"))
    assigning.check(with_rules(AssignRule(name="a", form=both)), pointer="/assign")
