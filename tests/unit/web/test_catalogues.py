"""Every text is there in every language, with the same places for values and commands."""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from connector.web import languages
from tests.catalogues import PLACE, catalogue_of, catalogues, texts

TEXTS = texts()


def forms(text: str | Iterable[str] | None) -> list[str]:
    """Return the forms of a text: one, or one for each number."""
    return [text] if isinstance(text, str) else list(text or [""])


@pytest.mark.parametrize("path", catalogues(), ids=lambda path: path.stem)
def test_a_catalogue_is_whole(path: Path) -> None:
    """No text waits for its translation, and none is left that nobody says."""
    catalogue = catalogue_of(path)
    known = {message.id: message.string for message in catalogue if message.id}
    assert not [text for text in TEXTS if text not in known or not all(forms(known[text]))]
    assert not known.keys() - set(TEXTS)
    assert not [message.id for message in catalogue if message.id and message.fuzzy]


@pytest.mark.parametrize("path", catalogues(), ids=lambda path: path.stem)
def test_translations_keep_their_places(path: Path) -> None:
    """Values and commands stand in each translation as in the text."""
    catalogue = catalogue_of(path)
    wrong = [
        message.id
        for message in catalogue
        if message.id
        for source, told in [(forms(message.id)[-1], forms(message.string)[-1])]
        if sorted(PLACE.findall(source)) != sorted(PLACE.findall(told))
    ]
    assert not wrong


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        ("", "en"),
        ("de", "de"),
        ("de-AT,en;q=0.8", "de"),
        ("fr-FR,de;q=0.5,en;q=0.9", "en"),
        ("fr", "en"),
        ("*;q=0, de;q=rubbish", "en"),
        ("en-XA", "en-XA"),
        ("\x00;;;q==", "en"),
    ],
)
def test_the_language_that_a_browser_wants_most(accepted: str, expected: str) -> None:
    """Among those that there are; English where there is none of them."""
    assert languages.negotiate(accepted) == expected


def test_only_literal_texts_count_as_markup() -> None:
    """Jinja takes what `_()` returns for markup: what comes from elsewhere is said by `said()`."""
    templates = Path(languages.__file__).parent.glob("templates/*.html")
    found = {path.name: re.findall(r"\b_\((?![\"']).{0,20}", path.read_text("utf-8")) for path in templates}
    assert not {name: calls for name, calls in found.items() if calls}
