"""The programs that a demo starts are the code that runs, wherever it runs."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from connector.demo.processes import Program


@pytest.mark.anyio
async def test_the_current_folder_lends_no_code(tmp_path: Path) -> None:
    """Another `connector` there, or an `asyncio`, is nobody we know."""
    for name in ("connector", "asyncio"):
        (tmp_path / name).mkdir()
        for part in ("__init__", "__main__"):
            (tmp_path / name / f"{part}.py").write_text("raise SystemExit('somebody else')", encoding="utf-8")
    log = tmp_path / "log"
    program = Program(["--version"], os.environ, log)
    with contextlib.chdir(tmp_path):
        await program.start()
    await program.ended()
    assert "somebody else" not in log.read_text(encoding="utf-8")
    assert "connector" in log.read_text(encoding="utf-8")


def test_what_the_sandbox_prints_works_as_printed(tmp_path: Path) -> None:
    """Pasted into a shell, the settings reach the commands behind them, and fit the redirect addresses."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    words = ["sandbox", "--port", str(port), "--redirect-uri", "http://127.0.0.1:8137/login/callback"]
    with subprocess.Popen([sys.executable, "-m", "connector", *words], text=True,  # noqa: S603 - our own
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:  # fmt: skip
        assert process.stdout is not None
        script = list(iter(process.stdout.readline, "connector serve\n"))
        process.send_signal(signal.SIGINT)
    assert [line for line in script if not line.startswith(("export ", "connector "))] == []
    own = f'connector() {{ {sys.executable} -m connector "$@"; }}\n'
    asked = "connector portals list; env | grep -E '^(PUBLIC_URL|LISTEN)='\n"
    done = subprocess.run(  # noqa: S603 - what is printed is what is tested
        ["/bin/sh", "-ec", own + "".join(script) + asked],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[3])},
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    told = done.stdout
    assert "ada@example.com" in told
    assert "No portal is linked" in told
    assert {"PUBLIC_URL=http://127.0.0.1:8137", "LISTEN=127.0.0.1:8137"} <= set(told.splitlines())
