"""Templates say what is meant, refuse everything else when they are saved, and never fail for a call."""

import time
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.crm import templates, values
from connector.crm.filters import FILTERS, LISTS
from connector.crm.syntax import SOURCE_AT_MOST
from connector.crm.values import KnownAt
from connector.errors import InvalidValue
from tests.unit.crm import samples
from tests.unit.crm.samples import PATHS, RULES

EXAMPLES = values.examples(RULES)


def check(source: str, known_at: KnownAt = "later") -> None:
    """Check a template against the sample's rules."""
    templates.check(source, RULES, known_at=known_at, pointer="/template")


def rendered(source: str, told: values.Values = EXAMPLES, limit: int = 1_000) -> str:
    """Check and render a template as in Paris."""
    check(source)
    return templates.render(source, told, zone="Europe/Paris", limit=limit).text


GOOD = {
    "": "",
    "plain {text} % { }": "plain {text} % { }",
    "{{ call.start | date.utc }}": "2026-11-30T09:00:00.000Z",
    "{{call.start|date.utc}}": "2026-11-30T09:00:00.000Z",
    "{{ call.start | date.local }}": "2026-11-30T10:00:00+01:00",
    "{{ call.start | date.day }} {{ call.start | date.time }}": "2026-11-30 10:00",
    "{{ call.start | date.epoch }}": "1796029200",
    "{{ call.direction | text.title }} call": "Inbound call",
    "{{ call.duration }} {{ call.duration | duration.clock }}": "252 4:12",
    "{{ call.duration | duration.minutes }}": "5",
    "{{ caller.number | phone.national }}": "01 99 00 12 34",
    "{{ caller.number | phone.international }}": "+33 1 99 00 12 34",
    "{{ caller.number | phone.masked }}": "+33***34",
    "{{ call.direction | choose('direction') }}": "Inbound",
    "{{ queue.name ~ ' / ' ~ agent.name }}": "Sales / Bruno Lasker",
    "{{ call.description | text.cut(5) }}": "Answ…",
    "{{ (call.answered | default(call.start)) | date.time }}": "10:00",
    "{{ 'late' if call.waiting > 10 else 'soon' }}": "late",
    "{{ 'late' if call.waiting > 12 }}": "",
    "{% if call.flow == 'queue' %}Q{% elif call.waiting %}W{% else %}-{% endif %}": "Q",
    "{% if not agent.name %}none{% else %}{{ agent.name }}{% endif %}": "Bruno Lasker",
    "{{ contact.cf_plan }} {{ contact.cf_since | date.day }}": "Basic 2026-11-30",
    "{{ contact.cf_since }}": "2026-11-30",
    "{{ account.phone or caller.number }}": "+33199001234",
    "{{ caller.withheld }} {{ caller.withheld | choose('yes_no') }}": "false No",
    "{{ 2.345 | number.round(2) }} {{ 2.5 | number.round }}": "2.35 3",
    "{{ form.cf_outcome }}": "Basic",
    "a{# said to nobody #}b": "ab",
    "{{ 'Sal' in queue.name and 1 < 2 <= 2 }}": "true",
    "a\r\nb": "a\nb",
    "{{ true }}{{ none }} {{ true < 2 }} {{ '-0.01' | number.round(1) }}": "true false 0",
}


@pytest.mark.parametrize("source", GOOD)
def test_what_templates_say(source: str) -> None:
    """Values, filters, comparisons and ifs, as INO writes them."""
    assert rendered(source) == GOOD[source]


@pytest.mark.parametrize("name", FILTERS)
def test_filters_are_used_as_they_are_explained(name: str) -> None:
    """The example of each filter is a template that gives something."""
    assert name in FILTERS[name].example
    assert rendered("{{ " + FILTERS[name].example + " }}")


