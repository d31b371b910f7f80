"""Serve links that are used once: one signs an administrator in, one adds the first administrator.

Programs that look at links before people do only read: nothing is used up before somebody presses a button.
"""

from starlette.requests import Request
from starlette.responses import Response
from wtforms import StringField

from connector.errors import InvalidValue
from connector.services import services_of
from connector.store.users import User
from connector.web.auth import HARMLESS, check_host, check_same_origin, cookies_of, count_stranger
from connector.web.forms import Form, required
from connector.web.languages import lazy
from connector.web.rendering import redirect, render
from connector.web.sign_in import end_former


class LoginLinkForm(Form):
    """Nothing but a button."""


class FirstAdministratorForm(Form):
    """Who the first administrator is."""

    name = StringField(lazy("Your name"), [required()], render_kw={"autocomplete": "name"})
    email = StringField(
        lazy("Your e-mail address"),
        [required()],
        description=lazy("The one that Zoho has of you: you sign in with it from now on."),
        render_kw={"autocomplete": "email", "inputmode": "email"},
    )


async def login_link(request: Request) -> Response:
    """Serve `/login-link/{token}`: a button, then a session of the administrator it was made for."""
    token = _check(request)
    links = services_of(request).links
    await links.check_login(token)
    form = await LoginLinkForm.of(request)
    if request.method == "POST" and form.accepts():
        return await _let_in(request, await links.use_login(token), "/")
    return render(request, "login_link.html", 422 if form.is_refused else 200, form=form)


async def first_administrator(request: Request) -> Response:
    """Serve `/setup/first/{token}`: asks who the first administrator is, adds them and lets them in."""
    token = _check(request)
    links = services_of(request).links
    await links.check_setup(token)
    form = await FirstAdministratorForm.of(request)
    if request.method == "POST" and form.accepts():
        try:
            user = await links.add_first(token, form.name.data, form.email.data)
            return await _let_in(request, user, "/setup")
        except InvalidValue as problem:
            form.refuse(problem)
    return render(request, "first_administrator.html", 422 if form.is_refused else 200, form=form)


def _check(request: Request) -> str:
    """Return the token of a request that may bring one."""
    count_stranger(request)
    check_host(request)
    if request.method not in HARMLESS:
        check_same_origin(request)
    token: str = request.path_params["token"]
    return token


async def _let_in(request: Request, user: User, path: str) -> Response:
    await end_former(request)
    response = redirect(request, path)
    session_id = await services_of(request).sessions.open(user)
    cookies_of(request).set_session(response, session_id)
    return response
