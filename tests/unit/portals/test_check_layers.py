"""What is said of each layer and module that lets a portal through, stops it, or cannot be read."""

from typing import NamedTuple

import pytest
from msgspec.structs import replace

from connector.checks import Check, Layer, State
from connector.limits import allowed
from connector.portals.check_layers import (
    LEVEL_WORDS,
    credit_checks,
    edition_checks,
    licence_checks,
    profile_checks,
    scope_checks,
    sharing_checks,
)
from connector.portals.obstacles import obstacles_of
from connector.portals.rights import Rights, rights_to_json
from connector.store.limits import LimitState
from connector.store.portals import Portal
from connector.zoho import actions
from connector.zoho.actions import Feature, enabled
from connector.zoho.scopes import asked_for, names

PORTAL = Portal(
    id=7,
    location="us",
    org_id="600000001",
    name="Harbour & Hill",
    edition="ENTERPRISE",
    client_id="1000.TESTS",
    state="linked",
    linked_by="ada@example.com",
    linked_at=0,
)
RIGHTS = Rights(agent="Ada", profile="Support Agent", is_light=False)
ADA = "the agent who linked the portal (Ada)"
PROFILES = "Setup > Users and Control > Permissions > Profiles"
SHARING = "Setup > Users and Control > Permissions > Data Sharing"
SCOPE_REMEDY = (
    "An administrator links the portal again at /connect and agrees to everything that is asked: a grant "
    "never gains permissions later."
)
PROFILE_REMEDY = (
    "An administrator of Zoho Desk allows it in that profile, or links the portal again at /connect as an "
    "agent who may."
)
NOT_ASKED = "Ask again with `connector portals show 7 --live`."
EVERYTHING = enabled(webhooks=True, fields=True)


class Said(NamedTuple):
    """What a check says."""

    state: State
    why: str
    needs: str = ""
    place: str = ""
    remedy: str = ""


def said(check: Check) -> Said:
    """Return what a check says."""
    return Said(check.state, check.why, check.needs, check.place, check.remedy)


SCOPES = [
    (actions.LOOK_UP, "Desk.contacts.READ", "Desk.contacts.READ, Desk.search.READ"),
    (actions.CONTACT_INDEX, "Desk.search.READ", "Desk.contacts.READ, Desk.search.READ"),
    (actions.NEW_CONTACTS, "Desk.contacts.CREATE", "Desk.contacts.CREATE"),
    (actions.TICKETS, "Desk.tickets.READ", "Desk.contacts.READ, Desk.tickets.READ, Desk.search.READ"),
    (actions.RECORDS, "Desk.calls.CREATE", "Desk.calls.CREATE"),
    (actions.RECONCILE, "Desk.calls.READ", "Desk.calls.READ, Desk.search.READ"),
    (actions.CHANGES, "Desk.calls.UPDATE", "Desk.calls.UPDATE"),
    (actions.PORTAL, "Desk.basic.READ", "Desk.basic.READ"),
    (actions.WEBHOOKS, "Desk.events.CREATE", "Desk.events.CREATE, Desk.events.READ, Desk.events.DELETE"),
    (actions.FIELDS, "Desk.fields.CREATE", "Desk.fields.CREATE"),
]
ALL_SCOPES = names(asked_for(EVERYTHING))


@pytest.mark.parametrize(("feature", "lacking", "all_of_it"), SCOPES)
def test_scopes(feature: Feature, lacking: str, all_of_it: str) -> None:
    """There, missing, and not told."""
    (there,) = scope_checks(" ".join(ALL_SCOPES), [feature])
    assert (there.layer, there.what, said(there)) == (
        "scope",
        feature.title,
        Said("ok", f"The grant has {all_of_it}."),
    )
    (missing,) = scope_checks(" ".join(name for name in ALL_SCOPES if name != lacking), [feature])
    assert said(missing) == Said(
        "refused", f"The grant lacks the scope {lacking}.", lacking, "/connect", SCOPE_REMEDY
    )
    (untold,) = scope_checks("", [feature])
    assert said(untold) == Said(
        "unknown",
        "Zoho did not say which scopes it granted: what takes one is unknown until tried.",
        all_of_it,
        "/connect",
        f"Nothing to do while Desk takes records. If it refuses them for a scope: {SCOPE_REMEDY}",
    )


