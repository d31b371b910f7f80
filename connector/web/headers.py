"""Tell browsers what our pages may do, which is little."""

from collections.abc import Awaitable

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
}
ONLY_HTTPS = "max-age=31536000"
OURS_ALONE = (b"text/html", b"application/json", b"application/problem+json")
"""What is made for one person and is out of date a second later."""


class SecurityHeaders:
    """Add the headers to every answer; HSTS where browsers come by https."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self._app = app
        always = ALWAYS | ({"Strict-Transport-Security": ONLY_HTTPS} if https else {})
        self._always = [(ascii_lower(name).encode(), value.encode()) for name, value in always.items()]

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve a request, its answer's headers completed."""
        if scope["type"] != "http":
            return self._app(scope, receive, send)

        def complete(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                given = dict(message["headers"])
                message["headers"] += [header for header in self._always if header[0] not in given]
                if given.get(b"content-type", b"").startswith(OURS_ALONE) and b"cache-control" not in given:
                    message["headers"].append((b"cache-control", b"no-store"))
            return send(message)

        return self._app(scope, receive, complete)
