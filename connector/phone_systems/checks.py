"""Refuse what no phone system could be or have; each refusal names the field and what to give instead."""

import re
from collections.abc import Iterable
from ipaddress import ip_network

from connector import numbers
from connector.dialects import DIALECTS, known_time_zone
from connector.errors import InvalidValue
from connector.store.phones import PhoneSystem

SLUG_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")
SLUG_AT_MOST = 40
RESERVED = frozenset({"new"})
"""Addresses that pages have where phone systems have theirs."""

NAME_AT_MOST = 200
"""Characters of what people call something, of a queue and of a reason."""

LISTED_AT_MOST = 200
"""So many prefixes, and so many networks, one phone system has at most."""

PREFIX_AT_MOST = 8
_PREFIX = re.compile(rf"[0-9A-Za-z*#]{{1,{PREFIX_AT_MOST}}}")


def check(phone: PhoneSystem) -> None:
    """Refuse a phone system that could not work; InvalidValue says which part is wrong."""
    if not phone.slug or len(phone.slug) > SLUG_AT_MOST or set(phone.slug) - SLUG_LETTERS:
        raise InvalidValue("The address must be small letters, digits and hyphens, at most 40.", "/slug")
    if not phone.name.strip():
        raise InvalidValue("The name is empty: write what people call the phone system.", "/name")
    check_name(phone.name, "/name")
    if phone.dialect not in DIALECTS:
        raise InvalidValue(
            "There is no dialect {dialect}; there is {known}.",
            "/dialect",
            dialect=phone.dialect,
            known=", ".join(DIALECTS),
        )
    if not numbers.known_country(phone.country):
        raise InvalidValue(
            "{country} is no country; write its two letters, such as FR or GB.",
            "/country",
            country=phone.country,
        )
    for number in phone.lines:
        whole_number(number, phone.country, "/lines")
    for queue in phone.queues:
        check_queue(queue, "/queues")
    check_prefixes(phone.prefixes)
    check_networks(phone.senders)
    if not known_time_zone(phone.time_zone):
        raise InvalidValue(
            "{zone} is no time zone; write it as Europe/Paris.", "/time_zone", zone=phone.time_zone
        )


def whole_number(text: str, country: str = "", pointer: str = "/number") -> str:
    """Return a number (E.164) that is written with its plus; InvalidValue says how to write it.

    With its plus it is read alike in every country.
    """
    e164 = numbers.read(text, country).e164
    if e164 is None or not numbers.plain(text).strip().startswith("+"):
        raise InvalidValue("{number} is no whole number; write it as +33123456789.", pointer, number=text)
    return e164


def check_name(text: str, pointer: str) -> None:
    """Refuse what is too long to be shown."""
    if len(text) > NAME_AT_MOST:
        raise InvalidValue("This is longer than {most} characters.", pointer, most=NAME_AT_MOST)


def check_queue(text: str, pointer: str = "/queue") -> None:
    """Refuse what no phone system would call a queue."""
    if not text.strip():
        raise InvalidValue("The queue is empty: write what the phone system calls it.", pointer)
    check_name(text, pointer)


def check_prefixes(texts: Iterable[str]) -> tuple[str, ...]:
    """Return what may stand before a number, each once; InvalidValue names what cannot."""
    found = tuple(dict.fromkeys(texts))
    for text in found:
        check_prefix(text)
    return _few(found, "/prefixes")


def check_prefix(text: str) -> None:
    """Refuse what cannot stand before a number; InvalidValue says what can."""
    if not _PREFIX.fullmatch(text):
        raise InvalidValue(
            "{prefix} is no prefix: it is up to {most} digits, letters, * and #, as they are dialled before "
            "a number, such as 9, 0, *67 or L0#.",
            "/prefixes",
            prefix=text,
            most=PREFIX_AT_MOST,
        )


def check_networks(texts: Iterable[str]) -> tuple[str, ...]:
    """Return from where may be posted, each once; InvalidValue names what is no network."""
    found = tuple(dict.fromkeys(texts))
    for text in found:
        check_network(text)
    return _few(found, "/networks")


def check_network(text: str) -> None:
    """Refuse what is no address and no network; InvalidValue says how to write one."""
    try:
        # Behind a % anything may stand, blanks too, and it is no part of whoever posts.
        ip_network(text.replace("%", " "))
    except ValueError as problem:
        raise InvalidValue(
            "{network} is no network; write it as 203.0.113.7 or 203.0.113.0/24.", "/networks", network=text
        ) from problem


def _few(found: tuple[str, ...], pointer: str) -> tuple[str, ...]:
    if len(found) > LISTED_AT_MOST:
        raise InvalidValue("{most} are the most.", pointer, most=LISTED_AT_MOST)
    return found
