"""Show one phone system: what it is and has, each part with its form, and what is wrong with it."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from connector.clock import to_iso
from connector.errors import InvalidValue, NotFound
from connector.phone_systems.permissions import NOBODY
from connector.phone_systems.setup import Introduction
from connector.phone_systems.warnings import Warnings
from connector.services import Services, services_of
from connector.store import events
from connector.web import countries
from connector.web.api.phone_systems import hearing_of, own_numbers, queues_of
from connector.web.auth import count_request, require_user
from connector.web.languages import gettext as _
from connector.web.pages import phone_texts
from connector.web.pages.phone_forms import PARTS, Part, Whole
from connector.web.pages.phone_systems import show_ready
from connector.web.rendering import redirect, render

UNREAD_SHOWN = 20
BODY_SHOWN = 4_000
"""Characters of a body that could not be read; `connector phones unread` shows all that is kept."""


async def phone_system_page(request: Request) -> Response:
    """Return `GET /phone-systems/{slug}`, or `/{part}` with that part open, and change what a form says."""
    user = await require_user(request, "administrator")
    count_request(request, user.email)
    services, slug = services_of(request), request.path_params["slug"]
    kind = _part(request)
    whole = await _whole(services, slug)
    sent: Any = None
    if kind is not None and request.method == "POST":
        sent = (await kind.of(request, **kind.present(whole))).prepared(whole)
        if sent.accepts():
            try:
                told = await sent.apply(services, slug, user.email)
                return await _done(request, slug, kind.name, told)
            except InvalidValue as problem:
                sent.refuse(problem)
            except NotFound as problem:
                sent.refuse(InvalidValue(str(problem).replace("{", "(").replace("}", ")")))
    forms = {each.name: each.blank(request, whole) for each in PARTS.values()}
    if kind is not None and sent is not None:
        forms[kind.name] = sent
    context = await _context(services, whole) | {"forms": list(forms.values())}
    context["opened"] = None if kind is None else kind.name
    return render(request, "phone_system.html", 200 if sent is None else 422, **context)


def _part(request: Request) -> type[Part] | None:
    name = request.path_params.get("part")
    if name is not None and name not in PARTS:
        raise NotFound("A phone system has no such page.")
    return PARTS[name] if name else None


async def _done(request: Request, slug: str, part: str, told: Warnings | Introduction) -> Response:
    """Go back to the open part and say that it is done, or show a secret that is new."""
    if isinstance(told, Introduction):
        if told.secret:
            return await show_ready(request, told)
        slug, told = told.slug, told.warnings
    said = [_(each.text).format(**each.values) for each in told]
    return redirect(request, f"/phone-systems/{slug}/{part}", " ".join([_("Saved."), *said]))


async def _whole(services: Services, slug: str) -> Whole:
    phone = (await services.phone_systems.find(slug)).phone
    return Whole(
        phone=phone,
        place=await services.recording_places.show(slug),
        departments=await services.departments.names(phone.portal_id),
        portals={each.id: each.name for each in await services.portals.list_portals()},
    )


async def _context(services: Services, whole: Whole) -> dict[str, Any]:
    slug, permissions = whole.phone.slug, services.permissions
    rules, blocked = await permissions.rules(slug), await permissions.blocked(slug)
    caller_ids, phone = await permissions.caller_ids(slug), whole.phone
    counts: dict[str, Any] = {"lines": phone.lines, "queues": phone.queues, "prefixes": phone.prefixes}
    counts |= {"senders": phone.senders, "blocked": blocked, "rules": rules, "caller-ids": caller_ids}
    return {
        "counts": {name: len(each) for name, each in counts.items()},
        "phone": whole.phone,
        "place": whole.place,
        "portals": whole.portals,
        "departments": whole.departments,
        "told": await services.phone_setup.introduction(slug),
        "hearing": await hearing_of(services, slug),
        "states": phone_texts.STATES,
        "unread": await _unread(services, whole.phone.id),
        "lines": own_numbers(whole.phone),
        "queues": queues_of(whole.phone),
        "blocked": blocked,
        "caller_ids": caller_ids,
        "rules": {number: phone_texts.ROLES[role or NOBODY] for number, role in rules.items()},
        "countries": countries.countries(),
        "time_zones": countries.time_zones(),
    }


async def _unread(services: Services, phone_id: int) -> list[dict[str, Any]]:
    found = await services.store.read(lambda c: events.list_unread(c, phone_id, UNREAD_SHOWN))
    return [
        {
            "reason": each.reason,
            "times": each.times,
            "first_at": to_iso(each.first_at),
            "last_at": to_iso(each.last_at),
            "body": each.body.decode("utf-8", "replace")[:BODY_SHOWN],
        }
        for each in found
    ]
