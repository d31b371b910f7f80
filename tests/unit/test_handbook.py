"""Hold the handbook to what the program can do, and its pages to being readable and found."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec
import pytest
from starlette.routing import Mount, Route

from connector import handbook
from connector.bridge.ami import FILTERS
from connector.bridge.settings import PREFIX, BridgeSettings, describe
from connector.cli import main
from connector.dialects import DIALECTS, guide
from connector.handbook.pages import anchor
from connector.settings import FILE_VARIABLE, OWN_AT_DATA_CENTER, Settings
from connector.web.routes import routes
from connector.zoho.scopes import LINKING

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "connector" / "handbook"

FIELDS = [name for name in Settings.__struct_fields__ if name != "zoho_client_secrets"]
"""The one left out is gathered from ZOHO_CLIENT_SECRET_EU and the like."""

OF_THE_EXAMPLE = {"ADDRESS", "SECRET", "BODY", "SIGNATURE", "CALL", "CALLER"}
"""What the example of posting an event calls its own."""

FILES = [ROOT / "README.md", *sorted(FOLDER.glob("*.md"))]
README_LINES_AT_MOST = 130


def text_of(name: str) -> str:
    """Return a page's Markdown."""
    return (FOLDER / f"{name}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("field", FIELDS)
def test_names_every_setting(field: str) -> None:
    """Each variable stands among the settings as code."""
    assert f"`{field.upper()}`" in text_of("settings")


@pytest.mark.parametrize("variable", [FILE_VARIABLE, OWN_AT_DATA_CENTER])
def test_names_the_other_variables(variable: str) -> None:
    """So do the ones that are no field: the file, and the secrets of single data centres."""
    assert variable in text_of("settings")


def test_names_no_setting_that_is_gone() -> None:
    """What examples set exists."""
    whole = "\n".join(file.read_text(encoding="utf-8") for file in FILES)
    assigned = set(re.findall(r"^\s*(?:export )?([A-Z][A-Z_]{3,})=", whole, re.MULTILINE))
    known = {name.upper() for name in Settings.__struct_fields__} | {FILE_VARIABLE}
    known |= {f"{PREFIX}{name.upper()}" for name in BridgeSettings.__struct_fields__}
    assert not {name for name in assigned - known if not name.startswith(OWN_AT_DATA_CENTER)} - OF_THE_EXAMPLE


def test_the_guide_of_the_bridge_is_true() -> None:
    """Its filters are the ones that the bridge needs, and its table the settings that the bridge reads."""
    text = text_of("asterisk")
    assert "\n".join(f"eventfilter = {one}" for one in FILTERS) in text
    rows = [row.split(" | ") for row in text.splitlines() if row.startswith(f"| `{PREFIX}")]
    assert [(name[3:-1], said.removesuffix(" |")) for name, _, said in rows] == [
        (f"{PREFIX}{field.name.upper()}", describe(field)) for field in msgspec.structs.fields(BridgeSettings)
    ]
    assert [default.replace("\\|", "|") for _, default, _ in rows] == [
        "required" if field.required else shown(field.default)
        for field in msgspec.structs.fields(BridgeSettings)
    ]


def shown(default: object) -> str:
    """Return a default as the tables write it."""
    text = ",".join(default) if isinstance(default, tuple) else str(default)
    return f"`{text}`" if text else "none"


def test_names_every_scope_with_its_reason() -> None:
    """What linking asks for stands there as the page says it."""
    rows = [row for row in text_of("set-up").splitlines() if row.startswith("| `Desk.")]
    assert rows == [f"| `{scope.name}` | {scope.why} |" for scope in LINKING]


def paths() -> list[str]:
    """Return the address of every route, its parameters as `{name}`."""
    found = [route.path for route in routes(ROOT / "static") if isinstance(route, (Route, Mount))]
    return sorted({re.sub(r"\{(\w+):\w+\}", r"{\1}", path) for path in found})


def test_names_every_route() -> None:
    """Each address stands in the list as code, alone or behind its method."""
    text = text_of("addresses")
    assert not [path for path in paths() if not re.search(rf"`(?:[A-Z]+ )?{re.escape(path)}[`?]", text)]


def commands(group: click.Command, name: str) -> Iterator[str]:
    """Return every command that can be typed; a group that does something by itself counts too."""
    if not isinstance(group, click.Group):
        yield name
        return
    if group.invoke_without_command:
        yield name
    context = click.Context(group)
    for word in group.list_commands(context):
        command = group.get_command(context, word)
        if command is not None and not command.hidden:
            yield from commands(command, f"{name} {word}")


def test_names_every_command() -> None:
    """Each command stands in the list as it is typed."""
    text = text_of("commands")
    assert not [line for line in commands(main, "connector") if not re.search(rf"{line}\b", text)]


def test_commands_of_one_noun_stand_together() -> None:
    """Who looks for a command on phone systems finds them all in one place."""
    rows = [
        row.startswith("| `connector phones") for row in text_of("commands").splitlines() if row[:3] == "| `"
    ]
    assert rows[rows.index(True) :].index(False) == sum(rows)


def links(file: Path) -> Iterator[tuple[Path, str]]:
    """Return where a file's links within the project lead: the file, and the heading's anchor or nothing."""
    # What is to be copied may look like a link: Asterisk's `[general](+)`.
    prose = re.sub(r"^ *```.*?^ *```", "", file.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", prose):
        if "://" not in link:
            path, _, rest = link.partition("#")
            yield (file.parent / path).resolve() if path else file, rest


def anchors(file: Path) -> set[str]:
    """Return the anchors of a file's headings."""
    return set(map(anchor, re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_link_leads_somewhere(file: Path) -> None:
    """Links between the files lead to files and headings that are there."""
    for target, rest in links(file):
        assert target.exists()
        assert not rest or rest in anchors(target)


def test_every_page_is_linked_from_the_readme() -> None:
    """Who has only the README finds each page, and no page is left out of the handbook."""
    linked = {
        target.stem
        for target, _ in links(ROOT / "README.md")
        if target.parent == FOLDER and target.suffix == ".md"
    }
    assert {file.stem for file in FOLDER.glob("*.md")} == linked == set(handbook.NAMES)


def test_the_readme_says_how_to_begin_and_is_short() -> None:
    """The two commands of a new user stand there to be copied; everything else is in the handbook."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "sh tests/run" in readme
    assert ".venv/bin/connector demo" in readme
    assert len(readme.splitlines()) <= README_LINES_AT_MOST


def test_the_readme_names_every_room() -> None:
    """Who looks for something in the tree finds each folder told of in a line."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rooms = [path.parent.name for path in (ROOT / "connector").glob("*/__init__.py")]
    assert not [room for room in rooms if f"{room}/" not in readme]


def test_example_is_the_guides() -> None:
    """The example of posting an event is the one that a test of the guide runs."""
    address = "http://127.0.0.1:8080/hooks/paris"
    example = re.search(r"```sh\n(ADDRESS=.*?)```", guide(DIALECTS["neutral"], address), re.DOTALL)
    assert example is not None
    assert example[1] in text_of("phone-systems")


@pytest.mark.parametrize("page", handbook.pages(), ids=lambda page: page.name)
def test_a_page_is_whole(page: handbook.Page) -> None:
    """It has a title, anchors that differ, links that are addresses, and no HTML of its own."""
    assert page.title
    assert len({section.anchor for section in page.sections}) == len(page.sections)
    assert not re.search(r'href="[^"]*\.md', page.html)
    assert all(f'id="{section.anchor}"' in page.html for section in page.sections)


def test_whatever_is_set_off_scrolls_by_itself() -> None:
    """Tables and examples are wider than a telephone's screen, and are reached by keyboard."""
    html = "".join(page.html for page in handbook.pages())
    assert html.count("<pre") == html.count('<pre class="scrolls" tabindex="0">') > 0
    assert html.count("<table") == html.count('<div class="scrolls" tabindex="0" role="group"') > 0


def test_search_finds_all_words_titles_first() -> None:
    """A setting, a command or a reason is found; the section that is named so stands first."""
    assert handbook.search("SYNC_EVERY_SECONDS")[0].page == "settings"
    assert handbook.search("backup RESTORE")[0].anchor == "backup-and-restore"
    assert handbook.search("  ") == []
    assert handbook.search("backup zebra") == []


def test_a_piece_shows_the_word() -> None:
    """What is shown of a section has the word that was asked for in it."""
    for hit in handbook.search("webhook-signature"):
        assert "webhook-signature" in hit.piece
