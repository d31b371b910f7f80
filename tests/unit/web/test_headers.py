"""The headers that every answer gets."""

import anyio
import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from connector.web.headers import SecurityHeaders


async def _page(_request: Request) -> Response:
    return HTMLResponse("page")


async def _asset(_request: Request) -> Response:
    return PlainTextResponse("asset", headers={"Cache-Control": "max-age=60"})


def ask(path: str, *, https: bool) -> httpx2.Headers:
    """Return the headers at a path."""
    app = Starlette(routes=[Route("/page", _page), Route("/asset", _asset)])
    app.add_middleware(SecurityHeaders, https=https)

    async def get_headers() -> httpx2.Headers:
        transport = httpx2.ASGITransport(app)
        async with httpx2.AsyncClient(transport=transport, base_url="https://here") as client:
            return (await client.get(path)).headers

    return anyio.run(get_headers)


@pytest.mark.parametrize("path", ["/page", "/asset"])
def test_nothing_foreign_runs_or_frames(path: str) -> None:
    """No script, frame, form or base of other origins."""
    policy = ask(path, https=True)["content-security-policy"].split("; ")
    assert {"default-src 'none'", "script-src 'self'", "form-action 'self'"} <= set(policy)
    assert {"base-uri 'none'", "frame-ancestors 'none'"} <= set(policy)
    assert "unsafe" not in str(policy)


def test_no_other_window_reaches_ours() -> None:
    """A page that opens ours gets no hold of its window, and ours may use no device."""
    headers = ask("/page", https=True)
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert {"camera=()", "microphone=()", "geolocation=()"} <= set(headers["permissions-policy"].split(", "))


def test_https_is_insisted_on_where_there_is_https() -> None:
    """On this machine's plain http it would lock the browser out."""
    assert "strict-transport-security" in ask("/page", https=True)
    assert "strict-transport-security" not in ask("/page", https=False)


def test_pages_are_not_stored_and_assets_are() -> None:
    """What an answer says itself stays."""
    assert ask("/page", https=True)["cache-control"] == "no-store"
    assert ask("/asset", https=True)["cache-control"] == "max-age=60"
