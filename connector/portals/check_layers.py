"""Say of each layer that can block a portal what it allows: pure, from what Zoho has told.

The layers are the scopes of the grant, the licence and the profile of the agent who linked the portal, data
sharing, the edition, and credits. Writing is never tried, for what is written to Desk stays there; and a
contact that the agent may not see looks like one that is not there. So what Zoho says it allows is compared
with what the features that are on need. What it does not say is unknown until it is tried.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from types import MappingProxyType

from connector.casing import ascii_lower
from connector.checks import Check
from connector.clock import in_words
from connector.limits.editions import EDITIONS, edition_of
from connector.portals.rights import Rights
from connector.store.limits import Allowed, LimitState
from connector.store.portals import Portal
from connector.zoho import scopes
from connector.zoho.actions import Feature, Level, used_by

LINK_AGAIN = "An administrator links the portal again at /connect"
_SCOPE = f"{LINK_AGAIN} and agrees to everything that is asked: a grant never gains permissions later."
_OTHER_AGENT = "or links the portal again at /connect as an agent who may"

CONNECT = "/connect"
AGENTS_PLACE = "Setup > Users and Control > Agents"
PROFILES_PLACE = "Setup > Users and Control > Permissions > Profiles"
SHARING_PLACE = "Setup > Users and Control > Permissions > Data Sharing"
EDITION_PLACE = "Setup > Manage Subscription"
CREDITS_PLACE = "Setup > Developer Space > API"

LEVEL_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "private": "Private",
        "public read only": "Public Read Only",
        "public": "Public Read/Write/Delete",
    }
)
"""What Desk's own pages call each level, the least first."""


def whose(portal: Portal, rights: Rights) -> str:
    """Return who the linking agent is, for the middle of a sentence."""
    return f"the agent who linked the portal ({rights.agent or portal.linked_by})"


def grant_checks(portal: Portal) -> list[Check]:
    """Return how a portal's grant is, as far as is known without asking."""
    if portal.state == "linked":
        return [Check(layer="grant", what="The grant", state="ok", why=f"Given by {portal.linked_by}.")]
    why = "Zoho no longer accepts the grant." if portal.state == "grant_lost" else "It is not linked."
    remedy = f"{LINK_AGAIN}: what has not reached Desk waits until then, nothing is dropped."
    return [
        Check(layer="grant", what="Everything", state="refused", why=why, place=CONNECT, remedy=remedy,
              reason="grant_lost")
    ]  # fmt: skip


def scope_checks(granted: str, features: Collection[Feature]) -> Iterator[Check]:
    """Yield whether the grant has the scopes that each feature needs; `granted` is "" where nobody told."""
    if not granted:
        yield Check(
            layer="scope",
            what="Scopes of the grant",
            state="unknown",
            why="Zoho did not say which scopes it granted: what takes one is unknown until tried.",
            needs=", ".join(scopes.names(scopes.asked_for(features))),
            place=CONNECT,
            remedy=f"Nothing to do while Desk takes records. If it refuses them for a scope: {_SCOPE}",
        )
        return
    for feature in features:
        needed = scopes.asked_for([feature])
        if missing := scopes.missing(granted, needed):
            yield Check(
                layer="scope",
                what=feature.title,
                state="refused",
                why=f"The grant lacks the scope {' and the scope '.join(missing)}.",
                needs=", ".join(missing),
                place=CONNECT,
                remedy=_SCOPE,
            )
        else:
            why = f"The grant has {', '.join(scopes.names(needed))}."
            yield Check(layer="scope", what=feature.title, state="ok", why=why)


def licence_checks(portal: Portal, rights: Rights, features: Iterable[Feature]) -> Iterator[Check]:
    """Yield whether the linking agent's licence lets each feature write; nothing where nobody knows."""
    if rights.is_light is None:
        return
    for feature in features:
        if not any(action.is_write for action in used_by([feature])):
            continue
        if not rights.is_light:
            yield Check(layer="licence", what=feature.title, state="ok", why="It is no light agent's.")
            continue
        yield Check(
            layer="licence",
            what=feature.title,
            state="refused",
            why=f"In Zoho Desk, {whose(portal, rights)} is a light agent, who cannot write such records.",
            needs="A full licence",
            place=AGENTS_PLACE,
            remedy=f"An administrator of Zoho Desk gives that agent a full licence, {_OTHER_AGENT}.",
        )