REFUSED = {
    # Nothing of Python or Jinja is reached.
    "{{ call.__class__ }}": "no value called 'call.__class__'",
    "{{ call.start.__class__.__mro__ }}": "no value called",
    "{{ call.id.real }}": "no value called 'call.id.real'",
    "{{ ''.__class__ }}": "a dot stands only within",
    "{{ 'a'.upper }}": "a dot stands only within",
    "{{ (call.id | default('')).__class__ }}": "a dot stands only within",
    "{{ self }}": "no value called 'self'",
    "{{ self._TemplateReference__context }}": "no value called",
    "{{ cycler }}": "no value called 'cycler'",
    "{{ cycler.__init__.__globals__.os }}": "no value called",
    "{{ lipsum }}": "no value called 'lipsum'",
    "{{ joiner }}": "no value called",
    "{{ namespace }}": "no value called",
    "{{ loop.index }}": "no value called",
    "{{ caller }}": "no value called 'caller'",
    "{{ request.application }}": "no value called",
    "{{ cycler('a') }}": "Call (())",
    "{{ range(10**8) }}": "Call (())",
    "{{ dict(a=1) }}": "Call (())",
    "{{ '{0.__class__}'.format(call.id) }}": "Call (())",
    "{{ call.description.format(call) }}": "Call (())",
    "{{ '%s' % call.id }}": "Mod (%)",
    "{{ '{}' | format(call.id) }}": "no filter called 'format'",
    "{{ call.id | attr('__class__') }}": "no filter called 'attr'",
    "{{ call.id | map('upper') }}": "no filter called 'map'",
    "{{ call.id | upper }}": "no filter called 'upper'",
    "{{ call.id | safe }}": "no filter called 'safe'",
    "{{ call['id'] }}": "Getitem ([])",
    "{{ call.description[0:5] }}": "Getitem ([])",
    "{{ call.0 }}": "Getitem ([])",
    "{{ call['__cla' ~ 'ss__'] }}": "Getitem ([])",
    # What grows, and what loops.
    "{{ 'a' * 10**8 }}": "Mul (*)",
    "{{ 9**9**9 }}": "Pow (**)",
    "{{ 1 + 1 }}": "Add (+)",
    "{{ 1 - 1 }}": "Sub (-)",
    "{{ -1 }}": "Neg (-)",
    "{{ +1 }}": "Pos (+)",
    "{{ 1 / 0 }}": "Div (/)",
    "{{ 1 // 0 }}": "FloorDiv (//)",
    "{{ [1] }}": "List ([])",
    "{{ {'a': 1} }}": "Dict ({})",
    "{{ call.id, call.key }}": "Tuple (,)",
    "{{ () }}": "Tuple (,)",
    "{{ call.id is defined }}": "Test (is)",
    "{{ call.id is not none }}": "Test (is)",
    "{{ 99999999999999999999 }}": "too large",
    "{{ 1e999 }}": "too large",
    "{% for a in call.description %}{{ a }}{% endfor %}": "'for' is not for templates",
    "{% set a = 1 %}": "'set' is not for templates",
    "{% macro m() %}{% endmacro %}": "'macro' is not for templates",
    "{% include 'a' %}": "'include' is not for templates",
    "{% import 'a' as b %}": "'import' is not for templates",
    "{% from 'a' import b %}": "'from' is not for templates",
    "{% extends 'a' %}": "'extends' is not for templates",
    "{% block a %}{% endblock %}": "'block' is not for templates",
    "{% call x() %}{% endcall %}": "'call' is not for templates",
    "{% filter default('') %}{% endfilter %}": "'filter' is not for templates",
    "{% with %}{% endwith %}": "'with' is not for templates",
    "{% autoescape true %}{% endautoescape %}": "'autoescape' is not for templates",
    "{% print 1 %}": "'print' is not for templates",
    "{% raw %}{{ x }}{% endraw %}": "'raw' is not for templates",
    "{% debug %}": "'debug' is not for templates",
    "{% trans %}{% endtrans %}": "'trans' is not for templates",
    # Too much of it.
    "x" * 2_001: "at most 2000 characters",
    "{{ " + "(" * 990 + "1" + ")" * 990 + " }}": "too deeply nested",
    "{{ " + "[" * 990 + "1": "too deeply nested",
    "{{ " + "{" * 990 + "1": "too deeply nested",
    "{{ " + "not " * 480 + "1 }}": "too deeply nested",
    "{{ " + "-" * 1_900 + "1 }}": "too deeply nested",
    "{{ " + "1 if 1 else " * 160 + "1 }}": "too deeply nested",
    "{{ call.id" + "|text.trim" * 190 + " }}": "too deeply nested",
    "{{ call" + ".a" * 900 + " }}": "too deeply nested",
    "{{ " + "1 and " * 300 + "1 }}": "too deeply nested",
    "{{ " + "1~" * 900 + "1 }}": "too deeply nested",
    "{% if 1 %}" * 190: "too deeply nested",
    # Tricks of Unicode.
    "{{ \uff43all.id }}": "no value called",
    "{{ cal\u217c.id }}": "no value called",
    "{{ \u0441all.id }}": "no value called",
    "{{ call.\u200bid }}": "cannot be read",
    "{{ call\u202e.id }}": "cannot be read",
    "{{ call.id | text\uff0eupper }}": "cannot be read",
    "{{ '\\N{nothing of this name}' }}": "cannot be read",
    # Filters with what they do not take.
    "{{ call.description | text.cut }}": "not written so, but as in",
    "{{ call.description | text.cut('x') }}": "a whole number from 1 to 65535",
    "{{ call.description | text.cut(10**9) }}": "Pow (**)",
    "{{ call.description | text.cut(1000000000) }}": "a whole number from 1 to 65535",
    "{{ call.description | text.cut(0) }}": "a whole number from 1 to 65535",
    "{{ call.description | text.cut(true) }}": "a whole number from 1 to 65535",
    "{{ call.description | text.cut(1.5) }}": "a whole number from 1 to 65535",
    "{{ call.description | text.cut(call.duration) }}": "a whole number from 1 to 65535",
    "{{ call.description | text.cut(5, 6) }}": "not written so, but as in",
    "{{ call.description | text.cut(n=5) }}": "without a name or *",
    "{{ call.description | text.cut(*call.description) }}": "without a name or *",
    "{{ call.description | text.cut(**call.description) }}": "without a name or *",
    "{{ call.description | text.upper(1) }}": "not written so, but as in",
    "{{ call.duration | number.round(7) }}": "a whole number from 0 to 6",
    "{{ call.duration | number.round('1') }}": "a whole number from 0 to 6",
    "{{ call.description | default }}": "not written so, but as in",
    "{{ call.description | default('', true) }}": "not written so, but as in",
    "{{ call.description | default(nothing) }}": "no value called 'nothing'",
    "{{ call.direction | choose('nothing') }}": "no list of this name",
    "{{ call.direction | choose({'inbound': 'In'}) }}": "Dict ({})",
    "{{ call.direction | choose(call.flow) }}": "no list of this name",
    "{{ call.start | date.utcc }}": "no filter called 'date.utcc'",
    "{{ call.start | date }}": "no filter called 'date'",
    "{{ caller.number | date.utc }}": "is of the type 'phone'",
    "{{ call.duration | phone.e164 }}": "is of the type 'number'",
    "{{ call.start | text.upper }}": "is of the type 'moment'",
    "{{ caller.withheld | duration.clock }}": "is of the type 'yes_no'",
    "{{ call.start }}": "a moment is written with a filter",
    "{{ 'at ' ~ call.start }}": "a moment is written with a filter",
    "{{ call.answered or 'never' }}": "a moment is written with a filter",
    "{{ call.start if call.answered else '' }}": "a moment is written with a filter",
    # Wrong names, and what cannot be read.
    "{{ call }}": "no value called 'call'",
    "{{ call.strat | date.utc }}": "perhaps call.start is meant",
    "{{ Call.start }}": "no value called 'Call.start'",
    "{{ contact.nosuch }}": "no value called",
    "{{ form.nosuch }}": "no value called",
    "{{ " + "x" * 1_900 + " }}": "no value called",
    "{{ }}": "cannot be read",
    "{{ call.id": "cannot be read",
    "{{ call.id }": "cannot be read",
    "{{ call. }}": "cannot be read",
    "{{ call.id | }}": "cannot be read",
    "{{ 'open }}": "cannot be read",
    "{{ $x }}": "cannot be read",
    "{{ call.id ! 2 }}": "cannot be read",
    "{% if call.id %}": "cannot be read",
    "{% endif %}": "cannot be read",
    "{% %}": "cannot be read",
    "{% if %}a{% endif %}": "cannot be read",
    "{# open": "cannot be read",
}