PERMISSIONS = [
    (actions.LOOK_UP, "contacts.view", "Contacts: view"),
    (actions.NEW_CONTACTS, "contacts.create", "Contacts: create"),
    (actions.TICKETS, "tickets.view", "Tickets: view"),
    (actions.RECORDS, "calls.create", "Calls: create"),
    (actions.RECONCILE, "calls.view", "Calls: view"),
    (actions.CHANGES, "calls.edit", "Calls: edit"),
    (actions.OWNERS, "agents.viewAllFields", "Agents: view all fields"),
    (actions.WEBHOOKS, "setup.webhooks", "Setup: webhooks"),
    (actions.FIELDS, "setup.tabsAndFields", "Setup: tabs and fields"),
]


@pytest.mark.parametrize(("feature", "permission", "words"), PERMISSIONS)
def test_permissions(feature: Feature, permission: str, words: str) -> None:
    """Allowed by the profile, not allowed, and not told."""

    def told(**given: bool) -> Check:
        rights = Rights(agent="Ada", profile="Support Agent", permissions=given, unknown_because="it is away")
        (check,) = profile_checks(PORTAL, rights, [feature])
        return check

    there = told(**{permission: True})
    assert (there.layer, there.what, said(there)) == (
        "profile",
        feature.title,
        Said("ok", f"The profile allows {words}."),
    )
    assert said(told(**{permission: False})) == Said(
        "refused",
        f"In Zoho Desk, the profile of {ADA} lacks the permission {permission}.",
        words,
        f"{PROFILES} > Support Agent > {words}",
        PROFILE_REMEDY,
    )
    assert said(told()) == Said(
        "unknown",
        "Zoho Desk did not say what the linking agent's profile allows: it is away. "
        f"Unknown until tried: {feature.title}.",
        words,
        PROFILES,
        NOT_ASKED,
    )


@pytest.mark.parametrize("feature", [actions.NEW_CONTACTS, actions.RECORDS, actions.CHANGES, actions.FIELDS])
def test_licences(feature: Feature) -> None:
    """A full one, a light agent's, and one that nobody told."""
    (full,) = licence_checks(PORTAL, RIGHTS, [feature])
    assert (full.layer, full.what, said(full)) == (
        "licence",
        feature.title,
        Said("ok", "It is no light agent's."),
    )
    (light,) = licence_checks(PORTAL, Rights(agent="Ada", is_light=True), [feature])
    assert said(light) == Said(
        "refused",
        f"In Zoho Desk, {ADA} is a light agent, who cannot write such records.",
        "A full licence",
        "Setup > Users and Control > Agents",
        "An administrator of Zoho Desk gives that agent a full licence, or links the portal again at "
        "/connect as an agent who may.",
    )
    assert list(licence_checks(PORTAL, Rights(), [feature])) == []
    assert list(licence_checks(PORTAL, Rights(is_light=True), [actions.LOOK_UP])) == []


LEVELS = [
    ("contacts", "public read only", "Finding contacts, Keeping the contact index", ""),
    ("tickets", "public read only", "Showing tickets", ""),
    (
        "calls",
        "public",
        "Reading call records, Changing call records",
        "Changing call records",
    ),
]


@pytest.mark.parametrize(("module", "needed", "all_of_it", "changing"), LEVELS)
@pytest.mark.parametrize("level", ["public", "public read only", "private", None])
def test_sharing(module: str, needed: str, all_of_it: str, changing: str, level: str | None) -> None:
    """Each module at each of Desk's levels, and not told: what that stops, and the level that is needed."""
    others = dict.fromkeys(("contacts", "tickets", "calls"), "public")
    sharing = {name: shared for name, shared in (others | {module: level}).items() if shared}
    rights = Rights(agent="Ada", sharing=sharing, sharing_unknown_because="it is away")
    found = [check for check in sharing_checks(PORTAL, rights, EVERYTHING) if module in check.what]
    words, needs = module.capitalize(), LEVEL_WORDS[needed]
    lets, stops = (
        Said("ok", f"{words} are {LEVEL_WORDS.get(level or '')}; {needs} is enough."),
        "That stands in the way of: ",
    )
    shares = f"An administrator of Zoho Desk shares {module} as {needs} there"
    expected = {
        "public": lets,
        "public read only": lets
        if not changing
        else Said(
            "refused",
            f"{words} are Public Read Only: those of other agents can be read, and not changed. "
            f"{stops}{changing}.",
            needs,
            SHARING,
            f"{shares}.",
        ),
        "private": Said(
            "refused",
            f"{words} are Private: Zoho Desk leaves out, without a word, those that do not belong to {ADA} "
            f"or to agents below in the role hierarchy. {stops}{all_of_it}.",
            needs,
            SHARING,
            f"{shares}, or links the portal again at /connect as an agent whose role is above all others.",
        ),
        None: Said(
            "unknown",
            "Zoho Desk did not say which records its agents see: it is away. Those that the linking agent "
            "may not see are left out without a word.",
            f"{words}: {needs}",
            SHARING,
            NOT_ASKED,
        ),
    }
    assert [said(check) for check in found] == [expected[level]]


