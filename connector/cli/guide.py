"""Print units and configurations for what runs and watches a connector, with its real settings in them.

Nothing secret is printed: units leave secrets to a file that only root reads, and addresses lose passwords.
"""

import getpass
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
import jinja2
import msgspec
from sqlalchemy.engine import URL, make_url

from connector.casing import ascii_lower, ascii_upper
from connector.cli.context import ADDRESSES
from connector.settings import LOOPBACK, Secret, Settings, load
from connector.store.engine import CONNECTIONS

ALWAYS_SHOWN = ("public_url", "listen", "database_url")
"""What a unit says even where it is the default."""

ANY = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}  # noqa: S104 - nothing is bound
EXAMPLE = make_url("postgresql+psycopg://connector@127.0.0.1/connector")
OWNERLESS = "root"
"""Whoever prints this as root has the connector run as a user of its own."""


@click.group()
def guide() -> None:
    """Print how to run, watch and upgrade it, with the settings of this shell in it."""


@guide.command()
@click.option("--deliver", is_flag=True, help="The unit of a process that only delivers.")
def systemd(*, deliver: bool) -> None:
    """Print a unit for systemd."""
    settings = _settings()
    command = "deliver" if deliver else "serve"
    _print(
        "systemd.service",
        settings,
        name="connector-deliver" if deliver else "connector",
        command=command,
        arguments=" --listen 127.0.0.1:9101" if deliver else "",
        environment=list(_environment(settings)),
        secret=[name for name, is_secret in _shown(settings).items() if is_secret],
    )


@guide.command()
@click.option("--certificate", type=click.Path(), help="The file with the certificate and its chain.")
@click.option("--key", type=click.Path(), help="The file with the certificate's key.")
def nginx(*, certificate: str | None, key: str | None) -> None:
    """Print a configuration for nginx before it."""
    settings = _settings()
    address = urlsplit(settings.public_url)
    folder = f"/etc/letsencrypt/live/{address.hostname}"
    _print(
        "nginx.conf",
        settings,
        host=_host(address.hostname or ""),
        port=address.port or (443 if settings.is_https else 80),
        path=settings.public_path,
        https=settings.is_https,
        upstream=_listening(settings),
        nginx="127.0.0.1",
        trusts_nginx=bool(settings.trusted_proxies),
        certificate=certificate or f"{folder}/fullchain.pem",
        key=key or f"{folder}/privkey.pem",
    )


@guide.command()
def postgresql() -> None:
    """Print what PostgreSQL needs to know of it."""
    settings = _settings()
    url = _database(settings)
    shown = url if url.get_backend_name() == "postgresql" else EXAMPLE
    _print(
        "postgresql.sql",
        settings,
        role=_quoted(shown.username or "connector"),
        database=_quoted(shown.database or "connector"),
        shown_url=_without_password(shown, "PASSWORD"),
        dump_url=_for_pg_dump(shown),
        connections=CONNECTIONS + 1,
    )


@guide.command()
@click.option("--scrape", is_flag=True, help="What asks for the figures, instead of the alerts.")
def prometheus(*, scrape: bool) -> None:
    """Print alerts for Prometheus, each with the page that says what to do."""
    _print("scrape.yml" if scrape else "prometheus.yml", _settings())


@guide.command()
def upgrade() -> None:
    """Print how to upgrade it, step by step."""
    settings = _settings()
    _print(
        "upgrade.sh",
        settings,
        python=sys.executable,
        package=".[postgresql]" if _is_postgresql(settings) else ".",
        dump_url=_for_pg_dump(_database(settings)),
    )


