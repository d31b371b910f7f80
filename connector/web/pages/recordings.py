"""Show administrators who opened, heard, kept or was refused which recording."""

from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from connector.services import services_of
from connector.web.api.operation import query_of
from connector.web.api.recording_accesses import RecordingAccesses, accesses
from connector.web.auth import count_request, require_user
from connector.web.languages import lazy
from connector.web.rendering import render

DONE_NAMES: dict[str, Any] = {
    "opened": lazy("opened the page"),
    "played": lazy("listened"),
    "downloaded": lazy("kept a copy"),
    "refused": lazy("was turned away"),
}


async def recordings_page(request: Request) -> Response:
    """Return `GET /recordings`: the accesses that the form asks for, the latest first."""
    user = await require_user(request, "administrator")
    count_request(request, user.email)
    asked = query_of(request, RecordingAccesses)
    found = await accesses(services_of(request), asked)
    kept = {name: value for name, value in {"call": asked.call, "cursor": found.next or ""}.items() if value}
    context: dict[str, Any] = {
        "found": found,
        "asked": asked,
        "done": DONE_NAMES,
        "further_on": f"/recordings?{urlencode(kept)}" if found.next else "",
    }
    return render(request, "recordings.html", **context)
