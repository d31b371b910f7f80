"""The programs that a demo starts are the code that runs, wherever it runs."""

import contextlib
import os
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
