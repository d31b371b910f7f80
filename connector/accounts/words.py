"""Write and read what phone systems call people: "1001" for all phone systems, "1001 at paris" for one.

Pages, commands and files share this notation; it reads back as it was written, whatever a word holds.
"""

from collections.abc import Iterable, Mapping, Sequence

from connector.casing import ascii_lower
from connector.errors import InvalidValue
from connector.store.tables import ANY_PHONE_SYSTEM
from connector.store.users import User, Word

PhoneWord = tuple[str | None, str]
"""A phone system's slug, or None for whichever, and what it says: an extension, a login, a queue."""

WORD_AT_MOST = 200
WORDS_AT_MOST = 100
SEPARATOR = "|"
"""Between the words of one cell: no spreadsheet takes it for the end of the cell."""

_AT = " at "
_EVERYWHERE = "*"
_SLUG_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")


def written(slug: str | None, text: str) -> str:
    """Return a word as people type it."""
    if slug is not None:
        return f"{text}{_AT}{slug}"
    return f"{text}{_AT}{_EVERYWHERE}" if _ends_in_place(text) else text


def read(text: str) -> PhoneWord:
    """Read a word that somebody typed."""
    text = text.strip()
    if not _ends_in_place(text):
        return None, text
    word, _, place = text.rpartition(_AT)
    return (None if place == _EVERYWHERE else place), word.strip()


def read_all(text: str, separator: str) -> list[PhoneWord]:
    """Read the words of a text, those between separators that are none left out."""
    return [read(part) for part in text.split(separator) if part.strip()]


def shown(words: Sequence[Word], slugs: Mapping[int, str]) -> list[str]:
    """Write words as people type them; those of phone systems that were removed are left out."""
    anywhere = [written(None, word.text) for word in words if word.phone_system_id == ANY_PHONE_SYSTEM]
    at_one = [word for word in words if word.phone_system_id in slugs]
    return anywhere + [written(slugs[word.phone_system_id], word.text) for word in at_one]


def _ends_in_place(text: str) -> bool:
    word, at, place = text.rpartition(_AT)
    return bool(at and word.strip()) and (
        place == _EVERYWHERE or (bool(place) and set(place) <= _SLUG_LETTERS)
    )


def placed(words: Iterable[PhoneWord], ids: Mapping[str, int], pointer: str) -> list[Word]:
    """Return words with the ids of their phone systems; InvalidValue for what is none."""
    found = [Word(_place(slug, ids, pointer), _checked(text, pointer)) for slug, text in words]
    if len(found) > WORDS_AT_MOST:
        raise InvalidValue(
            "These are {count}: give {most} at most.", pointer, count=len(found), most=WORDS_AT_MOST
        )
    return list(dict.fromkeys(found))


def _place(slug: str | None, ids: Mapping[str, int], pointer: str) -> int:
    if slug is None:
        return ANY_PHONE_SYSTEM
    if slug not in ids:
        raise InvalidValue(
            "There is no phone system {slug}: give the reference of one that is there.", pointer, slug=slug
        )
    return ids[slug]


def _checked(text: str, pointer: str) -> str:
    word = text.strip()
    if not word or len(word) > WORD_AT_MOST or not word.isprintable() or SEPARATOR in word:
        raise InvalidValue(
            "{word} cannot be kept: give 1 to {most} letters, digits or signs, none of them {separator}.",
            pointer,
            word=repr(word[:WORD_AT_MOST]),
            most=WORD_AT_MOST,
            separator=SEPARATOR,
        )
    return word


def refuse_taken(
    email: str, wanted: Iterable[Word], owners: Mapping[Word, User], by_email: Mapping[str, User]
) -> None:
    """Raise InvalidValue, which names them, where a word is another user's already, or their address."""
    for word in wanted:
        other = owners.get(word) or by_email.get(ascii_lower(word.text))
        if other is not None and other.email != ascii_lower(email):
            raise InvalidValue(
                "{word} belongs to {name} ({owner}) already: take it from them first, or give another.",
                "/extensions",
                word=word.text,
                name=other.name,
                owner=other.email,
            )
