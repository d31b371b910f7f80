"""Descriptions that come back from Desk as HTML are still ours."""

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.delivery.merging import find_in_markup as find
from connector.delivery.merging import is_markup as is_used
from connector.delivery.merging import merge
from connector.delivery.merging import replace_in_markup as replace
from connector.outbox.send_once import Sent
from tests.unit.delivery.test_merging import _body, _desk

HTML = (
    "<div>ours<br>two &amp; three<br /></div>",
    "<p>ours</p><p>two &amp; three</p>",
    "<div>ours</div>\n<div>two&nbsp;&amp; three</div>",
    "ours<br/>two &#38; three",
    "<div><span style='color: red'>ours</span><br>two &amp; three</div>",
)


@pytest.mark.parametrize("shown", HTML)
def test_markup_is_no_edit(shown: str) -> None:
    """What Desk's editor makes of our text is still ours, and is replaced whole."""
    old = _body(description="ours\ntwo & three")
    theirs = _desk(_body(description=shown))
    assert merge(old, Sent(body=old), theirs).writes == {}
    new = _body(description="new\n<b> & more")
    change = merge(new, Sent(body=old), theirs)
    assert change.kept == ()
    # What was written is known again.
    rewritten = _desk(_body(description=change.writes["description"]))
    assert merge(new, Sent(body=new), rewritten) == merge(new, Sent(body=new), _desk(new))


@pytest.mark.parametrize("shown", HTML)
def test_what_stands_around_our_block_keeps_its_markup(shown: str) -> None:
    """An agent's words before and after it stay as they are written, bold and all."""
    old = _body(description="ours\ntwo & three")
    theirs = _desk(_body(description=f"<b>Call back!</b><br>{shown}<i>Ada</i>"))
    written = merge(_body(description="new"), Sent(body=old), theirs).writes["description"]
    assert written.startswith("<b>Call back!</b><br>")
    assert written.endswith("<i>Ada</i>")
    assert "new" in written
    assert "three" not in written


def test_edited_within_markup_is_edited() -> None:
    """Another word in our block is somebody's edit all the same."""
    old = _body(description="ours\ntwo & three")
    theirs = _desk(_body(description="<div>ours<br>two &amp; four</div>"))
    change = merge(_body(description="new"), Sent(body=old), theirs)
    assert (change.writes, change.kept) == ({}, ("description",))


@given(st.text("ab &<>;\n/"), st.text("ab &<>;\n/"), st.sampled_from(["<br>", "<br />", "</p><p>"]))
def test_an_editors_html_says_the_same(before: str, block: str, line_break: str) -> None:
    """Whatever our text holds, it is found in its own HTML, and nothing around it is lost."""
    text = f"<p>{before}|{line_break.join(html.escape(f'[{block}]').splitlines())}|</p>"
    place = find(f"[{block}]", text)
    assert place is not None
    replaced = replace(text, place, "new")
    assert replaced.startswith(f"<p>{before}|")
    assert replaced.endswith("|</p>")
    assert replaced.count("new") == 1


def test_a_text_without_markup() -> None:
    """Is compared as it is."""
    assert not is_used("a < b & c; 3 > 2")
    assert all(map(is_used, ("a<br>b", "a &amp; b", "<i>a</i>")))
    assert find("", "") is None
