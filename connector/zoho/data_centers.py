"""The data centres of Zoho: a table of rows, and the check that a callback comes from one of them.

Hosts are those of Zoho's multi-DC page and of Desk's own table; nothing here is computed from a host
name, because Canada (zohocloud.ca, but zohoapis.ca) breaks every rule one could compute by.
"""

import ipaddress
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from urllib.parse import urlsplit

import msgspec

from connector.casing import ascii_lower
from connector.errors import NoDeskThere, SettingsError, UnknownDataCenter, UntrustedServer


class DataCenter(msgspec.Struct, frozen=True):
    """One data centre; the addresses are origins, such as "https://accounts.zoho.eu".

    `desk` is None where Zoho's own table names no Zoho Desk, which does not say that there is none.
    `api_domain` is what Zoho's token answers name; Desk is never reached through it.
    """

    location: str
    name: str
    accounts: str
    desk: str | None
    api_domain: str

    def desk_origin(self) -> str:
        """Return the origin of Desk; raises NoDeskThere where none is known."""
        if self.desk is None:
            raise NoDeskThere(
                f"Zoho's own table names no address of Zoho Desk at the data centre {self.name}. "
                f"If there is one, add it: ZOHO_DATA_CENTERS={self.location}={self.accounts}|https://desk..."
            )
        return self.desk


def _zoho(location: str, name: str, accounts: str, desk: str | None, api: str) -> DataCenter:
    desk_origin = None if desk is None else f"https://{desk}"
    return DataCenter(location, name, f"https://{accounts}", desk_origin, f"https://{api}")


_ROWS = (
    _zoho("us", "United States", "accounts.zoho.com", "desk.zoho.com", "www.zohoapis.com"),
    _zoho("eu", "Europe", "accounts.zoho.eu", "desk.zoho.eu", "www.zohoapis.eu"),
    _zoho("in", "India", "accounts.zoho.in", "desk.zoho.in", "www.zohoapis.in"),
    _zoho("au", "Australia", "accounts.zoho.com.au", "desk.zoho.com.au", "www.zohoapis.com.au"),
    _zoho("jp", "Japan", "accounts.zoho.jp", "desk.zoho.jp", "www.zohoapis.jp"),
    _zoho("ca", "Canada", "accounts.zohocloud.ca", "desk.zohocloud.ca", "www.zohoapis.ca"),
    _zoho("sa", "Saudi Arabia", "accounts.zoho.sa", "desk.zoho.sa", "www.zohoapis.sa"),
    _zoho("cn", "China", "accounts.zoho.com.cn", "desk.zoho.com.cn", "www.zohoapis.com.cn"),
    _zoho("sg", "Singapore", "accounts.zoho.sg", "desk.zoho.sg", "www.zohoapis.sg"),
    _zoho("ae", "United Arab Emirates", "accounts.zoho.ae", "desk.zoho.ae", "www.zohoapis.ae"),
    # Desk's own table does not list the United Kingdom, whatever some repositories write.
    _zoho("uk", "United Kingdom", "accounts.zoho.uk", None, "www.zohoapis.uk"),
)

TABLE: Mapping[str, DataCenter] = MappingProxyType({row.location: row for row in _ROWS})
"""Zoho's own data centres by the `location` that a callback names."""


def with_added(rows: Iterable[DataCenter]) -> Mapping[str, DataCenter]:
    """Return the table with rows added by settings; a row of a known location takes its place."""
    return MappingProxyType({**TABLE, **{row.location: row for row in rows}})


def chosen(added: Iterable[str], home: str) -> Mapping[str, DataCenter]:
    """Return the table with rows added as settings write them; SettingsError where `home` is not in it."""
    try:
        table = with_added([parse_row(row) for row in added])
    except SettingsError as problem:
        raise SettingsError(f"ZOHO_DATA_CENTERS is wrong: {problem}") from problem
    if home not in table:
        raise SettingsError(f"ZOHO_DATA_CENTER is {home!r}; there is {', '.join(table)}.")
    return table


def parse_row(text: str) -> DataCenter:
    """Read a row from settings: "location=accounts origin|desk origin"; without the second, no Desk.

    A comma does for the bar where a single row is written.
    Raises SettingsError unless each origin is https, or plain http on a loopback host.
    """
    found = re.fullmatch(r"\s*([a-z][a-z0-9-]{0,30})\s*=\s*([^,|\s]+)\s*(?:[,|]\s*([^,|\s]+)\s*)?", text)
    if found is None:
        raise SettingsError(f"A data centre is written location=accounts|desk, and {text!r} is not.")
    location, accounts, desk = found.groups()
    accounts = _origin(accounts)
    return DataCenter(location, location, accounts, _origin(desk) if desk else None, accounts)


def for_callback(
    table: Mapping[str, DataCenter], location: str | None, accounts_server: str | None, default: DataCenter
) -> DataCenter:
    """Return the data centre that a callback's `location` and `accounts-server` name.

    Both parameters can be written by an attacker, and the answer decides where the client secret goes.
    So the location must be in the table, and the server must be its accounts origin to the letter.
    Raises UnknownDataCenter or UntrustedServer. Without a location it is `default`.
    """
    row = table.get(ascii_lower(location)) if location else default
    if row is None:
        raise UnknownDataCenter(
            f"Zoho's answer names the data centre {location!r}, which the connector does not know."
        )
    if accounts_server and accounts_server != row.accounts:
        raise UntrustedServer(
            f"The answer names the accounts server {accounts_server!r}, but {row.name} has {row.accounts}."
        )
    return row


def _origin(text: str) -> str:
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError as problem:
        raise SettingsError(f"{text!r} is no address of a data centre: {problem}.") from problem
    origin = f"{parts.scheme}://{parts.netloc}"
    if parts.scheme not in {"http", "https"} or not host or "@" in text or origin != text.rstrip("/"):
        raise SettingsError(f"{text!r} is no origin such as https://accounts.example.com.")
    if parts.scheme == "http" and not _is_loopback(host):
        raise SettingsError(f"{text!r} must be https: plain http is for loopback hosts only.")
    return origin


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
