"""Settings are read once, and a half-configured start is refused in one sentence."""

from base64 import b32encode, b64encode, b85decode, b85encode, urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path
from random import Random
from string import ascii_letters, digits

import pytest
from hypothesis import given
from hypothesis.strategies import integers

from connector.cli.context import ADDRESSES
from connector.errors import SettingsError
from connector.settings import NEEDED, Secret, Settings, check_secret_key, load

STRONG = "tests-only-and-no-secret-0123456789-abcdefgh"
WHOLE = {"SECRET_KEY": f"{STRONG}, b", "ZOHO_CLIENT_ID": "1000.X", "ZOHO_CLIENT_SECRET": "quiet"}


def test_environment_is_read() -> None:
    """Numbers, switches, lists and secrets are read from the environment."""
    settings = load(WHOLE | {"RECORD_AFTER_SECONDS": "5", "DELIVER": "false", "LISTEN": "[::1]:81"})
    assert (settings.record_after_seconds, settings.deliver) == (5, False)
    assert settings.listen_address == ("::1", 81)
    assert [key.reveal() for key in settings.secret_key] == [STRONG, "b"]


def test_environment_wins_over_the_file(tmp_path: Path) -> None:
    """A file gives what the environment does not."""
    file = tmp_path / "connector.toml"
    file.write_text('log_level = "ERROR"\nrecord_after_seconds = 7\ntrusted_proxies = ["10.0.0.1"]\n')
    settings = load({"CONNECTOR_FILE": str(file), "RECORD_AFTER_SECONDS": "5"})
    assert (settings.log_level, settings.record_after_seconds) == ("ERROR", 5)
    assert settings.trusted_proxies == ["10.0.0.1"]


def test_secrets_never_print() -> None:
    """Neither a secret nor the settings show what is secret."""
    settings = load(WHOLE | {"ZOHO_CLIENT_SECRET_EU": "hush"})
    assert "quiet" not in repr(settings)
    assert "hush" not in f"{settings} {settings.zoho_client_secrets}"
    assert repr(Secret("")) == "Secret()"


def test_data_centres_may_have_their_own_secret() -> None:
    """A data centre without a secret of its own takes the common one."""
    settings = load(WHOLE | {"ZOHO_CLIENT_SECRET_EU": "hush"})
    assert (settings.client_secret("eu"), settings.client_secret("in")) == ("hush", "quiet")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RECORD_AFTER_SECONDS", "soon"),
        ("RECORD_AFTER_SECONDS", "-1"),
        ("RECORD_AFTER_SECONDS", "99999999999999999999"),
        ("KEEP_CALLS_DAYS", "99999999"),
        ("DELIVER", "perhaps"),
        ("LISTEN", "8080"),
        ("LOG_FORMAT", "xml"),
        ("TRUSTED_PROXIES", "*"),
        ("TRUSTED_PROXIES", "10.0.0.1,proxy.example.com"),
        ("PUBLIC_URL", "ftp://x"),
        ("PUBLIC_URL", "http://calls.example.com"),
        *(
            ("PUBLIC_URL", f"https://calls.example.com{rest}")
            for rest in ("/a//b", "/a?b", "#a", "/%61", "/../a")
        ),
        ("PUBLIC_URL", "https://ada@calls.example.com"),
        ("PUBLIC_URL", "https://calls.example.com:port"),
        *(("SMTP_URL", url) for url in ("http://x", "smtp://", "smtp://a/b", "smtp://a:port", "smtp://a?b")),
        ("CONNECTOR_FILE", "/nowhere/at/all.toml"),
    ],
)
def test_wrong_setting_is_named(name: str, value: str) -> None:
    """The sentence that refuses a setting begins with, or holds, its name."""
    with pytest.raises(SettingsError, match=name):
        load({name: value})