@pytest.mark.parametrize("source", REFUSED, ids=lambda source: ascii(source)[:50])
def test_what_is_refused(source: str) -> None:
    """At the check, with the reason, for its field: nothing of it is ever rendered."""
    with pytest.raises(InvalidValue) as refused:
        check(source)
    assert REFUSED[source] in str(refused.value)
    assert refused.value.pointer == "/template"


@pytest.mark.parametrize(
    "source", ["a\n{{ call.id }}\n{{ nothing }}", "a\n\r\n{{ 1 + 1 }}", "\n\n{% for a in b %}", "\n\n{{ $ }}"]
)
def test_the_line_is_told(source: str) -> None:
    """Whatever is wrong, people find where."""
    with pytest.raises(InvalidValue, match=r"^Line 3: "):
        check(source)


@pytest.mark.parametrize(
    ("source", "first"),
    [
        ("{{ caller.number }}", "ring"),
        ("{{ agent.name }}", "answer"),
        ("{{ call.duration }}", "end"),
        ("{% if 1 %}{% else %}{{ caller.number | default(call.duration) }}{% endif %}", "end"),
        ("{{ call.start | date.utc if recording.url }}", "later"),
        ("{{ form.cf_outcome }}", "later"),
    ],
)
def test_what_is_not_known_yet_is_refused(source: str, first: KnownAt) -> None:
    """A record that is made while it rings cannot say how long the call was."""
    place = values.MOMENTS.index(first)
    for known_at in values.MOMENTS[place:]:
        check(source, known_at)
    for known_at in values.MOMENTS[:place]:
        with pytest.raises(InvalidValue, match="known too late"):
            check(source, known_at)


