"""Hold the lines of the house: who may import whom, how long things are, what nobody does."""

import ast
import socket
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.conftest import NetworkClosed

ROOT = Path(__file__).parents[2]

FLOORS = (
    {"errors", "clock", "casing", "private_files"},
    {"settings", "logs", "metrics"},
    {"crypto"},
    {"numbers", "calls"},
    {"dialects", "zoho", "store"},
    {"limits"},
    {"outbox"},
    {"contacts", "accounts", "portals", "phone_systems", "maintenance", "handbook"},
    {"banner"},
    {"recordings", "orders"},
    {"pipeline", "delivery"},
    {"web"},
    {"app", "server", "sandbox", "bridge"},
    {"demo"},
    {"cli"},
    {"__main__"},
)
"""A room imports only from floors above its own; two rooms of one floor never meet."""

LONGEST_FILE = 500
LONGER_FILES = {
    "connector/store/tables.py": "every table in one place",
    "connector/store/migrations/versions/0001_first_tables.py": "generated from the tables",
}
LONGEST_FUNCTION = 60
LONGER_FUNCTIONS = {
    "connector/store/migrations/versions/0001_first_tables.py:upgrade": "generated from the tables",
}

BRIDGE_KNOWS = {"bridge", "errors", "clock", "casing", "private_files", "settings", "dialects"}

CATCHES_EVERYTHING = {
    "connector/app.py": "the outermost loop of each background step: one bad turn must not end it for good",
    "connector/store/commits.py": "the writer's outermost loop: one bad change must not stop all that follow",
    "connector/outbox/worker.py": "the worker's outermost loop: one bad delivery must not stop the others",
}
FOLDS = {"lower", "upper", "casefold", "swapcase", "ilike", "collate"}
FOLDS_AS_UNICODE_DOES = {
    "connector/orders/colleagues.py": "names in the order in which people look for them",
    "connector/handbook/pages.py": "headings, as code hosts make anchors of them",
    "connector/handbook/searching.py": "words that somebody looks for",
    "connector/numbers/reading.py": "words for a withheld number, in any language",
}
PRINTING_ROOMS = ("cli", "demo", "__main__")


def sources(*folders: str) -> dict[str, ast.Module]:
    """Read all Python below these folders; the keys are paths from the root."""
    return {path: tree for folder in folders for path, tree in _below(folder).items()}


@cache
def _below(folder: str) -> dict[str, ast.Module]:
    return {
        path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted((ROOT / folder).rglob("*.py"))
    }


def room_of(path: str) -> str:
    """Return the room that a file belongs to; nothing for the house's own front door."""
    name = Path(path).parts[1].removesuffix(".py")
    return "" if name == "__init__" else name


def imported_rooms(tree: ast.Module) -> Iterator[str]:
    """Return the rooms of the connector that a module imports, at the top and inside functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "connector":
            yield from (alias.name for alias in node.names if alias.name != "__version__")
        elif isinstance(node, ast.ImportFrom):
            yield from _room_in(node.module or "")
        elif isinstance(node, ast.Import):
            yield from (room for alias in node.names for room in _room_in(alias.name))


def _room_in(module: str) -> Iterator[str]:
    package, _, rest = module.partition(".")
    if package == "connector":
        yield rest.partition(".")[0]


def calls_in(tree: ast.Module) -> Iterator[str]:
    """Return what is called, as it is written: `print`, `time.sleep`."""
    return (ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call))


FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}


def test_every_room_has_its_floor() -> None:
    """A new room is placed before it is used."""
    rooms = {room_of(path) for path in sources("connector")} - {""}
    assert rooms <= FLOOR_OF.keys()


def test_imports_only_look_up() -> None:
    """No room imports from its own floor or one below."""
    down = {
        f"{path} imports connector.{other}"
        for path, tree in sources("connector").items()
        for room in [room_of(path)]
        for other in imported_rooms(tree)
        if room and other != room and FLOOR_OF.get(other, len(FLOORS)) >= FLOOR_OF[room]
    }
    assert not down


def test_sandbox_stands_alone() -> None:
    """The sandbox shares no code with the rest, so no mistake made once agrees with itself."""
    sandbox = {path: tree for path, tree in sources("connector").items() if room_of(path) == "sandbox"}
    foreign = {path: set(imported_rooms(tree)) - {"sandbox"} for path, tree in sandbox.items()}
    assert not {path: rooms for path, rooms in foreign.items() if rooms}


def test_bridge_stands_outside() -> None:
    """The bridge runs beside a PBX and reaches the connector over HTTP, so it needs none of its rooms."""
    bridge = {path: tree for path, tree in sources("connector").items() if room_of(path) == "bridge"}
    inside = {path: set(imported_rooms(tree)) - BRIDGE_KNOWS for path, tree in bridge.items()}
    assert not {path: rooms for path, rooms in inside.items() if rooms}


def test_imports_are_absolute() -> None:
    """A reader sees at once which room an import reaches into."""
    relative = [
        path
        for path, tree in sources("connector").items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert not relative


def test_files_stay_short() -> None:
    """A file that has to be longer is listed with its reason, and leaves the list when it no longer is."""
    long = {
        path
        for path in sources("connector", "tests")
        if len((ROOT / path).read_text(encoding="utf-8").splitlines()) > LONGEST_FILE
    }
    assert long == LONGER_FILES.keys()


def test_functions_stay_short() -> None:
    """A function that has to be longer is listed with its reason."""
    long = {
        f"{path}:{node.name}"
        for path, tree in sources("connector", "tests").items()
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and (node.end_lineno or node.lineno) - node.lineno >= LONGEST_FUNCTION
    }
    assert long == LONGER_FUNCTIONS.keys()


def test_nobody_catches_everything() -> None:
    """What a handler did not expect must not be swallowed; one loop has to survive it."""
    found = {
        path
        for path, tree in sources("connector").items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler) and _catches_everything(node)
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
        for path, tree in sources("connector").items()
        if room_of(path) != "sandbox"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in FOLDS
    }
    assert folding == FOLDS_AS_UNICODE_DOES.keys()


def test_only_commands_print() -> None:
    """Everything else logs."""
    printing = {
        path
        for path, tree in sources("connector").items()
        if room_of(path) not in PRINTING_ROOMS and {"print", "click.echo"} & set(calls_in(tree))
    }
    assert not printing


def test_nobody_asserts_in_earnest() -> None:
    """An assert is gone under `python -O`, so no promise may hang on one."""
    asserting = {
        path
        for path, tree in sources("connector").items()
        if any(isinstance(node, ast.Assert) for node in ast.walk(tree))
    }
    assert not asserting


def test_tests_never_sleep() -> None:
    """A test that waits for time to pass is slow today and flaky tomorrow."""
    storeys = sources("tests/unit", "tests/integration", "tests/acceptance")
    sleeping = {path for path, tree in storeys.items() if "time.sleep" in calls_in(tree)}
    assert not sleeping


def test_network_is_closed() -> None:
    """A connection that would leave the machine fails at once, by address and by name."""
    with pytest.raises(NetworkClosed):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
    with pytest.raises(NetworkClosed):
        socket.getaddrinfo("desk.example.com", 443)
