"""The bridge's settings."""

import msgspec
import pytest

from connector.bridge.settings import PREFIX, BridgeSettings, describe, load
from connector.cli.bridge import written_guide
from connector.errors import SettingsError

LEAST = {
    "BRIDGE_ADDRESS": "https://calls.example.com/hooks/p",
    "BRIDGE_SECRET": "whsec_x",
    "BRIDGE_AMI_SECRET": "s",
}


def test_three_settings_are_enough() -> None:
    """All else has a default."""
    settings = load(LEAST)
    assert settings.ami_address == ("127.0.0.1", 5038)
    assert settings.trunk_contexts == ("from-trunk*", "from-pstn*")


def test_lists_are_comma_separated() -> None:
    """Several trunks."""
    assert load(LEAST | {"BRIDGE_TRUNKS": "PJSIP/a, PJSIP/b*"}).trunks == ("PJSIP/a", "PJSIP/b*")


@pytest.mark.parametrize("variable", LEAST)
def test_what_is_missing_is_named(variable: str) -> None:
    """A half-configured start is refused."""
    with pytest.raises(SettingsError, match=variable):
        load({name: value for name, value in LEAST.items() if name != variable})


@pytest.mark.parametrize(
    ("variable", "value"),
    [("BRIDGE_ADDRESS", "http://calls.example.com/hooks/p"), ("BRIDGE_ADDRESS", "calls.example.com"),
     ("BRIDGE_LISTEN", "0.0.0.0:9180"), ("BRIDGE_AMI", "localhost"), ("BRIDGE_AGENTS", "PJSIP/["),
     ("BRIDGE_AGENTS", "PJSIP/1..."), ("BRIDGE_FILES_AFTER_SECONDS", "soon"), ("BRIDGE_LOG_LEVEL", "LOUD"),
     ("BRIDGE_RECORDINGS_URL", "ftp://x")],
)  # fmt: skip
def test_what_is_wrong_is_named(variable: str, value: str) -> None:
    """One sentence, with the variable's name."""
    with pytest.raises(SettingsError, match=variable):
        load(LEAST | {variable: value})


def test_secrets_never_print() -> None:
    """Not in a log, not in a trace."""
    assert "whsec_x" not in repr(load(LEAST))


@pytest.mark.parametrize(
    ("path", "address"),
    [("/var/spool/asterisk/monitor/2026/a b.wav", "https://p/r/2026/a%20b.wav"), ("x.wav", "https://p/r/x.wav"),
     ("/home/x.wav", "https://p/r/x.wav"), ("x.wav49", "https://p/r/x.WAV")],
)  # fmt: skip
def test_recordings_have_addresses(path: str, address: str) -> None:
    """Below the folder by path, elsewhere by name; as MixMonitor names the file."""
    assert load(LEAST | {"BRIDGE_RECORDINGS_URL": "https://p/r/"}).recording_url(path) == address


def test_recordings_without_address_are_not_told() -> None:
    """No setting, no link."""
    assert load(LEAST).recording_url("x.wav") is None


def test_the_guide_names_every_setting() -> None:
    """Each variable stands in the guide with what it is for, and so do the filters."""
    page = written_guide()
    for field in msgspec.structs.fields(BridgeSettings):
        assert f"`{PREFIX}{field.name.upper()}`" in page
        assert describe(field) in page
    assert "eventfilter = ^Event: (Newchannel|" in page
    assert "{filters}" not in page
    assert "{settings}" not in page
