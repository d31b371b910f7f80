"""The pure modules, called in the browser that runs them."""

import itertools
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page

from .env import ROOT, Environment
from .views import call, ended, named, talking

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page(browser: Browser, running: Environment) -> Iterator[Page]:
    """Open a page of the same origin that runs nothing by itself."""
    page = browser.new_page(base_url=running.base, locale="en-GB", timezone_id="Europe/Paris")
    page.goto("/")
    yield page
    page.close()


def in_module(page: Page, name: str, body: str, argument: object = None) -> Any:
    """Run `body` with the module as `m` and the argument as `x`."""
    script = f"async (x) => {{ const m = await import('/static/js/{name}.js'); {body} }}"
    return page.evaluate(script, argument)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0:00"),
        (-5, "0:00"),
        (7.9, "0:07"),
        (64, "1:04"),
        (3599, "59:59"),
        (3600, "1:00:00"),
        (90061, "25:01:01"),
    ],
)
def test_durations(page: Page, seconds: float, text: str) -> None:
    """Durations read as an agent reads a clock."""
    assert in_module(page, "words", "return m.duration(x)", seconds) == text


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("+33 1 23 45 67 89", "tel:+33123456789"),
        ("+44 (0)20 7946 0811", "tel:+442079460811"),
        ("(020) 7946 0811", "tel:02079460811"),
        ("(+33) 1.23-45", "tel:+3312345"),
        ("030/123456", "tel:030123456"),
        ("020 7946 0811 / 020 7946 0812", "tel:02079460811"),
        ("020 7946 0811 ext 4", "tel:02079460811"),
        ("Office: 1042", "tel:1042"),
        ("*21#", "tel:*21%23"),
        ("1", None),
        ("nobody", None),
        (None, None),
    ],
)
def test_tel_addresses(page: Page, typed: str | None, address: str | None) -> None:
    """The first number in what somebody typed, without what is no part of it."""
    assert in_module(page, "shape", "return m.telUrl(x)", typed) == address


def test_any_order_of_revisions_gives_the_same_state(page: Page) -> None:
    """Every permutation of a call's events, repeats included, ends in the newest revision."""
    events = [call(), named(), talking(), ended()]
    orders = [list(order) + events[:1] for order in itertools.permutations(events)]
    body = """
      return x.map((order) => {
        const state = order.reduce((state, data) => m.reduce(state, {type: "call", data}), m.START);
        return [Object.keys(state.calls).length, state.calls[1].revision, state.calls[1].state];
      })"""
    assert in_module(page, "state", body, orders) == [[1, 4, "ended"]] * 24


def test_gone_and_revisions(page: Page) -> None:
    """A withdrawn call comes back only with a newer revision; a withdrawal that is older changes nothing."""
    body = """
      const see = (state) => Object.values(state.calls).map((one) => one.revision);
      const step = (state, [type, data]) => m.reduce(state, {type, data});
      return x.map((steps) => see(steps.reduce(step, m.START)))"""
    gone = ["gone", {"id": 1, "revision": 3, "reason": "not_concerned"}]
    cases = [
        [["call", call(1, 2)], gone],
        [["call", call(1, 4)], gone],
        [gone, ["call", call(1, 3)]],
        [gone, ["call", call(1, 4)]],
    ]
    assert in_module(page, "state", body, cases) == [[], [4], [], [4]]


def test_only_the_newest_ended_calls_are_kept(page: Page) -> None:
    """A page that stays open for days does not grow: twenty ended calls, and every open one."""
    views = [ended(number, ended_at=number) for number in range(1, 40)] + [
        call(number) for number in range(40, 50)
    ]
    body = """
      const state = m.reduce(m.START, {type: "snapshot", data: {now: 1, agent: {}, calls: x}});
      return [m.endedCalls(state.calls).map((one) => one.id), m.openCalls(state.calls).length]"""
    assert in_module(page, "state", body, views) == [list(range(39, 19, -1)), 10]


@pytest.mark.parametrize("attempt", [0, 1, 5, 50])
def test_pauses_grow_to_a_cap_with_jitter(page: Page, attempt: int) -> None:
    """A pause is between half and the whole of its step, and no step is longer than fifteen seconds."""
    low, high = in_module(page, "stream", "return [m.pauseBefore(x, 0), m.pauseBefore(x, 0.999)]", attempt)
    step = min(15_000, 500 * 2**attempt)
    assert low == step / 2
    assert step * 0.99 <= high <= step


def test_stream_text_is_read_the_same_however_it_is_cut(page: Page) -> None:
    """Line ends of all three kinds, comments and several data lines survive any cutting into pieces."""
    windows = ': hi\r\n\r\nevent: call\r\ndata: {"a":\r\ndata: 1}\r\n\r\n'
    text = windows + "data:x\n\nid: 7\nevent: gone\rdata: y: z\r\rdata: cut"
    wanted = [
        {"event": "call", "data": '{"a":\n1}'},
        {"event": "message", "data": "x"},
        {"event": "gone", "data": "y: z"},
    ]

    @settings(deadline=None)
    @given(st.lists(st.integers(0, len(text)), max_size=8))
    def cut(places: list[int]) -> None:
        edges = [0, *sorted(places), len(text)]
        pieces = [text[start:end] for start, end in itertools.pairwise(edges)]
        body = "const parser = m.createParser(); return x.flatMap((piece) => parser.push(piece))"
        assert in_module(page, "sse", body, pieces) == wanted

    cut()


@settings(deadline=None, max_examples=40)
@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5), st.lists, max_leaves=5
    )
)
def any_value(page: Page, value: object) -> None:
    """Put a value in the place of each field of a view."""
    views = [named() | {field: value} for field in named()]
    shapes = in_module(page, "shape", "return x.map((view) => m.toCall(view))", [*views, value])
    words = "return x.filter(Boolean).map((call) => [m.whoOf(call), m.phaseWords(call), m.lookupWords(call)])"
    assert in_module(page, "words", words, shapes) is not None


def test_any_field_may_be_anything(page: Page) -> None:
    """Whatever stands in a field, reading it and speaking of it never throws."""
    any_value(page)


def test_every_module_is_preloaded() -> None:
    """The page names all its modules at once, so that they do not load one after the other."""
    template = (ROOT / "connector/web/templates/banner.html").read_text()
    listed = re.search(r"for name in (\[.*?\])", template)
    assert listed
    modules, found = {"main"}, {"main"}
    while found:
        sources = [(ROOT / f"static/js/{name}.js").read_text() for name in found]
        found = {name for source in sources for name in re.findall(r'from "./(\w+)\.js"', source)} - modules
        modules |= found
    assert set(json.loads(listed[1])) | {"main"} == modules


def test_no_script_touches_markup() -> None:
    """No module writes markup, and none asks another origin."""
    for path in (ROOT / "static/js").glob("*.js"):
        source = path.read_text()
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|Function\(", source
        ), path
        assert set(re.findall(r"https?://[^\s\"')]*", source)) <= {"http://www.w3.org/2000/svg"}, path
