"""The settings of the demo's connector: what its sandbox needs, and otherwise what the environment says."""

import json
import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from connector.casing import ascii_upper
from connector.crypto import new_secret
from connector.private_files import private_file
from connector.sandbox.config import Config
from connector.sandbox.presets import DEMO_CLIENT_ID, client_secret
from connector.settings import FILE_VARIABLE, OWN_AT_DATA_CENTER, Settings


def environment_of(folder: Path, config: Config, port: int) -> dict[str, str]:
    """Return the environment in which the connector and our own look at its database run."""
    home = config.data_centers[0].location
    centers = (f"{center.location}={center.accounts}|{center.desk}" for center in config.data_centers)
    secrets = {
        OWN_AT_DATA_CENTER + ascii_upper(center.location): client_secret(DEMO_CLIENT_ID, center.location)
        for center in config.data_centers
    }
    foreign = (FILE_VARIABLE, OWN_AT_DATA_CENTER)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return inherited | secrets | {
        "DATABASE_URL": f"sqlite:///{folder.absolute() / 'connector.db'}",
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "LISTEN": f"127.0.0.1:{port}",
        "SECRET_KEY": _secret_key(folder / "secret-key"),
        "ZOHO_CLIENT_ID": DEMO_CLIENT_ID,
        "ZOHO_CLIENT_SECRET": client_secret(DEMO_CLIENT_ID, home),
        "ZOHO_DATA_CENTER": home,
        "ZOHO_DATA_CENTERS": ",".join(centers),
        "DELIVER": "true",
    }  # fmt: skip


def settings_file(folder: Path, environment: Mapping[str, str]) -> Path:
    """Write what commands on the same database need into a file that nobody else can read.

    Secrets of single data centres are left out, because no file can hold them: only signing in needs them.
    """
    names = (name for name in Settings.__struct_fields__ if name != "zoho_client_secrets")
    given = {name: environment[ascii_upper(name)] for name in names if ascii_upper(name) in environment}
    file = folder / "settings.toml"
    file.unlink(missing_ok=True)
    private_file(file)
    # What JSON writes of a text is a text of TOML as well.
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in given.items()]
    file.write_text("".join(lines), encoding="utf-8")
    return file


def command_line(file: Path, *words: str) -> str:
    """Return what to type into a shell for a command with a file's settings and no others."""
    program = Path(sys.argv[0])
    ours = [sys.argv[0]] if program.name == "connector" else [sys.executable, "-m", "connector"]
    settings = (ascii_upper(name) for name in Settings.__struct_fields__)
    # The environment would win over the file.
    unset = [word for name in settings if name in os.environ for word in ("-u", name)]
    file_setting = f"{FILE_VARIABLE}={shlex.quote(str(file.absolute()))}"
    return " ".join([*(["env", *unset] if unset else []), file_setting, shlex.join([*ours, *words])])


def _secret_key(file: Path) -> str:
    is_new = not file.exists()
    private_file(file)
    if is_new:
        file.write_text(new_secret(), encoding="utf-8")
    return file.read_text(encoding="utf-8")
