"""Read and check where a phone system keeps its recordings, and refuse what could not be meant."""

import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Sequence
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import msgspec

from connector.casing import ascii_lower
from connector.crypto import Encryptor
from connector.errors import InvalidValue, RecordingNotAllowed, RecordingUnfit
from connector.recordings.network import Address, Network, may_reach
from connector.settings import Secret
from connector.store.recordings import SourceRow

LISTED_AT_MOST = 200
"""So many hosts, and so many networks, one phone system has at most."""

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_VALUE = re.compile(r"[\x20-\x7e]{1,4000}")
_OURS = frozenset({"host", "range", "accept", "accept-encoding", "cookie", "connection", "content-length",
    "transfer-encoding", "te", "upgrade"})  # fmt: skip


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Where a phone system keeps its recordings; `credentials` are the name and the value of a header."""

    folder: str | None = None
    folder_address: str = ""
    origins: frozenset[str] = frozenset()
    redirect_origins: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()
    credentials: tuple[str, Secret] | None = None

    def check(self, url: httpx2.URL, first: httpx2.URL) -> None:
        """Raise RecordingNotAllowed where a recording at `first` may not be fetched from `url`.

        Where nobody has named origins, it may be from the very origin that was told, by https.
        """
        origin = origin_of(url)
        if origin in self.origins or (url != first and origin in self.redirect_origins):
            return
        if self.origins or origin != origin_of(first):
            raise RecordingNotAllowed(
                f"The recording is at {url.host}, or redirects there, and that is not allowed."
            )
        if url.scheme != "https":
            raise RecordingNotAllowed(f"The recording is at {url.host} by plain http, which is not allowed.")

    def may_reach(self, address: Address) -> bool:
        """Tell whether a connection may be made to an address."""
        return may_reach(address, self.networks)

    def headers_for(self, url: httpx2.URL) -> dict[str, str]:
        """Return the credentials where they are meant for this origin."""
        if self.credentials is None or origin_of(url) not in self.origins:
            return {}
        name, value = self.credentials
        return {name: value.reveal()}


def opened(row: SourceRow, encryptor: Encryptor) -> Source:
    """Make a source ready for use; SettingsError where no key opens its credentials."""
    value = None if row.sealed_header_value is None else encryptor.decrypt(row.sealed_header_value)
    return Source(
        folder=row.folder,
        folder_address=row.folder_address or "",
        origins=frozenset(row.origins),
        redirect_origins=frozenset(row.redirect_origins),
        networks=tuple(ip_network(network) for network in row.networks),
        credentials=None if row.header is None or value is None else (row.header, Secret(value)),
    )


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """What shall be different: None leaves things as they are, nothing takes them away.

    `secret` is the password of `user`, or the value of `header`; without it those that there are stay.
    `forget` takes all away that there was.
    """

    folder: str | None = None
    folder_address: str | None = None
    origins: Sequence[str] | None = None
    redirect_origins: Sequence[str] | None = None
    networks: Sequence[str] | None = None
    user: str | None = None
    header: str | None = None
    secret: str = ""
    forget: bool = False

    @property
    def says_nothing(self) -> bool:
        """Tell whether all stays as it is."""
        return self == Changes()


def changed(row: SourceRow, changes: Changes, encryptor: Encryptor) -> SourceRow:
    """Change a source; InvalidValue for what could not be meant."""
    _check_whole(changes)
    before = SourceRow() if changes.forget else row
    whole = msgspec.structs.replace(before, **_values(changes, encryptor))
    if before.header is not None and not changes.secret and set(whole.origins) - set(before.origins):
        # Whoever gave them named the hosts that see them.
        raise InvalidValue(
            "The credentials were given for {hosts}: give them again for the new host, or forget all that "
            "was said and give everything anew.",
            "/origins",
            hosts=" ".join(before.origins),
        )
    if whole.header is not None and not whole.origins:
        raise InvalidValue(
            "Credentials are shown to named hosts only: name at least one host as well, or forget all that "
            "was said.",
            "/origins",
        )
    return whole


def _check_whole(changes: Changes) -> None:
    if bool(changes.folder) != bool(changes.folder_address):
        raise InvalidValue("Give a folder and its address together, or neither.", "/folder")
    if changes.user and changes.header:
        raise InvalidValue("Give a user with a password, or a header, and not both.", "/header")
    if bool(changes.user or changes.header) != bool(changes.secret):
        raise InvalidValue("Give the secret together with its user or its header, or neither.", "/secret")
    for name in ("origins", "redirect_origins", "networks"):
        if len(getattr(changes, name) or ()) > LISTED_AT_MOST:
            raise InvalidValue("{most} are the most.", f"/{name}", most=LISTED_AT_MOST)


def _values(changes: Changes, encryptor: Encryptor) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if changes.origins is not None:
        values["origins"] = _each(check_origin, changes.origins, "/origins")
    if changes.redirect_origins is not None:
        values["redirect_origins"] = _each(check_origin, changes.redirect_origins, "/redirect_origins")
    if changes.networks is not None:
        values["networks"] = _each(check_network, changes.networks, "/networks")
    if changes.folder is not None:
        values |= {"folder": None, "folder_address": None}
    if changes.folder:
        folder, address = check_folder(changes.folder, changes.folder_address or "")
        values |= {"folder": folder, "folder_address": address}
    if changes.secret:
        header, value = _credentials(changes)
        values |= {"header": header, "sealed_header_value": encryptor.encrypt(value)}
    return values


def _each(check: Callable[[str, str], str], texts: Iterable[str], pointer: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(check(text, pointer) for text in texts))


def _credentials(changes: Changes) -> tuple[str, str]:
    if not changes.user:
        return check_header(changes.header or "", changes.secret)
    if ":" in changes.user:
        raise InvalidValue(
            "A user's name cannot hold a colon: give the password as the secret alone.", "/user"
        )
    pair = f"{changes.user}:{changes.secret}".encode()
    return "Authorization", f"Basic {b64encode(pair).decode()}"


def address_of(text: str) -> httpx2.URL:
    """Read a recording's address, without whatever stands before an @; RecordingUnfit where it is none."""
    try:
        url = httpx2.URL(text).copy_with(username=None, password=None, fragment=None)
    except (httpx2.InvalidURL, ValueError, UnicodeError) as problem:
        raise RecordingUnfit("What the phone system sent as the recording's address is not one.") from problem
    if url.scheme not in ("http", "https") or not url.host:
        raise RecordingUnfit("What the phone system sent as the recording's address is not one.")
    return url


