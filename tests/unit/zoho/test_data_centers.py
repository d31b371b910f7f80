"""The table of data centres, and what a callback may name."""

import re
from pathlib import Path

import pytest
import yaml

from connector.errors import NoDeskThere, SettingsError, UnknownDataCenter, UntrustedServer
from connector.zoho.data_centers import TABLE, for_callback, parse_row, with_added

NOTES = Path(__file__).parents[4] / "shared" / "zoho" / "data_centers.yaml"
US = TABLE["us"]


@pytest.mark.skipif(not NOTES.exists(), reason="the notes on Zoho lie outside the repository")
def test_the_table_equals_the_notes() -> None:
    """Every row of the notes stands in the table, and no other."""
    rows = yaml.safe_load(NOTES.read_text())["data_centers"]
    noted = {
        row["location"]: (
            row["name"],
            f"https://{row['accounts']}",
            f"https://{row['desk']}" if row["desk"] else None,
            row["api_domain"],
        )
        for row in rows
    }
    assert noted == {key: (dc.name, dc.accounts, dc.desk, dc.api_domain) for key, dc in TABLE.items()}


def test_no_desk_is_known_in_the_united_kingdom() -> None:
    """Nobody asserts that there is none: how to add it is said, and what is added so is taken."""
    with pytest.raises(NoDeskThere, match="United Kingdom") as caught:
        TABLE["uk"].desk_origin()
    (written,) = re.findall(r"ZOHO_DATA_CENTERS=(\S+?)\.\.\.", str(caught.value))
    row = parse_row(f"{written}.example.com")
    assert (row.location, row.accounts) == ("uk", TABLE["uk"].accounts)
    assert with_added([row])["uk"].desk_origin() == "https://desk.example.com"


@pytest.mark.parametrize("separator", ["|", ",", " | "])
def test_a_row_is_read_from_settings(separator: str) -> None:
    """A bar or a comma parts the two origins."""
    row = parse_row(f"sandbox=http://127.0.0.1:8100{separator}http://localhost:8101/")
    assert (row.location, row.accounts, row.desk) == (
        "sandbox",
        "http://127.0.0.1:8100",
        "http://localhost:8101",
    )
    assert with_added([row])["sandbox"] is row


def test_a_row_without_desk() -> None:
    """The second origin may be missing."""
    assert parse_row("other=https://accounts.example.com").desk is None


def test_an_added_row_takes_the_place_of_a_known_one() -> None:
    """The sandbox can stand in for a data centre of Zoho."""
    row = parse_row("us=http://[::1]:8100|http://[::1]:8100")
    assert with_added([row])["us"].accounts == "http://[::1]:8100"
    assert TABLE["us"].accounts == "https://accounts.zoho.com"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sandbox",
        "Sand box=https://a.example",
        "x=ftp://a.example",
        "x=http://a.example",
        "x=http://127.0.0.1.example:80",
        "x=https://user@a.example",
        "x=https://a.example/path",
        "x=https://a.example?q",
        "x=https://a.example:port",
        "x=https://",
        "x=https://a.example|http://10.0.0.1",
    ],
)
def test_a_row_that_is_none_is_refused(text: str) -> None:
    """Only origins, and plain http only on loopback."""
    with pytest.raises(SettingsError):
        parse_row(text)


def test_a_callback_names_its_data_centre() -> None:
    """The location decides, in any case; without one it is the default."""
    assert for_callback(TABLE, "eu", "https://accounts.zoho.eu", US) is TABLE["eu"]
    assert for_callback(TABLE, "IN", None, US) is TABLE["in"]
    assert for_callback(TABLE, None, None, US) is US
    assert for_callback(TABLE, None, "https://accounts.zoho.com", US) is US


def test_an_unknown_location_is_refused() -> None:
    """A location outside the table is never guessed at."""
    with pytest.raises(UnknownDataCenter):
        for_callback(TABLE, "atlantis", "https://accounts.zoho.com", US)


@pytest.mark.parametrize(
    "server",
    [
        "https://accounts.zoho.com",
        "http://accounts.zoho.eu",
        "https://accounts.zoho.eu:8443",
        "https://accounts.zoho.eu/",
        "https://accounts.zoho.eu/path",
        "https://x@accounts.zoho.eu",
        "https://accounts.zoho.eu.attacker.example",
        "https://accounts.zoho.eu@attacker.example",
        "//accounts.zoho.eu",
    ],
)
def test_a_foreign_accounts_server_is_refused(server: str) -> None:
    """It must equal the row's origin to the letter."""
    with pytest.raises(UntrustedServer):
        for_callback(TABLE, "eu", server, US)


def test_a_server_without_a_location_must_be_the_default() -> None:
    """Leaving out the location opens no way around the check."""
    with pytest.raises(UntrustedServer):
        for_callback(TABLE, None, "https://accounts.zoho.eu", US)
