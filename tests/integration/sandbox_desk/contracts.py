"""Read Zoho's contracts: references resolved, branches merged, Java's patterns made Python's."""

import re
from pathlib import Path
from typing import Any

import yaml

Json = dict[str, Any]

_KEPT = (
    *("type", "enum", "minLength", "maxLength", "minItems", "maxItems", "uniqueItems", "format", "pattern"),
    *("minimum", "maximum"),
)

SAMPLES = [
    "",
    "null",
    "NULL",
    "undefined",
    "*",
    "7",
    "2026-01-05T09:00:00.000Z",
    "2026-1-5T9:0:0Z",
    "2026/01/05T09:00:00Z",
    "2026-13-05T09:00:00Z",
    "2026-01-05 09:00:00",
    "nobody@mail.example",
    "no.body+x&y~z'q@mail-1.example",
    "nobody@localhost",
    "@mail.example",
    "møller@mail.example",
    "https://pbx.example",
    "https://pbx.example:8443/a?b=c&d=%20|e",
    "https://pbx.example/a b",
    "http:///x",
    "rtsp://pbx.example/a",
    *(f"a{chr(code)}a" for code in (*range(1, 0x180), 0x6F22, 0x1F600)),
    *(f"https://pbx.example/{chr(code)}" for code in range(33, 0x100)),
    *(f"a{chr(code)}b@mail.example" for code in range(33, 0x80)),
]
"""Texts that rules and contracts must judge alike."""


class Contracts:
    """The four files of contracts."""

    def __init__(self, folder: Path) -> None:
        self.operations: dict[tuple[str, str], tuple[Json, Json]] = {}
        for name in ("calls", "contacts", "settings", "more"):
            text = (folder / f"{name}.yaml").read_text()
            document = yaml.load(text, yaml.CSafeLoader)
            for path, methods in document["paths"].items():
                for method, operation in methods.items():
                    key = (method.upper(), re.sub(r"\{[^}]*\}", "{}", path))
                    self.operations[key] = (document, operation)

    def parameters(self, method: str, path: str) -> dict[str, Json]:
        """Return the schemas of an operation's query parameters but orgId, by name."""
        document, operation = self.operations[method, path]
        listed = [_resolve(document, each) for each in operation.get("parameters", ())]
        return {
            each["name"]: flatten(document, each["schema"])
            for each in listed
            if each["in"] == "query" and each["name"] != "orgId"
        }

    def body(self, method: str, path: str) -> Json:
        """Return the schema of an operation's body."""
        document, operation = self.operations[method, path]
        content = _resolve(document, operation["requestBody"])["content"]
        return flatten(document, content["application/json"]["schema"])

    def answer(self, method: str, path: str) -> Json:
        """Return the schema of an operation's good answer."""
        document, operation = self.operations[method, path]
        good = next(code for code in ("200", "201") if code in operation["responses"])
        content = _resolve(document, operation["responses"][good])["content"]
        return flatten(document, content["application/json"]["schema"])

    def refusal(self, method: str, path: str) -> Json:
        """Return the schema of an operation's refusal of a body."""
        document, operation = self.operations[method, path]
        content = _resolve(document, operation["responses"]["422"])["content"]
        return flatten(document, content["application/json"]["schema"])

    def scopes(self, method: str, path: str) -> set[str]:
        """Return the scopes an operation names."""
        _, operation = self.operations[method, path]
        return {scope for each in operation["security"] for scopes in each.values() for scope in scopes}


def _resolve(document: Json, node: Json) -> Json:
    while "$ref" in node:
        found: Any = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        node = found
    return node


def flatten(document: Json, node: Json) -> Json:
    """Turn a schema into one without references or allOf: what any branch requires is required.

    An object is closed if any branch closes it, to what all branches know; officially every branch is
    closed by itself, so that nothing could ever be valid (see the notes in the files).
    """
    node = _resolve(document, node)
    merged = _leaf(node)
    for name in ("properties", "patternProperties"):
        if name in node:
            merged[name] = {key: flatten(document, each) for key, each in node[name].items()}
    for name in ("anyOf", "oneOf"):
        if name in node:
            merged[name] = [flatten(document, each) for each in node[name]]
    if "items" in node:
        merged["items"] = flatten(document, node["items"])
    if isinstance(node.get("additionalProperties"), dict):
        merged["additionalProperties"] = flatten(document, node["additionalProperties"])
    for branch in node.get("allOf", ()):
        merged = _merge(merged, flatten(document, branch))
    return _spread(merged)


def _leaf(node: Json) -> Json:
    """Take over what has no schemas in it; officially an enumeration leaves null out even where it may be."""
    leaf: Json = {name: node[name] for name in _KEPT if name in node}
    if "enum" in leaf and "null" in leaf.get("type", ()):
        leaf["enum"] = [*leaf["enum"], None]
    pattern = node.get("x-pattern-java", node.get("pattern"))
    if pattern is not None:
        leaf["x-pattern"] = java_pattern(pattern)
    if False in (node.get("additionalProperties"), node.get("unevaluatedProperties")):
        leaf["additionalProperties"] = False
    if "required" in node:
        leaf["required"] = sorted(node["required"])
    return leaf


def _merge(one: Json, other: Json) -> Json:
    """Merge two branches that both hold; a member's later rule keeps the earlier one as x-also."""
    merged = {**one, **other}
    properties = dict(one.get("properties", {}))
    for name, schema in other.get("properties", {}).items():
        earlier = properties.get(name)
        properties[name] = schema if earlier in (None, schema) else {**schema, "x-also": earlier}
    if properties:
        merged["properties"] = properties
    required = {*one.get("required", ()), *other.get("required", ())}
    if required:
        merged["required"] = sorted(required)
    return merged


def _spread(node: Json) -> Json:
    """Give the alternatives of an object the members that all of them share, and close them."""
    for name in ("anyOf", "oneOf"):
        if name in node and "properties" in node:
            node[name] = [_merge({"properties": node["properties"]}, each) for each in node[name]]
            node = {
                key: each for key, each in node.items() if key not in ("properties", "additionalProperties")
            }
    return node


def java_pattern(text: str) -> str:
    """Translate a pattern of Java, as far as the contracts need it; it is meant for the whole value."""
    wide = r"\p{L}" in text
    for java, python in (
        (r"[\p{L}\p{M}\p{N}\_]", r"\w"),
        (r"\p{L}\p{M}\p{N}\_", r"\w"),
        (r"[\p{L}\p{N}\p{M}]", r"[^\W_]"),
        (r"[\p{L}\p{M}]", r"[^\W\d_]"),
        (r"\P{InBasicLatin}", r"\x80-\U0010ffff"),
    ):
        text = text.replace(java, python)
    return text if wide else f"(?a:{text})"
