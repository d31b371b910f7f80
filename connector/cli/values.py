"""The numbers that may be typed: what is larger no database would even be asked for."""

import click

ROW_ID = click.IntRange(1, 2**63 - 1)
"""The id of something that we keep."""

HOW_MANY = click.IntRange(1, 100_000)
"""How many things to list."""

HOURS = click.IntRange(0, 10 * 366 * 24)
"""A time in hours, ten years at most."""
