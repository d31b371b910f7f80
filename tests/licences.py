"""Check the licence of everything that lies beside an installation: `python -I tests/licences.py`.

Nothing is accepted for being unknown: what a release brings anew, or under another licence, fails until
somebody has read it and written it down here, with the reason why it may come along.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, distributions

ACCEPTED = {
    "Apache-2.0": "the connector's own licence; asks for its text and for notices",
    "BSD-2-Clause": "asks for its notice",
    "BSD-3-Clause": "asks for its notice",
    "MIT": "asks for its notice",
    "MIT-0": "asks for nothing",
    "PSF-2.0": "Python's own: asks for its notice and for a word on changes",
    "Zlib": "asks that nobody claims to have written it",
}
"""Licences that anybody may build upon, by SPDX's names, each with what it asks for."""

OF_EXTRAS = {
    "psycopg": (
        "LGPL-3.0-only",
        "comes only with the extra `postgresql`: a library of its own, unchanged, to be exchanged at will",
    ),
    "psycopg-binary": (
        "LGPL-3.0-only",
        "psycopg's faster half; the libpq in it brings keyutils, LGPL-2.1 and likewise a file of its own",
    ),
}
"""What an installation has only if it is asked for, under a licence that is not accepted of all."""

OF_TESTS = {
    "certifi": ("MPL-2.0", "Twilio's own library, whose signatures are compared, asks for it"),
    "hypothesis": ("MPL-2.0", "tests only; nothing of it is changed or passed on"),
    "pathspec": ("MPL-2.0", "hatchling and mypy read patterns with it; no package holds it"),
}
"""What only the tests' environment has, likewise."""

READ_BY_HAND = {
    "axe-playwright-python": ("MIT", "its LICENSE; axe-core, which it holds, is MPL-2.0: tests only"),
    "itsdangerous": ("BSD-3-Clause", "its LICENSE.txt; the metadata say BSD alone"),
    "jinja2": ("BSD-3-Clause", "its LICENSE.txt; the metadata say BSD alone"),
    "pysqlite3": (
        "Zlib",
        "its LICENSE; the metadata name none; SQLite, which it holds, is in the public domain",
    ),
    "wtforms": ("BSD-3-Clause", "its LICENSE.rst, whose whole text stands in the metadata"),
}
"""Whose metadata do not say it clearly, and where it stands."""

SPELLINGS = {
    "Apache 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}
"""How metadata of before SPDX write what they mean."""


def name_of(distribution: Distribution) -> str:
    """Return a package's name as it is compared: small letters, hyphens."""
    return re.sub(r"[-_.]+", "-", distribution.metadata["Name"]).casefold()


def named_by(distribution: Distribution) -> str:
    """Return the licence that a package's metadata name, as they write it; nothing where they name none."""
    metadata = distribution.metadata
    classified = (
        line.split(" :: ")[-1] for line in metadata.get_all("Classifier", []) if "License ::" in line
    )
    told = (metadata[field] for field in ("License-Expression", "License") if field in metadata)
    return next(filter(None, (*told, *classified)), "")


def complaints(found: Iterable[Distribution], exceptions: dict[str, tuple[str, str]]) -> Iterator[str]:
    """Return what is wrong, package by package: the name, and the licence that nobody has accepted."""
    for distribution in found:
        name = name_of(distribution)
        told = named_by(distribution)
        licence = READ_BY_HAND[name][0] if name in READ_BY_HAND else SPELLINGS.get(told, told)
        if licence == exceptions.get(name, ("",))[0] != "":
            continue
        unknown = [part for part in re.split(r" AND | OR |[()]", licence) if part not in ACCEPTED]
        if unknown or not licence:
            yield f"{name} {distribution.version}: {licence or 'names no licence'}"


if __name__ == "__main__":
    # No exception: whoever installs the connector, and asks for no extra, gets nothing but the accepted ones.
    sys.exit("; ".join(complaints(distributions(), {})) or None)
