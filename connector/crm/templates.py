"""Templates of fields: checked against the catalogue when they are saved, rendered for each call; pure.

`{{ call.start | date.utc }}`: Jinja's grammar, of which `syntax` allows a small part, and our own filters. A
tree becomes functions of ours that read texts and numbers from a mapping, so that no object of Python or
Jinja can be reached; what they give is bounded in size at every step.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import tzinfo
from difflib import get_close_matches
from functools import lru_cache
from typing import NamedTuple

import msgspec
from jinja2 import nodes

from connector.crm.filters import (
    DECIMALS_AT_MOST,
    FILTERS,
    LISTS,
    NUMBER_AT_MOST,
    TEXT_AT_MOST,
    Filter,
    Kind,
    cleaned,
    number_of,
    said,
)
from connector.crm.hours import zone_of
from connector.crm.model import FieldType, Rules
from connector.crm.syntax import parse
from connector.crm.values import KnownAt, Value, Values, catalogue, is_known, is_ours
from connector.errors import InvalidValue
from connector.zoho.fields import clip

NAME_AT_MOST = 60
"""Characters of a wrong name that are told again."""


class Rendered(msgspec.Struct, frozen=True):
    """What a template came to, and whether the field's length cut it."""

    text: str
    is_cut: bool


def check(source: str, rules: Rules, *, known_at: KnownAt, pointer: str) -> None:
    """Raise InvalidValue, with the reason and the line, for a template that is none.

    `known_at` is when it is rendered at the earliest: a value that is known later is refused.
    """
    _Reader(pointer, _Known(catalogue(rules), known_at)).template(source)


def render(source: str, values: Values, *, zone: str, limit: int) -> Rendered:
    """Render a template, cut to so many UTF-16 units, as Desk counts; `zone` is the portal's time zone.

    Never raises for a template that was checked, whatever the values are; for another one InvalidValue.
    """
    pieces = _Pieces(max(limit, 1))
    _compiled(source)(_Scope(values, zone_of(zone)), pieces)
    text = "".join(pieces.texts)
    kept = clip(text, max(limit, 1))
    return Rendered(kept, kept != text)


class _Scope(NamedTuple):
    values: Values
    zone: tzinfo


class _Pieces:
    """What was rendered so far, until there is more than may be kept."""

    def __init__(self, limit: int) -> None:
        self.texts: list[str] = []
        self.left = limit + 1

    def add(self, text: str) -> None:
        """Take a text, as far as it can still count."""
        text = cleaned(text)[: self.left]
        self.texts.append(text)
        self.left -= len(text)


_Run = Callable[[_Scope], object]
_Write = Callable[[_Scope, _Pieces], None]


class _Part(NamedTuple):
    """An expression: what it gives, as far as that is known, and how to get it."""

    kind: Kind
    run: _Run


class _Known(NamedTuple):
    """The values that a template may name, and when it is rendered."""

    catalogue: Mapping[str, Value]
    at: KnownAt


@lru_cache(maxsize=2_048)
def _compiled(source: str) -> _Write:
    return _Reader("", None).template(source)


_KINDS: Mapping[FieldType, Kind] = {
    "number": "number",
    "phone": "phone",
    "yes_no": "yes_no",
    "date": "date",
    "date_time": "date",
}


def _kind_of(value: Value) -> Kind:
    kind = _KINDS.get(value.type, "text")
    return "moment" if kind == "date" and is_ours(value.path) else kind


