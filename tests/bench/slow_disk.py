"""Have each sync of a disk take longer for all programs started meanwhile, and count them; needs a compiler.

What is slow is the disk of the database, be it SQLite's in our programs or the server's of PostgreSQL: a
library that is loaded before the C library's own waits after each fsync and fdatasync.
"""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

SOURCE = """\
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static long *count;
static useconds_t pause_us;

__attribute__((constructor)) static void begin(void) {
    const char *ms = getenv("BENCH_SYNC_MS"), *file = getenv("BENCH_SYNC_COUNT");
    int fd = file ? open(file, O_RDWR | O_CLOEXEC) : -1;
    pause_us = ms ? 1000 * atol(ms) : 0;
    if (fd >= 0) {
        count = mmap(NULL, sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        close(fd);
    }
}

static int slowly(const char *name, int fd) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    int result = real(fd);
    if (count && count != MAP_FAILED) __atomic_add_fetch(count, 1, __ATOMIC_RELAXED);
    if (pause_us) usleep(pause_us);
    return result;
}

int fsync(int fd) { return slowly("fsync", fd); }
int fdatasync(int fd) { return slowly("fdatasync", fd); }
"""
COMPILER = "cc"
COUNT_BYTES = 8


class Disk:
    """The disk; `syncs` counts what was written down on it for good."""

    def __init__(self, count: Path) -> None:
        self._count = count

    @property
    def syncs(self) -> int:
        """Return how many syncs there were so far."""
        return int.from_bytes(self._count.read_bytes(), "little")


@contextmanager
def slow_disk(more_ms: int) -> Iterator[Disk]:
    """Have each sync of programs that are started in this block take so many milliseconds more."""
    with tempfile.TemporaryDirectory(prefix="connector-sync-") as name:
        folder = Path(name)
        library, source, count = folder / "slow.so", folder / "slow.c", folder / "count"
        source.write_text(SOURCE)
        command = [COMPILER, "-shared", "-fPIC", "-O2", "-o", str(library), str(source), "-ldl"]
        try:
            subprocess.run(command, check=True)  # noqa: S603 - our own
        except (OSError, subprocess.CalledProcessError) as problem:
            raise click.ClickException(f"--sync-ms needs a C compiler: {problem}") from problem
        count.write_bytes(bytes(COUNT_BYTES))
        # The server of PostgreSQL runs as somebody else.
        folder.chmod(0o755)
        count.chmod(0o666)
        given = {
            "LD_PRELOAD": str(library),
            "BENCH_SYNC_MS": str(more_ms),
            "BENCH_SYNC_COUNT": str(count),
        }
        os.environ.update(given)
        try:
            yield Disk(count)
        finally:
            for variable in given:
                del os.environ[variable]
