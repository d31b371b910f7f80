"""Tell browsers what our pages may do, which is little."""

from collections.abc import Awaitable, Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connector.casing import ascii_lower

# Chromium lets form-action decide over redirects after a POST too. So that it can stay at 'self', the page
# that answers `POST /connect` goes on to Zoho by a Refresh header instead of a redirect.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data:",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
ALWAYS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    # With no-referrer, older browsers would post our own forms with `Origin: null`.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
}
ONLY_HTTPS = "max-age=31536000"
OURS_ALONE = (b"text/html", b"application/json", b"application/problem+json")
"""What is made for one person and is out of date a second later."""


Headers = list[tuple[bytes, bytes]]
"""Headers as ASGI has them: names in lower case."""


def always(*, https: bool) -> Headers:
    """Return the headers of every answer; HSTS where browsers come by https."""
    named = ALWAYS | ({"Strict-Transport-Security": ONLY_HTTPS} if https else {})
    return [(ascii_lower(name).encode(), value.encode()) for name, value in named.items()]


def completed(given: Headers, security: Headers) -> Headers:
    """Return an answer's headers with those of `security` that it does not give itself."""
    names = dict(given)
    whole = given + [header for header in security if header[0] not in names]
    if names.get(b"content-type", b"").startswith(OURS_ALONE) and b"cache-control" not in names:
        whole.append((b"cache-control", b"no-store"))
    return whole


class SecurityHeaders:
    """Add the headers to every answer, and let it be counted by its status."""

    def __init__(self, app: ASGIApp, *, https: bool, count: Callable[[int], None] | None = None) -> None:
        self._app = app
        self._always = always(https=https)
        self._count = count

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve a request, its answer's headers completed."""
        if scope["type"] != "http":
            return self._app(scope, receive, send)

        def complete(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                if self._count is not None:
                    self._count(message["status"])
                message["headers"] = completed(message["headers"], self._always)
            return send(message)

        return self._app(scope, receive, complete)
