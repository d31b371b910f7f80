"""What our views read of requests."""

import ast
from pathlib import Path

import connector.web

WHOLE = {"body", "form", "json", "receive", "stream"}


def test_bodies_are_read_with_an_end() -> None:
    """Views read bodies by `read_body`, which stops where they grow too large."""
    readers = {
        f"{path.name}: {ast.unparse(node)}"
        for path in Path(connector.web.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in WHOLE and ast.unparse(node.value) == "request"
    }
    assert readers == {"bodies.py: request.receive"}
