"""Find words in the handbook."""

import msgspec

from connector.handbook.pages import Page, Section, pages

HITS_AT_MOST = 20
_BEFORE, _AROUND = 60, 200


class Hit(msgspec.Struct, frozen=True):
    """A section that has all words: where it is, and the piece of its text around the first of them."""

    page: str
    title: str
    anchor: str
    piece: str


def search(text: str) -> list[Hit]:
    """Return the sections that hold all words of a text, those first that have them in their title."""
    words = text.casefold().split()
    if not words:
        return []
    found = [(page, section) for page in pages() for section in page.sections if _holds(page, section, words)]
    found.sort(key=lambda each: -sum(word in each[1].title.casefold() for word in words))
    return [_hit(page, section, words[0]) for page, section in found[:HITS_AT_MOST]]


def _holds(page: Page, section: Section, words: list[str]) -> bool:
    whole = f"{page.title} {section.title} {section.text}".casefold()
    return all(word in whole for word in words)


def _hit(page: Page, section: Section, word: str) -> Hit:
    start = max(section.text.casefold().find(word) - _BEFORE, 0)
    end = start + _AROUND
    piece = section.text[start:end]
    before = "… " if start else ""
    after = " …" if end < len(section.text) else ""
    title = page.title if section.title == page.title else f"{page.title}: {section.title}"
    return Hit(page.name, title, section.anchor, before + piece.strip() + after)
