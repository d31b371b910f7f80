"""Read every setting once, from the environment and one file, and refuse a half-configured start."""

import os
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from ipaddress import ip_network
from math import log2
from pathlib import Path
from string import ascii_uppercase, digits
from typing import Annotated, Any, Literal, get_args, get_origin
from urllib.parse import SplitResult, urlsplit

import msgspec
from msgspec import Meta

from connector.casing import ascii_lower, ascii_upper
from connector.errors import SettingsError

LOOPBACK = ("127.0.0.1", "localhost", "::1")
FILE_VARIABLE = "CONNECTOR_FILE"
OWN_AT_DATA_CENTER = "ZOHO_CLIENT_SECRET_"
"""ZOHO_CLIENT_SECRET_EU is the client's secret at the data centre 'eu', where that has one of its own."""

YEAR = 366 * 24 * 60 * 60
CENTURY = 100 * 366
"""In seconds, and in days: whoever sets more has mistyped."""


class Secret:
    """Hold a text that never prints."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself, for the one place that needs it."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __repr__(self) -> str:
        return "Secret(***)" if self._text else "Secret()"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that can be set; each field is the environment variable of its name in capitals."""

    database_url: Annotated[
        str, Meta(description="Where the database is: sqlite:///file or postgresql+psycopg://...")
    ] = "sqlite:///connector.db"
    database_listen_url: Annotated[
        str,
        Meta(description="PostgreSQL's own address, where DATABASE_URL leads through a pooler in transaction "
             "mode: one connection per process listens there for what other processes change"),
    ] = ""  # fmt: skip
    public_url: Annotated[
        str, Meta(description="The address under which browsers and phone systems reach the connector")
    ] = "http://127.0.0.1:8080"
    listen: Annotated[str, Meta(description="host:port on which the web server listens")] = "127.0.0.1:8080"
    trusted_proxies: Annotated[
        list[str], Meta(description="Addresses of proxies whose X-Forwarded-For is believed, comma separated")
    ] = []
    secret_key: Annotated[
        list[Secret],
        Meta(
            description="32 random bytes (`connector secret-key`) that encrypt tokens and sign cookies; "
            "comma separated, the first encrypts, all decrypt"
        ),
    ] = []
    zoho_client_id: Annotated[str, Meta(description="Client ID from Zoho's API console")] = ""
    zoho_client_secret: Annotated[
        Secret,
        Meta(description="Client secret; ZOHO_CLIENT_SECRET_EU and the like where a data centre has its own"),
    ] = Secret("")
    zoho_client_secrets: dict[str, Secret] = {}
    zoho_data_center: Annotated[
        str, Meta(description="Data centre where the client is registered: us, eu, in, au, jp, ca, sa, ...")
    ] = "us"
    zoho_data_centers: Annotated[
        list[str],
        Meta(description="Data centres to add, each as location=accounts address|desk address"),
    ] = []
    record_after_seconds: Annotated[
        int,
        Meta(
            ge=0,
            le=YEAR,
            description="How long after its end a call's record is due, so that what comes late joins it",
        ),
    ] = 3
    settle_after_seconds: Annotated[
        int,
        Meta(
            ge=0,
            le=YEAR,
            description="How long Desk may take to apply a request whose answer was lost",
        ),
    ] = 60
    index_delay_seconds: Annotated[
        int,
        Meta(ge=0, le=YEAR, description="How long Desk's search may take to show a new record"),
    ] = 120
    silent_after_seconds: Annotated[
        int,
        Meta(
            ge=60,
            le=YEAR,
            description="How long an open call may stay silent before it counts as ended",
        ),
    ] = 14_400
    known_for_seconds: Annotated[
        int,
        Meta(ge=0, le=YEAR, description="How long a found contact is taken from our own memory"),
    ] = 3_600
    unknown_for_seconds: Annotated[
        int,
        Meta(
            ge=0,
            le=YEAR,
            description="How long a number that Desk did not know is not asked again",
        ),
    ] = 60
    lookup_credits_percent: Annotated[
        int,
        Meta(ge=1, le=100, description="Share of a portal's daily credits that one user or API key may spend "
             "on look-ups and searches"),
    ] = 10  # fmt: skip
    sync_credits_percent: Annotated[
        int,
        Meta(
            ge=0,
            le=100,
            description="Share of a portal's daily credits that its contact index may take; 0 keeps none",
        ),
    ] = 30
    sync_every_seconds: Annotated[
        int,
        Meta(
            ge=10,
            le=YEAR,
            description="How often the contact index asks Desk what has changed, as far as its credits go",
        ),
    ] = 300
    desk_webhooks: Annotated[
        bool, Meta(description="Whether linking asks for the right to subscribe to Desk's webhooks")
    ] = False
    keep_calls_days: Annotated[
        int,
        Meta(
            ge=30,
            le=CENTURY,
            description="How long calls, their events and their deliveries are kept; longer than any phone "
            "system may hold its events back",
        ),
    ] = 400
    keep_unread_days: Annotated[
        int, Meta(ge=1, le=CENTURY, description="How long bodies that could not be read are kept")
    ] = 30
    desk_fields: Annotated[
        bool, Meta(description="Whether linking asks for the right to make custom fields of Desk's calls")
    ] = False
    desk_cards: Annotated[
        bool, Meta(description="Whether linking asks for the right to change contacts and accounts")
    ] = False
    desk_tickets: Annotated[
        bool, Meta(description="Whether linking asks for the right to make and change tickets")
    ] = False
    smtp_url: Annotated[
        Secret,
        Meta(
            description="Mail server for mails to administrators: smtp://user:password@mail.example.com:587 "
            "(STARTTLS) or smtps://...:465; nothing is mailed without"
        ),
    ] = Secret("")
    mail_from: Annotated[str, Meta(description="Sender's address of these mails")] = ""
    mail_to: Annotated[
        list[str],
        Meta(description="Who gets them, comma separated; the users with the role administrator unless set"),
    ] = []
    deliver: Annotated[bool, Meta(description="Whether `connector serve` also delivers")] = True
    log_format: Annotated[Literal["console", "json"], Meta(description="console or json")] = "console"
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR"], Meta(description="DEBUG, INFO, WARNING or ERROR")
    ] = "INFO"

    @property
    def listen_address(self) -> tuple[str, int]:
        """Return host and port."""
        host, colon, port = self.listen.rpartition(":")
        if not (host and colon):
            raise ValueError("host or port is missing")
        return host.strip("[]"), int(port)

    @property
    def is_https(self) -> bool:
        """Tell whether browsers come by https, so that cookies can insist on it."""
        return self.public_url.startswith("https://")

    @property
    def public_path(self) -> str:
        """Return the path below which PUBLIC_URL is, such as "/desk"; "" for the root of its host."""
        return urlsplit(self.public_url).path.rstrip("/")

    def client_secret(self, location: str) -> str:
        """Return the client's secret at a data centre."""
        return self.zoho_client_secrets.get(location, self.zoho_client_secret).reveal()