@pytest.mark.parametrize(
    ("text", "limit", "kept"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("😀😀", 4, "😀😀"),
        ("😀😀😀", 4, "😀…"),
        ("😀😀", 3, "😀…"),
        ("abc", 0, "…"),
    ],
)
def test_the_cut_is_shown(text: str, limit: int, kept: str) -> None:
    """A text is cut as Desk counts, in UTF-16 units, and whoever reads it sees that it is."""
    found = templates.render("{{ call.description }}", {"call.description": text}, zone="UTC", limit=limit)
    assert found == templates.Rendered(kept, kept != text)


def test_what_is_missing_says_nothing() -> None:
    """No None and no {{ }} ever stands in Desk."""
    for path in PATHS:
        assert templates.render("{{ " + path + " }}", {}, zone="UTC", limit=10).text == ""


@pytest.mark.parametrize(
    "source", ["{{ call.description }}", "{{ call.description ~ '' }}", "{{ call.description | text.upper }}"]
)
def test_what_no_field_can_hold_is_taken_out(source: str) -> None:
    """Neither from values nor from the template: no database and no request can be written with it."""
    told = {"call.description": "A\x00\x1b\ud83dB\r\nC\tD\ufffe"}
    assert templates.render(source, told, zone="UTC", limit=100).text == "AB\nC\tD"
    assert rendered("a\x00b{{ 'c\\ud800\x00d' }}\ud800") == "abcd"


@pytest.mark.parametrize("value", [10**400, -(10**400), 10**16, float("inf"), float("nan"), b"x", [1], {}])
def test_what_is_no_value_says_nothing(value: object) -> None:
    """No list of Python's stands in Desk, nor a number with hundreds of digits."""
    for source in ("{{ call.duration }}", "{{ call.duration | number.round(2) }}", "{{ call.duration < 1 }}"):
        found = templates.render(source, {"call.duration": value}, zone="UTC", limit=100)
        assert found.text == ("false" if "<" in source else "")


def test_what_a_template_names() -> None:
    """Whoever reads Desk's records for it knows which: however the dots are spaced."""
    source = (
        "{% if contact . id %}{{ (account.phone) or call.id | default(ticket\n.id) }}{% endif %} queue.name"
    )
    assert templates.named(source) == {"contact.id", "account.phone", "call.id", "ticket.id"}


def test_an_unknown_time_zone_is_utc() -> None:
    """A record is written all the same."""
    found = templates.render("{{ call.start | date.time }}", EXAMPLES, zone="Nowhere/../x", limit=10)
    assert found.text == "09:00"


def test_values_are_not_templates() -> None:
    """What a caller is called is never read as a template."""
    assert rendered("{{ caller.name }}", {"caller.name": "{{ call.id }}"}) == "{{ call.id }}"


