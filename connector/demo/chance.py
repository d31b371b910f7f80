"""Choose by chance, again in the same way if that is wanted."""

import random
from random import Random

__all__ = ["Random", "chance_of"]


def chance_of(seed: int | None = None) -> Random:
    """Return a source of chance; one with a seed repeats itself."""
    return random.Random(seed)  # noqa: S311 - it chooses callers, and nothing is secret