def origin_of(url: httpx2.URL) -> str:
    """Return scheme, host and port, the usual port left out."""
    host = ascii_lower(url.raw_host.decode("ascii"))
    bare = f"[{host}]" if ":" in host else host
    return f"{url.scheme}://{bare}" + ("" if url.port is None else f":{url.port}")


def check_origin(text: str, pointer: str = "/origins") -> str:
    """Write an origin as it is compared: a bare host is reached by https; InvalidValue where it is none."""
    try:
        url = httpx2.URL(text if "://" in text else f"https://{text}")
    except (httpx2.InvalidURL, ValueError, UnicodeError):
        url = httpx2.URL("")
    has_more = url.path not in ("", "/") or url.query or url.fragment or url.userinfo
    if url.scheme not in ("http", "https") or not url.host or has_more or "*" in url.host:
        raise InvalidValue(
            "{host} is no host; write it as recordings.example.com or http://pbx.example.com:8088.",
            pointer,
            host=text,
        )
    return origin_of(url)


def check_network(text: str, pointer: str = "/networks") -> str:
    """Refuse what is no network."""
    try:
        # Behind a % anything may stand, and blanks are what lists are split at.
        return str(ip_network(text.replace("%", " ")))
    except ValueError as problem:
        raise InvalidValue(
            "{network} is no network; write it as 10.1.0.0/16 or 127.0.0.1.", pointer, network=text
        ) from problem


def check_folder(folder: str, address: str) -> tuple[str, str]:
    """Write a folder and its address as they are kept; InvalidValue where one of them cannot be."""
    if not Path(folder).is_absolute():
        raise InvalidValue(
            "{folder} is no whole path; write it as /var/spool/asterisk/monitor.", "/folder", folder=folder
        )
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise InvalidValue(
            "The folder's address must be like https://pbx.example.com/recordings.", "/folder_address"
        )
    return folder, f"{parts.scheme}://{ascii_lower(parts.netloc)}{parts.path.rstrip('/')}/"


def check_header(name: str, value: str) -> tuple[str, str]:
    """Refuse a header that no request could bear, or that would change what is asked."""
    if not _HEADER.fullmatch(name) or ascii_lower(name) in _OURS:
        raise InvalidValue(
            "{header} cannot be a header with credentials; it is often Authorization.", "/header", header=name
        )
    if not _VALUE.fullmatch(value):
        raise InvalidValue(
            "The secret holds a letter that no header can bear, or is too long: look for line breaks and "
            "accents in it.",
            "/secret",
        )
    return name, value
