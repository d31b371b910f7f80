"""Check a portal: ask what it allows, try what can be read, and tell one from the other.

Reads only: what is written to Desk stays there, so writing is never tried. Where Zoho does not answer, that
is said, and beside it what it said last.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable

import msgspec

from connector.checks import Check, Layer
from connector.errors import (
    ClientRefused,
    ConnectorError,
    CreditsExhausted,
    Forbidden,
    GrantLost,
    LicenseLimited,
    NoToken,
    OrgMismatch,
    OutcomeUnknown,
    ScopeMissing,
    ZohoBusy,
    ZohoDown,
    ZohoError,
)
from connector.portals.call_fields import listed_fields
from connector.portals.check_layers import CONNECT, LINK_AGAIN, credit_checks, edition_checks, spent_check
from connector.portals.obstacles import field_checks, known_checks
from connector.store.limits import Allowed, LimitState
from connector.store.portals import Portal
from connector.zoho import actions
from connector.zoho.actions import Feature
from connector.zoho.client import Desk

NOBODYS_NUMBER = "+10000000000"


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What we know of a portal's limits: what was met of them, what is left of the day, what is allowed."""

    state: LimitState
    left: int | None
    terms: Allowed
    now: int


async def portal_checks(
    portal: Portal, desk: Desk, features: Collection[Feature], standing: Callable[[], Awaitable[Standing]]
) -> list[Check]:
    """Return every check of a portal that Desk answers; one that fails does not stop the others.

    What Zoho has told must be kept in `portal` before. `standing` is read last, for Desk tells with each
    answer how many credits are left.
    """
    known = [
        Check(layer="zoho", what="Zoho Desk", state="ok", why="It answers."),
        *known_checks(portal, features),
    ]
    refused = {check.what for check in known if check.state == "refused"}
    tried = [
        await _try(feature.title, attempt(portal, desk))
        for feature, attempt in _ATTEMPTS
        if feature.title not in refused
    ]
    fields = field_checks(portal, await listed_fields(desk))
    found = await standing()
    limits = credit_checks(found.state, found.left, found.terms, found.now)
    return [*known, *tried, *edition_checks(portal.edition, features), *limits, *fields]


def unanswered_checks(portal: Portal, features: Collection[Feature], problem: ConnectorError) -> list[Check]:
    """Return the checks of a portal that Desk does not answer: why, and what Zoho said last."""
    known = known_checks(portal, features)
    if portal.state != "linked":
        return known
    why = "What follows is what Zoho said last." if len(known) > 1 else ""
    failed = problem_check("Zoho Desk", problem)
    return [msgspec.structs.replace(failed, why=f"{failed.why} {why}".strip()), *known]


def problem_check(what: str, problem: ConnectorError) -> Check:
    """Return what a request has come to that was tried, in the layer that has stopped it.

    Nobody is said to be refused who was not answered.
    """
    if isinstance(problem, CreditsExhausted):
        return spent_check(str(problem), problem.reason)
    layer, remedy, place = next(
        (row[1:] for row in _LAYERS if isinstance(problem, row[0])), ("reading", "", "")
    )
    is_silence = isinstance(problem, _UNANSWERED) and not isinstance(problem, ClientRefused)
    return Check(
        layer=layer,
        what=what,
        state="unknown" if is_silence else "refused",
        why=str(problem),
        place=place,
        remedy=remedy,
        reason=problem.reason,
    )


_UNANSWERED = (ZohoDown, ZohoBusy, NoToken, OutcomeUnknown)

UNANSWERED = frozenset({"zoho_down", "no_token", "zoho_busy", "concurrency_exceeded", "tokens_throttled"})
"""Reasons of checks that failed because Zoho did not answer them."""

SPENT = frozenset({"credits_exhausted", "credits_kept"})
"""Reasons of checks that Desk does not answer before there are new credits."""

_AWAY = (
    "Wait a few minutes and check again: what waits for Zoho Desk is delivered by itself once Zoho answers. "
    "If it stays so, the connector's log names the host and what to check."
)
_ALLOW = (
    "An administrator of Zoho Desk gives the agent who linked the portal the right to it, or links the "
    "portal again at /connect as an agent who has it."
)
_RELINK = f"{LINK_AGAIN}."

_LAYERS: tuple[tuple[type[ConnectorError], Layer, str, str], ...] = (
    (ClientRefused, "grant", "Check ZOHO_CLIENT_ID and the secret of this data centre.", ""),
    (GrantLost, "grant", _RELINK, CONNECT),
    (OrgMismatch, "grant", f"{LINK_AGAIN} and chooses this very organisation there.", CONNECT),
    (ScopeMissing, "scope", f"{LINK_AGAIN} and agrees to everything that is asked.", CONNECT),
    (LicenseLimited, "edition", "Whoever pays for Zoho Desk changes the plan, or the agent's licence.", ""),
    (Forbidden, "profile", _ALLOW, ""),
    (ZohoDown, "zoho", _AWAY, ""),
    (ZohoBusy, "zoho", _AWAY, ""),
    (NoToken, "zoho", _AWAY, ""),
    (OutcomeUnknown, "zoho", _AWAY, ""),
)  # fmt: skip
"""In which layer each problem stops a request, who mends it, and where."""


def has_reason(checks: Iterable[Check], reasons: Collection[str]) -> bool:
    """Tell whether one of some checks has ended with one of these reasons."""
    return any(check.reason in reasons for check in checks)


async def _contacts(_portal: Portal, desk: Desk) -> str:
    await desk.search_contacts("phone", [NOBODYS_NUMBER])
    return "Contacts can be searched by number."


async def _calls(portal: Portal, desk: Desk) -> str:
    if portal.default_department_id is None:
        raise Forbidden("The grant's agent sees no department, and a record belongs to one.")
    found = await desk.list_calls(portal.default_department_id, limit=1)
    return f"{'Some' if found else 'None'} in the default department so far."


async def _agents(_portal: Portal, desk: Desk) -> str:
    listed = await desk.agents(limit=1)
    if not any(agent.email for agent in listed):
        raise Forbidden("Their e-mail addresses are hidden from this profile: records will have no owner.")
    return "Their e-mail addresses can be read, so that records find their owner."


async def _try(what: str, attempt: Awaitable[str]) -> Check:
    try:
        return Check(layer="reading", what=what, state="ok", why=await attempt)
    except ZohoError as problem:
        return problem_check(what, problem)


_ATTEMPTS: tuple[tuple[Feature, Callable[[Portal, Desk], Awaitable[str]]], ...] = (
    (actions.LOOK_UP, _contacts),
    (actions.RECONCILE, _calls),
    (actions.OWNERS, _agents),
)