def profile_checks(portal: Portal, rights: Rights, features: Iterable[Feature]) -> Iterator[Check]:
    """Yield whether the linking agent's profile allows each feature, then what Desk has not told of it."""
    untold: dict[str, list[str]] = {}
    for feature in features:
        needed = dict.fromkeys(each.permission for each in used_by([feature]) if each.permission)
        for permission in needed:
            is_allowed = rights.permissions.get(permission)
            if is_allowed is None:
                untold.setdefault(permission, []).append(feature.title)
            else:
                yield _permission(portal, rights, feature, permission, is_allowed=is_allowed)
    if untold:
        because = rights.unknown_because or f"it did not name {', '.join(untold)}"
        titles = ", ".join(dict.fromkeys(title for found in untold.values() for title in found))
        yield Check(
            layer="profile",
            what="Permissions of the agent",
            state="unknown",
            why=f"Zoho Desk did not say what the linking agent's profile allows: {_ended(because)} "
            f"Unknown until tried: {titles}.",
            needs="; ".join(map(permission_words, untold)),
            place=PROFILES_PLACE,
            remedy=f"Ask again with `connector portals show {portal.id} --live`.",
        )


def _permission(
    portal: Portal, rights: Rights, feature: Feature, permission: str, *, is_allowed: bool
) -> Check:
    words = permission_words(permission)
    if is_allowed:
        return Check(layer="profile", what=feature.title, state="ok", why=f"The profile allows {words}.")
    return Check(
        layer="profile",
        what=feature.title,
        state="refused",
        why=f"In Zoho Desk, the profile of {whose(portal, rights)} lacks the permission {permission}.",
        needs=words,
        place=f"{PROFILES_PLACE} > {rights.profile or 'the profile of that agent'} > {words}",
        remedy=f"An administrator of Zoho Desk allows it in that profile, {_OTHER_AGENT}.",
    )


def permission_words(permission: str) -> str:
    """Return a permission as people read it: "Agents: view all fields"."""
    module, _, right = permission.partition(".")
    spaced = ascii_lower(re.sub(r"(?<!^)(?=[A-Z])", " ", right))
    return f"{module.capitalize()}: {spaced}"


def sharing_checks(portal: Portal, rights: Rights, features: Iterable[Feature]) -> Iterator[Check]:
    """Yield whether each module is shared as far as the features need, then what Desk has not told of it."""
    needed = _needed_levels(features)
    for module, titles in needed.items():
        if module in rights.sharing:
            yield _module(portal, rights, module, titles)
    untold = {module: _most(titles) for module, titles in needed.items() if module not in rights.sharing}
    if untold:
        because = rights.sharing_unknown_because or f"it did not name {', '.join(untold)}"
        yield Check(
            layer="sharing",
            what=f"Sharing of {' and '.join(untold)}",
            state="unknown",
            why=f"Zoho Desk did not say which records its agents see: {_ended(because)} Those that the "
            "linking agent may not see are left out without a word.",
            needs="; ".join(f"{each.capitalize()}: {LEVEL_WORDS[level]}" for each, level in untold.items()),
            place=SHARING_PLACE,
            remedy=f"Ask again with `connector portals show {portal.id} --live`.",
        )


def _needed_levels(features: Iterable[Feature]) -> dict[str, dict[str, Level]]:
    """Return for each module what each feature, by its title, needs of its sharing."""
    needed: dict[str, dict[str, Level]] = {}
    for feature in features:
        for action in used_by([feature]):
            if action.module is not None:
                titles = needed.setdefault(action.module, {})
                titles[feature.title] = _higher(titles.get(feature.title, "private"), action.level)
    return needed


def _module(portal: Portal, rights: Rights, module: str, titles: Mapping[str, Level]) -> Check:
    level, words = rights.sharing[module], module.capitalize()
    needs, what = LEVEL_WORDS[_most(titles)], f"Sharing of {module}"
    stopped = [title for title, least in titles.items() if _rank(least) > _rank(level)]
    if not stopped:
        why = f"{words} are {LEVEL_WORDS[level]}; {needs} is enough."
        return Check(layer="sharing", what=what, state="ok", why=why)
    remedy = f"An administrator of Zoho Desk shares {module} as {needs} there"
    if level == "private":
        meaning = (
            f"Zoho Desk leaves out, without a word, those that do not belong to {whose(portal, rights)} or "
            "to agents below in the role hierarchy"
        )
        remedy = f"{remedy}, or links the portal again at /connect as an agent whose role is above all others"
    else:
        meaning = "those of other agents can be read, and not changed"
    return Check(
        layer="sharing",
        what=what,
        state="refused",
        why=f"{words} are {LEVEL_WORDS[level]}: {meaning}. That stands in the way of: {', '.join(stopped)}.",
        needs=needs,
        place=SHARING_PLACE,
        remedy=f"{remedy}.",
    )


