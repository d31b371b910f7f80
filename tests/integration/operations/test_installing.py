"""`sh tests/run` on a machine where nothing was installed, and on the day after anybody's release."""

import base64
import hashlib
import io
import os
import shutil
import subprocess
import tarfile
import venv
import zipfile
from pathlib import Path

import pip

RUN = Path(__file__).parents[2] / "run"

BACKEND = """
import base64, hashlib, zipfile

def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    name = "project-1-py3-none-any.whl"
    with zipfile.ZipFile(f"{wheel_directory}/{name}", "w") as wheel:
        metadata = "Metadata-Version: 2.1\\nName: project\\nVersion: 1\\n"
        wheel.writestr("project-1.dist-info/METADATA", metadata)
        wheel.writestr("project-1.dist-info/WHEEL", "Wheel-Version: 1.0\\nTag: py3-none-any\\n")
        wheel.writestr("project-1.dist-info/RECORD", "")
    return name
"""


def make_wheel(folder: Path, name: str, version: str, body: str, *headers: str) -> str:
    """Write an invented package of one module into the folder; return its pin with its hash."""
    head = "\n".join(["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *headers, ""])
    files = {
        f"{name}/__init__.py": "",
        f"{name}/__main__.py": body,
        f"{name}-{version}.dist-info/METADATA": head,
        f"{name}-{version}.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = f"{name}-{version}.dist-info/RECORD"
    lines = [f"{path},sha256={_record_hash(text)},{len(text.encode())}" for path, text in files.items()]
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for inside, text in {**files, record: "\n".join([*lines, f"{record},,", ""])}.items():
            wheel.writestr(inside, text)
    return f"{name}=={version} --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"


def make_source(folder: Path, name: str, version: str) -> str:
    """Write an invented package that has to be built into the folder; return its pin with its hash."""
    files = {
        "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        "setup.py": f"from setuptools import setup\nsetup(name='{name}', version='{version}')\n",
    }
    path = folder / f"{name}-{version}.tar.gz"
    with tarfile.open(path, "w:gz") as source:
        for inside, text in files.items():
            member = tarfile.TarInfo(f"{name}-{version}/{inside}")
            member.size = len(text.encode())
            source.addfile(member, io.BytesIO(text.encode()))
    return f"{name}=={version} --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"


def _record_hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


class Clone:
    """A folder with tests/run and a project of two invented packages, of which one needs the other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.wheels = folder / "wheels"
        self.wheels.mkdir(parents=True)
        (folder / "tests").mkdir()
        shutil.copy(RUN, folder / "tests" / "run")
        (folder / "backend.py").write_text(BACKEND)
        (folder / "pyproject.toml").write_text(
            '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        )
        # An environment of its own with the pip of this one: to make another pip takes longer than all else.
        venv.create(folder / ".venv", symlinks=True)
        (site,) = (folder / ".venv").glob("lib/python3*/site-packages")
        (site / "pip").symlink_to(Path(pip.__file__).parent)
        (folder / "bin").mkdir()
        (folder / "bin" / "chromium-headless-shell").symlink_to(shutil.which("true") or "/bin/true")

    def pin(self, *pins: str) -> None:
        """Write the pins into requirements.txt."""
        (self.folder / "requirements.txt").write_text("\n".join(pins) + "\n")

    def run(self) -> "subprocess.CompletedProcess[str]":
        """Run tests/run with no package but the invented ones in reach."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith("PIP_")}
        env = {
            **kept,
            "PATH": f"{self.folder / 'bin'}:{kept['PATH']}",
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_FIND_LINKS": str(self.wheels),
            "PIP_NO_INDEX": "1",
        }
        return subprocess.run(  # noqa: S603 - the script is ours
            ["/bin/sh", str(self.folder / "tests" / "run"), "--some-argument"],
            env=env,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


def test_pins_alone_decide_what_is_installed(tmp_path: Path) -> None:
    """What a pin needs must be pinned too, and is then not replaced by a newer release, as pip 23 wanted.

    What would have to be built is refused: the builder would be whichever release is the newest.
    """
    clone = Clone(tmp_path / "clone")
    runner = make_wheel(
        clone.wheels,
        "pytest",
        "1.0",
        "from importlib.metadata import version; import sys; print('ran with', version('beta'), *sys.argv)",
        "Requires-Dist: beta[more]>=1",
    )
    beta = make_wheel(clone.wheels, "beta", "1.0", "", "Provides-Extra: more")
    make_wheel(clone.wheels, "beta", "2.0", "", "Provides-Extra: more")

    clone.pin(runner)
    refused = clone.run()
    assert refused.returncode != 0
    assert "requires beta, which is not installed" in refused.stderr
    assert "ran with" not in refused.stdout

    clone.pin(runner, beta, make_source(clone.wheels, "gamma", "1.0"))
    refused = clone.run()
    assert refused.returncode != 0
    assert "No matching distribution found for gamma==1.0" in refused.stderr

    clone.pin(runner, beta)
    done = clone.run()
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("ran with 1.0 ")
    assert "--some-argument" in done.stdout
