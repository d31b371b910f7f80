"""A page that says one thing: what can be typed is marked up, and nothing else becomes markup."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape

from connector.web.rendering import environment

ENVIRONMENT = environment()


def page(**context: object) -> str:
    """Render the page."""
    made: str = ENVIRONMENT.get_template("message.html").render(title="T", **({"what": "W"} | context))
    return made


@pytest.mark.parametrize("where", ["what", "who", "todo"])
def test_commands_are_marked_up(where: str) -> None:
    """In every sentence of the page; no backtick is left for people to read."""
    sentence = "Ask for `connector agents add`, then for `connector agents list`."
    shown = page(**{where: [sentence] if where == "todo" else sentence})
    assert "Ask for <code>connector agents add</code>, then for <code>connector agents list</code>." in shown
    assert "`" not in shown


@given(st.text(alphabet="`<>&\"'ab ", max_size=20))
def test_whatever_stands_there_is_text(text: str) -> None:
    """Nothing in it becomes markup but the pairs of backticks."""
    shown = page(what=text)
    inside = shown.partition("<h1>T</h1>")[2].partition("<p>")[2].partition("</p>")[0]
    plain = inside.replace("<code>", "`").replace("</code>", "`")
    assert plain == str(escape(text))


def test_a_lone_backtick_stays() -> None:
    """It opens nothing."""
    assert "<p>a `b</p>" in page(what="a `b")
