"""The bridge's memory, on a real disk."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.bridge.spool import Spool
from connector.clock import DAY
from connector.errors import SettingsError

NOW = 1_795_340_000_000
DIES = """
import os, signal, sys
from pathlib import Path
from connector.bridge.spool import Spool
spool = Spool.open(Path(sys.argv[1]))
spool.write([("a", b"1")], {"c": b"{}"}, 5)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    """Open a spool."""
    opened = Spool.open(tmp_path / "spool.db")
    yield opened
    opened.close()


def test_events_come_out_in_order_and_once(spool: Spool) -> None:
    """The same event written twice waits once."""
    spool.write([("a", b"1"), ("b", b"2"), ("a", b"1")], {}, NOW)
    waiting = spool.next(10, 1_000)
    assert [one.id for one in waiting] == ["a", "b"]
    spool.remove(waiting, {1: "no"})
    assert spool.next(10, 1_000) == []
    assert spool.counts() == (0, 1)


def test_a_batch_has_its_limits(spool: Spool) -> None:
    """So many, so large; but at least one."""
    spool.write([(str(number), b"x" * 100) for number in range(10)], {}, NOW)
    assert len(spool.next(3, 1_000)) == 3
    assert len(spool.next(10, 350)) == 3
    assert len(spool.next(10, 10)) == 1


def test_calls_go_on_and_are_over(spool: Spool) -> None:
    """What goes on is kept as it is, what is over is known for two days."""
    spool.write([], {"a": b"1", "b": b"1"}, NOW)
    spool.write([], {"a": b"2", "b": None}, NOW)
    assert (spool.calls(), spool.known(["a", "b", "c"])) == ([b"2"], {"b"})
    spool.write([], {"a": None}, NOW + 3 * DAY)
    assert (spool.known(["a", "b"]), spool.heard_at()) == ({"a"}, NOW + 3 * DAY)


def test_nothing_was_ever_heard(spool: Spool) -> None:
    """A new spool knows of no gap."""
    assert spool.heard_at() is None


def test_what_is_written_survives_the_writer(tmp_path: Path) -> None:
    """Killed right after the commit."""
    path = tmp_path / "spool.db"
    done = subprocess.run([sys.executable, "-c", DIES, path], check=False)  # noqa: S603 - our own
    assert done.returncode == -signal.SIGKILL
    spool = Spool.open(path)
    assert [one.id for one in spool.next(1, 1)] == ["a"]
    assert (spool.calls(), spool.heard_at()) == ([b"{}"], 5)
    spool.close()


def test_a_spool_has_one_owner(tmp_path: Path, spool: Spool) -> None:
    """A second bridge would tell everything twice."""
    with pytest.raises(SettingsError, match="BRIDGE_SPOOL"):
        Spool.open(tmp_path / "spool.db")


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    """The refusal is one sentence."""
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="BRIDGE_SPOOL"):
        Spool.open(tmp_path / "file" / "spool.db")
