"""From where recordings are fetched, and what is shown there."""

import httpx2
import pytest

from connector.crypto import Encryptor
from connector.errors import InvalidValue, RecordingNotAllowed, RecordingUnfit
from connector.recordings.access import link, piece_of
from connector.recordings.sources import Changes, Source, address_of, changed, opened, origin_of
from connector.settings import Secret
from connector.store.recordings import SourceRow

FIRST = address_of("https://api.example.com/r/1")
NAMED = Source(
    origins=frozenset({"https://api.example.com", "http://pbx.lan:8088"}),
    redirect_origins=frozenset({"https://media.example.com"}),
    credentials=("Authorization", Secret("Basic eA==")),
)


@pytest.mark.parametrize(
    ("source", "first", "url", "is_allowed"),
    [
        (Source(), FIRST, "https://api.example.com/r/1", True),
        (Source(), FIRST, "https://api.example.com/r/2", True),
        (Source(), FIRST, "https://api.example.com:8443/r/1", False),
        (Source(), FIRST, "http://api.example.com/r/1", False),
        (Source(), FIRST, "https://media.example.com/r/1", False),
        (NAMED, FIRST, "https://api.example.com/r/1", True),
        (NAMED, FIRST, "https://media.example.com/r/1", True),
        (NAMED, FIRST, "http://pbx.lan:8088/1.wav", True),
        (NAMED, FIRST, "http://media.example.com/r/1", False),
        (NAMED, FIRST, "https://api.example.com.evil.example/r/1", False),
        (NAMED, address_of("https://media.example.com/r/1"), "https://media.example.com/r/1", False),
        (NAMED, address_of("https://other.example.com/1"), "https://other.example.com/1", False),
    ],
)
def test_what_may_be_fetched(source: Source, first: httpx2.URL, url: str, *, is_allowed: bool) -> None:
    """Named hosts only where some are named, where those may lead after them, else the very same by https."""
    if is_allowed:
        source.check(address_of(url), first)
        return
    with pytest.raises(RecordingNotAllowed):
        source.check(address_of(url), first)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://api.example.com/r/1", True),
        ("https://API.example.com:443/r/1", True),
        ("https://media.example.com/r/1", False),
        ("http://api.example.com/r/1", False),
    ],
)
def test_who_is_shown_credentials(url: str, *, shown: bool) -> None:
    """Named hosts, and nobody whom they lead to."""
    assert bool(NAMED.headers_for(address_of(url))) is shown


def test_credentials_never_print() -> None:
    """They are nowhere in what a log may show of a source."""
    assert "eA==" not in repr(NAMED)


@pytest.mark.parametrize(
    "text", ["", "x", "ftp://a.example/1", "javascript:alert(1)", "https://", "http://[::1", "//a.example/1"]
)
def test_what_is_no_address(text: str) -> None:
    """Nothing else is asked for."""
    with pytest.raises(RecordingUnfit):
        address_of(text)


def test_what_stands_before_the_host_is_dropped() -> None:
    """A name and a password in an address are not sent, and do not hide the host."""
    url = address_of("https://api.example.com:pw@evil.example:8443/1#x")
    assert (str(url), origin_of(url)) == ("https://evil.example:8443/1", "https://evil.example:8443")
    assert origin_of(address_of("https://[2001:DB8::1]/1")) == "https://[2001:db8::1]"


def test_links_depend_on_the_call_alone() -> None:
    """Desk never tells which address it was given, so that must not change."""
    assert link("https://calls.example.com/", "zpc1") == "https://calls.example.com/recordings/zpc1"
    assert piece_of("https://a.example/1") == piece_of("https://a.example/1")
    assert piece_of("https://a.example/1") != piece_of("https://a.example/2")
    assert piece_of("https://a.example/1").isalnum()


def test_credentials_stay_with_their_hosts() -> None:
    """A host that is named later sees no password that was given for another one."""
    encryptor = Encryptor([Secret("k" * 32)])
    row = changed(SourceRow(), Changes(origins=["api.example.com"], user="AC1", secret="old"), encryptor)
    with pytest.raises(InvalidValue, match=r"were given for https://api\.example\.com"):
        changed(row, Changes(origins=["other.example.com"]), encryptor)
    anew = changed(row, Changes(origins=["other.example.com"], user="B", secret="new"), encryptor)
    assert opened(anew, encryptor).headers_for(address_of("https://api.example.com/1")) == {}
    assert opened(changed(row, Changes(networks=["10.0.0.0/8"]), encryptor), encryptor).credentials
