"""Commands on a database of their own, in this process."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner, Result

from connector.cli import main
from connector.clock import system_clock
from connector.crypto import Encryptor
from connector.sandbox.presets import DEMO_CLIENT_ID, DEMO_ORG_ID, client_secret
from connector.sandbox.serve import RunningSandbox
from connector.sandbox.tokens import Grant
from connector.settings import Secret
from connector.store import Store, grants, portals
from connector.zoho.scopes import linking, names
from tests.integration.databases import Databases

KEY = "tests-only-and-no-secret-0123456789-abcdefgh"
ENVIRONMENT = {
    "SECRET_KEY": KEY,
    "ZOHO_CLIENT_ID": "1000.TESTS",
    "ZOHO_CLIENT_SECRET": "invented",
    "PUBLIC_URL": "https://calls.example.com",
    "LISTEN": "127.0.0.1:0",
}


class Shell:
    """Type commands; `ok` expects them to work, `json` reads what they answer to machines."""

    def __init__(self, database_url: str) -> None:
        self.database_url = database_url
        self.environment = ENVIRONMENT | {"DATABASE_URL": database_url}

    def type(self, *words: str) -> Result:
        """Type a command."""
        return CliRunner().invoke(main, list(words), env=self.environment)

    def ok(self, *words: str) -> str:
        """Type a command that must work, and answer what it wrote."""
        result = self.type(*words)
        assert result.exit_code == 0, result.output
        return result.stdout

    def json(self, *words: str) -> Any:
        """Type a command with --json."""
        return json.loads(self.ok(*words, "--json"))

    def refused(self, *words: str) -> str:
        """Type a command that must not work, and answer its one sentence."""
        result = self.type(*words)
        assert result.exit_code == 1, result.output
        assert result.stdout == ""
        assert result.stderr.startswith("Error: ")
        assert result.stderr.count("\n") == 1
        return result.stderr

    def refused_aloud(self, *words: str) -> str:
        """Type a command that must not work and says something before it, and answer its one sentence."""
        result = self.type(*words)
        assert (result.exit_code, result.stdout) == (1, ""), result.output
        return result.stderr.rpartition("Error: ")[2]


@pytest.fixture
def shell(sqlite_databases: Databases) -> Iterator[Shell]:
    """Have a shell before a fresh database, and put logging back as it was."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    with sqlite_databases.fresh() as url:
        yield Shell(url)
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def portal_id(shell: Shell) -> int:
    """Have a portal that is linked, as far as the database knows."""
    store = Store(shell.database_url)
    try:
        return store.write_now(
            lambda connection: portals.put(
                connection,
                location="us",
                org_id="600000001",
                name="Harbour & Hill",
                edition="ENTERPRISE",
                client_id="1000.TESTS",
                state="linked",
                scopes="Desk.contacts.READ Desk.calls.ALL",
                default_department_id="401",
                linked_by="ada@example.com",
                linked_at=1_790_000_000_000,
            )
        ).id
    finally:
        store.close()


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    """Run a Zoho with 200 contacts."""
    with RunningSandbox(index_delay_seconds=0) as sandbox:
        yield sandbox


@pytest.fixture
def linked(shell: Shell, running: RunningSandbox) -> Shell:
    """Link the sandbox's portal, and say where it is."""
    shell.environment |= {
        "ZOHO_DATA_CENTERS": f"us={running.origin}|{running.origin}",
        "ZOHO_CLIENT_ID": DEMO_CLIENT_ID,
        "ZOHO_CLIENT_SECRET": client_secret(DEMO_CLIENT_ID, "us"),
        "PUBLIC_URL": "http://127.0.0.1:9",
    }
    world, encryptor = running.state, Encryptor([Secret(KEY)])
    scopes = " ".join(names(linking(webhooks=True, fields=True)))
    grant = Grant(
        client_id=DEMO_CLIENT_ID,
        zuid=world.config.users[0].zuid,
        location="us",
        scopes=frozenset(scopes.lower().split()),
        scope_text=scopes,
        org_id=DEMO_ORG_ID,
    )
    refresh = world.tokens.add_refresh_token(grant)
    encrypted = [
        encryptor.encrypt(each.token) for each in (refresh, world.tokens.add_access_token(grant, refresh))
    ]
    values = {"location": "us", "org_id": DEMO_ORG_ID, "name": "Zylker", "client_id": DEMO_CLIENT_ID}
    values |= {"state": "linked", "scopes": scopes, "linked_by": "test", "edition": "Enterprise"}
    now = system_clock()
    store = Store.open(shell.database_url)
    portal = store.write_now(lambda c: portals.put(c, **values, linked_at=now))
    store.write_now(lambda c: grants.put(c, portal.id, encrypted[0], encrypted[1], now + 3_000_000, now))
    store.close()
    return shell
