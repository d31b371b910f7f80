"""Show administrators what works and what stands in the way, and make what a check has missed."""

from starlette.requests import Request
from starlette.responses import Response

from connector.errors import InvalidRequest
from connector.services import services_of
from connector.web.auth import count_request, require_user
from connector.web.forms import Form
from connector.web.languages import gettext as _
from connector.web.rendering import redirect, render


async def check_page(request: Request) -> Response:
    """Return `GET /check`: everything, layer by layer, as it is at this very moment."""
    user = await require_user(request, "administrator")
    count_request(request, user.email)
    report = await services_of(request).self_check.run()
    return render(request, "check.html", report=report)


async def make_recording_field(request: Request) -> Response:
    """Make the recording field: `POST /portals/{portal}/recording-field`, from the portal's page."""
    user = await require_user(request, "administrator")
    portal_id = request.path_params["portal_id"]
    form = await Form.of(request)
    if not form.accepts():
        raise InvalidRequest(str(form.token.errors[0]))
    await services_of(request).portals.make_recording_field(portal_id, actor=user.email)
    return redirect(request, f"/portals/{portal_id}", _("Desk has a field for recordings now."))
