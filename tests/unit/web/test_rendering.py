"""Where a sign-in may go on to."""

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.web.auth import site_origin
from connector.web.rendering import local_path, sign_in_path

HERE = "https://calls.example.com"


@pytest.mark.parametrize("path", ["/", "/banner", "/connect?x=1&y=%2F", "/a//b", "/a:b", "/é"])
def test_our_own_paths_stay(path: str) -> None:
    """Query and colons included."""
    assert local_path(path) == path


@pytest.mark.parametrize(
    "text",
    [
        None, "", "banner", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example",
        "https://evil.example", "javascript:alert(1)", "/\t/evil.example", "/\n/evil.example",
        " //evil.example", "//[", "/" + 500 * "a", "/\x00",
    ],
)  # fmt: skip
def test_anything_else_is_the_front_page(text: str | None) -> None:
    """No other host, no scheme, nothing that browsers would read so."""
    assert local_path(text) == "/"


@given(st.text(alphabet=st.sampled_from("/\\:.@?#ab%\t\r\n ")))
def test_no_text_leads_elsewhere(text: str) -> None:
    """Read as browsers do, every answer stays at this host."""
    path = local_path(text)
    as_browsers_do = path.replace("\\", "/").replace("\t", "").replace("\r", "").replace("\n", "").strip()
    assert urlsplit(urljoin(HERE, as_browsers_do)).netloc == "calls.example.com"


def test_the_way_to_sign_in_keeps_the_way_on() -> None:
    """Quoted whole, so that its own query stays its own."""
    assert sign_in_path("/connect?x=1&y=2") == "/login?next=%2Fconnect%3Fx%3D1%26y%3D2"


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("https://Calls.Example.com/", "https://calls.example.com"),
        ("https://calls.example.com:443", "https://calls.example.com"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[::1]:8080/", "http://[::1]:8080"),
    ],
)
def test_an_origin_is_written_as_browsers_do(address: str, origin: str) -> None:
    """Lower case, no default port, no path."""
    assert site_origin(address) == origin
