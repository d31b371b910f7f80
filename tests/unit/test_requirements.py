"""Hold what an installation brings to what was tried: bounds, pins, hashes, licences."""

import re
import tomllib
from collections.abc import Iterable, Iterator
from email.message import Message
from importlib.metadata import Distribution, distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from tests import licences
from tests.unit.sources import text_of

PROJECT = tomllib.loads(text_of("pyproject.toml"))
OF_THE_PRODUCT = [Requirement(line) for line in PROJECT["project"]["dependencies"]]
OF_EXTRAS = [
    Requirement(line) for lines in PROJECT["project"]["optional-dependencies"].values() for line in lines
]
OF_TESTS = [Requirement(line) for line in PROJECT["dependency-groups"]["dev"]]
OF_THE_BUILD = [Requirement(line) for line in PROJECT["build-system"]["requires"]]
DECLARED = [*OF_THE_PRODUCT, *OF_EXTRAS, *OF_TESTS, *OF_THE_BUILD]

INSTALLED = {canonicalize_name(found.metadata["Name"]): found for found in distributions()}
OWN = canonicalize_name(PROJECT["project"]["name"])
BROUGHT_BY_PYTHON = {"pip", "setuptools"}
"""What `python -m venv` puts into an environment; the tests' are made by pip and by nothing else."""

PIN = re.compile(
    r"^(?P<requirement>[^\s#-][^\n]*?)(?P<hashes>(?: \\\n    --hash=sha256:[0-9a-f]{64})*)\n", re.MULTILINE
)


def pins() -> dict[NormalizedName, tuple[Requirement, int]]:
    """Return what requirements.txt pins, by name: the requirement and how many hashes it has."""
    found = PIN.finditer(text_of("requirements.txt"))
    lines = [(Requirement(each["requirement"]), each["hashes"].count("--hash")) for each in found]
    return {canonicalize_name(requirement.name): (requirement, hashes) for requirement, hashes in lines}


PINS = pins()
PINNED_HERE = {name for name, (pin, _) in PINS.items() if pin.marker is None or pin.marker.evaluate()}


def version_of(pin: Requirement) -> Version:
    """Return the one version that a pin allows."""
    (only,) = pin.specifier
    return Version(only.version)


def brought_by(requirements: Iterable[Requirement]) -> dict[NormalizedName, list[Requirement]]:
    """Return by name all that an installation of these brings on this machine, and what is wanted of it."""
    wanted: dict[NormalizedName, list[Requirement]] = {}
    seen: set[tuple[NormalizedName, frozenset[str]]] = set()
    to_do = [each for each in requirements if each.marker is None or each.marker.evaluate()]
    while to_do:
        each = to_do.pop()
        name = canonicalize_name(each.name)
        wanted.setdefault(name, []).append(each)
        if (name, frozenset(each.extras)) not in seen:
            seen.add((name, frozenset(each.extras)))
            to_do += _wanted_of(INSTALLED[name], each.extras)
    return wanted


def _wanted_of(found: Distribution, extras: set[str]) -> Iterator[Requirement]:
    for line in found.requires or ():
        requirement = Requirement(line)
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            yield requirement


@pytest.mark.parametrize("wanted", DECLARED, ids=str)
def test_every_requirement_is_bounded(wanted: Requirement) -> None:
    """A release is neither older nor newer than what was tried, and no bound lies beyond the next major."""
    at_least = [Version(each.version) for each in wanted.specifier if each.operator == ">="]
    below = [Version(each.version) for each in wanted.specifier if each.operator == "<"]
    assert (len(at_least), len(below)) == (1, 1)
    pinned = version_of(PINS[canonicalize_name(wanted.name)][0])
    assert at_least[0] <= pinned < below[0] <= Version(str(pinned.major + 1))


def test_every_pin_has_its_hashes() -> None:
    """What is downloaded is what was tried, to the byte; no line of the file is anything but a pin."""
    lines = PIN.sub("", text_of("requirements.txt"))
    assert lines == ""
    assert all(
        hashes and [each.operator for each in pin.specifier] == ["=="] for pin, hashes in PINS.values()
    )


