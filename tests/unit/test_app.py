"""The steps that work in the background, and what every answer has around it."""

import asyncio
import logging
import re
from collections.abc import Iterator
from types import SimpleNamespace

import httpx2
import pytest
from starlette.requests import Request
from starlette.routing import Route

from connector.app import _App, _every
from connector.crypto import Encryptor
from connector.errors import NotFound, StoreBusy, StoreUnavailable, ZohoDown
from connector.logs import Lines
from connector.metrics import Metrics
from connector.settings import Secret, Settings
from connector.web import problems

pytestmark = pytest.mark.anyio


class Failing:
    """A step that fails in one way after another, and is cancelled in the end."""

    def __init__(self, *failures: Exception) -> None:
        self._failures: Iterator[Exception] = iter(failures)

    async def step(self) -> None:
        """Fail, or have the loop end."""
        failure = next(self._failures, None)
        if failure is None:
            raise asyncio.CancelledError
        raise failure


async def test_a_step_survives_whatever_happens(caplog: pytest.LogCaptureFixture) -> None:
    """Each kind of failure is logged once; those of the store it logs itself."""
    caplog.set_level(logging.INFO)
    failing = Failing(KeyError("a"), KeyError("b"), NotFound("c"), NotFound("d"), StoreUnavailable("e"))
    with pytest.raises(asyncio.CancelledError):
        await _every(0, failing.step)
    assert [(record.levelname, record.__dict__["reason"]) for record in caplog.records] == [
        ("ERROR", "KeyError"),
        ("WARNING", NotFound.reason),
    ]


FAILURES = {
    "unforeseen": (ZeroDivisionError("x"), 500),
    "zoho": (ZohoDown("Zoho is silent."), 502),
    "nothing": (NotFound("There is none."), 404),
    "busy": (StoreBusy("Full."), 503),
}


async def _fail(request: Request) -> None:
    raise FAILURES[request.path_params["kind"]][0]


async def ask(path: str, accept: str) -> httpx2.Response:
    """Ask an application whose pages fail in every way."""
    names = ("/api/{kind}", "/{kind}")
    app = _App(routes=[Route(name, _fail) for name in names], exception_handlers=problems.handlers())
    app.state.services = SimpleNamespace(
        encryptor=Encryptor([Secret("tests-only-and-no-secret-0123456789-abcdefgh")]),
        settings=Settings(public_url="https://calls.example.com"),
        metrics=Metrics(),
    )
    transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="https://calls.example.com") as client:
        return await client.get(path, headers={"accept": accept})


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
@pytest.mark.parametrize(
    "path", ["/unforeseen", "/zoho", "/nothing", "/api/unforeseen", "/api/zoho", "/no/page"]
)
async def test_a_reference_leads_to_the_line_of_this_very_request(
    path: str, accept: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Pages and problems quote what stands in one line of the log; two requests never share one."""
    caplog.set_level(logging.INFO)
    answers = [await ask(path, accept) for _ in range(2)]
    if answers[0].headers["content-type"] == "application/problem+json":
        quoted = [answer.json()["reference"] for answer in answers]
    else:
        quoted = [re.findall(r"log: <code>(\w+)</code>", answer.text)[0] for answer in answers]
    ours = (record for record in caplog.records if record.name == problems.__name__)
    lines = [line for line in map(Lines("console").format, ours) if path in line]
    assert len(set(quoted)) == 2
    assert [line.rpartition("reference=")[2] for line in lines] == quoted


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
async def test_no_reference_without_a_line(accept: str) -> None:
    """The store itself says once that it is full: nothing would be found."""
    assert "reference" not in (await ask("/busy", accept)).text.casefold()


@pytest.mark.parametrize(("path", "status"), [(f"/{kind}", status) for kind, (_, status) in FAILURES.items()])
async def test_every_answer_has_our_headers(path: str, status: int) -> None:
    """What nobody foresaw, too."""
    answer = await ask(path, "text/html")
    assert answer.status_code == status
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert {"x-content-type-options", "strict-transport-security", "referrer-policy"} <= set(answer.headers)
    assert answer.headers["cache-control"] == "no-store"
