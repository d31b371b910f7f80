"""Read the project's own files once, for all tests that look at them."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).parents[2]

Node = TypeVar("Node", bound=ast.AST)
Nodes = dict[type[ast.AST], list[ast.AST]]


@cache
def text_of(path: str) -> str:
    """Return a file's text; `path` is from the root, as everywhere here."""
    return (ROOT / path).read_text(encoding="utf-8")


@cache
def files(folder: str, *endings: str) -> tuple[str, ...]:
    """Return the paths of all files below a folder whose names end so."""
    below = sorted((ROOT / folder).rglob("*"))
    found = (path.relative_to(ROOT).as_posix() for path in below if path.is_file())
    return tuple(path for path in found if path.endswith(endings) and "__pycache__" not in path)


def modules(*folders: str) -> Iterator[str]:
    """Return the paths of all Python below these folders."""
    return (path for folder in folders for path in files(folder, ".py"))


@cache
def _nodes(path: str) -> Nodes:
    found: Nodes = defaultdict(list)
    for node in ast.walk(ast.parse(text_of(path))):
        found[type(node)].append(node)
    return found


def nodes(path: str, kind: type[Node]) -> list[Node]:
    """Return what a module holds of a kind of syntax, in no order."""
    return _nodes(path)[kind]  # type: ignore[return-value]


def functions(path: str) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Return all functions of a module."""
    return [*nodes(path, ast.FunctionDef), *nodes(path, ast.AsyncFunctionDef)]


@cache
def calls(path: str) -> frozenset[str]:
    """Return what a module calls, as it is written: `print`, `time.sleep`."""
    return frozenset(ast.unparse(node.func) for node in nodes(path, ast.Call))


@cache
def names(path: str) -> frozenset[str]:
    """Return every name that a module gives or uses, its own included."""
    found = {Path(path).stem}
    found.update(node.id for node in nodes(path, ast.Name))
    found.update(node.attr for node in nodes(path, ast.Attribute))
    found.update(node.name for node in (*functions(path), *nodes(path, ast.ClassDef)))
    found.update(node.arg for node in nodes(path, ast.arg))
    found.update(node.arg for node in nodes(path, ast.keyword) if node.arg)
    found.update(node.name for node in nodes(path, ast.alias))
    return frozenset(found)


def words(text: str) -> set[str]:
    """Return the words of a text or a name in small letters, cut at everything else and inside CamelCase."""
    return {word.casefold() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", text)}
