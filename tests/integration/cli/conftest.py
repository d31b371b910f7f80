"""Commands on a database of their own, in this process."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner, Result

from connector.cli import main
from connector.store import Store, portals
from tests.integration.databases import Databases

ENVIRONMENT = {
    "SECRET_KEY": "tests-only-and-no-secret-0123456789-abcdefgh",
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
