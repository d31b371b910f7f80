"""The values that may be typed: what is larger no database would even be asked for."""

from typing import Any

import click

ROW_ID = click.IntRange(1, 2**63 - 1)
"""The id of something that we keep."""

HOW_MANY = click.IntRange(1, 100_000)
"""How many things to list."""

HOURS = click.IntRange(0, 10 * 366 * 24)
"""A time in hours, ten years at most."""


class Listen(click.ParamType[tuple[str, int]]):
    """A host and a port on which to listen."""

    name = "host:port"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int]:
        """Split the two, an IPv6 host out of its brackets."""
        host, _, port = str(value).rpartition(":")
        if not host or not port.isascii() or not port.isdigit() or int(port) > 65_535:
            self.fail(f"{value!r} is not written as 127.0.0.1:9101.", param, ctx)
        return host.strip("[]"), int(port)
