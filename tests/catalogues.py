"""Collect the texts that are marked for translation, and bring the catalogues up to date with them.

    python -m tests.catalogues

adds what is new without a translation, takes out what nobody says any more, and keeps the rest in order.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from connector.accounts.sign_in_connectors import NAME_IT
from connector.checks import LAYERS
from connector.dialects import DIALECTS
from connector.follow_up import remedies
from connector.web.pages import calls
from connector.web.problem_texts import TEXTS
from connector.web.static_files import script_texts
from connector.zoho import actions, scopes

ROOT = Path(__file__).parents[1] / "connector"
LANGUAGES = ROOT / "languages"
KEYWORDS = {"_": None, "gettext": None, "lazy": None, "ngettext": (1, 2), "InvalidValue": (1,)}
METHODS = [("**/templates/**.html", "jinja2"), ("**.py", "python")]
OPTIONS = {"**/templates/**.html": {"newstyle_gettext": "true", "trimmed": "false"}}
NOT_OURS = ("sandbox",)
"""Rooms that speak as Zoho does."""

Text = str | tuple[str, ...]

PLACE = re.compile(r"%\(\w+\)s|{\w*}|`[^`]*`")
"""What a translation has to keep: places for values, and what can be typed."""


def texts() -> list[Text]:
    """Return every text that somebody may read, in order; two forms where a number decides."""
    found = {*_marked(), *_of_problems(), *_of_roles(), *_of_tables(), *script_texts()}
    return sorted(found, key=lambda each: each if isinstance(each, str) else each[0])


def catalogue_of(path: Path) -> Catalog:
    """Read a catalogue."""
    with path.open("rb") as file:
        return read_po(file, locale=path.stem)


def catalogues() -> list[Path]:
    """Return where the catalogues are."""
    return sorted(LANGUAGES.glob("*.po"))


def update(path: Path) -> int:
    """Bring one catalogue up to date; return how many texts wait for a translation."""
    before = catalogue_of(path)
    after = Catalog(locale=path.stem, fuzzy=False)
    for text in texts():
        known = before.get(text if isinstance(text, str) else text[0])
        same = known is not None and known.id == text
        after.add(text, known.string if known is not None and same else None)
    with path.open("wb") as file:
        write_po(file, after, width=110, omit_header=True, no_location=True, sort_output=True)
    return sum(not _is_whole(message.string) for message in after if message.id)


def _is_whole(string: object) -> bool:
    return all(string) if isinstance(string, tuple | list) else bool(string)


def _marked() -> Iterator[Text]:
    for path, _line, text, _comments, _context in extract_from_dir(
        ROOT, METHODS, OPTIONS, KEYWORDS, strip_comment_tags=True
    ):
        if not path.startswith(NOT_OURS):
            yield text


def _of_problems() -> Iterator[str]:
    for each in TEXTS.values():
        yield from (each.title, each.what, each.who, *each.todo)


def _of_roles() -> Iterator[str]:
    yield from ("agent", "supervisor", "administrator")


def _of_tables() -> Iterator[str]:
    """Yield what rooms below `web` say in tables, and `web` puts into the reader's language."""
    for feature in actions.FEATURES:
        yield from (feature.title, feature.why)
    yield from (scope.why for scope in scopes.SIGN_IN)
    yield from (sentence for sentence, _then in remedies.REMEDIES.values() if sentence)
    yield from calls.WRONG.values()
    yield from ("This installation", "because the authentication method asks for it", NAME_IT)
    yield from LAYERS.values()
    yield from (dialect.title for dialect in DIALECTS.values())


if __name__ == "__main__":
    for place in catalogues():
        print(f"{place.stem}: {update(place)} to be translated")  # noqa: T201 - what this is called for
