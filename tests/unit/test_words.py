"""Keep retired words out: one word a thing, and the field's own."""

from collections.abc import Iterable
from functools import cache

import pytest

from tests.unit.sources import files, modules, names, text_of, words

NOWHERE = {
    "affairs": "state",
    "belongings": "phone configuration",
    "bell": "notifier",
    "bells": "notifiers",
    "berth": "slot",
    "berths": "slots",
    "chore": "task",
    "courier": "webhook sender",
    "doubtful": "unknown",
    "feed": "publisher, views, hub",
    "furnish": "build",
    "furnished": "built",
    "furniture": "set-up",
    "heir": "next",
    "heirs": "next ones",
    "hindsight": "CDR recovery",
    "hurry": "urgency",
    "keeper": "token manager",
    "kin": "call group",
    "kinship": "call group",
    "ledger": "event ingester",
    "obeying": "simulator",
    "patience": "time-out",
    "plot": "scenario",
    "plots": "scenarios",
    "rollcall": "resync",
    "seal": "encrypt",
    "sealed": "encrypted",
    "sealer": "cipher",
    "sealing": "crypto",
    "stage": "environment",
    "theatre": "environment",
    "unseal": "decrypt",
}
"""Words that stand in no text at all, each with what is said instead."""

NOT_AS_NAMES = {
    "book": "registry",
    "control": "orders",
    "door": "gateway",
    "doubt": "unknown outcome, or warning",
    "doubts": "warnings",
    "families": "call groups",
    "family": "call group",
    "finding": "reconcile",
    "findings": "what was reconciled",
    "forgetting": "erasure",
    "guard": "auth",
    "habits": "baseline",
    "hands": "executor",
    "head": "root",
    "heads": "roots",
    "held": "delivery",
    "house": "services",
    "journal": "access log",
    "judge": "verify",
    "judging": "verification",
    "keeping": "maintenance",
    "looking_back": "CDR recovery",
    "news": "publisher",
    "obey": "carry out",
    "pops": "hub",
    "road": "pipeline",
    "surplus": "picked",
    "weather": "faults",
    "wish": "request body",
    "wishes": "request bodies",
}
"""Words that stand in sentences where they mean what they say, and name nothing in the code."""

OF_A_MESSAGE = (
    "connector/server.py",
    "tests/bench/banners.py",
    "tests/bench/bare.py",
    "tests/bench/load.py",
    "tests/bench/traffic.py",
    "tests/integration/operations/test_installing.py",
    "tests/integration/recordings/upstream.py",
    "tests/integration/web/test_writes.py",
)
COLUMNS = (
    "connector/accounts/sign_in.py",
    "connector/portals/portals.py",
    "connector/portals/token_manager.py",
    "connector/recordings/sources.py",
    "connector/store/encrypted.py",
    "connector/store/grants.py",
    "connector/store/phones.py",
    "connector/store/recordings.py",
    "connector/store/sign_in.py",
    "connector/store/tables.py",
    "connector/maintenance/key_rotation.py",
    "connector/portals/administration.py",
    "connector/portals/methods.py",
    "connector/store/methods.py",
    "tests/integration/web/test_statements.py",
    "tests/bench/bare.py",
    "tests/integration/identity/test_linking.py",
    "tests/integration/identity/test_migration.py",
    "tests/integration/identity/test_renewal.py",
    "tests/integration/limits/test_tokens.py",
    "tests/integration/operations/test_discretion.py",
    "tests/integration/operations/test_key_rotation.py",
    "tests/integration/upgrades/rest.py",
)

ORDINARY: dict[tuple[str, str], str] = {
    **{("head", path): "of a message" for path in OF_A_MESSAGE},
    ("head", "connector/dialects/signing.py"): "of what is signed",
    ("head", "connector/numbers/reading.py"): "of a number",
    ("head", "tests/integration/recordings/test_fetching.py"): "the method of HTTP",
    ("head", "tests/unit/store/test_migrating.py"): "Alembic's word for the newest migration",
    ("feed", "tests/integration/pipeline/test_pseudo_language.py"): "a method of Python's HTML parser",
    ("pops", "tests/bench/pop.py"): "banners that pop up: the figure's name",
    **{("sealed", path): "a column, which old processes read beside new ones" for path in COLUMNS},
    ("held", "connector/store/migrations/versions/0008_subscribers.py"): "what was there when it was written",
    ("sealing", "connector/crypto.py"): "a part of the keys: with another nothing stored could be decrypted",
}
"""Where a word has its ordinary meaning: the word and the file, with the reason."""

THIS = "tests/unit/test_words.py"
FOLDERS = ("connector", "static", "tests", ".ci")
EXEMPT = ("tests/samples/", "connector/store/migrations/versions/")
"""What others wrote, and what was once done to a database, say it as it was then."""

ENDINGS = (".py", ".html", ".js", ".css", ".md", ".txt", "/run", "/install")


@cache
def _places() -> dict[str, set[str]]:
    """Return the files in which each retired word stands."""
    texts = (path for folder in FOLDERS for path in files(folder, *ENDINGS))
    found: dict[str, set[str]] = {word: set() for word in NOWHERE | NOT_AS_NAMES}
    for path in ("README.md", "pyproject.toml", *texts):
        if path != THIS and not path.startswith(EXEMPT):
            _note(found, path, NOWHERE, words(f"{path} {text_of(path)}"))
    for path in modules("connector", "tests"):
        if path != THIS:
            _note(found, path, NOT_AS_NAMES, words(" ".join(names(path))) | names(path))
    return found


def _note(found: dict[str, set[str]], path: str, retired: Iterable[str], used: set[str]) -> None:
    for word in used.intersection(retired):
        found[word].add(path)


def places(word: str) -> set[str]:
    """Return the files in which a retired word stands without a reason."""
    return {path for path in _places()[word] if (word, path) not in ORDINARY}


@pytest.mark.parametrize("word", sorted(NOWHERE.keys() | NOT_AS_NAMES.keys()))
def test_a_retired_word_stays_away(word: str) -> None:
    """Another word is in the tables, and says what is meant to somebody who has never seen this code."""
    assert not places(word)


def test_exceptions_are_needed() -> None:
    """An exception leaves the list when its word has gone from the file."""
    assert not [(word, path) for word, path in ORDINARY if path not in _places()[word]]