def _argument(name: str, inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    taken = FILTERS[name].argument
    arguments: dict[str, st.SearchStrategy[str]] = {
        "": st.just(""),
        "places": st.integers(0, 6).map(lambda places: f"({places})"),
        "length": st.integers(1, 65_535).map(lambda length: f"({length})"),
        "list": st.sampled_from([f"('{each}')" for each in LISTS]),
        "anything": inner.map(lambda text: f"({text})"),
    }
    return arguments[taken].map(lambda text: f" | {name}{text}")


def _wrapped(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(inner, inner, inner).map(lambda each: f"({each[0]} if {each[1]} else {each[2]})"),
        st.tuples(inner, st.sampled_from(["==", "<", ">=", "in", "not in", "and", "or", "~"]), inner).map(
            lambda each: f"({' '.join(each)})"
        ),
        st.tuples(inner, st.sampled_from(sorted(FILTERS)).flatmap(lambda name: _argument(name, inner))).map(
            lambda each: f"({each[0]}{each[1]})"
        ),
        inner.map(lambda each: f"(not {each})"),
    )


_LEAVES = [*PATHS, "'text'", "'é\\ud800'", "3", "2.5", "true", "none"]
expressions = st.recursive(st.sampled_from(_LEAVES), _wrapped, max_leaves=8)
pieces = st.one_of(
    st.text(st.characters(exclude_characters="{%#}"), max_size=20),
    expressions.map(lambda each: "{{ " + each + " }}"),
    expressions.map(lambda each: "{% if " + each + " %}yes{% else %}no{% endif %}"),
)


@given(st.lists(pieces, max_size=5).map("".join), samples.values, st.integers(1, 200))
def test_no_checked_template_fails(source: str, told: values.Values, limit: int) -> None:
    """Whatever the values are: it renders, within the limit, to what can be stored anywhere."""
    try:
        check(source)
    except InvalidValue:
        return
    found = templates.render(source, told, zone="Asia/Kathmandu", limit=limit)
    assert len(found.text.encode("utf-16-le")) <= 2 * limit
    assert "\x00" not in found.text


_WORDS = [
    "{{",
    "}}",
    "{%",
    "%}",
    "{#",
    "#}",
    "if",
    "else",
    "endif",
    "(",
    ")",
    "[",
    "'",
    "|",
    ".",
    "call.id",
    "~",
]
_MORE = [
    "text.cut(3)",
    "not",
    "-",
    "**",
    "self",
    "__class__",
    "raw",
    "endraw",
    "for",
    "in",
    "\n",
    " ",
    "\\",
    "é",
]


@given(st.lists(st.sampled_from(_WORDS + _MORE), max_size=40).map(" ".join) | samples.strange_texts)
def test_a_check_says_yes_or_why_not(source: str) -> None:
    """Whatever is typed: no other error ever comes out."""
    try:
        check(source)
    except InvalidValue as problem:
        assert problem.pointer == "/template"  # noqa: PT017 - either is right


def filled(piece: str) -> str:
    """Return the longest template that repeats a piece."""
    return piece * (SOURCE_AT_MOST // len(piece))


SLOW: Sequence[str] = (
    filled("{{ call.id | text.title | text.cut(1) }}"),
    filled("{{ call.id }}"),
    "{{ " + "call.id~" * 24 + "'' }}",
    filled("{{ ((call.id ~ call.id) | text.upper) in (call.id ~ 'x') }}"),
    filled("{{ call.id | phone.international }}"),
)


@pytest.mark.parametrize("source", SLOW, ids=range(len(SLOW)))
@pytest.mark.parametrize("text", ["a " * 500_000, "é" * 1_000_000, "1" * 1_000_000, "\x01a" * 500_000])
def test_the_longest_template_takes_no_time(source: str, text: str) -> None:
    """A megabyte in every value of it, and it is done in less than a second of the processor."""
    began = time.process_time()
    found = templates.render(source, {"call.id": text}, zone="UTC", limit=65_535)
    assert time.process_time() - began < 1
    assert len(found.text) <= 65_535


LONG_REFUSED = [source for source in REFUSED if len(source) > 500]


@pytest.mark.parametrize("source", LONG_REFUSED, ids=range(len(LONG_REFUSED)))
def test_the_longest_refusal_takes_no_time(source: str) -> None:
    """A source that would lead the parser deep is refused before the parser sees it."""
    began = time.process_time()
    with pytest.raises(InvalidValue):
        check(source)
    assert time.process_time() - began < 0.2