def test_wrong_secret_is_not_shown(tmp_path: Path) -> None:
    """A secret that is no text is refused without being shown."""
    file = tmp_path / "connector.toml"
    file.write_text("zoho_client_secret = 12345\n")
    with pytest.raises(SettingsError) as refused:
        load({"CONNECTOR_FILE": str(file)})
    assert "12345" not in str(refused.value)


def test_unknown_setting_in_the_file_is_refused(tmp_path: Path) -> None:
    """A slip of the pen in the file does not go unseen."""
    file = tmp_path / "connector.toml"
    for written in ('publik_url = "https://x.example"', 'zoho_client_secrets = {eu = "hush"}'):
        file.write_text(f"{written}\n")
        with pytest.raises(SettingsError, match=written.partition(" ")[0]) as refused:
            load({"CONNECTOR_FILE": str(file)})
        assert "hush" not in str(refused.value)


@pytest.mark.parametrize("missing", ["SECRET_KEY", "ZOHO_CLIENT_ID", "ZOHO_CLIENT_SECRET"])
def test_half_configured_start_is_refused(missing: str) -> None:
    """Whatever serving needs and lacks is asked for by its name; a client is its id and its secret."""
    rest = {name: value for name, value in WHOLE.items() if name != missing}
    with pytest.raises(SettingsError) as refused:
        load(rest, checks=NEEDED)
    told = str(refused.value)
    assert [name for name in WHOLE if f"{name} is not set" in told] == [missing]
    assert ("connector secret-key" in told) is (missing == "SECRET_KEY")


def test_starts_without_a_client() -> None:
    """Authentication methods do what the settings' client did, so that only the key is needed."""
    assert load({"SECRET_KEY": WHOLE["SECRET_KEY"]}, checks=NEEDED).zoho_client_id == ""


def test_all_that_is_wrong_is_named_at_once() -> None:
    """Values that cannot be read, and then addresses that cannot be: each by its name."""
    with pytest.raises(SettingsError, match=r"DELIVER is wrong.*LOG_LEVEL is wrong"):
        load({"DELIVER": "perhaps", "LOG_LEVEL": "loud"})
    with pytest.raises(SettingsError, match=r"LISTEN.*PUBLIC_URL.*TRUSTED_PROXIES"):
        load({"LISTEN": "8080", "PUBLIC_URL": "ftp://x", "TRUSTED_PROXIES": "*"})


def test_whatever_is_wrong_is_in_one_answer(tmp_path: Path) -> None:
    """Types, addresses, what is missing, a weak key, the database and the data centre: all in one answer."""
    file = tmp_path / "connector.toml"
    file.write_text('publik_url = "x"\nzoho_client_id = ["1000.X"]\n')
    wrong = {"CONNECTOR_FILE": str(file), "SECRET_KEY": "abc", "DATABASE_URL": "nothing", "LISTEN": "8080"}
    wrong |= {
        "ZOHO_DATA_CENTER": "mars",
        "DATABASE_LISTEN_URL": "x",
        "LOG_LEVEL": "loud",
        "DELIVER": "perhaps",
    }
    with pytest.raises(SettingsError) as refused:
        load(wrong, checks=(*NEEDED, *ADDRESSES))
    told = str(refused.value)
    named = [
        *("sets publik_url", "ZOHO_CLIENT_ID is wrong", "SECRET_KEY could be guessed", "LISTEN must"),
        *("DATABASE_URL is no", "DATABASE_LISTEN_URL is no", "ZOHO_DATA_CENTER is", "LOG_LEVEL is wrong"),
        "DELIVER is wrong",
    ]
    assert "SQLAlchemy" not in told
    assert [each for each in named if told.count(each) != 1] == []
    # It could not be read, so nobody knows that it is not set.
    assert "ZOHO_CLIENT_ID is not set" not in told


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("LOG_LEVEL", "debug", "DEBUG, INFO, WARNING or ERROR, and is 'debug'."),
        ("LOG_FORMAT", "xml", "console or json, and is 'xml'."),
        ("DELIVER", "perhaps", "true or false, and is 'perhaps'."),
        ("LOOKUP_CREDITS_PERCENT", "x", "a whole number from 1 to 100, and is 'x'."),
        ("SYNC_CREDITS_PERCENT", "101", "a whole number from 0 to 100, and is '101'."),
    ],
)
def test_what_a_setting_may_be_is_said_in_plain_words(name: str, value: str, wanted: str) -> None:
    """The allowed values, as people write them, and what was written instead."""
    with pytest.raises(SettingsError) as refused:
        load({name: value})
    assert str(refused.value) == f"{name} is wrong: it must be {wanted}"