Check = Callable[[Settings], None]
"""Raises SettingsError where a setting will not do; what it says begins with the variable's name."""


def load(environment: Mapping[str, str] | None = None, *, checks: Iterable[Check] = ()) -> Settings:
    """Read the settings, and carry out `checks` on them; one SettingsError names all that is wrong.

    The environment wins over the TOML file that CONNECTOR_FILE names.
    """
    environment = os.environ if environment is None else environment
    found: dict[str, Any] = _from_file(environment.get(FILE_VARIABLE, ""))
    found |= {name: environment[ascii_upper(name)] for name in _NAMED if ascii_upper(name) in environment}
    values: dict[str, Any] = {"zoho_client_secrets": _client_secrets(environment)}

    def convert(name: str) -> None:
        values[name] = _convert(name, found[name])

    wrong = _problems(partial(convert, name) for name in found)
    settings = msgspec.convert(values, Settings, dec_hook=_secret)
    # What could not be read is its default here: it has been named, and what is said of that is of no use.
    unread = tuple(f"{ascii_upper(name)} " for name in sorted(found.keys() - values.keys()))
    checked = _problems(partial(check, settings) for check in (*_READABLE, *checks))
    wrong += [problem for problem in checked if not problem.startswith(unread)]
    if wrong:
        raise SettingsError(" ".join(wrong))
    return settings


