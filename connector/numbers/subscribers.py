"""Tell which numbers are one subscriber's, however each of them is spelt; pure.

`plans.PLANS` says what is spelt how; nothing is taken that the numbering plan does not know.
"""

from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumber

from connector.numbers.plans import PLANS, Rule


def renewed(number: PhoneNumber, *, at_home: bool) -> PhoneNumber | None:
    """Return what the plan knows today of a number that it does not know as it is spelt; None for nothing.

    `at_home` says that the number was written without its country code.
    """
    plan = PLANS.get(number.country_code or 0)
    if plan is None:
        return None
    rules = (rule for rule in plan.older if rule.at_home or not at_home)
    return next(_results(rules, _digits(number)), None)


@lru_cache(maxsize=16_384)
def subscriber(e164: str) -> str:
    """Return the key of the subscriber with a number (E.164): the same for all spellings, itself E.164.

    What no plan knows, however it is spelt, is its own key.
    """
    number = _known(e164)
    if number is None:
        return e164
    plan = PLANS.get(number.country_code or 0)
    equal = None if plan is None else next(_results(plan.equal, _digits(number)), None)
    return f"+{_digits(equal or number)}"


@lru_cache(maxsize=4_096)
def spellings(e164: str) -> tuple[str, ...]:
    """Return the number (E.164), the key of its subscriber, and what else stands for that one behind a plus.

    Those that the plan no longer knows are among them, such as Mexico's +52 1.
    """
    key = subscriber(e164)
    back = [rule for plan in PLANS.values() for rule in plan.back]
    found = dict.fromkeys((e164, key))
    for rule in back:
        spelt = rule.apply(key[1:])
        if spelt is not None and subscriber(f"+{spelt}") == key:
            found[f"+{spelt}"] = None
    return tuple(found)


def is_among(e164: str | None, others: Collection[str]) -> bool:
    """Tell whether one of these numbers (E.164) is the same subscriber's."""
    return e164 is not None and (e164 in others or any(each in others for each in spellings(e164)))


def parsed(e164: str) -> PhoneNumber | None:
    """Return the parts of a number behind its plus as they are spelt, whether the plan knows it or not."""
    try:
        return phonenumbers.parse(e164, None)
    except phonenumbers.NumberParseException:
        return None


def is_known(e164: str) -> bool:
    """Tell whether the plan knows a number as it is spelt."""
    return _as_spelt(e164) is not None


@lru_cache(maxsize=4_096)
def _as_spelt(e164: str) -> PhoneNumber | None:
    """Return the parts of a number that the plan knows as it is spelt; nobody may change them.

    A number that calls is asked about several times in a row, and the plan takes its time.
    """
    number = parsed(e164)
    return number if number is not None and phonenumbers.is_valid_number(number) else None


def _known(e164: str) -> PhoneNumber | None:
    if not e164.startswith("+"):
        return None
    if (known := _as_spelt(e164)) is not None:
        return known
    number = parsed(e164)
    return None if number is None else renewed(number, at_home=False)


def _results(rules: Iterable[Rule], digits: str) -> Iterator[PhoneNumber]:
    """Go through what the rules make of some digits, as far as the plan knows it."""
    for rule in rules:
        becomes = rule.apply(digits)
        number = None if becomes is None else parsed(f"+{becomes}")
        if number is not None and phonenumbers.is_valid_number(number) and _digits(number) == becomes:
            yield number


def _digits(number: PhoneNumber) -> str:
    return f"{number.country_code}{phonenumbers.national_significant_number(number)}"
