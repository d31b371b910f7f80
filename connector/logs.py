"""Write logs for people or for machines."""

import json
import logging
import sys
from typing import Literal

from connector.times import SECOND, to_iso

_USUAL = frozenset(logging.LogRecord("", 0, "", 0, "", (), None).__dict__) | {"message", "asctime"}

# These print what they are asked to fetch, tokens and verifiers included, or every step at INFO.
TOO_TALKATIVE = ("httpx2", "httpcore2", "authlib", "alembic", "uvicorn.access")


class Lines(logging.Formatter):
    """Write one line a record: JSON, or words with the extra facts behind them."""

    def __init__(self, style: Literal["console", "json"]) -> None:
        super().__init__()
        self._written_as = style

    def format(self, record: logging.LogRecord) -> str:
        """Write a record with the facts that came in `extra`."""
        facts = {name: value for name, value in record.__dict__.items() if name not in _USUAL}
        at = to_iso(round(record.created * SECOND))
        trace = f"\n{self.formatException(record.exc_info)}" if record.exc_info else ""
        if self._written_as == "console":
            behind = "".join(f" {name}={value}" for name, value in facts.items())
            return f"{at} {record.levelname:<7} {record.getMessage()}{behind}{trace}"
        line = {"at": at, "level": record.levelname, "event": record.getMessage(), "logger": record.name}
        return json.dumps(line | facts | ({"trace": trace.strip()} if trace else {}), default=str)


def set_up(style: Literal["console", "json"], level: str) -> None:
    """Send everything to standard error, one line each."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines(style))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in TOO_TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
