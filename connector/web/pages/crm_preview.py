"""Show what the rules of a CRM do with a call, before it comes: nothing leaves, and nothing is kept."""

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from wtforms import Form as PlainForm
from wtforms import IntegerField, SelectField
from wtforms.validators import NumberRange, Optional

from connector.delivery.preview import Previewed, Sample
from connector.errors import NotFound
from connector.services import Services, services_of
from connector.web.api.crm import PreviewOf, SampleCall, previewed
from connector.web.auth import count_request, require_right
from connector.web.languages import lazy
from connector.web.pages import crm_texts
from connector.web.pages.crm_forms import text
from connector.web.pages.crm_rule_forms import PARTS
from connector.web.pages.phone_forms import choices
from connector.web.rendering import render

DIRECTIONS = {"inbound": lazy("inbound"), "outbound": lazy("outbound")}
RESULTS = {
    "answered": lazy("answered"),
    "missed": lazy("missed"),
    "busy": lazy("busy"),
    "voicemail": lazy("voicemail"),
}


class PreviewForm(PlainForm):
    """Which call is tried; it is asked for by address, as nothing is changed."""

    call = IntegerField(
        lazy("A call that was"),
        [Optional(), NumberRange(min=1, max=10**18 - 1)],
        description=lazy("Its number in the connector; empty for a sample."),
    )
    direction = SelectField(lazy("Direction"), choices=choices(DIRECTIONS))
    customer = text(lazy("Number of the other end"), lazy("Such as +33199001234; empty for withheld."))
    queue = text(lazy("Queue"), lazy("As the phone system calls it."))
    result = SelectField(lazy("Result"), choices=choices(RESULTS))


async def preview_page(request: Request) -> Response:
    """Return `GET /crm/{portal}/preview`: a form, and what the rules do with the call that it says."""
    portal_id = request.path_params["portal"]
    user = await require_right(request, "crm", "access", portal_id)
    count_request(request, user.email)
    services = services_of(request)
    found = await services.crms.show(portal_id)
    is_asked = bool(request.query_params)
    form: Any = PreviewForm(request.query_params if is_asked else None, data={"customer": Sample().customer})
    told, problem = None, ""
    if is_asked and form.validate():
        told, problem = await _told(services, portal_id, form)
    return render(
        request,
        "crm_preview.html",
        422 if form.errors else 200,
        portal=found.portal,
        crm=found.crm,
        parts=PARTS.values(),
        form=form,
        told=told,
        requests=_written(told),
        problem=problem,
        texts=crm_texts,
    )


async def _told(services: Services, portal_id: int, form: Any) -> tuple[Previewed | None, str]:
    """Return what the rules do, or why they cannot be tried."""
    sample = SampleCall(
        direction=form.direction.data,
        customer=form.customer.data or None,
        queue=form.queue.data or None,
        result=form.result.data,
    )
    try:
        return await previewed(services, portal_id, PreviewOf(call=form.call.data, sample=sample)), ""
    except NotFound as problem:
        return None, str(problem)


def _written(told: Previewed | None) -> list[tuple[str, str]]:
    """Return each request with its body as JSON that people can read."""
    return [
        (f"{each.method} {each.path}", msgspec.json.format(msgspec.json.encode(each.body), indent=2).decode())
        for each in (told.requests if told else ())
    ]
