"""Read secrets from files, so that no shell remembers them."""

from typing import TextIO

from connector.errors import CommandError


def secret_in(secret_file: TextIO | None) -> str:
    """Return what a file holds, "" where none was named; CommandError where it is empty."""
    if secret_file is None:
        return ""
    try:
        text = secret_file.read().strip()
    except (OSError, ValueError) as problem:
        raise CommandError(
            f"{secret_file.name} cannot be read: write the secret into a file of text."
        ) from problem
    if not text:
        raise CommandError(f"{secret_file.name} is empty: write the secret into it, and nothing else.")
    return text
