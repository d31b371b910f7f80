"""`connector demo`: for a person, and without one."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from asyncio.subprocess import Process
from pathlib import Path

import msgspec
import pytest

from connector.demo.browser import HeadlessAgent
from connector.demo.company import team_of
from connector.demo.processes import free_port
from connector.sandbox.presets import demo_config

pytestmark = pytest.mark.anyio

# Were it to count, the demo and its commands would both break.
ELSEWHERE = {"DATABASE_URL": "sqlite:////nowhere/at/all.db"}
QUICK = os.environ | {"RECORD_AFTER_SECONDS": "0"} | ELSEWHERE


async def begin(*words: str) -> Process:
    """Start a demo."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "connector", "demo", "--latency-ms", "20", *words,
        env=QUICK, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


async def check_commands(introduction: str, folder: Path) -> None:
    """Type what the demo says that one can type: it works on the demo's database, and shows no secret."""
    (line,) = re.findall(r"^Commands, in another terminal:  (.*)$", introduction, re.MULTILINE)
    shell = await asyncio.create_subprocess_shell(
        line, env=QUICK, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    stdout, stderr = await shell.communicate()
    assert (shell.returncode, b"Simulated phone" in stdout) == (0, True), stderr
    settings = folder / "settings.toml"
    assert settings.stat().st_mode & 0o777 == 0o600
    for name in ("secret_key", "zoho_client_secret"):
        secret = tomllib.loads(settings.read_text())[name]
        assert secret not in introduction


async def test_headless(tmp_path: Path) -> None:
    """Twelve calls, the odd ones among them, stand in Desk as they were; the figures are one JSON object."""
    words = ("--headless", "--calls", "12", "--rate", "20", "--json", "--data", str(tmp_path))
    process = await begin(*words)
    stdout, stderr = await process.communicate()
    figures = json.loads(stdout)
    assert (process.returncode, stderr) == (0, b""), figures
    expected = {
        "calls": 12,
        "delivered": 12,
        "lost": 0,
        "duplicated": 0,
        "wrong": 0,
        "contacts_duplicated": 0,
    }
    assert {name: figures[name] for name in expected} == expected
    assert figures["problems"] == []
    assert figures["pops"] >= 12
    for name in ("pop_ms", "named_ms", "ack_ms"):
        assert 0 < figures[name]["p50"] <= figures[name]["p99"]
    assert 0 <= figures["record_s"]["p50"] <= figures["record_s"]["p95"]
    assert figures["delivery_requests_per_call"] >= 1
    assert figures["lookup_requests_per_call"] > 0
    log = (tmp_path / "connector-demo" / "serve.log").read_text()
    assert "Traceback" not in log


class Run(msgspec.Struct, kw_only=True):
    """What a person saw of a demo that rang once and was ended by Ctrl-C; times are in seconds."""

    introduction: str
    status: int | None
    stderr: str
    start_seconds: float
    end_seconds: float


async def shown(data: Path, ports: tuple[int, int], *, with_commands: bool = False) -> Run:
    """Start a demo, sign in, wait until a call rings, and end it."""
    began = time.monotonic()
    process = await begin("--port", str(ports[0]), "--sandbox-port", str(ports[1]), "--data", str(data))
    assert process.stdout is not None
    introduction = (await process.stdout.readuntil(b"Ctrl-C ends it")).decode()
    started = time.monotonic()
    agent = HeadlessAgent(team_of(demo_config(ports[1])).agents[0], f"http://127.0.0.1:{ports[0]}")
    await agent.start()
    if with_commands:
        await check_commands(introduction, data / "connector-demo")
    async with asyncio.timeout(10):
        while not agent.seen:
            await agent.changed()
    stopping = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, stderr = await process.communicate()
    ended = time.monotonic()
    await agent.stop()
    return Run(
        introduction=introduction,
        status=process.returncode,
        stderr=stderr.decode(),
        start_seconds=started - began,
        end_seconds=ended - stopping,
    )


@pytest.fixture(scope="module")
async def first_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[int, int], Run]:
    """Run a demo for a person, and return the folder and the ports that it leaves."""
    data, ports = tmp_path_factory.mktemp("demo") / "a folder", (free_port(), free_port())
    return data, ports, await shown(data, ports, with_commands=True)


def check_run(run: Run, port: int) -> None:
    """Check that a run showed where to go and as whom to sign in, and ended sooner than it began."""
    assert f"http://127.0.0.1:{port}" in run.introduction
    assert team_of(demo_config(port)).agents[0].name in run.introduction
    assert (run.status, run.stderr.splitlines()[-1]) == (0, "Stopped.")
    assert "Traceback" not in run.stderr
    assert run.end_seconds < run.start_seconds


async def test_for_a_person(first_run: tuple[Path, tuple[int, int], Run]) -> None:
    """Calls ring for who signs in, printed commands work, and Ctrl-C ends it sooner than it began."""
    _, ports, run = first_run
    check_run(run, ports[0])


async def test_starts_again_on_what_it_left(first_run: tuple[Path, tuple[int, int], Run]) -> None:
    """The folder of an earlier demo serves a second one, on the same ports."""
    data, ports, _ = first_run
    check_run(await shown(data, ports), ports[0])
