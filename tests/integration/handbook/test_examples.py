"""Run the handbook's examples of requests, by a shell, against a connector that serves."""

import json
import re
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest

from connector import handbook
from connector.store import orders
from tests.integration.pipeline.conftest import database_url, place, sandbox
from tests.integration.pipeline.place import Place

__all__ = ["database_url", "place", "sandbox"]
"""A served connector's own fixtures serve here too."""

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(
        not shutil.which("curl") or not shutil.which("openssl"), reason="wants curl and openssl"
    ),
]
MEMBERS = {"id", "kind", "state", "is_open", "message", "reason", "phone", "agent", "number", "call"}
PATH = "/usr/bin:/bin"
FOLDER = Path(handbook.__file__).parent


def example(page: str, begins: str) -> str:
    """Return the example of a page that begins so."""
    text = (FOLDER / f"{page}.md").read_text(encoding="utf-8")
    found = re.search(rf"^```sh\n({re.escape(begins)}.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


async def answer(script: str, **variables: str) -> Any:
    """Run a script and return the JSON that it writes."""
    done = await anyio.run_process(["sh", "-ec", script], env={"PATH": PATH} | variables)
    return json.loads(done.stdout)


async def test_posting_a_call(place: Place) -> None:
    """The example takes the address and the secret that were printed: it rings, is answered and ends."""
    script = example("phone-systems", "ADDRESS=")
    script = script.replace("http://127.0.0.1:8080/hooks/paris", f"{place.client.base_url}/hooks/pbx")
    script = script.replace("whsec_...", place.secret)
    done = await anyio.run_process(["sh", "-ec", script.replace("sleep 5", "true")], env={"PATH": PATH})
    taken = {"accepted": 1, "duplicate": 0, "ignored": 0, "rejected": []}
    assert [json.loads(line) for line in done.stdout.splitlines()] == [taken] * 3
    async with place.banner("ada@example.com"):
        [call] = await place.services.pipeline.snapshot(1)
    assert (call.state, call.result, call.answered_by) == ("ended", "answered", ("Ada",))
    assert call.record.state == "waiting"


async def test_a_call_by_a_program(place: Place) -> None:
    """A supervisor's key has ada's telephone call a customer; a repetition is the same order."""
    await place.fetch()
    await place.services.store.write(
        partial(orders.set_destination, phone_id=1, pattern="+33*", role="supervisor")
    )
    key = await place.services.keys.add_key("desk", "supervisor", actor="test")
    script = example("calling", "curl").replace("https://calls.example.com", str(place.client.base_url))
    first, again = [await answer(script, KEY=key) for _ in range(2)]
    assert set(first) == MEMBERS, first
    assert (first["state"], first["id"]) == ("waiting", again["id"])