def test_the_pins_are_complete() -> None:
    """Everything that a requirement brings is pinned, in a version that all accept, and nothing else is."""
    wanted = brought_by(DECLARED)
    assert wanted.keys() == PINNED_HERE
    unfit = {
        f"{name} is {version_of(PINS[name][0])}, but {each} is wanted"
        for name, requirements in wanted.items()
        for each in requirements
        if not each.specifier.contains(version_of(PINS[name][0]), prereleases=True)
    }
    assert not unfit


def test_nothing_but_the_pins_is_installed() -> None:
    """These tests run on what is pinned, on all of it, and on nothing besides."""
    beside = INSTALLED.keys() - BROUGHT_BY_PYTHON - {OWN}
    assert beside == PINNED_HERE
    assert {name: INSTALLED[name].version for name in beside} == {
        name: str(version_of(PINS[name][0])) for name in beside
    }


def test_every_licence_is_accepted() -> None:
    """What an installation brings may be built upon; the rest comes with an extra or for the tests."""
    assert [*licences.complaints(_of(brought_by(OF_THE_PRODUCT)), {})] == []
    assert [*licences.complaints(_of(brought_by(OF_EXTRAS)), licences.OF_EXTRAS)] == []
    everything = licences.OF_EXTRAS | licences.OF_TESTS
    assert [*licences.complaints(INSTALLED.values(), everything)] == []


def _of(names: Iterable[NormalizedName]) -> list[Distribution]:
    return [INSTALLED[name] for name in names]


def test_no_exception_outlives_its_reason() -> None:
    """What is listed is installed, is not accepted without the list, and is in no plain installation."""
    exceptions = licences.OF_EXTRAS.keys() | licences.OF_TESTS.keys()
    unaccepted = {line.split()[0] for line in licences.complaints(INSTALLED.values(), {})}
    assert unaccepted == exceptions
    assert not exceptions & brought_by(OF_THE_PRODUCT).keys()
    assert licences.READ_BY_HAND.keys() <= INSTALLED.keys()
    told = {name: licences.named_by(INSTALLED[canonicalize_name(name)]) for name in licences.READ_BY_HAND}
    assert {name for name, licence in told.items() if licence in licences.ACCEPTED} == set()


class Invented(Distribution):
    """A package that has nothing but metadata."""

    def __init__(self, **fields: str) -> None:
        self._fields = {"Name": "Some.Package", "Version": "1"} | {
            name.replace("_", "-"): value for name, value in fields.items()
        }

    @property
    def metadata(self) -> Message:  # type: ignore[override]
        """Return its fields."""
        message = Message()
        for name, value in self._fields.items():
            message[name] = value
        return message

    def read_text(self, filename: str) -> None:
        """Have no files."""

    def locate_file(self, path: object) -> Path:
        """Be nowhere."""
        return Path(str(path))


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"License_Expression": "MIT"}, ""),
        ({"License_Expression": "Apache-2.0 OR BSD-3-Clause"}, ""),
        ({"License": "Apache 2.0"}, ""),
        ({"Classifier": "License :: OSI Approved :: MIT License"}, ""),
        ({}, "names no licence"),
        ({"License_Expression": "MIT AND GPL-3.0-only"}, "MIT AND GPL-3.0-only"),
        ({"License_Expression": "MPL-2.0"}, "MPL-2.0"),
        ({"License_Expression": "AGPL-3.0-only", "License": "MIT"}, "AGPL-3.0-only"),
        ({"Classifier": "License :: OSI Approved :: BSD License"}, "BSD License"),
    ],
)
def test_what_nobody_has_read_is_told(fields: dict[str, str], complaint: str) -> None:
    """A licence that is not on the list fails, and so does one that is not named clearly."""
    told = [*licences.complaints([Invented(**fields)], {})]
    assert told == ([f"some-package 1: {complaint}"] if complaint else [])
    of_another = {"another": ("MPL-2.0", "a reason"), "some-package": ("LGPL-3.0-only", "a reason")}
    assert [*licences.complaints([Invented(**fields)], of_another)] == told
