"""Hold the lines of the project: who may import whom, how long things are, what nobody does."""

import ast
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import NetworkClosed
from tests.unit.sources import calls, functions, modules, nodes, text_of

FLOORS = (
    {"errors", "clock", "casing", "checks", "private_files"},
    {"aio"},
    {"settings", "logs", "metrics"},
    {"crypto"},
    {"numbers", "calls"},
    {"dialects", "zoho", "store"},
    {"limits"},
    {"outbox"},
    {"contacts", "accounts", "portals", "phone_systems", "maintenance", "handbook"},
    {"crm"},
    {"banner", "self_check"},
    {"recordings", "orders"},
    {"pipeline", "delivery", "follow_up"},
    {"cards"},
    {"services"},
    {"web"},
    {"app", "server", "sandbox", "bridge"},
    {"demo"},
    {"cli"},
    {"__main__"},
)
"""A room imports only from floors above its own; two rooms of one floor never meet."""

LONGEST_FILE = 500
LONGER_FILES = {
    "connector/errors.py": "every exception in one tree",
    "connector/web/problem_texts.py": "the text of every exception in one table",
    "connector/store/tables.py": "every table in one place",
    "connector/store/migrations/versions/0001_first_tables.py": "generated from the tables",
}
SHORTEST_FILE = 60
SHORTER_FILES: dict[str, str] = {
    "connector/banner/profile_changes.py": "one background task: banners whose profile has changed",
    "connector/cli/mail.py": "one command",
    "connector/__main__.py": "what `python -m connector` runs",
    "connector/banner/audience.py": "one pure rule: who sees a call",
    "connector/calls/watchdog.py": "one background task with a rule of its own",
    "connector/casing.py": "the one way to fold names, for every room",
    "connector/cli/doctor.py": "one command, and how it writes what was checked",
    "connector/cli/audit.py": "one noun's command",
    "connector/cli/warnings.py": "how commands warn, for five modules",
    "connector/cli/bridge.py": "one command, and the guide that it prints",
    "connector/demo/sandbox_admin.py": "the client of the sandbox's own API, for four modules",
    "connector/follow_up/viewers.py": "one pure rule: who sees what of calls that are over",
    "connector/phone_systems/departments.py": "one cache, which says what was meant as warnings do",
    "connector/phone_systems/patterns.py": "one pure notation, which commands and hints share",
    "connector/private_files.py": "the one way to keep files from others, for every room",
    "connector/recordings/places.py": "one setting of phone systems, which their own room may not know",
    "connector/sandbox/clock.py": "the sandbox's time, which tests move",
    "connector/sandbox/desk/times.py": "how Desk writes moments, for eleven modules",
    "connector/cards/past_calls.py": "one reading: with whom the caller talked last",
    "connector/store/card_edits.py": "one table: who changes a record just now",
    "connector/crm/rulebook.py": "one cache: the CRM of a portal as it is now",
    "connector/store/desk_agents.py": "one table, which deliveries alone read and write",
    "connector/store/encrypted.py": "every encrypted secret, whichever table it is in",
    "connector/store/links.py": "one table: links that are used once",
    "connector/store/migrations/env.py": "what Alembic runs",
    "connector/web/api/check.py": "one noun's operations",
    "connector/web/pages/check.py": "one noun's page",
    "connector/web/api/setup.py": "one noun's operation",
    "connector/store/rights.py": "one table: rights beside the role",
    "connector/web/static_files.py": "where the assets are, and what their scripts say",
    "connector/web/pages/audit.py": "one noun's page",
    "connector/web/pages/home.py": "the front page, the banner's page, the handbook's",
    "connector/web/pages/recordings.py": "one noun's page",
    "connector/web/pages/phone_texts.py": "one table: what phone systems are, in words",
    "connector/web/desk_hooks.py": "two views: another sender, checked in another way than phone systems",
    "connector/zoho/budget.py": "what Zoho's client asks of `limits`, which it must not import",
}
"""Modules of the connector that are a whole thought in fewer lines, each with the reason."""

LONGEST_FUNCTION = 60
LONGER_FUNCTIONS = {
    "connector/store/migrations/versions/0001_first_tables.py:upgrade": "generated from the tables",
}

BRIDGE_KNOWS = {"bridge", "errors", "clock", "casing", "private_files", "settings", "dialects"}

CATCHES_EVERYTHING = {
    "connector/aio.py": "hands whatever a thread raises to who waits for it",
    "connector/web/hooks.py": "hands every problem on to the middlewares, which tell it or raise it again",
    "connector/app.py": "the outermost loop of each background step: one bad turn must not end it for good",
    "connector/store/writer.py": "the writer's outermost loop: one bad change must not stop all that follow",
    "connector/outbox/worker.py": "the worker's outermost loop: one bad delivery must not stop the others",
}
FOLDS = {"lower", "upper", "casefold", "swapcase", "ilike", "collate"}
FOLDS_AS_UNICODE_DOES = {
    "connector/crm/filters.py": "what administrators write in capitals or small letters, in any language",
    "connector/orders/planning.py": "names in the order in which people look for them",
    "connector/handbook/pages.py": "headings, as code hosts make anchors of them; words that are looked for",
    "connector/numbers/reading.py": "words for a withheld number, in any language",
}
PRINTING_ROOMS = ("cli", "demo", "__main__")


def room_of(path: str) -> str:
    """Return the room that a file belongs to; nothing for the package itself."""
    name = Path(path).parts[1].removesuffix(".py")
    return "" if name == "__init__" else name