class _Reader:
    """Make functions of a tree; where the values are known that there are, refuse what does not fit them."""

    def __init__(self, pointer: str, known: _Known | None) -> None:
        self._pointer = pointer
        self._known = known
        self._readers: Mapping[type[nodes.Node], Callable[..., _Part]] = {
            nodes.Name: self._path,
            nodes.Getattr: self._path,
            nodes.Const: self._const,
            nodes.Filter: self._filter,
            nodes.CondExpr: self._choice,
            nodes.Compare: self._comparison,
            nodes.And: self._both,
            nodes.Or: self._either,
            nodes.Not: self._negation,
            nodes.Concat: self._joined,
        }

    def template(self, source: str) -> _Write:
        """Read a whole template."""
        return self._body(parse(source, self._pointer).body)

    def _body(self, tree: Sequence[nodes.Node]) -> _Write:
        writers: list[_Write] = []
        for node in tree:
            if isinstance(node, nodes.If):
                writers.append(self._if(node))
            elif isinstance(node, nodes.Output):
                writers.extend(self._output(each) for each in node.nodes)
        return _in_order(writers)

    def _output(self, node: nodes.Expr) -> _Write:
        if isinstance(node, nodes.TemplateData):
            data = node.data
            return lambda _scope, pieces: pieces.add(data)
        run = self._text(node).run
        return lambda scope, pieces: pieces.add(said(run(scope)))

    def _if(self, node: nodes.If) -> _Write:
        branches = [(self._expr(each.test).run, self._body(each.body)) for each in (node, *node.elif_)]
        otherwise = self._body(node.else_)

        def write(scope: _Scope, pieces: _Pieces) -> None:
            chosen = next((body for test, body in branches if test(scope)), otherwise)
            chosen(scope, pieces)

        return write

    def _expr(self, node: nodes.Node) -> _Part:
        return self._readers[type(node)](node)

    def _text(self, node: nodes.Node) -> _Part:
        """Read an expression that is written out as it is, which moments cannot be."""
        part = self._expr(node)
        if part.kind == "moment":
            raise InvalidValue(
                "Line {line}: a moment is written with a filter, such as {example}.",
                self._pointer,
                line=node.lineno,
                example="call.start | date.utc",
            )
        return part

    def _path(self, node: nodes.Name | nodes.Getattr) -> _Part:
        path = _path_of(node)
        if path is None:
            raise InvalidValue(
                "Line {line}: a dot stands only within the name of a value, such as {example}.",
                self._pointer,
                line=node.lineno,
                example="call.start",
            )
        kind = "any" if self._known is None else self._look_up(self._known, path, node.lineno)
        return _Part(kind, lambda scope: _plain(scope.values.get(path)))

    def _look_up(self, known: _Known, path: str, line: int) -> Kind:
        value = known.catalogue.get(path)
        if value is None:
            raise self._unknown(path[:NAME_AT_MOST], known, line)
        if not is_known(value, known.at):
            raise InvalidValue(
                "Line {line}: {name} is known too late for this: {value_at}, and this is written at {at}.",
                self._pointer,
                line=line,
                name=path,
                value_at=value.known_at,
                at=known.at,
            )
        return _kind_of(value)

    def _unknown(self, path: str, known: _Known, line: int) -> InvalidValue:
        for close in get_close_matches(path, known.catalogue, 1):
            return InvalidValue(
                "Line {line}: there is no value called {name}; perhaps {close} is meant.",
                self._pointer,
                line=line,
                name=repr(path),
                close=close,
            )
        return InvalidValue(
            "Line {line}: there is no value called {name}.", self._pointer, line=line, name=repr(path)
        )

    def _const(self, node: nodes.Const) -> _Part:
        value = node.value
        if isinstance(value, bool):
            return _Part("yes_no", lambda _scope: value)
        if isinstance(value, int | float):
            if not -NUMBER_AT_MOST <= value <= NUMBER_AT_MOST:
                raise InvalidValue("Line {line}: this number is too large.", self._pointer, line=node.lineno)
            return _Part("number", lambda _scope: value)
        return _Part("text" if isinstance(value, str) else "any", lambda _scope: value)

    def _filter(self, node: nodes.Filter) -> _Part:
        name = node.name[:NAME_AT_MOST]
        found = FILTERS.get(node.name)
        if found is None or node.node is None:
            raise InvalidValue(
                "Line {line}: there is no filter called {name}; there are {all}.",
                self._pointer,
                line=node.lineno,
                name=repr(name),
                all=", ".join(FILTERS),
            )
        taken = self._expr(node.node)
        if self._known is not None and taken.kind not in found.takes:
            raise InvalidValue(
                "Line {line}: {name} does not take this, which is of the type {kind}; it is for {example}.",
                self._pointer,
                line=node.lineno,
                name=name,
                kind=repr(taken.kind),
                example=found.example,
            )
        argument = self._argument(found, node)
        kind = found.gives or _joint(taken.kind, argument.kind)
        run, value, told = found.run, taken.run, argument.run
        return _Part(kind, lambda scope: run(value(scope), told(scope), scope.zone))

    def _argument(self, found: Filter, node: nodes.Filter) -> _Part:
        if len(node.args) > (found.argument != "") or (
            not node.args and found.argument and not found.is_optional
        ):
            raise InvalidValue(
                "Line {line}: {name} is not written so, but as in {example}.",
                self._pointer,
                line=node.lineno,
                name=found.name,
                example=found.example,
            )
        if not node.args:
            return _Part("any", lambda _scope: None)
        if found.argument == "anything":
            return self._expr(node.args[0])
        given = node.args[0].value if isinstance(node.args[0], nodes.Const) else None
        if found.argument == "list":
            self._check_list(given, node.lineno)
        else:
            self._check_count(found, given, node.lineno)
        return _Part("any", lambda _scope: given)

    def _check_list(self, given: object, line: int) -> None:
        if not isinstance(given, str) or given not in LISTS:
            raise InvalidValue(
                "Line {line}: there is no list of this name; there are {all}.",
                self._pointer,
                line=line,
                all=", ".join(map(repr, LISTS)),
            )

    def _check_count(self, found: Filter, given: object, line: int) -> None:
        least, most = (0, DECIMALS_AT_MOST) if found.argument == "places" else (1, TEXT_AT_MOST)
        if not isinstance(given, int) or isinstance(given, bool) or not least <= given <= most:
            raise InvalidValue(
                "Line {line}: {name} takes a whole number from {least} to {most}.",
                self._pointer,
                line=line,
                name=found.name,
                least=least,
                most=most,
            )

    def _choice(self, node: nodes.CondExpr) -> _Part:
        test, then = self._expr(node.test).run, self._expr(node.expr1)
        other = self._expr(node.expr2) if node.expr2 is not None else _Part("any", lambda _scope: None)
        return _Part(
            _joint(then.kind, other.kind),
            lambda scope: then.run(scope) if test(scope) else other.run(scope),
        )

    def _comparison(self, node: nodes.Compare) -> _Part:
        first = self._expr(node.expr).run
        steps = [(_COMPARED[each.op], self._expr(each.expr).run) for each in node.ops]

        def run(scope: _Scope) -> object:
            left = first(scope)
            for compare, get in steps:
                right = get(scope)
                if not compare(left, right):
                    return False
                left = right
            return True

        return _Part("yes_no", run)

    def _both(self, node: nodes.And) -> _Part:
        left, right = self._expr(node.left), self._expr(node.right)
        return _Part(_joint(left.kind, right.kind), lambda scope: left.run(scope) and right.run(scope))

    def _either(self, node: nodes.Or) -> _Part:
        left, right = self._expr(node.left), self._expr(node.right)
        return _Part(_joint(left.kind, right.kind), lambda scope: left.run(scope) or right.run(scope))

    def _negation(self, node: nodes.Not) -> _Part:
        run = self._expr(node.node).run
        return _Part("yes_no", lambda scope: not run(scope))

    def _joined(self, node: nodes.Concat) -> _Part:
        runs = [self._text(each).run for each in node.nodes]
        return _Part("text", lambda scope: "".join(said(run(scope)) for run in runs)[:TEXT_AT_MOST])


