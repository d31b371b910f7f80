"""Every line says which call it is about, and none tells a number or a secret."""

import asyncio
import json
import logging
from pathlib import PurePath
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.logs import Lines, about, masked


def line(message: str, /, **facts: Any) -> str:
    """Write one line as JSON."""
    record = logging.LogRecord("connector.test", logging.INFO, "", 0, message, (), None)
    record.__dict__.update(facts)
    return Lines("json").format(record)


def test_facts_stand_on_every_line_inside() -> None:
    """What is put around stands on each line, what is given with a line wins, and it ends with the block."""
    with about(call="zpc1"), about(delivery=7):
        inside = json.loads(line("said", delivery=8, reason="zoho_down"))
    assert (inside["event"], inside["call"], inside["delivery"], inside["reason"]) == (
        "said", "zpc1", 8, "zoho_down",
    )  # fmt: skip
    assert "call" not in json.loads(line("said"))


def test_tasks_take_the_facts_along() -> None:
    """What begins inside goes on with them, what runs beside it has its own."""

    async def write() -> str:
        await asyncio.sleep(0)
        return str(json.loads(line("said")).get("call"))

    async def both() -> list[str]:
        with about(call="one"):
            first = asyncio.create_task(write())
        with about(call="two"):
            second = asyncio.create_task(write())
        return [await first, await second, await write()]

    assert asyncio.run(both()) == ["one", "two", "None"]


def test_console_lines_are_masked_too() -> None:
    """People read the same."""
    record = logging.LogRecord("x", logging.WARNING, "", 0, "no %s", ("+33123456789",), None)
    assert Lines("console").format(record).endswith("WARNING no +33***89")


FORGED = "a\n2026-01-05T09:00:00.000Z INFO    forged\r\x1b[2K\x85\u2028\u202eb"
SPELT_OUT = r"a\n2026-01-05T09:00:00.000Z INFO    forged\r\x1b[2K\x85\u2028\u202eb"


def record_of(message: str, /, *args: object, **facts: Any) -> logging.LogRecord:
    """Make a record with facts."""
    record = logging.LogRecord("x", logging.INFO, "", 0, message, args, None)
    record.__dict__.update(facts)
    return record


@pytest.mark.parametrize("record", [record_of("no %s", FORGED), record_of("no", extra=FORGED)])
def test_strangers_begin_no_line_and_steer_no_terminal(record: logging.LogRecord) -> None:
    """What does not print is spelt out, in a message and in each fact."""
    written = Lines("console").format(record)
    assert written.isprintable()
    assert written.endswith(SPELT_OUT)
    told = json.loads(Lines("json").format(record))
    assert SPELT_OUT in (told["event"] + told.get("extra", ""))


def test_other_things_than_texts_forge_nothing_either() -> None:
    """They are spelt out as they are written; numbers stay numbers to machines."""
    record = record_of("said", path=PurePath(FORGED), problem=ValueError(FORGED), count=3)
    assert Lines("console").format(record).isprintable()
    told = json.loads(Lines("json").format(record))
    assert (told["path"], told["problem"], told["count"]) == (SPELT_OUT, SPELT_OUT, 3)


def test_a_trace_forges_no_line() -> None:
    """The lines of a trace are indented, those of the error's own message too."""
    record = record_of("failed")
    try:
        int("")
    except ValueError as problem:
        record.exc_info = (ValueError, ValueError(FORGED), problem.__traceback__)
    first, *below = Lines("console").format(record).splitlines()
    assert first.endswith("failed")
    assert all(line.startswith("    ") and line.isprintable() for line in below)
    assert "forged" in json.loads(Lines("json").format(record))["trace"]


def test_numbers_behind_a_line_break_are_masked() -> None:
    """Spelling out makes no word of what stands before a number."""
    styles: tuple[Literal["console", "json"], ...] = ("console", "json")
    for style in styles:
        assert "0612345678" not in Lines(style).format(record_of("no\n0612345678", of="\n0612345678"))


def test_what_uvicorn_says_for_colours_is_left_out() -> None:
    """Its start line says what it says once."""
    record = record_of("Uvicorn running", color_message="Uvicorn running on \x1b[1m%s")
    assert Lines("console").format(record).endswith(" Uvicorn running")
    assert "color_message" not in json.loads(Lines("json").format(record))


@pytest.mark.parametrize(
    "secret",
    [
        "1000.8cb99dxxxxxxxxxxxxx9be93.9b8xxxxxxxxxxxxxxxf".replace("x", "0"),
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "ck_Zm9vYmFyYmF6cXV4",
        "Bearer abc.def",
        "Zoho-oauthtoken abc.def",
    ],
)
def test_secrets_are_masked(secret: str) -> None:
    """Tokens and keys of every kind we have."""
    assert secret.split()[-1] not in masked(f"refused: {secret}, sorry")


@given(st.from_regex(r"\+[1-9][0-9]{7,14}", fullmatch=True))
def test_numbers_are_masked(number: str) -> None:
    """A whole number is never told, plain or in an address."""
    assert number[1:] not in masked(f"contact {number} of ?phone=%2B{number[1:]}")


@pytest.mark.parametrize(
    "text", ["1767603600000", "2026-01-05T09:00:00.000Z", "4000000012345", "zpc0123", "404"]
)
def test_other_digits_stay(text: str) -> None:
    """Moments, Desk's ids and keys of calls are no numbers."""
    assert masked(f"a {text} b") == f"a {text} b"
