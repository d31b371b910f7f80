"""Read templates in Jinja's grammar, and refuse all of it that is not for templates; pure.

Jinja's lexer and parser are all of it that is used: its trees are walked here, never compiled nor run by it.
The parser recurses, so sources are bounded in length, in words and in depth before it sees them.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.parser import Parser

from connector.errors import InvalidValue

SOURCE_AT_MOST = 2_000
"""Characters of a template."""

WORDS_AT_MOST = 100
"""Words and signs between one pair of braces."""

NESTED_AT_MOST = 8
"""Brackets within brackets, and ifs within ifs."""

TAGS = frozenset({"if", "elif", "else", "endif"})

_GRAMMAR = Environment(optimized=False, autoescape=False)  # noqa: S701 - it parses, and renders nothing

ALLOWED: frozenset[type[nodes.Node]] = frozenset(
    {
        nodes.Template,
        nodes.Output,
        nodes.TemplateData,
        nodes.Name,
        nodes.Getattr,
        nodes.Const,
        nodes.Filter,
        nodes.CondExpr,
        nodes.If,
        nodes.Compare,
        nodes.Operand,
        nodes.And,
        nodes.Or,
        nodes.Not,
        nodes.Concat,
    }
)
"""The nodes of Jinja's tree that templates may have; every other one is refused."""

_IN_WORDS: Mapping[type[nodes.Node], str] = MappingProxyType(
    {
        nodes.Add: "+",
        nodes.Sub: "-",
        nodes.Mul: "*",
        nodes.Div: "/",
        nodes.FloorDiv: "//",
        nodes.Mod: "%",
        nodes.Pow: "**",
        nodes.Neg: "-",
        nodes.Pos: "+",
        nodes.Call: "()",
        nodes.Getitem: "[]",
        nodes.List: "[]",
        nodes.Dict: "{}",
        nodes.Tuple: ",",
        nodes.Test: "is",
        nodes.Slice: ":",
    }
)
"""How people type what is refused; without one a node is called as Jinja calls it."""


def parse(source: str, pointer: str) -> nodes.Template:
    """Return the tree of a template, every node of it an allowed one; InvalidValue names reason and line."""
    if len(source) > SOURCE_AT_MOST:
        raise InvalidValue(
            "A template has at most {most} characters; this one has {count}.",
            pointer,
            most=SOURCE_AT_MOST,
            count=len(source),
        )
    try:
        _check_words(source, pointer)
        tree = Parser(_GRAMMAR, source).parse()
    except TemplateSyntaxError as problem:
        raise InvalidValue(
            "Line {line}: this cannot be read: {problem}",
            pointer,
            line=problem.lineno,
            problem=(problem.message or "")[:200],
        ) from problem
    for node in _walk(tree):
        _check_node(node, pointer)
    return tree


def _check_words(source: str, pointer: str) -> None:
    """Refuse what would lead the parser too deep, and tags of other uses, before there is a tree."""
    words = depth = ifs = 0
    is_tag = False
    for line, kind, text in _GRAMMAR.lexer.tokeniter(source, None):
        if kind == "raw_begin":
            raise _no_tag(line, "raw", pointer)
        if kind in {"variable_begin", "block_begin"}:
            words, depth, is_tag = 0, 0, kind == "block_begin"
            continue
        if kind == "whitespace":
            continue
        if is_tag and kind == "name" and words == 0:
            ifs += _step(line, text, pointer)
        words += 1
        depth += (text in "([{") - (text in ")]}") if kind == "operator" else 0
        if words > WORDS_AT_MOST or max(depth, ifs) > NESTED_AT_MOST:
            raise InvalidValue(
                "Line {line}: this is too long or too deeply nested; make it simpler.", pointer, line=line
            )


def _step(line: int, tag: str, pointer: str) -> int:
    """Return how a tag changes the number of ifs that are open."""
    if tag not in TAGS:
        raise _no_tag(line, tag, pointer)
    return (tag == "if") - (tag == "endif")


def _no_tag(line: int, tag: str, pointer: str) -> InvalidValue:
    return InvalidValue(
        "Line {line}: {tag} is not for templates; of the tags, only if, elif, else and endif are.",
        pointer,
        line=line,
        tag=repr(tag[:40]),
    )


def _walk(tree: nodes.Node) -> Iterator[nodes.Node]:
    """Go through all nodes, from the first of the source to the last, without recursion."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(list(node.iter_child_nodes())))


def _check_node(node: nodes.Node, pointer: str) -> None:
    if type(node) not in ALLOWED:
        raise InvalidValue(
            "Line {line}: {what} is not for templates: they have values, filters, comparisons, if and ~.",
            pointer,
            line=node.lineno,
            what=f"{type(node).__name__} ({_IN_WORDS[type(node)]})"
            if type(node) in _IN_WORDS
            else type(node).__name__,
        )
    if isinstance(node, nodes.Filter) and (node.kwargs or node.dyn_args or node.dyn_kwargs):
        raise InvalidValue(
            "Line {line}: what {name} takes is written without a name or *.",
            pointer,
            line=node.lineno,
            name=repr(node.name[:40]),
        )
