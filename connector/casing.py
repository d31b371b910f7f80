"""Set case aside by ASCII's letters alone, wherever what is compared decides who or what is meant.

Unicode folds foreign signs into ASCII's letters: the Kelvin sign (U+212A) becomes k, so that an address
with it would pass for somebody else's. A test keeps `lower`, `upper` and `casefold` out of all other rooms.
"""

_LOWER = {capital: capital + 32 for capital in range(ord("A"), ord("Z") + 1)}
_UPPER = {small: capital for capital, small in _LOWER.items()}


def ascii_lower(text: str) -> str:
    """Return a text with A to Z written small; every other character stays as it is."""
    return text.translate(_LOWER)


def ascii_upper(text: str) -> str:
    """Return a text with a to z written as capitals; every other character stays as it is."""
    return text.translate(_UPPER)
