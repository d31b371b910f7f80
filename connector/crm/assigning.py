"""To which object an interaction goes: rules in their order, of which the first that holds counts; pure."""

import msgspec

from connector.crm import conditions, templates
from connector.crm.model import AssignRule, Conditions, Rules
from connector.crm.values import Values
from connector.errors import InvalidValue

RULES_AT_MOST = 50
NAME_AT_MOST = 100
FORM_AT_MOST = 50

OTHERWISE = AssignRule(name="Otherwise")
"""What counts where no rule holds: the call goes to its contact, as it always did."""


class Assigned(msgspec.Struct, frozen=True):
    """The rule that counts, and the truth of each row of the rules tried, up to the one that counts."""

    rule: AssignRule
    truths: tuple[tuple[bool, ...], ...]


def assign(rules: Rules, values: Values, at: int) -> Assigned:
    """Return the one rule that counts for a call; never raises, whatever the rules and values are.

    `at` (epoch milliseconds) counts for business hours where the moment that a row names is not known.
    """
    truths: list[tuple[bool, ...]] = []
    for rule in rules.assign:
        verdict = conditions.evaluate(rule.conditions, values, rules, at)
        truths.append(verdict.rows)
        if verdict.matches:
            return Assigned(rule, tuple(truths))
    return Assigned(OTHERWISE, tuple(truths))


def check(rules: Rules, *, pointer: str) -> None:
    """Raise InvalidValue for assign rules that cannot be meant; `pointer` is that of the list.

    The last rule has no conditions, so that each call has its rule, and no rule before it: none would follow.
    """
    if not 1 <= len(rules.assign) <= RULES_AT_MOST:
        raise InvalidValue("There are 1 to {most} assign rules.", pointer, most=RULES_AT_MOST)
    last = len(rules.assign) - 1
    for place, rule in enumerate(rules.assign):
        here = f"{pointer}/{place}"
        if not rule.name.strip() or len(rule.name) > NAME_AT_MOST:
            raise InvalidValue(
                "A rule needs a name of at most {most} characters.", f"{here}/name", most=NAME_AT_MOST
            )
        if (rule.conditions == Conditions()) != (place == last):
            raise InvalidValue(
                "The last rule has no conditions, and every other one has: {name}.",
                f"{here}/conditions",
                name=repr(rule.name),
            )
        conditions.check(rule.conditions, rules, pointer=f"{here}/conditions")
        _check_form(rule, rules, f"{here}/form")


def _check_form(rule: AssignRule, rules: Rules, here: str) -> None:
    if len(rule.form) > FORM_AT_MOST:
        raise InvalidValue("A form has more than {most} fields.", here, most=FORM_AT_MOST)
    names = [(entry.object, entry.name) for entry in rule.form]
    for place, entry in enumerate(rule.form):
        if names.index(names[place]) != place:
            raise InvalidValue("{name} is in the form twice.", f"{here}/{place}/name", name=repr(entry.name))
        templates.check(entry.template, rules, known_at="later", pointer=f"{here}/{place}/template")