def _in_order(writers: Sequence[_Write]) -> _Write:
    """Return what writes one after the other, as long as what comes can still count."""

    def write(scope: _Scope, pieces: _Pieces) -> None:
        for each in writers:
            if pieces.left <= 0:
                return
            each(scope, pieces)

    return write


def _path_of(node: nodes.Node) -> str | None:
    """Return a name with its dots; None where a dot stands behind something else."""
    names: list[str] = []
    while isinstance(node, nodes.Getattr):
        names.append(node.attr)
        node = node.node
    return ".".join([node.name, *reversed(names)]) if isinstance(node, nodes.Name) else None


def _plain(value: object) -> object:
    """Return a value as templates work with it: cut where it is long, None where it is no value."""
    if isinstance(value, str):
        return value[:TEXT_AT_MOST]
    return value if isinstance(value, int | float) else None


def _joint(one: Kind, other: Kind) -> Kind:
    """Return what an expression gives that gives one of two; a moment may always come out as one."""
    if one == other or other == "any":
        return one
    if one == "any":
        return other
    return "moment" if "moment" in (one, other) else "text"


def _ordered(compare: Callable[[float, float], bool]) -> Callable[[object, object], bool]:
    """Return a comparison of numbers, which is false where one of both is none."""

    def run(left: object, right: object) -> bool:
        one, other = number_of(left), number_of(right)
        return one is not None and other is not None and compare(one, other)

    return run


def _within(left: object, right: object) -> bool:
    return isinstance(right, str) and said(left) in right


_COMPARED: Mapping[str, Callable[[object, object], bool]] = {
    "eq": lambda left, right: said(left) == said(right),
    "ne": lambda left, right: said(left) != said(right),
    "lt": _ordered(lambda left, right: left < right),
    "lteq": _ordered(lambda left, right: left <= right),
    "gt": _ordered(lambda left, right: left > right),
    "gteq": _ordered(lambda left, right: left >= right),
    "in": _within,
    "notin": lambda left, right: not _within(left, right),
}