def _problems(checks: Iterable[Callable[[], None]]) -> list[str]:
    """Carry out all checks, and return what those say that find something wrong."""
    wrong = []
    for check in checks:
        try:
            check()
        except SettingsError as problem:
            wrong.append(str(problem))
    return wrong


def check_secret_key_set(settings: Settings) -> None:
    """Refuse to serve without any SECRET_KEY."""
    if not settings.secret_key:
        raise SettingsError(
            "SECRET_KEY is not set: `connector secret-key` makes one. It encrypts tokens: keep it safe."
        )


def check_client(settings: Settings) -> None:
    """Refuse half a client: both its id and its secret, or neither, and authentication methods do it."""
    has_secret = bool(settings.zoho_client_secret or settings.zoho_client_secrets)
    if has_secret and not settings.zoho_client_id:
        raise SettingsError(
            "ZOHO_CLIENT_ID is not set, but a secret is: Zoho's API console shows the ID of your client."
        )
    if settings.zoho_client_id and not has_secret:
        raise SettingsError(
            "ZOHO_CLIENT_SECRET is not set, but ZOHO_CLIENT_ID is: Zoho's API console shows the secret of "
            "your client."
        )


def check_secret_key(settings: Settings) -> None:
    """Refuse a first SECRET_KEY that could be guessed: SettingsError says how to make and to change one.

    The keys behind the first only decrypt what was encrypted before: they may be as weak as they were.
    """
    if settings.secret_key and not _is_strong(settings.secret_key[0].reveal()):
        raise SettingsError(
            f"SECRET_KEY could be guessed: it must hold {KEY_BITS // 8} random bytes. Make one with "
            "`connector secret-key`. If this connector has run with the present one, put the new one in "
            "front of it and a comma between, SECRET_KEY=new,former, so that what is encrypted can still "
            "be read."
        )