WEAK = [
    *("abc", "correct horse battery staple and so on it goes for ever", "0123456789" * 7),
    *("a" * 64, "ab" * 32, "f6e5" * 15, "8c6f" * 10, "6f1c4e2a-9b7d-4c3e-8a5f-0d2b1c3e4f5a"),
]


@pytest.mark.parametrize("key", WEAK)
def test_a_key_that_can_be_guessed_is_refused(key: str) -> None:
    """Too short for 32 random bytes in its letters, of few letters, or words; it is not shown again."""
    with pytest.raises(SettingsError, match=r"connector secret-key.*SECRET_KEY=new,former") as refused:
        load(WHOLE | {"SECRET_KEY": key}, checks=NEEDED)
    assert key not in str(refused.value)
    load(WHOLE | {"SECRET_KEY": f"{STRONG},{key}"}, checks=NEEDED)


@pytest.mark.parametrize(
    "written",
    [bytes.hex, lambda raw: raw.hex().swapcase(), b64encode, b32encode, urlsafe_b64encode, b85encode],
)
@given(seed=integers(0, 2**32))
def test_32_random_bytes_are_enough(written: Callable[[bytes], bytes | str], seed: int) -> None:
    """However they are written."""
    text = written(Random(seed).randbytes(32))  # noqa: S311 - no secret: the same text at each run
    check_secret_key(Settings(secret_key=[Secret(text if isinstance(text, str) else text.decode())]))


@given(seed=integers(0, 2**32))
def test_base85_may_look_like_base64(seed: int) -> None:
    """32 bytes whose letters happen to be all of base64's, too few for that."""
    text = "".join(Random(seed).choices(ascii_letters + digits, k=40))  # noqa: S311 - as above
    assert (len(b85decode(text)), b85encode(b85decode(text)).decode()) == (32, text)
    check_secret_key(Settings(secret_key=[Secret(text)]))


@pytest.mark.parametrize("path", ["", "/desk", "/a/b-c_1"])
def test_the_public_address_may_have_a_path(path: str) -> None:
    """With or without a slash at its end."""
    for end in ("", "/"):
        assert load({"PUBLIC_URL": f"https://calls.example.com{path}{end}"}).public_path == path


def test_mail_needs_a_sender_and_tells_no_password() -> None:
    """An address to come from, recipients that are addresses; what is refused shows nothing of SMTP_URL."""
    mail = {"SMTP_URL": "smtp://connector:hush@mail.example.com", "MAIL_FROM": "connector@example.com"}
    assert load(mail | {"MAIL_TO": "ada@example.com, bo@example.com"}).mail_to[1] == "bo@example.com"
    for wrong in ({"MAIL_FROM": ""}, {"MAIL_TO": "ada"}, {"SMTP_URL": "smtp://connector:hush@mail:x"}):
        with pytest.raises(SettingsError, match=r"SMTP_URL|MAIL_FROM") as refused:
            load(mail | wrong)
        assert "hush" not in str(refused.value)


def test_whole_settings_are_complete() -> None:
    """Nothing is asked for beyond what is needed."""
    load(WHOLE, checks=NEEDED)
    assert Settings().listen_address == ("127.0.0.1", 8080)
