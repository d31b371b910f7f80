"""Read a number as phone systems and people write it: which number, of which kind, in which country."""

import re
import unicodedata
from collections.abc import Collection
from enum import StrEnum
from functools import lru_cache
from unicodedata import normalize
from urllib.parse import unquote

import msgspec
import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat, PhoneNumberType, ValidationResult, shortnumberinfo

from connector.numbers.subscribers import is_among, renewed

LONGEST = 250
"""No text longer than this many characters is looked at."""

PART_AT_MOST = 40
"""Characters of what is shown of a part: nobody reads more."""

_IN_ANGLES = re.compile(r"<([^<>]*)>")

_SCHEME = re.compile(r"(?:sips?|tel|callto):", re.IGNORECASE)

_HOST = re.compile(r"\[[0-9a-fA-F:.]+\]|[^\s:;?/<>@\"]+")

_NUMBER_WITH_MORE = re.compile(r"[+\uff0b]?[\d(][\d\s().\-/]*[;:]")

_CONTEXT = re.compile(r";\s*phone-context\s*=\s*(\+[\d\-.()]+)", re.IGNORECASE)

_BLANKS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0").union(map(chr, range(0xFE00, 0xFE10)))
"""What shows nothing, though Unicode counts it neither as a space nor as a format character."""

_COMPLETES = 7
"""Fewer digits are an extension, whatever the context that they come with."""

_KEYPAD_WORDS = frozenset({"anonymous", "blocked", "restricted", "unavailable", "unknown"})

_WITHHELD_WORDS = _KEYPAD_WORDS | {
    *("anonym", "anonyme", "anonymouscaller", "anonymousinvalid"),
    *("hidden", "hiddennumber", "blockednumber", "suppressed", "withheld", "withheldnumber"),
    *("private", "privatecaller", "privatenumber", "unknowncaller", "unknownnumber"),
    *("callerid", "nocallerid", "none", "notavailable", "null", "clir", "assertedid"),
    *("nummerunterdr\u00fcckt", "rufnummerunterdr\u00fcckt", "unterdr\u00fcckt", "unterdrueckt"),
    *("unbekannt", "nichtverf\u00fcgbar", "nichtverfuegbar"),
}

_KEYPAD = str.maketrans("abcdefghijklmnopqrstuvwxyz", "22233344455566677778889999")

_WITHHELD_DIGITS = frozenset(word.translate(_KEYPAD) for word in _KEYPAD_WORDS) | {"7378742883"}
"""Carriers that must send digits spell the word on the keypad, after a plus; Twilio misspells one."""

_EXTENSION_SUFFIX = re.compile(r"\s*(?:ext\.?|x)\s*\d+$", re.IGNORECASE)

_NUMBER = re.compile(r"[+\uff0b]?[\d\s().\-/\u2010-\u2015]+")

_SHORT = re.compile(r"[\d*#]+")

_BUT_DIGITS = {code: None for code in range(128) if not chr(code).isdigit()}

_LAST_DIGITS = 4

NOT_SHOWN = "Unreadable number"
"""Stands for what has nothing in it that could be shown."""

_SATELLITES = frozenset({870, 878, 881, 882, 883, 979})
"""Country codes of no country, whose calls cost what they like."""


def plain(text: str) -> str:
    """Return a text without what nobody sees, and with a usual space for each unusual one.

    Numbers are pasted with no-break spaces, zero-width ones and marks of the direction of writing in them.
    """
    if text.isascii():
        return text
    seen = (letter for letter in text if letter not in _BLANKS and unicodedata.category(letter) != "Cf")
    return "".join(" " if unicodedata.category(letter) == "Zs" else letter for letter in seen)


def unwrap(raw: str) -> str:
    """Return the number out of the URI, the parameters and the angle brackets it came in.

    One that is global only together with its phone-context (RFC 3966) is completed by it.
    """
    text, bare = _opened(raw)
    if bare == text and "@" not in text and not _NUMBER_WITH_MORE.match(text):
        return text
    user = bare.partition("@")[0]
    number = unquote(user.partition(";")[0].partition("?")[0].partition(":")[0]).strip()
    context = _CONTEXT.search(unquote(user))
    is_local = number[:1].isdigit() and sum(map(str.isdigit, number)) >= _COMPLETES
    return f"{context[1]}{number}" if context and is_local else number


def address_of(raw: str) -> str | None:
    """Return user and host of an internet call address such as a SIP URI, fit to be shown; None for others.

    Password, port and parameters are left out.
    """
    _, bare = _opened(raw)
    host = _HOST.match(bare.partition("@")[2])
    user = shown(unwrap(raw))
    return f"{user}@{shown(host[0])}" if host and user else None


def shown(text: str) -> str:
    """Make a text from outside fit to be shown: printable and short."""
    return "".join(filter(str.isprintable, text)).strip()[:PART_AT_MOST]


