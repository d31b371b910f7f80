"""Lead an administrator from nothing to the first logged call: the steps, and the test call."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from wtforms import SelectField, StringField
from wtforms.validators import Length

from connector.errors import InvalidRequest, InvalidValue
from connector.services import Services, services_of
from connector.web.api.setup import setup_of
from connector.web.auth import require_user
from connector.web.forms import Form, required
from connector.web.languages import gettext as _
from connector.web.languages import lazy
from connector.web.rendering import redirect, render
from connector.web.sign_in import PATHS


class TestCallForm(Form):
    """Which phone system rings, and who calls."""

    __test__ = False

    phone_system = SelectField(lazy("Phone system"), validate_choice=False)
    number = StringField(
        lazy("Number of the caller"),
        [required(), Length(max=50)],
        description=lazy(
            "One that a contact in Desk has shows you that contact; another makes a new contact."
        ),
    )


async def setup_page(request: Request) -> Response:
    """Return `GET /setup`: each step with what was seen, and what to do for the first that is missing."""
    await require_user(request, "administrator")
    return await _page(request, await TestCallForm.of(request))


async def ring_test_call(request: Request) -> Response:
    """Ring on the administrator's own banner: `POST /setup/test-call`."""
    user = await require_user(request, "administrator")
    services = services_of(request)
    form = await TestCallForm.of(request)
    if form.accepts():
        phone = (await services.phone_systems.find(form.phone_system.data)).phone
        try:
            await services.setting_up.ring(phone, form.number.data.strip(), user)
        except InvalidValue as problem:
            form.refuse(problem)
        else:
            return redirect(request, "/setup", _("The test call rings on your banner."))
    return await _page(request, form)


async def end_test_call(request: Request) -> Response:
    """Answer the test call and end it: `POST /setup/test-call/end`."""
    user = await require_user(request, "administrator")
    form = await Form.of(request)
    if not form.accepts():
        raise InvalidRequest(str(form.token.errors[0]))
    services = services_of(request)
    await services.setting_up.hang_up(services.phone_systems.get, user)
    return redirect(request, "/setup")


async def _page(request: Request, form: Any) -> Response:
    services = services_of(request)
    progress = await services.setting_up.fresh_progress()
    phones = await services.phone_systems.list_all()
    form.phone_system.choices = [(each.slug, each.name) for each in phones]
    context = {
        "progress": progress,
        "state_of": {step.id: step.state for step in progress.steps},
        "facts": progress.facts,
        "live": setup_of(progress),
        "form": form,
        "several": len(phones) > 1,
        "redirects": _redirects(services),
    }
    return render(request, "setup.html", 422 if form.is_refused else 200, **context)


def _redirects(services: Services) -> dict[str, str]:
    """Return the addresses that Zoho's API console has to know."""
    public = services.settings.public_url.rstrip("/")
    return {purpose: public + path for purpose, path in PATHS.items()}