def imported_rooms(path: str) -> Iterator[str]:
    """Return the rooms of the connector that a module imports, at the top and inside functions."""
    for imported in nodes(path, ast.ImportFrom):
        if imported.module == "connector":
            yield from (alias.name for alias in imported.names if alias.name != "__version__")
        else:
            yield from _room_in(imported.module or "")
    for whole in nodes(path, ast.Import):
        yield from (room for alias in whole.names for room in _room_in(alias.name))


def _room_in(module: str) -> Iterator[str]:
    package, _, rest = module.partition(".")
    if package == "connector":
        yield rest.partition(".")[0]


FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}


def test_every_room_has_its_floor() -> None:
    """A new room is placed before it is used."""
    rooms = {room_of(path) for path in modules("connector")} - {""}
    assert rooms <= FLOOR_OF.keys()


def test_imports_only_look_up() -> None:
    """No room imports from its own floor or one below."""
    down = {
        f"{path} imports connector.{other}"
        for path in modules("connector")
        for room in [room_of(path)]
        for other in imported_rooms(path)
        if room and other != room and FLOOR_OF.get(other, len(FLOORS)) >= FLOOR_OF[room]
    }
    assert not down


def reached_from(room: str, allowed: set[str]) -> dict[str, set[str]]:
    """Return what the modules of a room import that they may not."""
    own = (path for path in modules("connector") if room_of(path) == room)
    foreign = {path: set(imported_rooms(path)) - allowed for path in own}
    return {path: rooms for path, rooms in foreign.items() if rooms}


def test_sandbox_stands_alone() -> None:
    """The sandbox shares no code with the rest, so no mistake made once agrees with itself."""
    assert not reached_from("sandbox", {"sandbox"})


def test_bridge_stands_outside() -> None:
    """The bridge runs beside a PBX and reaches the connector over HTTP, so it needs none of its rooms."""
    assert not reached_from("bridge", BRIDGE_KNOWS)


def test_imports_are_absolute() -> None:
    """A reader sees at once which room an import reaches into."""
    assert not [path for path in modules("connector") for node in nodes(path, ast.ImportFrom) if node.level]


def lines_of(path: str) -> int:
    """Return how many lines a file has."""
    return len(text_of(path).splitlines())


def test_no_file_is_too_long() -> None:
    """A file that has to be longer is listed with its reason, and leaves the list when it no longer is."""
    long = {path for path in modules("connector", "tests") if lines_of(path) > LONGEST_FILE}
    assert long == LONGER_FILES.keys()


def test_no_module_is_a_fragment() -> None:
    """A module holds a whole thought; one that needs few lines for it is listed with its reason.

    Migrations are as long as what they change.
    """
    own = (
        path for path in modules("connector") if "/versions/" not in path and Path(path).stem != "__init__"
    )
    short = {path for path in own if lines_of(path) < SHORTEST_FILE}
    assert short == SHORTER_FILES.keys()


def test_functions_stay_short() -> None:
    """A function that has to be longer is listed with its reason."""
    long = {
        f"{path}:{node.name}"
        for path in modules("connector", "tests")
        for node in functions(path)
        if (node.end_lineno or node.lineno) - node.lineno >= LONGEST_FUNCTION
    }
    assert long == LONGER_FUNCTIONS.keys()


def test_nobody_catches_everything() -> None:
    """What a handler did not expect must not be swallowed; one loop has to survive it."""
    found = {
        path
        for path in modules("connector")
        if any(_catches_everything(handler) for handler in nodes(path, ast.ExceptHandler))
    }
    assert found <= CATCHES_EVERYTHING.keys()


def _catches_everything(handler: ast.ExceptHandler) -> bool:
    """Tell whether a handler keeps everything; one that tidies up and raises again keeps nothing."""
    last = handler.body[-1]
    if isinstance(last, ast.Raise) and last.exc is None:
        return False
    caught = "BaseException" if handler.type is None else ast.unparse(handler.type)
    return any(name in caught.strip("()").split(", ") for name in ("Exception", "BaseException"))


def test_nobody_folds_as_unicode_does() -> None:
    """A sign that Unicode folds into a letter of ASCII would pass for somebody else; `casing` folds ASCII.

    The sandbox is another's program, and compares as it likes; the database folds nothing at all.
    """
    folding = {
        path
        for path in modules("connector")
        if room_of(path) != "sandbox" and any(node.attr in FOLDS for node in nodes(path, ast.Attribute))
    }
    assert folding == FOLDS_AS_UNICODE_DOES.keys()


def test_only_commands_print() -> None:
    """Everything else logs."""
    others = (path for path in modules("connector") if room_of(path) not in PRINTING_ROOMS)
    assert not [path for path in others if {"print", "click.echo"} & calls(path)]


def test_nobody_asserts_in_earnest() -> None:
    """An assert is gone under `python -O`, so no promise may hang on one."""
    assert not [path for path in modules("connector") if nodes(path, ast.Assert)]


def test_tests_never_sleep() -> None:
    """A test that waits for time to pass is slow today and flaky tomorrow."""
    storeys = modules("tests/unit", "tests/integration", "tests/acceptance")
    assert not [path for path in storeys if "time.sleep" in calls(path)]


def test_network_is_closed() -> None:
    """A connection that would leave the machine fails at once, by address and by name."""
    with pytest.raises(NetworkClosed):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
    with pytest.raises(NetworkClosed):
        socket.getaddrinfo("desk.example.com", 443)
