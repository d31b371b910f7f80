"""What `connector guide` prints: real settings, nothing secret, alerts on figures and pages that exist."""

import re
from pathlib import Path

import pytest
import yaml
from sqlalchemy.engine import make_url

from connector import handbook
from connector.maintenance.alert_mail import TEXTS
from connector.metrics import Metrics
from connector.store.alerts import KINDS
from connector.store.engine import open_engine
from tests.integration.cli.conftest import ENVIRONMENT, Shell
from tests.integration.databases import PostgresqlDatabases

GUIDES = ("systemd", "nginx", "postgresql", "prometheus", "upgrade")
SECRETS = {
    "SECRET_KEY": ENVIRONMENT["SECRET_KEY"],
    "ZOHO_CLIENT_SECRET": "secret-of-client",
    "ZOHO_CLIENT_SECRET_EU": "secret-of-europe",
    "SMTP_URL": "smtp://connector:secret-of-mail@mail.example.com",
    "MAIL_FROM": "connector@example.com",
    "DATABASE_URL": "postgresql+psycopg://desk:secret-of-data@db.example.com:5433/calls?sslmode=require",
    "DATABASE_LISTEN_URL": "postgresql+psycopg://desk@db.example.com/calls?password=secret-of-listening",
}


@pytest.mark.parametrize("guide", GUIDES)
def test_no_guide_prints_a_secret(shell: Shell, guide: str) -> None:
    """Keys and passwords stay where they are: a unit names the variables, and each has its file."""
    shell.environment |= SECRETS
    told = shell.ok("guide", guide)
    assert "secret-of" not in told
    assert ENVIRONMENT["SECRET_KEY"] not in told
    if guide == "systemd":
        assert [name for name in SECRETS if f"#      {name}=..." in told] == [
            name for name in SECRETS if name != "MAIL_FROM"
        ]
        assert 'Environment="MAIL_FROM=connector@example.com"' in told


def test_the_unit_has_the_settings(shell: Shell) -> None:
    """What differs from the default, quoted as systemd reads it; the database's place is absolute."""
    shell.environment |= {
        "PUBLIC_URL": "https://calls.example.com/desk",
        "DATABASE_URL": "sqlite:///data/connector.db",
        "ZOHO_CLIENT_ID": '100%"\\',
        "LISTEN": "0.0.0.0:80",
        "LOG_FORMAT": "json",
    }
    told = shell.ok("guide", "systemd")
    assert 'Environment="PUBLIC_URL=https://calls.example.com/desk"' in told
    assert f'Environment="DATABASE_URL=sqlite:///{Path.cwd()}/data/connector.db"' in told
    assert 'Environment="ZOHO_CLIENT_ID=100%%\\"\\\\"' in told
    assert 'Environment="LOG_FORMAT=json"' in told
    assert "LOG_LEVEL" not in told
    assert "AmbientCapabilities=CAP_NET_BIND_SERVICE" in told
    assert re.search(r"^ExecStart=/.* serve$", told, re.MULTILINE)
    deliver = shell.ok("guide", "systemd", "--deliver")
    assert re.search(r"^ExecStart=/.* deliver --listen 127.0.0.1:9101$", deliver, re.MULTILINE)


def test_database_guides_name_the_real_one(shell: Shell) -> None:
    """Role, database and address of DATABASE_URL; on SQLite, the copy's place."""
    assert "names no PostgreSQL now" in shell.ok("guide", "postgresql")
    assert f"backup {Path(shell.database_url.removeprefix('sqlite:///')).parent}" in shell.ok(
        "guide", "upgrade"
    )
    shell.environment |= SECRETS
    told = shell.ok("guide", "postgresql")
    assert 'CREATE DATABASE "calls" OWNER "desk"' in told
    assert "DATABASE_URL=postgresql+psycopg://desk:PASSWORD@db.example.com:5433/calls" in told
    copying = (
        "pg_dump --format=custom --file=before-upgrade.dump 'postgresql://desk@db.example.com:5433/calls'"
    )
    assert copying in shell.ok("guide", "upgrade")


@pytest.mark.postgresql
def test_postgresql_takes_its_guide(shell: Shell, postgresql_databases: PostgresqlDatabases) -> None:
    """Role and database are made as they are named, and a connector's tables by that role."""
    with postgresql_databases.fresh() as url:
        address = make_url(url)
        own = address.set(username='guided"one', database="a guided database")
        shell.environment |= {"DATABASE_URL": own.render_as_string(hide_password=False)}
        told = shell.ok("guide", "postgresql")
        statements = re.sub(r"^--.*$", "", told, flags=re.MULTILINE).split(";\n")
        engine = open_engine(url).execution_options(reads=True)
        with engine.connect() as connection:
            for statement in filter(str.strip, statements):
                connection.exec_driver_sql(statement)
            shell.ok("migrate")
            connection.exec_driver_sql('DROP DATABASE "a guided database"')
            connection.exec_driver_sql('DROP ROLE "guided""one"')
        engine.dispose()


def test_settings_that_are_wrong_are_refused(shell: Shell) -> None:
    """A guide for what would not start is none."""
    shell.environment |= {"PUBLIC_URL": "http://calls.example.com"}
    assert "PUBLIC_URL" in shell.refused("guide", "nginx")


def test_alerts_are_about_figures_that_there_are(shell: Shell) -> None:
    """Each expression names metrics of ours, and no page of the handbook on alerts has none."""
    rules = yaml.safe_load(shell.ok("guide", "prometheus"))["groups"][0]["rules"]
    metrics = Metrics().text().decode()
    named = {name for rule in rules for name in re.findall(r"connector_\w+", rule["expr"])}
    types = {name.removesuffix("_bucket").removesuffix("_total") for name in named}
    assert not [name for name in types if not re.search(rf"^# TYPE {name}(_total)? ", metrics, re.MULTILINE)]
    pages = {rule["annotations"]["runbook_url"].rpartition("/help/")[2] for rule in rules}
    assert pages == {name for name in handbook.NAMES if name.startswith("runbook-")}
    assert {text.page for text in TEXTS.values()} <= pages | {"crm"}
    assert TEXTS.keys() == set(KINDS)


def test_a_mail_can_be_tried(shell: Shell) -> None:
    """Without a server, and with one that is not there, one sentence says what to do."""
    assert "SMTP_URL is not set" in shell.refused("mail", "test", "ada@example.com")
    shell.environment |= {"SMTP_URL": "smtp://127.0.0.1:1", "MAIL_FROM": "connector@example.com"}
    assert "was not reached" in shell.refused("mail", "test", "ada@example.com")
    assert "is no address" in shell.refused("mail", "test", "ada@example.com, bo@example.com")
    shell.environment |= {"SMTP_URL": "smtp://u:hush@mail.example.com/path"}
    assert "hush" not in shell.refused("mail", "test", "ada@example.com")
