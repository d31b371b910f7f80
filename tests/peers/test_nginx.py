"""A real nginx, as `connector guide nginx` sets it up, before a real connector: with and without a path."""

import asyncio
import json
import re
import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.async_api import async_playwright, expect

from connector.clock import SECOND, system_clock, to_iso
from connector.dialects import MAX_BODY_BYTES, signing
from tests.acceptance.pipeline.conftest import FLAGS
from tests.bench import servers
from tests.conftest import CHROMIUM
from tests.integration.operations import mail_server
from tests.peers.programs import Connector, free_port, running, wait_for
from tests.peers.test_units import ran

pytestmark = pytest.mark.anyio
SECRET = signing.new_secret()

AROUND = """
daemon off;
user root;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/connector.conf;
}}
"""
"""What a distribution has around the configuration, in a folder of its own."""


class Site:
    """A connector behind nginx, and a client of it."""

    def __init__(self, folder: Path, path: str, scheme: str) -> None:
        self.root = f"{scheme}://127.0.0.1:{free_port()}{path}"
        self.connector = Connector(folder, SECRET, PUBLIC_URL=self.root, TRUSTED_PROXIES="127.0.0.1")
        self._write_nginx(folder)

    def _write_nginx(self, folder: Path) -> None:
        files = ("--certificate", str(folder / "mail.pem"), "--key", str(folder / "mail.pem"))
        (folder / "mail.pem").write_bytes(mail_server.pem())
        self.config = folder / "nginx.conf"
        (folder / "connector.conf").write_text(self.connector.run("guide", "nginx", *files), encoding="utf-8")
        self.config.write_text(AROUND.format(folder=folder), encoding="utf-8")
        ran("nginx", "-t", "-q", "-p", folder, "-c", self.config)

    def client(self, address: str = "127.0.0.1", **headers: str) -> httpx2.AsyncClient:
        """Open a client that comes from an address of this machine."""
        context = ssl.create_default_context(cadata=mail_server.pem().decode("ascii"))
        transport = httpx2.AsyncHTTPTransport(verify=context, local_address=address, trust_env=False)
        return httpx2.AsyncClient(transport=transport, headers=headers, timeout=20)

    def posting(self, body: bytes) -> dict[str, Any]:
        """Return what posts a body as the phone system, signed."""
        at = int(system_clock() // SECOND)
        told = {"webhook-id": f"m-{len(body)}", "webhook-timestamp": str(at)}
        signature = signing.sign(SECRET, told["webhook-id"], at, body)
        headers = told | {"webhook-signature": signature, "content-type": "application/cloudevents+json"}
        return {"url": f"{self.root}/hooks/{servers.SLUG}", "content": body, "headers": headers}


def ringing(call: str, filler: int = 0) -> bytes:
    """Write an event of a call, of any length."""
    data = {"direction": "inbound", "from": "+442079460001", "to": "+33199000001", "agent": "1001"}
    event = {
        "specversion": "1.0",
        "id": f"e-{call}",
        "source": "/pbx",
        "type": "call.ringing",
        "subject": call,
    }
    return json.dumps(event | {"time": to_iso(system_clock()), "data": data | {"x": "x" * filler}}).encode()


@pytest.fixture(scope="module", params=[("", "https"), ("/desk", "https"), ("/desk", "http")], ids=str)
def site(
    request: pytest.FixtureRequest, peers: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """Serve a connector behind nginx, for all tests of one kind."""
    made = Site(tmp_path_factory.mktemp("site"), *request.param)
    folder = made.connector.folder
    nginx = ["nginx", "-p", str(folder), "-c", str(made.config)]
    with made.connector.serving(), running(nginx, folder / "nginx.out"):
        wait_for(made.root, folder / "nginx.log")
        yield made


@pytest.fixture
async def client(site: Site) -> AsyncIterator[httpx2.AsyncClient]:
    """Open a client that is signed in."""
    async with site.client() as made:
        made.cookies.set(*await site.connector.cookie(), domain="127.0.0.1", path="/")
        yield made


async def test_pages_scripts_and_redirects(site: Site, client: httpx2.AsyncClient) -> None:
    """A browser that follows everything stays on the site, and figures stay inside."""
    page = await client.get(f"{site.root}/banner", follow_redirects=True)
    assert (page.status_code, str(page.url)) == (200, f"{site.root}/banner")
    path = site.connector.settings["PUBLIC_URL"].split("/", 3)[3:]
    assert f'src="{"/" + path[0] if path else ""}/static/js/main.js"' in page.text
    assert (await client.get(f"{site.root}/static/js/site.js")).status_code == 200
    assert (await client.get(f"{site.root}/metrics")).status_code == 404
    for home in (site.root, f"{site.root}/"):
        # No portal is linked here, so an administrator is led to what is to be set up.
        assert str((await client.get(home, follow_redirects=True)).url) == f"{site.root}/setup"


async def test_the_banner_hears_while_its_stream_is_open(site: Site, client: httpx2.AsyncClient) -> None:
    """The first event comes at once, and a call that rings meanwhile comes through nginx before any end."""
    async with client.stream("GET", f"{site.root}/api/banner/stream") as stream, asyncio.timeout(15):
        lines = stream.aiter_lines()
        while await anext(lines) != "event: snapshot":
            pass
        posted = await client.post(**site.posting(ringing("c-sse")))
        assert posted.status_code == 202, posted.text
        event = ""
        while event != "event: call":
            event = await anext(lines)


async def test_large_bodies_are_refused_by_who_knows_why(site: Site, client: httpx2.AsyncClient) -> None:
    """What the connector takes passes; above that it says so in its own words, and far above nginx does."""
    assert (await client.post(**site.posting(ringing("c-large", MAX_BODY_BYTES - 2_000)))).status_code == 202
    refused = await client.post(**site.posting(ringing("c-larger", MAX_BODY_BYTES)))
    assert (refused.status_code, refused.json()["type"]) == (413, "urn:connector:too_large")
    assert (await client.post(**site.posting(b" " * 3 * MAX_BODY_BYTES))).status_code == 413


async def post_until(status: int, client: httpx2.AsyncClient, site: Site) -> None:
    """Post until it is answered so: what a command changes is known to other processes in two seconds."""
    async with asyncio.timeout(15):
        while True:
            if (await client.post(**site.posting(ringing("c-address")))).status_code == status:
                return
            await asyncio.sleep(0.1)


async def test_clients_keep_their_addresses(site: Site) -> None:
    """An allow-list behind nginx knows who posts, whatever the client says of itself; so does the log."""
    slug, event = servers.SLUG, ringing("c-address")
    site.connector.run("phones", "allow", slug, "127.0.0.2")
    try:
        async with site.client("127.0.0.3", **{"x-forwarded-for": "127.0.0.2"}) as other:
            await post_until(401, other, site)
        async with site.client("127.0.0.2") as allowed:
            assert (await allowed.post(**site.posting(event))).status_code == 202
    finally:
        site.connector.run("phones", "allow", slug, "--anyone")
    async with site.client("127.0.0.3") as other:
        # Not before that may the tests behind this one post.
        await post_until(202, other, site)
    log = site.connector.log.read_text(encoding="utf-8")
    assert "status=401" in log
    assert "address=127.0.0.3" in log
    assert "address=127.0.0.2" in log


async def test_reasons_are_told_with_a_reference_of_the_log(site: Site, client: httpx2.AsyncClient) -> None:
    """A page that nobody has names a line of the log, through nginx too."""
    page = await client.get(f"{site.root}/nothing-here", headers={"accept": "text/html"})
    assert page.status_code == 404
    reference = page.text.partition("log: <code>")[2].partition("<")[0]
    assert reference
    assert f"reference={reference}" in site.connector.log.read_text(encoding="utf-8")


@pytest.mark.browser
async def test_a_browser_sees_a_call_ring(site: Site, client: httpx2.AsyncClient) -> None:
    """Chromium has page, scripts and stream through nginx, asks nobody else, and shows the call."""
    asked: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = await browser.new_context(ignore_https_errors=True)
        name, value = await site.connector.cookie()
        secure = site.root.startswith("https")
        await context.add_cookies(
            [{"name": name, "value": value, "domain": "127.0.0.1", "path": "/", "secure": secure}]
        )
        page = await context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        await page.goto(f"{site.root}/banner")
        await expect(page.locator("body")).to_have_attribute("data-connection", "live")
        assert (await client.post(**site.posting(ringing("c-chromium")))).status_code == 202
        await expect(page.locator("[data-slot=open] > li").first).to_be_visible()
        async with page.expect_request(re.compile("/api/contacts/search")):
            await page.locator("#search-text").fill("Ada")
        await browser.close()
    assert [url for url in asked if not url.startswith(f"{site.root}/")] == []
    assert len(asked) > 10


def test_nginx_refuses_what_is_wrong(peers: Path, site: Site) -> None:
    """The check that all of this builds on finds mistakes."""
    wrong = site.connector.folder / "wrong.conf"
    wrong.write_text(site.config.read_text(encoding="utf-8").replace("daemon off;", "demon off;"))
    with pytest.raises(AssertionError, match="unknown directive"):
        ran("nginx", "-t", "-p", site.connector.folder, "-c", wrong)
