"""What strangers send to a served house, and that it neither falls over nor says too much."""

import asyncio
import logging
from contextlib import AsyncExitStack
from urllib.parse import urlsplit

import pytest

from connector.logs import Lines
from connector.web.auth import SESSION
from connector.web.banner import BANNERS_AT_MOST
from tests.integration.pipeline.place import Place

pytestmark = pytest.mark.anyio

OURS = {"X-Requested-With": "connector", "Sec-Fetch-Site": "same-origin"}
STREAM = "/api/banner/stream"


@pytest.mark.parametrize("number", ["9223372036854775808", "9" * 5_000])
async def test_ids_that_no_database_holds_have_no_page(place: Place, number: str) -> None:
    """A number that is too large is an address that there is not, for anybody."""
    cookie = {"Cookie": f"{SESSION}={await place.signed_in('ada@example.com')}"}
    choice = await place.client.post(
        f"/api/calls/{number}/contact", headers=OURS | cookie, json={"contact": None}
    )
    assert choice.status_code == 404
    assert (await place.client.get(f"/portals/{number}", headers=cookie)).status_code == 404
    assert (await place.client.get(f"/webhooks/desk/{number}")).status_code == 404


@pytest.mark.parametrize(("body", "status"), [(b'{"x":' + b"[" * 1_010, 422), (b" " * 1_100_000, 413)])
async def test_a_choice_is_small(place: Place, body: bytes, status: int) -> None:
    """What nests too deeply or never ends is refused."""
    headers = OURS | {"Cookie": f"{SESSION}={await place.signed_in('ada@example.com')}"}
    assert (
        await place.client.post("/api/calls/1/contact", headers=headers, content=body)
    ).status_code == status


async def test_no_redirect_names_the_host_of_a_request(place: Place) -> None:
    """An address with a slash too many is no address, instead of a way to anywhere."""
    answer = await place.client.get("/banner/", headers={"Host": "evil.example"})
    assert (answer.status_code, answer.headers.get("location")) == (404, None)


@pytest.mark.parametrize(
    "header",
    [
        ("X-Real-IP", "203.0.113.9"),
        ("Via", "1.1 p"),
        ("X-Forwarded-Proto", "https"),
        ("Host", "evil.example"),
    ],
    ids=lambda header: header[0],
)
async def test_figures_are_for_this_machine(place: Place, header: tuple[str, str]) -> None:
    """Whatever gives a proxy away, or another name, asks for a key."""
    assert (await place.client.get("/metrics", headers=dict([header]))).status_code == 401


async def test_hanging_up_in_mid_request_is_no_error(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    """A stranger cannot fill the log with traces."""
    caplog.set_level(logging.DEBUG)
    _, writer = await asyncio.open_connection("127.0.0.1", urlsplit(place.services.settings.public_url).port)
    writer.write(b"POST /hooks/pbx HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc")
    await writer.drain()
    await place.client.get("/healthz")
    writer.close()
    async with asyncio.timeout(5):
        while "hung up" not in caplog.text:
            await place.client.get("/healthz")
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_addresses_forge_no_lines_in_the_log(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    """A line break or an escape in an address is spelt out, and a long one is cut."""
    caplog.set_level(logging.INFO)
    await place.client.post("/hooks/a%0AINFO%20forged%1B[31m" + "b" * 5_000)
    await place.client.post("/hooks/pbx/a%0AINFO%20forged%1B[31m" + "b" * 5_000)
    assert caplog.records
    for line in map(Lines("console").format, caplog.records):
        assert "forged" not in line.partition("/hooks/")[0]
        assert "\n" not in line
        assert len(line) < 400


async def test_texts_that_no_database_holds_name_nothing(place: Place) -> None:
    """A NUL in an address is no phone system's slug, nobody's number and nobody's name."""
    assert (await place.client.post("/hooks/%00", content=b"{}")).status_code == 404
    cookie = {"Cookie": f"{SESSION}={await place.signed_in('ada@example.com')}"}
    for asked in ("lookup?number=%00", "lookup?number=1&phone=%00", "search?text=a%00b"):
        assert (await place.client.get(f"/api/contacts/{asked}", headers=cookie)).status_code == 422


async def opening(place: Place, cookie: dict[str, str]) -> int:
    """Open a banner for a moment, and answer with which status."""
    async with place.client.stream("GET", STREAM, headers=cookie) as answer:
        return answer.status_code


async def test_a_browser_opens_so_many_banners_and_no_more(place: Place) -> None:
    """The next one is told why, other browsers are not concerned, and a closed one makes room."""
    cookie = {"Cookie": f"{SESSION}={await place.signed_in('ada@example.com')}"}
    async with AsyncExitStack() as opened:
        for _ in range(BANNERS_AT_MOST - 1):
            await opened.enter_async_context(place.client.stream("GET", STREAM, headers=cookie))
        async with place.client.stream("GET", STREAM, headers=cookie) as last:
            assert last.status_code == 200
            refused = await place.client.get(STREAM, headers=cookie)
            assert (refused.status_code, refused.headers["retry-after"]) == (429, "10")
            assert refused.json()["detail"] == "This browser has 32 banners open: close one of them."
            async with place.banner("ada@example.com"):
                pass
        async with asyncio.timeout(10):
            while await opening(place, cookie) == 429:
                pass
