"""Read the bridge's settings from its environment, and refuse a half-configured start."""

import os
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Annotated, Any
from urllib.parse import quote, urlsplit

import msgspec
from msgspec import Meta

from connector.casing import ascii_upper
from connector.errors import SettingsError
from connector.settings import LOOPBACK, Secret

PREFIX = "BRIDGE_"
DEFAULT_SOURCE = "/asterisk"


class BridgeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that can be set; each field is the variable of its name in capitals, after BRIDGE_."""

    address: Annotated[
        str, Meta(description="Where the connector takes the events: https://calls.example.com/hooks/paris")
    ]
    secret: Annotated[Secret, Meta(description="Signing secret of the phone system (whsec_...)")]
    ami: Annotated[str, Meta(description="host:port of Asterisk's manager interface")] = "127.0.0.1:5038"
    ami_user: Annotated[str, Meta(description="User in manager.conf")] = "connector"
    ami_secret: Annotated[Secret, Meta(description="Secret of that user")]
    spool: Annotated[
        Path, Meta(description="File that keeps what is not delivered yet; on a disk that survives")
    ] = Path("/var/lib/connector-bridge/spool.db")
    source: Annotated[
        str,
        Meta(
            description="Names this PBX in its events and its calls' ids; one for each PBX of a phone system"
        ),
    ] = DEFAULT_SOURCE
    agents: Annotated[
        str, Meta(description="Pattern of agents' channels, without what follows the last -; (1) is the word")
    ] = "(?:PJSIP|SIP|IAX2|SCCP)/([0-9]{2,6})"
    trunks: Annotated[
        tuple[str, ...], Meta(description="Channels of trunks, such as PJSIP/carrier; * stands for anything")
    ] = ()
    trunk_contexts: Annotated[
        tuple[str, ...],
        Meta(description="Dialplan contexts in which calls from outside arrive; * stands for anything"),
    ] = ("from-trunk*", "from-pstn*")
    recordings_folder: Annotated[Path, Meta(description="Where MixMonitor writes")] = Path(
        "/var/spool/asterisk/monitor"
    )
    recordings_url: Annotated[
        str, Meta(description="Address at which that folder can be read; empty: recordings are not reported")
    ] = ""
    master_csv: Annotated[Path, Meta(description="File of cdr_csv, read after a gap")] = Path(
        "/var/log/asterisk/cdr-csv/Master.csv"
    )
    queue_log: Annotated[Path, Meta(description="File of app_queue, read after a gap")] = Path(
        "/var/log/asterisk/queue_log"
    )
    files_after_seconds: Annotated[
        int, Meta(ge=1, description="How long Asterisk may take to write a call into its files")
    ] = 10
    context: Annotated[
        str,
        Meta(
            description="Dialplan context in which agents dial, such as from-internal; empty: the bridge "
            "only follows calls, and carries no orders out"
        ),
    ] = ""
    telephone: Annotated[
        str, Meta(description="Channel that rings an agent, {agent} being the extension")
    ] = "PJSIP/{agent}"
    plus: Annotated[
        str,
        Meta(
            pattern=r"^(\+|[0-9*#]*)$",
            description="What is dialled in that context for +, such as 00; never leave it empty, see part 4",
        ),
    ] = "+"
    ring_seconds: Annotated[
        int, Meta(ge=5, le=45, description="How long an agent's telephone rings before a call to somebody")
    ] = 25
    listen: Annotated[str, Meta(description="host:port, on loopback, of /health and /metrics")] = (
        "127.0.0.1:9180"
    )
    log_format: Annotated[str, Meta(pattern="^(console|json)$", description="console or json")] = "console"
    log_level: Annotated[
        str, Meta(pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="DEBUG, INFO, WARNING or ERROR")
    ] = "INFO"

    @property
    def name(self) -> str:
        """Return the PBX's name among those of one phone system, empty where nobody has given it one."""
        return "" if self.source == DEFAULT_SOURCE else self.source.strip("/")

    @property
    def ami_address(self) -> tuple[str, int]:
        """Return host and port of the manager interface."""
        return _address(self.ami)

    @property
    def listen_address(self) -> tuple[str, int]:
        """Return host and port of health and metrics."""
        return _address(self.listen)

    def recording_url(self, path: str) -> str | None:
        """Return where a recording can be fetched, by its path on the PBX; None where nowhere.

        A path outside the folder is taken by its name alone. MixMonitor writes `.wav49` as `.WAV`.
        """
        if not self.recordings_url:
            return None
        file, folder = PurePosixPath(path), PurePosixPath(self.recordings_folder)
        if file.suffix == ".wav49":
            file = file.with_suffix(".WAV")
        if file.is_absolute():
            file = file.relative_to(folder) if file.is_relative_to(folder) else PurePosixPath(file.name)
        return f"{self.recordings_url.rstrip('/')}/{quote(str(file))}"


def load(environment: Mapping[str, str] | None = None) -> BridgeSettings:
    """Read the settings; SettingsError names the variable that is missing or wrong."""
    environment = os.environ if environment is None else environment
    found: dict[str, Any] = {}
    missing = []
    for field in msgspec.structs.fields(BridgeSettings):
        variable = PREFIX + ascii_upper(field.name)
        if variable in environment:
            found[field.name] = _convert(variable, environment[variable], field.type)
        elif field.required:
            missing.append(f"{variable} is not set: {describe(field)}.")
    if missing:
        raise SettingsError(" ".join(missing))
    settings = BridgeSettings(**found)
    _check(settings)
    return settings


def describe(field: msgspec.structs.FieldInfo) -> str:
    """Return what a setting is for."""
    meta = next(part for part in field.type.__metadata__ if isinstance(part, Meta))
    return meta.description or ""


def _convert(variable: str, text: str, kind: Any) -> Any:
    is_list = kind.__origin__ == tuple[str, ...]
    value: Any = [part.strip() for part in text.split(",") if part.strip()] if is_list else text
    try:
        return msgspec.convert(value, kind, strict=False, dec_hook=lambda want, given: want(given))
    except msgspec.ValidationError as problem:
        raise SettingsError(f"{variable} is wrong: {problem}") from problem


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def _check(settings: BridgeSettings) -> None:
    for variable, text in (("BRIDGE_AMI", settings.ami), ("BRIDGE_LISTEN", settings.listen)):
        if not re.fullmatch(r"\S+:\d{1,5}", text):
            raise SettingsError(f"{variable} must be host:port, and is {text!r}.")
    if settings.listen_address[0] not in LOOPBACK:
        raise SettingsError("BRIDGE_LISTEN must be on loopback: what it shows is for this machine only.")
    _check_url("BRIDGE_ADDRESS", settings.address)
    if settings.recordings_url:
        _check_url("BRIDGE_RECORDINGS_URL", settings.recordings_url)
    try:
        groups = re.compile(settings.agents).groups
    except re.error as problem:
        raise SettingsError(f"BRIDGE_AGENTS is no pattern: {problem}.") from problem
    if groups < 1:
        raise SettingsError("BRIDGE_AGENTS needs a group (...) around the agent's extension.")
    if settings.telephone.count("{agent}") != 1:
        raise SettingsError("BRIDGE_TELEPHONE needs {agent} once, where the agent's extension stands.")


def _check_url(variable: str, text: str) -> None:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingsError(f"{variable} must be like https://calls.example.com/..., and is {text!r}.")
    if variable == "BRIDGE_ADDRESS" and parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise SettingsError(f"{variable} is {text!r}: plain http is for this machine only, use https.")
