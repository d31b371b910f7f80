"""Show administrators who changed what."""

from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from connector.services import services_of
from connector.web.api.audit import Changes, changes
from connector.web.api.operation import query_of
from connector.web.auth import count_request, require_user
from connector.web.rendering import render


async def audit_page(request: Request) -> Response:
    """Return `GET /audit`: the changes that the form asks for, the latest first."""
    user = await require_user(request, "administrator")
    count_request(request, user.email)
    asked = query_of(request, Changes)
    found = await changes(services_of(request), asked)
    kept = msgspec.structs.asdict(asked) | {"cursor": found.next or ""}
    further = "/audit?" + urlencode({name: value for name, value in kept.items() if value})
    return render(request, "audit.html", found=found, asked=asked, further_on=further if found.next else "")
