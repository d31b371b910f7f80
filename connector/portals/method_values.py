"""The rules for what an authentication method may hold: pure, and the same for page, command and API."""

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from urllib.parse import urlsplit

from connector.errors import InvalidValue
from connector.store.methods import Mode
from connector.zoho import scopes
from connector.zoho.actions import (
    ACCOUNTS,
    ALWAYS,
    CARDS,
    FIELDS,
    NEW_TICKETS,
    WEBHOOKS,
    Feature,
)
from connector.zoho.data_centers import DataCenter
from connector.zoho.scopes import Scope

MODES: tuple[Mode, ...] = ("oauth", "self_client")
ENVIRONMENTS = ("production", "sandbox")
NAME_AT_MOST = 80
TEXT_AT_MOST = 300
SCOPES_AT_MOST = 40

_SCOPE = re.compile(r"[A-Za-z]{1,40}(\.[A-Za-z]{1,40}){1,4}")


FEATURES: Mapping[str, Feature] = MappingProxyType(
    {
        "webhooks": WEBHOOKS,
        "fields": FIELDS,
        "cards": CARDS,
        "tickets": NEW_TICKETS,
        "accounts": ACCOUNTS,
    }
)
"""What a method may be enabled for beside the usual, by the name under which it is stored."""


def enabled_by(features: Iterable[str]) -> tuple[Feature, ...]:
    """Return all features that are on for the portals of a method."""
    return (*ALWAYS, *(FEATURES[name] for name in features if name in FEATURES))


def asked_scopes(features: Iterable[str], extra: Iterable[str]) -> tuple[Scope, ...]:
    """Return all that consent is asked for: the usual, what features take, and further scopes."""
    wanted = [*scopes.asked_for(enabled_by(features))]
    wanted += [Scope(name, "because the authentication method asks for it") for name in extra]
    found: dict[str, Scope] = {}
    for each in wanted:
        # Its first reason is the better one.
        found.setdefault(each.name, each)
    return tuple(found.values())


def name_of(text: str) -> str:
    """Return a name without the spaces around it; InvalidValue unless people can tell it from others."""
    name = " ".join(text.split())
    if not name or len(name) > NAME_AT_MOST or not name.isprintable():
        raise InvalidValue(
            "The name must have from 1 to {most} letters: it is how people tell methods apart.",
            "/name",
            most=NAME_AT_MOST,
        )
    return name


def mode_of(text: str) -> Mode:
    """Return a mode; InvalidValue for any other text."""
    for mode in MODES:
        if mode == text:
            return mode
    raise InvalidValue("The mode must be one of {modes}.", "/mode", modes=", ".join(MODES))


def location_of(text: str, data_centers: Mapping[str, DataCenter]) -> str:
    """Return a data centre's location; InvalidValue for one that nobody knows."""
    if text not in data_centers:
        known = ", ".join(data_centers)
        raise InvalidValue("The data centre must be one of {known}.", "/location", known=known)
    return text


def environment_url_of(text: str, dc: DataCenter) -> str:
    """Return where people open Desk, "" where nobody says; InvalidValue for another host than Desk's.

    It is shown as a link to people who trust this product, so it may lead to Zoho Desk alone.
    """
    text = text.strip()
    if not text:
        return ""
    desk = dc.desk or ""
    try:
        parts, own = urlsplit(text), urlsplit(desk)
        is_ours = bool(desk) and (parts.scheme, parts.netloc) == (own.scheme, own.netloc)
    except ValueError:
        is_ours = False
    if not is_ours or len(text) > TEXT_AT_MOST or not text.isprintable() or " " in text:
        raise InvalidValue(
            "The address of Zoho Desk must begin with {desk}/, as your browser shows it there.",
            "/environment_url",
            desk=desk or "the Desk of this data centre, of which no address is known",
        )
    return text


def credential_of(text: str, pointer: str) -> str:
    """Return a client id or a secret as Zoho shows it; InvalidValue for what cannot be one."""
    text = text.strip()
    if not text or len(text) > TEXT_AT_MOST or not text.isascii() or not text.isprintable() or " " in text:
        raise InvalidValue("This must be copied as Zoho's API console shows it, in one piece.", pointer)
    return text


def secrets_of(given: Mapping[str, str], data_centers: Mapping[str, DataCenter]) -> dict[str, str]:
    """Return secrets by data centre; "" takes one away. InvalidValue for a place that nobody knows."""
    found = {}
    for place, secret in given.items():
        if place not in data_centers:
            raise InvalidValue(
                "There is no data centre {place}: name one of {known}.",
                "/secrets",
                place=place[:NAME_AT_MOST],
                known=", ".join(data_centers),
            )
        found[place] = credential_of(secret, "/secrets") if secret else ""
    return found


def features_of(names: Iterable[str]) -> str:
    """Return features as they are stored; InvalidValue for one that there is not."""
    names = sorted(set(names))
    if unknown := [name for name in names if name not in FEATURES]:
        raise InvalidValue(
            "There is no feature {name}: name {known}.",
            "/features",
            name=unknown[0][:NAME_AT_MOST],
            known=", ".join(FEATURES),
        )
    return " ".join(names)


def scopes_of(names: Iterable[str]) -> str:
    """Return further scopes as they are stored; InvalidValue for what cannot be a scope of Zoho's."""
    names = list(dict.fromkeys(name for name in names if name))
    if wrong := [name for name in names if not _SCOPE.fullmatch(name)]:
        raise InvalidValue(
            "{name} cannot be a scope: write each as Desk.tickets.READ.",
            "/extra_scopes",
            name=wrong[0][:NAME_AT_MOST],
        )
    if len(names) > SCOPES_AT_MOST:
        raise InvalidValue("Give at most {most} scopes.", "/extra_scopes", most=SCOPES_AT_MOST)
    return " ".join(names)


def environment_of(text: str) -> str:
    """Return what enabling a method confirms; InvalidValue unless it is said."""
    if text not in ENVIRONMENTS:
        raise InvalidValue("Say whether this is production or a sandbox.", "/environment")
    return text
