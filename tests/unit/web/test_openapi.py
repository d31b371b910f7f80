"""The document of the API says all that is served, and leads nowhere else."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import Route

from connector.web.api.openapi import PARAMETER, document_of
from connector.web.routes import OPERATIONS, routes


def _references(of: Any) -> Iterator[str]:
    if isinstance(of, dict):
        yield from (value for name, value in of.items() if name == "$ref")
        of = list(of.values())
    if isinstance(of, list):
        for each in of:
            yield from _references(each)


def test_whatever_is_served_is_in_the_document(tmp_path: Path) -> None:
    """Each address below /api/v1 with its methods, each with a name of its own, and each shape."""
    written = document_of(OPERATIONS, "")
    served = {
        (PARAMETER.sub(r"{\1}", route.path), method)
        for route in routes(tmp_path)
        if isinstance(route, Route) and route.path.startswith("/api/v1/")
        for method in (route.methods or set()) - {"HEAD"}
    }
    told = {(path, method.upper()) for path, methods in written["paths"].items() for method in methods}
    assert told == served
    assert {("/api/v1/calls", "GET"), ("/api/v1/calls/{key}", "GET")} <= told
    assert len({each.id for each in OPERATIONS}) == len(OPERATIONS)
    shapes = {f"#/components/schemas/{name}" for name in written["components"]["schemas"]}
    assert set(_references(written)) <= shapes


@pytest.mark.parametrize(("root", "server"), [("", "/"), ("/desk", "/desk")])
def test_server_is_below_the_public_path(root: str, server: str) -> None:
    """The path of PUBLIC_URL."""
    assert document_of(OPERATIONS, root)["servers"] == [{"url": server}]


def test_lists_of_calls_say_their_parameters() -> None:
    """By the names that addresses have, moments and choices among them."""
    (operation,) = document_of(OPERATIONS, "")["paths"]["/api/v1/calls"].values()
    names = [each["name"] for each in operation["parameters"]]
    assert names == [
        *("from", "to", "number", "agent", "state", "phone_system", "not_recorded", "reason"),
        *("limit", "cursor"),
    ]
    assert not any(each["required"] for each in operation["parameters"])