def _rank(level: str) -> int:
    return tuple(LEVEL_WORDS).index(level)


def _higher(one: Level, other: Level) -> Level:
    return max(one, other, key=_rank)


def _most(titles: Mapping[str, Level]) -> Level:
    return max(titles.values(), key=_rank)


def edition_checks(edition: str, features: Iterable[Feature]) -> Iterator[Check]:
    """Yield which edition a portal has, and of each feature that needs a larger one whether it is there."""
    terms, known = edition_of(edition), tuple(EDITIONS)
    name = ascii_lower(edition.strip())
    allows = f"{terms.width} requests at a time and {terms.daily_credits:,} credits a day"
    if name in EDITIONS:
        why = f"{name.capitalize()} allows {allows}, and more with each agent."
        yield Check(layer="edition", what="Edition", state="ok", why=why)
    else:
        yield Check(
            layer="edition",
            what="Edition",
            state="unknown",
            why=f"Zoho Desk did not name an edition that is known here: the smallest is assumed, {allows}.",
            place=EDITION_PLACE,
            remedy="If Zoho allows more at a time, say so with `connector portals set ID --concurrency`.",
        )
    for feature in features:
        least = max(
            (each.edition for each in used_by([feature]) if each.edition), default="", key=known.index
        )
        if least and name in EDITIONS and known.index(name) < known.index(least):
            yield Check(
                layer="edition",
                what=feature.title,
                state="refused",
                why=f"The edition {name.capitalize()} does not have it.",
                needs=f"Edition {least.capitalize()}",
                place=EDITION_PLACE,
                remedy="Whoever pays for Zoho Desk changes the plan; or the setting that asks for it is "
                "taken away.",
            )


def credit_checks(state: LimitState, left: int | None, terms: Allowed, now: int) -> Iterator[Check]:
    """Yield how many credits and requests at a time a portal has; `left` is what this process knows."""
    left = state.credits_left if left is None else left
    if now < state.closed_until:
        wait = in_words(-(-(state.closed_until - now) // 1_000))
        why = f"The credits of Zoho Desk for today are used up. Desk is asked again in {wait}."
        yield spent_check(why, "credits_exhausted")
    elif left is None:
        why = "Zoho Desk has not said how many are left today."
        yield Check(layer="credits", what="Credits of today", state="unknown", why=why)
    elif left <= terms.low:
        yield Check(
            layer="credits",
            what="Credits of today",
            state="warning",
            why=f"{left:,} are left, which are kept for calls that ring and for their records.",
            needs=f"More than {terms.low:,}",
            place=CREDITS_PLACE,
            remedy=_SPENT,
        )
    else:
        yield Check(layer="credits", what="Credits of today", state="ok", why=f"{left:,} are left.")
    yield _width(state, terms, now)


def _width(state: LimitState, terms: Allowed, now: int) -> Check:
    width = state.width(terms, now)
    if width >= terms.width:
        return Check(layer="credits", what="Requests at a time", state="ok", why=f"{width} may be sent.")
    return Check(
        layer="credits",
        what="Requests at a time",
        state="warning",
        why=f"{width} of {terms.width} are sent at present: Zoho Desk has refused more.",
        needs=str(terms.width),
        place=CREDITS_PLACE,
        remedy="It grows by itself again. Where it does not, another program takes part of them all day: an "
        "administrator of Zoho Desk sees there which.",
    )


_SPENT = (
    "Wait: all programs share the credits of a day, and what waits for Zoho Desk is delivered by itself once "
    "there are new ones. An administrator of Zoho Desk sees there which program uses them, and can buy more."
)


def spent_check(why: str, reason: str) -> Check:
    """Return what says that no credits are left, or none but those that are kept for calls."""
    return Check(
        layer="credits",
        what="Credits of today",
        state="warning" if reason == "credits_kept" else "refused",
        why=why,
        needs="Some credits",
        place=CREDITS_PLACE,
        remedy=_SPENT,
        reason=reason,
    )


def _ended(sentence: str) -> str:
    """Return the end of a sentence with a full stop."""
    return sentence if sentence.endswith(".") else f"{sentence}."
