"""The settings of the demo's connector: what its sandbox needs, and otherwise what the environment says."""

import os
from pathlib import Path

from connector.sandbox.config import Config
from connector.sandbox.presets import DEMO_CLIENT_ID, client_secret
from connector.sealing import new_secret
from connector.settings import FILE_VARIABLE, OWN_AT_DATA_CENTER


def environment_of(folder: Path, config: Config, port: int) -> dict[str, str]:
    """Answer the environment in which the connector and our own look at its database run."""
    home = config.data_centers[0].location
    centers = (f"{center.location}={center.accounts}|{center.desk}" for center in config.data_centers)
    secrets = {
        OWN_AT_DATA_CENTER + center.location.upper(): client_secret(DEMO_CLIENT_ID, center.location)
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


def _secret_key(file: Path) -> str:
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(new_secret(), encoding="utf-8")
    return file.read_text(encoding="utf-8")