def _print(template: str, settings: Settings, **facts: Any) -> None:
    """Fill a template with what all of them know, and with facts of its own."""
    user = getpass.getuser()
    folder = _folder(settings)
    common = {
        "url": settings.public_url.rstrip("/"),
        "listen": _listening(settings),
        "user": "connector" if user == OWNERLESS else user,
        "makes_user": user == OWNERLESS,
        "folder": folder,
        "below_tmp": any(folder.is_relative_to(each) for each in ("/tmp", "/var/tmp")),  # noqa: S108 - asked only
        "program": _program(),
        "database_url": _without_password(_database(settings), "..."),
        "is_postgresql": _is_postgresql(settings),
        "database_is_here": _is_postgresql(settings) and _database(settings).host in (None, *LOOPBACK),
        "privileged_port": settings.listen_address[1] < 1_024,
    }
    click.echo(_templates().get_template(template).render(common | facts), nl=False)


@cache
def _templates() -> jinja2.Environment:
    folder = resources.files("connector.cli").joinpath("guides")
    return jinja2.Environment(
        loader=jinja2.FunctionLoader(lambda name: folder.joinpath(name).read_text(encoding="utf-8")),
        undefined=jinja2.StrictUndefined,
        # Prometheus has braces of its own, and nothing here is HTML.
        variable_start_string="[[",
        variable_end_string="]]",
        block_start_string="[%",
        block_end_string="%]",
        trim_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - units and configurations
    )


def _settings() -> Settings:
    return load(checks=ADDRESSES)


def _shown(settings: Settings) -> Mapping[str, bool]:
    """Return the variables that are set, and whether each is secret."""
    found: dict[str, bool] = {}
    for field in msgspec.structs.fields(Settings):
        value = getattr(settings, field.name)
        if field.name == "zoho_client_secrets":
            found |= {f"ZOHO_CLIENT_SECRET_{ascii_upper(place)}": True for place in value}
        elif value != _default(field) or field.name in (*ALWAYS_SHOWN, "secret_key"):
            found[ascii_upper(field.name)] = _is_secret(field.name, value)
    return found


def _default(field: msgspec.structs.FieldInfo) -> object:
    return field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()


def _is_secret(name: str, value: object) -> bool:
    if name.startswith("database"):
        url = make_url(str(value) or "sqlite://")
        return url.password is not None or "password" in url.query
    return name == "secret_key" or isinstance(value, Secret)


def _environment(settings: Settings) -> Iterator[str]:
    """Return what a unit sets, quoted as systemd reads it."""
    for name, is_secret in _shown(settings).items():
        if is_secret:
            continue
        value = getattr(settings, ascii_lower(name))
        if name == "DATABASE_URL":
            value = _database(settings).render_as_string(hide_password=False)
        text = ",".join(value) if isinstance(value, list) else str(value)
        text = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
        yield f'"{name}={text}"'


def _database(settings: Settings) -> URL:
    """Return the database's address, a file's path made absolute."""
    url = make_url(settings.database_url)
    if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
        return url.set(database=str(Path(url.database).absolute()))
    return url


def _is_postgresql(settings: Settings) -> bool:
    return _database(settings).get_backend_name() == "postgresql"


def _folder(settings: Settings) -> Path:
    """Return the folder that the connector writes to, and runs in."""
    url = _database(settings)
    return Path(url.database).parent if not _is_postgresql(settings) and url.database else Path.cwd()


def _without_password(url: URL, instead: str) -> str:
    """Return a database's address as people may see it."""
    shown = url.difference_update_query(["password"]).render_as_string(hide_password=True)
    return shown.replace(":***@", f":{instead}@") if url.password else shown


def _for_pg_dump(url: URL) -> str:
    """Return the address as PostgreSQL's own programs take it; they ask for the password."""
    bare = URL.create("postgresql", url.username, None, url.host, url.port, url.database)
    return bare.render_as_string(hide_password=False)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _host(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _listening(settings: Settings) -> str:
    """Return where programs on this machine reach it."""
    host, port = settings.listen_address
    return f"{ANY.get(host) or _host(host)}:{port}"


def _program() -> str:
    """Return how this very program is called, wherever from."""
    called = Path(sys.argv[0])
    beside = Path(sys.executable).with_name("connector")
    for path in (called, beside):
        if path.name == "connector" and path.is_file():
            return str(path.absolute())
    return f"{sys.executable} -m connector"
