"""Find the assets of the pages, and the texts that the banner's scripts say.

Scripts mark their texts where they stand, as `t("...")` and `n("one", "many", count)` of static/js/texts.js;
a page hands them over in the reader's language. English is what stands in the script.
"""

import re
from functools import cache
from pathlib import Path

from connector.web import languages

_TEXT = r'"((?:[^"\\]|\\.)*)"'
_ONE = re.compile(rf"\bt\(\s*{_TEXT}")
_COUNTED = re.compile(rf"\bn\(\s*{_TEXT},\s*{_TEXT}")


def static_folder() -> Path:
    """Return the folder of the pages' assets: inside the installed package, beside it in a checkout."""
    installed = Path(__file__).parents[1] / "static"
    return installed if installed.is_dir() else Path(__file__).parents[2] / "static"


@cache
def script_texts() -> tuple[str | tuple[str, str], ...]:
    """Return every text that a script says, in order; two forms where a number decides."""
    sources = [path.read_text(encoding="utf-8") for path in sorted((static_folder() / "js").glob("*.js"))]
    single = {found for source in sources for found in _ONE.findall(source)}
    counted = {found for source in sources for found in _COUNTED.findall(source)}
    return (*sorted(single), *sorted(counted))


@cache
def _translated(language: str) -> dict[str, str | list[str]]:
    with languages.speaking(language):
        return {
            (text if isinstance(text, str) else text[0]): (
                languages.gettext(text)
                if isinstance(text, str)
                else [languages.ngettext(*text, count) for count in (1, 2)]
            )
            for text in script_texts()
        }


def translated_texts() -> dict[str, str | list[str]]:
    """Return the scripts' texts in the language that is spoken, by their English; English itself needs none.

    Marks for tests are the script's own, so that they stand around what is filled in too.
    """
    language = languages.present()
    return {} if language in (languages.SOURCE, languages.PSEUDO) else _translated(language)