@pytest.mark.parametrize(
    ("edition", "webhooks"),
    [("ENTERPRISE", None), ("professional", None), ("Express", "Express"), ("FREE", "Free"), ("", None)],
)
def test_editions(edition: str, webhooks: str | None) -> None:
    """What it allows, what it lacks of the features that are on, and an edition that nobody names."""
    itself, *lacking = edition_checks(edition, EVERYTHING)
    expected = Said(
        "refused",
        f"The edition {webhooks} does not have it.",
        "Edition Professional",
        "Setup > Manage Subscription",
        "Whoever pays for Zoho Desk changes the plan; or the setting that asks for it is taken away.",
    )
    assert [(check.what, said(check)) for check in lacking] == (
        [] if webhooks is None else [("Subscribing to webhooks", expected)]
    )
    assert itself.state == ("ok" if edition else "unknown")
    allows = {"ENTERPRISE": "25 requests at a time and 100,000 credits", "": "5 requests at a time and 5,000"}
    assert allows.get(edition, " requests at a time and ") in itself.why


CREDITS: list[tuple[int | None, int, State, str]] = [
    (50_000, 0, "ok", "50,000 are left."),
    (20_000, 0, "warning", "20,000 are left, which are kept for calls that ring and for their records."),
    (None, 0, "unknown", "Zoho Desk has not said how many are left today."),
    (0, 3_600_000, "refused", "The credits of Zoho Desk for today are used up. Desk is asked again in 1 h."),
]


@pytest.mark.parametrize(("left", "closed_until", "state", "why"), CREDITS)
def test_credits(left: int | None, closed_until: int, state: State, why: str) -> None:
    """Enough, few, not told, and used up."""
    standing = LimitState(closed_until=closed_until)
    found, width = credit_checks(standing, left, allowed("ENTERPRISE"), 0)
    assert (found.layer, found.what, found.state, found.why) == ("credits", "Credits of today", state, why)
    assert found.place == ("Setup > Developer Space > API" if state in ("warning", "refused") else "")
    assert said(width) == Said("ok", "25 may be sent.")


def test_a_portal_that_desk_has_slowed_down() -> None:
    """Fewer requests at a time than the edition has is no obstacle, and is told."""
    standing = LimitState(narrowed_to=4, narrowed_at=0, credits_left=90_000)
    left, width = credit_checks(standing, None, allowed("ENTERPRISE"), 0)
    assert (left.why, width.state) == ("90,000 are left.", "warning")
    assert width.why == "4 of 25 are sent at present: Zoho Desk has refused more."


@pytest.mark.parametrize(("state", "why"), [("grant_lost", "no longer accepts"), ("unlinked", "not linked")])
def test_a_grant_that_is_gone(state: str, why: str) -> None:
    """It is all that is said: nothing else can be."""
    (only,) = obstacles_of(replace(PORTAL, state=state))
    assert (only.layer, only.state, why in only.why, only.place) == ("grant", "refused", True, "/connect")


def test_each_thing_is_told_once() -> None:
    """The profile of a light agent allows no writing either; its licence is what has to be mended."""
    permitted = {each: True for _, each, _ in PERMISSIONS} | {"calls.create": False, "calls.edit": False}
    shared = dict.fromkeys(("contacts", "tickets", "calls"), "public")
    rights = Rights(agent="Ada", is_light=True, permissions=permitted, sharing=shared)
    told = replace(PORTAL, rights=rights_to_json(rights), scopes=" ".join(ALL_SCOPES))
    layers: list[tuple[Layer, str]] = [(each.layer, each.what) for each in obstacles_of(told)]
    assert layers == [
        ("licence", "Making contacts"),
        ("licence", "Writing call records"),
        ("licence", "Changing call records"),
    ]
