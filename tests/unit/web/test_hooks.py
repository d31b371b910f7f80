"""What is kept of bodies that could not be read."""

import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

from hypothesis import given
from hypothesis import strategies as st

from connector.web.hooks import BLANK, blanked


def escaped(text: str) -> str:
    """Write a text as JSON may: each character by its number, a slash behind a backslash."""
    return "".join("\\/" if character == "/" else f"\\u{ord(character):04x}" for character in text)


SECRETS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8, max_size=40)
WAYS = st.sampled_from([str, quote, quote_plus, lambda text: json.dumps(text)[1:-1], escaped])


@given(SECRETS, SECRETS, WAYS)
def test_secrets_are_blanked_as_they_are_written(one: str, other: str, write: Callable[[str], str]) -> None:
    """In JSON and forms, escaped or not; what stands around them stays."""
    body = b"[" + write(one).encode() + b"] \xff"
    assert blanked(body, [one]) == b"[" + BLANK + b"] \xff"
    if one not in other:
        assert one.encode() not in blanked(body, [other, one])
