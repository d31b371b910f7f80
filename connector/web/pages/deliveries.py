"""Show what has not reached Desk and why; let administrators try it again, or give it up."""

from typing import Any, get_args
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from wtforms import BooleanField, StringField

from connector.errors import InvalidValue, NotNow
from connector.follow_up.deliveries import REASON_AT_MOST
from connector.follow_up.sections import RECORD_WORDS
from connector.outbox.by_hand import RETRIED_AT_MOST
from connector.services import services_of
from connector.store.outbox import DROPPED, RETRIED, Counted, State
from connector.web.api.deliveries import DeliveriesAsked, cursor_of, deliveries
from connector.web.api.operation import query_of
from connector.web.auth import count_request, require_user
from connector.web.forms import Form
from connector.web.languages import gettext as _
from connector.web.languages import lazy
from connector.web.rendering import redirect, render

STATE_NAMES: dict[State, Any] = {
    "dead": lazy("Refused: waits for a person"),
    "due": lazy("On its way"),
    "sending": lazy("Being sent"),
    "unknown": lazy("Sent without an answer: is looked for"),
    "dropped": lazy("Given up"),
    "done": lazy("In Desk"),
}


class RetryForm(Form):
    """A retry, and whether somebody has looked."""

    absent = BooleanField(lazy("I looked in Zoho Desk: the record is not there"))


class DropForm(Form):
    """Why a delivery is given up."""

    reason = StringField(
        lazy("Why it shall never be in Desk"),
        description=lazy("The audit keeps it."),
        render_kw={"required": True, "maxlength": REASON_AT_MOST, "autocomplete": "off"},
    )


async def deliveries_page(request: Request) -> Response:
    """Return `GET /deliveries`: those in a state, of a portal, with a reason, and how many there are."""
    user = await _supervisor(request)
    services, asked = services_of(request), query_of(request, DeliveriesAsked)
    found = await deliveries(services, asked)
    kept = {"state": asked.state, "portal_id": asked.portal_id or "", "reason": asked.reason}
    further = urlencode({name: value for name, value in kept.items() if value})
    counts = await services.deliveries.counts()
    context: dict[str, Any] = {
        "rows": found.rows,
        "asked": asked,
        "further_on": f"/deliveries?{further}&cursor={cursor_of(found.next)}" if found.next else "",
        "portals": {each.id: each.name for each in await services.portals.list_portals()},
        "states": STATE_NAMES,
        "counts": _by_state(counts),
        "reasons": sorted({each.reason for each in counts if each.reason} | ({asked.reason} - {""})),
        "may_change": user.role == "administrator",
    }
    return render(request, "deliveries.html", **context)


def _by_state(counts: list[Counted]) -> dict[str, int]:
    """Return how many are in each state but in Desk, where they are too many to be counted each time."""
    return {
        state: sum(each.count for each in counts if each.state == state)
        for state in get_args(State)
        if state != "done"
    }


async def delivery_page(request: Request) -> Response:
    """Return `GET /deliveries/{id}`: how it stands, what Desk answered each time, what it waits for."""
    user = await _supervisor(request)
    found = await services_of(request).deliveries.show(request.path_params["id"])
    remedy = _(found.remedy.text).format(due=found.remedy.due) if found.remedy.text else ""
    may_change = user.role == "administrator"
    context: dict[str, Any] = {
        "found": found,
        "row": found.row,
        "seen": found.seen,
        "remedy": remedy,
        "states": STATE_NAMES,
        "words": RECORD_WORDS,
        "may_retry": may_change and found.row.state in RETRIED,
        "may_drop": may_change and found.row.state in DROPPED,
    }
    return render(request, "delivery.html", **context)


async def retry_page(request: Request) -> Response:
    """Ask before a delivery is tried again, and do it: `/deliveries/{id}/retry`."""
    user = await _administrator(request)
    row_id, services = request.path_params["id"], services_of(request)
    found = await services.deliveries.show(row_id)
    form = await RetryForm.of(request)
    if request.method == "POST" and form.accepts():
        try:
            await services.deliveries.retry(row_id, absent=form.absent.data, actor=user.email)
            return redirect(request, f"/deliveries/{row_id}", _("It is tried again."))
        except NotNow as problem:
            form.form_errors = [*form.form_errors, str(problem)]
    will = [_("It is sent as soon as its turn comes.")]
    if found.row.sent_at is not None:
        will.append(
            _(
                "It may be in Desk already: it is looked for first, unless you say that you have looked. "
                "If it is there all the same, there will be two."
            )
        )
    return _confirmation(
        request,
        form,
        title=_("Try delivery {id} again?").format(id=row_id),
        will=will,
        fields=["absent"],
        label=_("Try delivery {id} again").format(id=row_id),
        back=f"/deliveries/{row_id}",
    )


async def drop_page(request: Request) -> Response:
    """Ask why a delivery is given up, and do it: `/deliveries/{id}/drop`."""
    user = await _administrator(request)
    row_id, services = request.path_params["id"], services_of(request)
    await services.deliveries.show(row_id)
    form = await DropForm.of(request)
    if request.method == "POST" and form.accepts():
        try:
            await services.deliveries.drop(row_id, form.reason.data or "", actor=user.email)
            return redirect(request, f"/deliveries/{row_id}", _("It is given up."))
        except InvalidValue as problem:
            form.refuse(problem)
        except NotNow as problem:
            form.form_errors = [*form.form_errors, str(problem)]
    return _confirmation(
        request,
        form,
        title=_("Give delivery {id} up?").format(id=row_id),
        will=[
            _("It never reaches Desk, whatever comes of its call later."),
            _("Calls that wait for a contact that is given up are shown as refused."),
            _("Whoever thinks better of it can still try it again."),
        ],
        fields=["reason"],
        label=_("Give delivery {id} up").format(id=row_id),
        back=f"/deliveries/{row_id}",
    )


async def retry_all_page(request: Request) -> Response:
    """Ask before all dead letters are tried again, and do it: `/deliveries/retry`."""
    user = await _administrator(request)
    services, form = services_of(request), await RetryForm.of(request)
    if request.method == "POST" and form.accepts():
        count = await services.deliveries.retry_all(absent=form.absent.data, actor=user.email)
        return redirect(request, "/deliveries", _("Tried again: {count}.").format(count=count))
    dead = _by_state(await services.deliveries.counts())["dead"]
    return _confirmation(
        request,
        form,
        title=_("Try all that Desk refused again?"),
        will=[
            _("{count} deliveries are tried again, {most} at a time at most, the latest first.").format(
                count=dead, most=RETRIED_AT_MOST
            ),
            _("What may be in Desk already is looked for first, unless you say that you have looked."),
        ],
        fields=["absent"],
        label=_("Try them all again"),
        back="/deliveries",
    )


async def _supervisor(request: Request) -> Any:
    user = await require_user(request, "supervisor")
    count_request(request, user.email)
    return user


async def _administrator(request: Request) -> Any:
    user = await require_user(request, "administrator")
    count_request(request, user.email)
    return user


def _confirmation(request: Request, form: Form, **context: Any) -> Response:
    return render(request, "confirm.html", 422 if form.is_refused else 200, form=form, **context)
