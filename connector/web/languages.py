"""Say every text in the reader's language: catalogues in `connector/languages`, English where there is none.

Texts are marked where they stand: `_("...")` in views, `lazy("...")` where a text is made before anybody
reads it, `{% trans %}` or `_()` in templates. `tests/catalogues.py` collects them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, lru_cache
from gettext import NullTranslations
from pathlib import Path
from typing import Any

from babel.core import negotiate_locale
from babel.messages.pofile import read_po
from babel.support import LazyProxy
from starlette.types import ASGIApp, Receive, Scope, Send

SOURCE = "en"
PSEUDO = "en-XA"
"""A language that marks every text that came through a catalogue: tests look for those that did not."""

FOLDER = Path(__file__).parent.parent / "languages"
HEADER_AT_MOST = 200


class _Catalogue(NullTranslations):
    """The texts of one language."""

    def __init__(self, texts: dict[Any, Any]) -> None:
        super().__init__()
        self._texts = texts

    def gettext(self, message: str) -> str:
        found = self._texts.get(message)
        return found if isinstance(found, str) and found else message

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        found = self._texts.get((msgid1, msgid2))
        return found[n != 1] if found and all(found) else msgid1 if n == 1 else msgid2


class _Pseudo(NullTranslations):
    def gettext(self, message: str) -> str:
        return f"⟦{message}⟧" if message else ""

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)


@cache
def _languages() -> tuple[str, ...]:
    return (SOURCE, *sorted(path.stem for path in FOLDER.glob("*.po")), PSEUDO)


@cache
def _catalogue(language: str) -> NullTranslations:
    if language == PSEUDO:
        return _Pseudo()
    if language == SOURCE:
        return NullTranslations()
    with (FOLDER / f"{language}.po").open("rb") as file:
        return _Catalogue({message.id: message.string for message in read_po(file, locale=language)})


_language: ContextVar[str] = ContextVar("language", default=SOURCE)


@lru_cache(maxsize=256)
def negotiate(accepted: str) -> str:
    """Return the language that a browser's Accept-Language wants most among those there are."""
    wanted = []
    for part in accepted.split(","):
        tag, _, weight = part.partition(";")
        wanted.append((_weight(weight), tag.strip().replace("-", "_")))
    ranked = [tag for weight, tag in sorted(wanted, key=lambda each: -each[0]) if tag and weight > 0]
    known = [each.replace("-", "_") for each in _languages()]
    found = negotiate_locale(ranked, known) or SOURCE
    return found.replace("_", "-")


def _weight(text: str) -> float:
    name, _, value = text.strip().partition("=")
    try:
        return float(value) if name == "q" else 1.0
    except ValueError:
        return 0.0


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Say all texts in a language meanwhile."""
    before = _language.set(language)
    try:
        yield
    finally:
        _language.reset(before)


class Languages:
    """Serve each request in the language that its browser asks for."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] == "http":
            told = next((value for name, value in scope["headers"] if name == b"accept-language"), b"")
            _language.set(negotiate(told[:HEADER_AT_MOST].decode("latin-1")))
        await self._app(scope, receive, send)


def present() -> str:
    """Return the language that is spoken."""
    return _language.get()


def gettext(text: str) -> str:
    """Return a text in the reader's language."""
    return _catalogue(_language.get()).gettext(text)


def ngettext(one: str, many: str, count: int) -> str:
    """Return the text for a number of things in the reader's language."""
    return _catalogue(_language.get()).ngettext(one, many, count)


def lazy(text: str) -> Any:
    """Return a text that is translated whenever it is shown; as good as a `str` to templates and forms."""
    return LazyProxy(gettext, text, enable_cache=False)
