"""Reading scopes."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.sandbox.tokens import KNOWN_SCOPES, parse_scopes


@pytest.mark.parametrize("text", ["openid,email", "openid email", "openid, email", " openid\temail "])
def test_commas_and_spaces(text: str) -> None:
    """Scopes may be separated either way."""
    scopes = parse_scopes(text)
    assert scopes is not None
    assert scopes.text == "openid email"


@given(
    st.sampled_from(sorted(KNOWN_SCOPES)), st.sampled_from([str.upper, str.lower, str.title, str.swapcase])
)
def test_case_does_not_matter(scope: str, change: Callable[[str], str]) -> None:
    """Any spelling of a known scope is known, and is kept as it was asked for."""
    spelled = change(scope)
    scopes = parse_scopes(spelled)
    assert scopes is not None
    assert scopes.names == {scope}
    assert scopes.text == spelled


@pytest.mark.parametrize("text", ["", " , ", "Desk.tickets.READ,Desk.nonsense.READ", "Desk.tickets", "desk"])
def test_one_unknown_scope_fails_all(text: str) -> None:
    """Nothing at all is granted of a request with an unknown scope, or with none."""
    assert parse_scopes(text) is None


def test_services() -> None:
    """Desk and PhoneBridge want accounts of their own; OpenID does not."""
    scopes = parse_scopes("openid,Desk.tickets.READ,PhoneBridge.call.log")
    assert scopes is not None
    assert scopes.services == {"Desk", "PhoneBridge"}
