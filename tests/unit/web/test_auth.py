"""Cookies: names, attributes, signatures."""

import pytest
from starlette.requests import Request
from starlette.responses import Response

from connector.crypto import Encryptor
from connector.settings import Secret
from connector.web.auth import Cookies

OLD, NEW = Secret("old"), Secret("new")


def written(response: Response) -> list[str]:
    """Return the Set-Cookie headers of an answer."""
    return [value.decode() for name, value in response.raw_headers if name == b"set-cookie"]


def bringing(*set_cookies: str) -> Request:
    """Make a request that brings what was set."""
    pairs = "; ".join(cookie.partition(";")[0] for cookie in set_cookies)
    return Request({"type": "http", "headers": [(b"cookie", pairs.encode("latin-1"))]})


def session_cookie(cookies: Cookies) -> str:
    """Return the Set-Cookie header of a session."""
    response = Response()
    cookies.set_session(response, "s-1")
    return written(response)[0]


def test_a_session_comes_back() -> None:
    """What was set is read."""
    cookies = Cookies(Encryptor([NEW]), https=True)
    assert cookies.session(bringing(session_cookie(cookies))) == "s-1"


def test_over_https_it_is_bound_to_the_host() -> None:
    """`__Host-`, Secure, HttpOnly, SameSite=Lax, Path=/ and no Domain."""
    cookie = session_cookie(Cookies(Encryptor([NEW]), https=True))
    name, *attributes = cookie.split("; ")
    assert name.startswith("__Host-connector-session=")
    assert {"Secure", "HttpOnly", "SameSite=lax", "Path=/"} <= set(attributes)
    assert "domain" not in cookie.lower()


def test_on_this_machine_it_goes_without_prefix_and_secure() -> None:
    """Browsers would drop them on plain http."""
    cookie = session_cookie(Cookies(Encryptor([NEW]), https=False))
    assert cookie.startswith("connector-session=")
    assert "Secure" not in cookie
    assert "HttpOnly" in cookie


def test_a_rotated_key_still_reads() -> None:
    """The first key signs, all are believed."""
    before, after = Cookies(Encryptor([OLD]), https=True), Cookies(Encryptor([NEW, OLD]), https=True)
    assert after.session(bringing(session_cookie(before))) == "s-1"
    assert before.session(bringing(session_cookie(after))) is None
    assert Cookies(Encryptor([NEW]), https=True).session(bringing(session_cookie(after))) == "s-1"


@pytest.mark.parametrize(
    "forged", ["", "s-1", "s-1.", ".", "s-1.nonsense", "\xff.\xff", "s-2.{signature}", "{value}x"]
)
def test_a_forged_cookie_is_none(forged: str) -> None:
    """Whatever it holds, it raises nothing."""
    cookies = Cookies(Encryptor([NEW]), https=True)
    value = session_cookie(cookies).partition("=")[2].partition(";")[0]
    text = forged.replace("{signature}", value.rpartition(".")[2]).replace("{value}", value)
    assert cookies.session(bringing(f"__Host-connector-session={text}")) is None


def test_a_signature_holds_for_one_cookie_alone() -> None:
    """A flow's secret cannot be brought as a session."""
    cookies = Cookies(Encryptor([NEW]), https=True)
    response = Response()
    cookies.set_flow(bringing(), response, "state", "s-1")
    value = written(response)[0].partition("=")[2]
    assert cookies.session(bringing(f"__Host-connector-session={value}")) is None


def test_flows_never_meet() -> None:
    """Each state has a cookie of its own."""
    cookies = Cookies(Encryptor([NEW]), https=True)
    response = Response()
    for number in range(3):
        cookies.set_flow(bringing(), response, f"state-{number}", f"browser-{number}")
    request = bringing(*written(response))
    assert [cookies.flow(request, f"state-{number}") for number in range(4)] == [
        "browser-0",
        "browser-1",
        "browser-2",
        None,
    ]


def test_a_dropped_cookie_is_gone() -> None:
    """The browser is told to forget it at once."""
    cookies = Cookies(Encryptor([NEW]), https=True)
    response = Response()
    cookies.drop_session(response)
    cookies.drop_flow(response, "state")
    assert all("Max-Age=0" in cookie for cookie in written(response))
