"""Read the handbook's Markdown: its pages as HTML and as plain text, and where words stand in them."""

import re
from collections.abc import Iterable, Sequence
from functools import cache
from importlib import resources
from itertools import pairwise
from pathlib import PurePosixPath

import msgspec
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from connector.dialects import DIALECTS, guide

NAMES = (
    "set-up",
    "phone-systems",
    "asterisk",
    "users",
    "crm",
    "profiles",
    "calling",
    "recordings",
    "history",
    "check",
    "settings",
    "commands",
    "addresses",
    "delivery",
    "running",
    "runbook-down",
    "runbook-grant-lost",
    "runbook-records-wait",
    "runbook-dead-letters",
    "runbook-phone-system-silent",
    "runbook-no-delivery",
    "runbook-database",
    "runbook-credits",
    "runbook-errors",
    "runbook-slow-look-ups",
    "runbook-clock",
    "runbook-disk",
    "runbook-mail",
    "postgresql",
    "security",
    "proving",
    "decisions",
    "changes",
)
"""The pages of this folder, in the order in which somebody needs them."""

_EXAMPLE = "https://calls.example.com/hooks/paris"
"""Stands for a phone system's address in a dialect's guide; `connector phones guide` prints the real one."""


class Section(msgspec.Struct, frozen=True):
    """What stands below one heading, as plain text; `anchor` leads to it."""

    title: str
    anchor: str
    text: str


class Page(msgspec.Struct, frozen=True):
    """One page; `html` is safe to show as it is."""

    name: str
    title: str
    html: str
    sections: tuple[Section, ...]


def pages() -> list[Page]:
    """Return all pages: the handbook's own, then a guide for each dialect."""
    return [_page(name) for name in (*NAMES, *DIALECTS)]


def page(name: str) -> Page | None:
    """Return the page of that name, or None."""
    return _page(name) if name in NAMES or name in DIALECTS else None


@cache
def _page(name: str) -> Page:
    tokens = _markdown.parse(_source(name))
    _complete(tokens)
    html = _markdown.renderer.render(tokens, _markdown.options, {})
    return Page(name=name, title=_title(tokens), html=html, sections=tuple(_sections(tokens)))


def guide_at(dialect: str, address: str) -> str:
    """Return a dialect's guide as HTML, for a phone system's address, its headings a level lower."""
    tokens = _markdown.parse(guide(DIALECTS[dialect], address))
    _complete(tokens)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + 1, 6)}"
    return str(_markdown.renderer.render(tokens, _markdown.options, {}))


def _source(name: str) -> str:
    if name in DIALECTS:
        return guide(DIALECTS[name], _EXAMPLE)
    return resources.files(__package__).joinpath(f"{name}.md").read_text(encoding="utf-8")


def anchor(heading: str) -> str:
    """Return where a link leads to a heading: as code hosts make it, so that links work there too."""
    return re.sub(r"[^\w\- ]", "", heading.casefold()).replace(" ", "-")


def _complete(tokens: Sequence[Token]) -> None:
    """Give headings their anchors, and lead links between the files to the pages."""
    for before, token in pairwise(tokens):
        if before.type == "heading_open":
            before.attrSet("id", anchor(_plain(token)))
        for inner in token.children or ():
            if inner.type == "link_open":
                inner.attrSet("href", _address(str(inner.attrGet("href"))))


def _address(link: str) -> str:
    path, hash_sign, rest = link.partition("#")
    return f"/help/{PurePosixPath(path).stem}{hash_sign}{rest}" if path.endswith(".md") else link


def _title(tokens: Sequence[Token]) -> str:
    return _plain(tokens[1]) if tokens and tokens[0].type == "heading_open" else ""


def _plain(token: Token) -> str:
    return "".join(" " if each.type == "softbreak" else each.content for each in token.children or ())


def _sections(tokens: Sequence[Token]) -> Iterable[Section]:
    """Cut a page at its headings."""
    title, texts = "", list[str]()
    for before, token in pairwise(tokens):
        if before.type == "heading_open":
            if title:
                yield Section(title, anchor(title), " ".join(texts))
            title, texts = _plain(token), []
        elif token.type == "inline":
            texts.append(_plain(token))
        elif token.type == "fence":
            texts.append(token.content)
    yield Section(title, anchor(title), " ".join(texts))


class _Renderer(RendererHTML):
    """Write tables and examples so that they scroll by themselves, by keyboard too."""

    def table_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """Begin a table inside what scrolls."""
        opened = '<div class="scrolls" tabindex="0" role="group" aria-label="Table">'
        return opened + self.renderToken(tokens, idx, options, env)

    def table_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """End it."""
        return self.renderToken(tokens, idx, options, env) + "</div>\n"

    def code_block(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """Write what is set off by spaces."""
        rendered = super().code_block(tokens, idx, options, env)
        return rendered.replace("<pre>", '<pre class="scrolls" tabindex="0">', 1)

    def fence(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """Write an example."""
        rendered = super().fence(tokens, idx, options, env)
        return rendered.replace("<pre>", '<pre class="scrolls" tabindex="0">', 1)


# Raw HTML in a page stays text: nothing but Markdown reaches a browser.
_markdown = MarkdownIt("commonmark", {"html": False}, renderer_cls=_Renderer).enable("table")


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