def _opened(raw: str) -> tuple[str, str]:
    """Return what stands in the angle brackets, if any, and that without its scheme."""
    text = plain(raw[: LONGEST + 1]).strip()
    inside = _IN_ANGLES.search(text)
    text = inside[1].strip() if inside else text
    return text, _SCHEME.sub("", text, count=1)


class Kind(StrEnum):
    """What a number turned out to be."""

    E164 = "e164"
    EXTENSION = "extension"
    WITHHELD = "withheld"
    ADDRESS = "address"
    UNREADABLE = "unreadable"


class Number(msgspec.Struct, frozen=True, kw_only=True):
    """A number as it was written, as it is dialled (E.164, if it is a phone number), and as it is shown.

    `address` is a caller's on the internet, such as of a SIP URI that holds no number; its user is `display`.
    """

    kind: Kind
    raw: str
    e164: str | None
    display: str
    address: str | None = None


def labelled(number: Number) -> str:
    """Return what is shown, and what it is where that does not speak for itself."""
    return number.display if number.address is None else f"{number.address} (internet call address)"


def worth_looking_up(number: Number, own_numbers: Collection[str]) -> bool:
    """Tell whether a number may be a customer's: no extension, not withheld, none of ours (E.164)."""
    return number.kind is Kind.E164 and not is_among(number.e164, own_numbers)


def known_country(code: str) -> bool:
    """Tell whether this is the ISO 3166 alpha-2 code, in capitals, of a country with phone numbers."""
    return code in phonenumbers.SUPPORTED_REGIONS


def could_be(raw: str, known: Collection[str]) -> bool:
    """Tell, for a tenth of what `read` takes, whether a text may be one of these numbers (E.164) at all.

    Whatever its form, the last digits of a number stand in it one after the other.
    """
    if not raw.isascii() or "%" in raw:
        return bool(known)
    digits = raw.translate(_BUT_DIGITS)
    return any(number[-_LAST_DIGITS:] in digits for number in known)


@lru_cache(maxsize=8192)
def read(raw: str | None, country: str, max_extension_digits: int = 6) -> Number:
    """Read E.164 with plus, with 00 or bare, the country's national form, a SIP or tel URI, or 'anonymous'.

    Up to `max_extension_digits` digits without plus are an extension or a public short number such as
    112, and never a phone number. A number with plus, 00 or its trunk prefix needs a possible length, any
    other must be valid in its numbering plan. One that is spelt as its plan no longer has it, such as with
    Mexico's +52 1, is that which it has become.
    """
    text = unwrap(raw or "")
    short = re.sub(r"[\s().\-]", "", text)
    if is_withheld(text):
        return Number(kind=Kind.WITHHELD, raw=raw or "", e164=None, display="Withheld number")
    if len(short) <= max_extension_digits and _SHORT.fullmatch(short):
        return Number(kind=Kind.EXTENSION, raw=raw or "", e164=None, display=short)
    number = parse(text, country.upper())
    if number is None:
        return _no_number(raw or "", text)
    return Number(
        kind=Kind.E164,
        raw=raw or "",
        e164=phonenumbers.format_number(number, PhoneNumberFormat.E164),
        display=phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL),
    )


def _no_number(raw: str, text: str) -> Number:
    address, display = address_of(raw), shown(text) or NOT_SHOWN
    kind = Kind.UNREADABLE if address is None else Kind.ADDRESS
    return Number(kind=kind, raw=raw, e164=None, display=display, address=address)


def mask(raw: str | None) -> str:
    """Write a number for the log: its beginning and its last two digits."""
    text = unwrap(raw or "")
    if is_withheld(text):
        return "withheld"
    digits = phonenumbers.normalize_digits_only(text)
    if len(digits) < 4:
        return "***"
    if len(digits) <= 6:
        return f"***{digits[-2:]}"
    head = f"+{digits[:2]}" if text.startswith("+") else digits[:3]
    return f"{head}***{digits[-2:]}"


def is_withheld(text: str) -> bool:
    """Tell whether these are words, or digits, for a number that nobody may know; zeros only are."""
    if text.startswith("+") and text[1:] in _WITHHELD_DIGITS:
        return True
    whole = text if text.isascii() else normalize("NFC", text)
    letters = "".join(filter(str.isalnum, whole)).casefold()
    return not letters.strip("0") or letters in _WITHHELD_WORDS


def parse(text: str, country: str) -> PhoneNumber | None:
    """Find the phone number that this text is in this country, if it is one."""
    text = _EXTENSION_SUFFIX.sub("", text)
    if len(text) > LONGEST or not _NUMBER.fullmatch(text):
        return None
    if text[0] in "+\uff0b":
        return _abroad(text)
    digits = phonenumbers.normalize_digits_only(text)
    if digits.startswith("00"):
        return _valid(text, country) or _abroad(f"+{digits[2:]}")
    trunk = phonenumbers.ndd_prefix_for_region(country, True) or ""
    if digits.startswith(trunk):
        return _valid(text, country) or _bare(digits, 10) or _national(digits, trunk, country)
    national = _trunkless(text, digits, country)
    if national and _is_written_so(national, digits):
        return national
    return _bare(digits, 11) or national or _bare(digits, 10)