def _is_strong(key: str) -> bool:
    """Tell whether a text may hold 256 random bits: long enough for its letters, and of many of them.

    Random texts of that length have fewer different letters once in millions. Words with spaces between
    hold two bits a letter, as those of a list from which words are drawn by dice.
    """
    letters = set(key)
    kinds = next((len(each) for each in _ALPHABETS if letters <= each), 85)
    bits = 2 if any(letter.isspace() for letter in letters) else log2(kinds)
    return len(key) * bits >= KEY_BITS and len(letters) >= min(kinds // 2, 16)


NEEDED: tuple[Check, ...] = (check_secret_key_set, check_secret_key, check_client)
"""What must be in order to serve or deliver, beside what `load` itself refuses."""

KEY_BITS = 256
_ALPHABETS = (
    *(frozenset(digits), frozenset(f"{digits}abcdef"), frozenset(f"{digits}ABCDEF")),
    frozenset(f"{ascii_uppercase}234567="),
)
"""Decimal, hexadecimal, base32; what is written otherwise counts as base85.

So does base64: of the 40 letters of 32 bytes in base85, all are base64's too once in thousands.
"""


_FIELDS = {field.name: field for field in msgspec.structs.fields(Settings)}
_NAMED = tuple(name for name in _FIELDS if name != "zoho_client_secrets")
"""Those that have a name of their own in the environment and the file."""


def _from_file(path: str) -> dict[str, Any]:
    if not path:
        return {}
    try:
        found = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise SettingsError(f"{FILE_VARIABLE} names {path}, which cannot be read: {problem}") from problem
    return found


def _client_secrets(environment: Mapping[str, str]) -> dict[str, Secret]:
    return {
        ascii_lower(name.removeprefix(OWN_AT_DATA_CENTER)): Secret(value)
        for name, value in environment.items()
        if name.startswith(OWN_AT_DATA_CENTER)
    }


def _convert(name: str, value: Any) -> Any:
    if name not in _NAMED:
        raise SettingsError(f"The file that {FILE_VARIABLE} names sets {name}, and there is no such setting.")
    kind = _FIELDS[name].type
    if isinstance(value, str) and _is_list(kind):
        value = [part.strip() for part in value.split(",") if part.strip()]
    try:
        return msgspec.convert(value, kind, strict=False, dec_hook=_secret)
    except msgspec.ValidationError as problem:
        # A database's address may hold a password.
        shown = "" if any(word in name for word in ("secret", "database", "smtp")) else f", and is {value!r}"
        raise SettingsError(f"{ascii_upper(name)} is wrong: it must be {_wanted(kind)}{shown}.") from problem


def _wanted(kind: Any) -> str:
    """Say in plain words what a setting of a type may be."""
    bare, *limits = get_args(kind) if get_origin(kind) is Annotated else (kind,)
    if get_origin(bare) is Literal:
        *most, last = get_args(bare)
        return f"{', '.join(most)} or {last}"
    if bare is bool:
        return "true or false"
    if bare is int:
        return f"a whole number from {limits[0].ge} to {limits[0].le}"
    return "a list of texts" if get_origin(bare) is list else "a text"


def _is_list(kind: Any) -> bool:
    bare = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    return get_origin(bare) is list


def _secret(kind: type, value: Any) -> Secret:
    if kind is Secret and isinstance(value, (str, Secret)):
        return value if isinstance(value, Secret) else Secret(value)
    raise ValueError("it must be a text")


def _check_proxies(settings: Settings) -> None:
    for proxy in settings.trusted_proxies:
        try:
            ip_network(proxy)
        except ValueError as problem:
            raise SettingsError(
                f"TRUSTED_PROXIES names {proxy!r}, which is no address and no network: write your proxy's, "
                "such as 10.0.0.7 or 172.16.0.0/12. A trusted proxy can claim any address for a client."
            ) from problem


def _check_listen(settings: Settings) -> None:
    try:
        settings.listen_address  # noqa: B018 - asked only whether it can be read
    except ValueError as problem:
        raise SettingsError(f"LISTEN must be host:port, and is {settings.listen!r}.") from problem


def _check_public_url(settings: Settings) -> None:
    address = _split(settings.public_url)
    if address is None or address.scheme not in ("http", "https") or not address.hostname:
        raise SettingsError(
            "PUBLIC_URL must be like https://calls.example.com or https://example.com/calls, "
            f"and is {settings.public_url!r}."
        )
    if address.query or address.fragment or "@" in address.netloc or not _PATH.fullmatch(address.path):
        raise SettingsError(
            f"PUBLIC_URL is {settings.public_url!r}: behind the host it may have a path of letters, digits, "
            "hyphens and underscores, and nothing else."
        )
    if address.scheme == "http" and address.hostname not in LOOPBACK:
        raise SettingsError(
            f"PUBLIC_URL is {settings.public_url!r}: plain http is for this machine only, use https."
        )


def _split(address: str) -> SplitResult | None:
    """Return the parts of an address; None where it has none."""
    try:
        parts = urlsplit(address)
        parts.port  # noqa: B018 - asked only whether it can be read
    except ValueError:
        return None
    return parts


_PATH = re.compile(r"(/[A-Za-z0-9_-]+)*/?")


def _check_mail(settings: Settings) -> None:
    if not settings.smtp_url:
        return
    address = _split(settings.smtp_url.reveal())
    if (
        address is None
        or address.scheme not in ("smtp", "smtps")
        or not address.hostname
        or (address.path.strip("/") or address.query or address.fragment)
    ):
        raise SettingsError(
            "SMTP_URL must be like smtp://user:password@mail.example.com:587; in user and password, what is "
            "neither letter nor digit is written as in addresses, %40 for @."
        )
    for address_of in (settings.mail_from, *settings.mail_to):
        if not _MAILBOX.fullmatch(address_of):
            raise SettingsError(
                "MAIL_FROM and MAIL_TO hold addresses such as connector@example.com: with SMTP_URL, "
                f"MAIL_FROM has to be set, and {address_of!r} is none."
            )


_MAILBOX = re.compile(r"[^\s@<>,;]+@[^\s@<>,;]+")

_READABLE: tuple[Check, ...] = (_check_listen, _check_public_url, _check_proxies, _check_mail)
