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


async def test_for_a_person_twice(tmp_path: Path) -> None:
    """Calls ring for who signs in; Ctrl-C ends it sooner than it began; it starts again on what it left."""
    ports = [str(free_port()) for _ in range(2)]
    data = tmp_path / "a folder"
    words = ("--port", ports[0], "--sandbox-port", ports[1], "--data", str(data))
    ada = team_of(demo_config(int(ports[1]))).agents[0]
    for _ in range(2):
        began = time.monotonic()
        process = await begin(*words)
        assert process.stdout is not None
        assert process.stderr is not None
        introduction = await process.stdout.readuntil(b"Ctrl-C ends it")
        start_seconds = time.monotonic() - began
        assert f"http://127.0.0.1:{ports[0]}" in introduction.decode()
        assert ada.name in introduction.decode()
        await check_commands(introduction.decode(), data / "connector-demo")
        agent = HeadlessAgent(ada, f"http://127.0.0.1:{ports[0]}")
        await agent.start()
        async with asyncio.timeout(10):
            while not agent.seen:
                await agent.changed()
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, stderr = await process.communicate()
        assert time.monotonic() - began < start_seconds
        assert process.returncode == 0
        assert stderr.decode().splitlines()[-1] == "Stopped."
        assert b"Traceback" not in stderr
        await agent.stop()
