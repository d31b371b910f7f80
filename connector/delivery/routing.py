"""Decide to which object of Desk a call goes: by the CRM's assign rules, once, when its record is due."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from connector.calls import CallRecord
from connector.clock import Clock
from connector.crm import Crm, Rulebook, Rules
from connector.crm.assigning import OTHERWISE, Assigned, assign
from connector.crm.defaults import RULES as USUAL
from connector.crm.model import AssignRule, CrmObject, ObjectName
from connector.crm.values import Values
from connector.delivery.call_context import CallContext
from connector.delivery.templated import Given
from connector.store import Store, assignments
from connector.store.assignments import Assignment

_truths = msgspec.json.Encoder().encode

ValuesOf = Callable[[], Awaitable[Values]]
"""Returns the values of a call, which are looked up only where a rule asks for them."""


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """The rules that count for a call, and which of them decided; `ticket_id` is the ticket that it is on.

    `is_chosen` says that an agent has chosen that ticket, or that there shall be none.
    """

    rules: Rules
    rule: AssignRule = OTHERWISE
    truths: tuple[tuple[bool, ...], ...] = ()
    ticket_id: str | None = None
    is_chosen: bool = False

    def object(self, name: ObjectName) -> CrmObject | None:
        """Return an object that is in use."""
        return self.rules.object(name)

    def given(self, name: ObjectName, values: Values, context: CallContext) -> Given:
        """Return what the templates of an object are rendered with."""
        off = tuple(field for of, field in context.off if of == name)
        return Given(values=values, zone=context.phone.time_zone, off=off, form=self.rule.form)


def rules_of(crm: Crm) -> Rules:
    """Return the rules that count for records: the usual ones where the CRM is disabled."""
    return crm.rules if crm.enabled else USUAL


def is_plain(rules: Rules) -> bool:
    """Tell whether the first rule takes every call, to its contact, and nothing needs to be decided."""
    first = rules.assign[0] if rules.assign else OTHERWISE
    return not first.conditions.field_conditions and first.target == "contact" and not first.form


def route_of(rules: Rules, assigned: Assigned, assignment: Assignment | None = None) -> Route:
    """Return the route of a call by what was decided, and what was chosen."""
    return Route(
        rules=rules,
        rule=assigned.rule,
        truths=assigned.truths,
        ticket_id=None if assignment is None else assignment.ticket_id,
        is_chosen=assignment is not None and bool(assignment.chosen_by),
    )


class Routing:
    """Know where calls go, and decide it for those of which nothing was decided."""

    def __init__(self, store: Store, rulebook: Rulebook, clock: Clock) -> None:
        self._store = store
        self._rulebook = rulebook
        self._clock = clock

    async def known(self, context: CallContext) -> Route:
        """Return where a call goes, as it was decided; it goes to its contact where nothing was."""
        rules = rules_of(await self._rulebook.of(context.portal.id))
        return route_of(rules, _decided(rules, context.assignment), context.assignment)

    async def decide(
        self, call_id: int | None, record: CallRecord, context: CallContext, values_of: ValuesOf
    ) -> Route:
        """Return where a call goes, which is decided now unless it was before."""
        rules = rules_of(await self._rulebook.of(context.portal.id))
        is_decided = context.assignment is not None and context.assignment.decided_at is not None
        if is_decided or is_plain(rules) or call_id is None:
            return await self.known(context)
        assigned = assign(rules, await values_of(), record.started_at)
        told: Mapping[str, Any] = {
            "rule": assigned.rule.name,
            "target": assigned.rule.target,
            "truths": _truths(assigned.truths),
            "now": self._clock(),
        }
        stands = await self._store.write(lambda c: assignments.decide(c, call_id, **told))
        # Another process may have been faster.
        chosen = context.assignment if context.assignment and context.assignment.chosen_by else stands
        return route_of(rules, _decided(rules, stands), chosen)


def _decided(rules: Rules, assignment: Assignment | None) -> Assigned:
    """Return the rule that decided once: its form as it is now, its target as it was then."""
    if assignment is None or assignment.decided_at is None:
        return Assigned(OTHERWISE, ())
    same = (each for each in rules.assign if each.name == assignment.rule)
    rule = next(same, AssignRule(name=assignment.rule))
    return Assigned(msgspec.structs.replace(rule, target=assignment.target), ())
