"""Reading files of past calls, where somebody looks on."""

import io
from contextlib import redirect_stderr
from pathlib import Path

import pytest

from connector.cli.calls import lines_of


class Terminal(io.StringIO):
    """A terminal that keeps what it was shown."""

    def isatty(self) -> bool:
        """Be one."""
        return True


@pytest.mark.parametrize("delimiter", [",", ""])
def test_progress_is_shown(tmp_path: Path, delimiter: str) -> None:
    """It grows with what has been read, and comes to the end; the file's name stands before it."""
    file = tmp_path / "calls.txt"
    rows = [f'{{"from":"{number}"}}' for number in range(2_000)]
    file.write_text("\n".join(["from", *rows] if delimiter == "," else rows), encoding="utf-8")
    terminal = Terminal()
    with redirect_stderr(terminal):
        read = list(lines_of(file, {}, delimiter))
    shown = terminal.getvalue()
    assert len(read) == 2_000
    assert "calls.txt" in shown
    assert [percent in shown for percent in ("  0%", " 50%", "100%")] == [True, True, True]


def test_nobody_looks_on(tmp_path: Path) -> None:
    """A log is not filled with bars."""
    file = tmp_path / "calls.csv"
    file.write_text("from\n1\n2\n", encoding="utf-8")
    log = io.StringIO()
    with redirect_stderr(log):
        assert len(list(lines_of(file, {}, ","))) == 2
    assert "%" not in log.getvalue()
