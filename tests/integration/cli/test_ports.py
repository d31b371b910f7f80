"""Ports and folders that cannot be had: one sentence each, and nothing is started."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.demo.environment import _alone_in
from connector.demo.processes import Program, free_port
from connector.errors import CommandError
from tests.integration.cli.conftest import Shell


@pytest.fixture
def taken() -> Iterator[str]:
    """Hold a port."""
    with socket.create_server(("127.0.0.1", 0)) as holder:
        yield str(holder.getsockname()[1])


def test_serve_names_a_busy_port(shell: Shell, taken: str) -> None:
    """Whoever starts a second one reads what is in the way."""
    shell.environment["LISTEN"] = f"127.0.0.1:{taken}"
    assert f"127.0.0.1:{taken} cannot be listened on (Address already in use)" in shell.refused("serve")


def test_the_sandbox_names_a_busy_port(shell: Shell, taken: str) -> None:
    """The sandbox says the same, and which option chooses another."""
    refused = shell.refused("sandbox", "--port", taken)
    assert f"127.0.0.1:{taken} cannot be listened on (Address already in use)" in refused
    assert "--port" in refused


@pytest.mark.parametrize(("option", "other"), [("--port", "--sandbox-port"), ("--sandbox-port", "--port")])
def test_the_demo_names_either_port(shell: Shell, taken: str, option: str, other: str) -> None:
    """Either port that is taken is named with the option that chooses another."""
    refused = shell.refused("demo", option, taken, other, str(free_port()))
    assert f"127.0.0.1:{taken} cannot be listened on" in refused
    assert refused.endswith(f"with {option}.\n")


def test_the_demo_names_a_folder_that_cannot_be(shell: Shell, tmp_path: Path) -> None:
    """A path below a file is no folder."""
    (tmp_path / "file").touch()
    assert "cannot be used" in shell.refused(
        "demo", "--headless", "--json", "--data", str(tmp_path / "file" / "below")
    )


@pytest.mark.parametrize("more", [(), ("--fresh",)])
def test_the_demo_stays_out_of_another_ones_folder(
    shell: Shell, tmp_path: Path, more: tuple[str, ...]
) -> None:
    """Two at once would share a database and its key; nothing of the first one's is touched."""
    (tmp_path / "connector-demo").mkdir()
    kept = tmp_path / "connector-demo" / "secret-key"
    kept.touch()
    with _alone_in(tmp_path):
        refused = shell.refused("demo", "--headless", "--json", "--data", str(tmp_path), *more)
    assert "Another demo runs" in refused
    assert [kept] == list((tmp_path / "connector-demo").iterdir())
    assert kept.stat().st_size == 0


@pytest.mark.anyio
async def test_what_answers_for_a_program_that_has_ended_is_another(tmp_path: Path) -> None:
    """Two demos that start at once never take each other's programs for their own."""
    program = Program(["sandbox", "--port", "0"], os.environ, tmp_path / "log")
    await program.start()
    await program.ended()
    with pytest.raises(CommandError, match="`connector sandbox` did not start"):
        program.check_runs()