def possible(text: str, country: str) -> str | None:
    """Return the number (E.164) of possible length that this text is in this country, known or not."""
    number = _parsed(text, country) if len(text) <= LONGEST else None
    if number is None or not _fits(number):
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def _national(digits: str, trunk: str, country: str) -> PhoneNumber | None:
    """Read a number behind its trunk prefix whose length is possible in a country that does not list it."""
    number = _parsed(digits, country) if trunk else None
    if number is None or not _fits(number):
        return None
    return number if phonenumbers.national_significant_number(number) == digits[len(trunk) :] else None


def _is_written_so(number: PhoneNumber, digits: str) -> bool:
    """Tell whether these are all the digits that people at home write: some numbers have no trunk prefix."""
    at_home = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
    return phonenumbers.normalize_digits_only(at_home) == digits


def _trunkless(text: str, digits: str, country: str) -> PhoneNumber | None:
    """Read a national number that lacks its trunk prefix; a shorter one may lack its area code too."""
    number = _valid(text, country)
    is_whole = len(digits) >= 9 or (number is not None and not _is_spelt_so(number, digits))
    return number if is_whole else None


def _is_spelt_so(number: PhoneNumber, digits: str) -> bool:
    """Tell whether these digits end as the number does that they were read as: not of an older spelling."""
    return digits.endswith(phonenumbers.national_significant_number(number))


def _bare(digits: str, shortest: int) -> PhoneNumber | None:
    """Read E.164 digits that lack their plus."""
    number = _parsed(f"+{digits}", None) if len(digits) >= shortest else None
    return number if number and phonenumbers.is_valid_number(number) else None


def _valid(text: str, country: str) -> PhoneNumber | None:
    """Read what the plan knows, or knew before it spelt the number as it does today."""
    number = _parsed(text, country)
    if number is None or phonenumbers.is_valid_number(number):
        return number
    whole = f"{number.country_code}{phonenumbers.national_significant_number(number)}"
    return renewed(number, at_home=whole not in phonenumbers.normalize_digits_only(text))


def _abroad(text: str) -> PhoneNumber | None:
    """Read a number behind its plus."""
    return _valid(text, "") or _possible(text)


def _possible(text: str) -> PhoneNumber | None:
    number = _parsed(text, None)
    return number if number and _fits(number) else None


def _fits(number: PhoneNumber) -> bool:
    return phonenumbers.is_possible_number_with_reason(number) == ValidationResult.IS_POSSIBLE


def _parsed(text: str, country: str | None) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(text, country or None)
    except phonenumbers.NumberParseException:
        return None


def is_emergency(raw: str, country: str) -> bool:
    """Tell whether dialling this in this country reaches the emergency services."""
    digits = phonenumbers.normalize_digits_only(raw)
    return bool(digits) and shortnumberinfo.connects_to_emergency_number(digits, country)


def is_emergency_number(digits: str, country: str) -> bool:
    """Return whether these digits, and no others behind them, are the emergency services' in this country."""
    return digits.isdigit() and shortnumberinfo.is_emergency_number(digits, country)


def is_costly(e164: str) -> bool:
    """Tell whether a number is a premium-rate one, or a satellite's, whatever digits follow it."""
    number = parse(e164, "")
    if number is None:
        return False
    if number.country_code in _SATELLITES:
        return True
    # Networks connect once a number is whole and take no notice of what is dialled behind it.
    phonenumbers.truncate_too_long_number(number)
    return phonenumbers.number_type(number) == PhoneNumberType.PREMIUM_RATE


def country_of(e164: str) -> str:
    """Return where a number is at home, in two letters; where its plan does not say, by its country code."""
    number = parse(e164, "")
    if number is None:
        return ""
    found = phonenumbers.region_code_for_number(number)
    return found or phonenumbers.region_code_for_country_code(number.country_code or 0)


@lru_cache(maxsize=8_192)
def country_at(line: str | None, country: str) -> str:
    """Return where the customers of one of our lines are at home: numbers are written as there.

    `country` is the phone system's. It counts where the line may be one of its own, and where the line is
    no whole number, or one of no country at all.
    """
    number = parse(read(line, country).e164 or "-", "")
    if number is None or phonenumbers.is_valid_number_for_region(number, country):
        return country
    found = phonenumbers.region_code_for_number(number)
    found = found or phonenumbers.region_code_for_country_code(number.country_code or 0)
    return found if known_country(found) else country


def abroad_code(e164: str) -> str:
    """Return a number's country code, such as +44; "" for what is no number."""
    number = parse(e164, "")
    return "" if number is None else f"+{number.country_code}"
