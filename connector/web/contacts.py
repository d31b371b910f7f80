"""Return who a number belongs to, and who is called so: for the banner's search box and for programs."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from connector.contacts import Contact, Place
from connector.crm import EVERYONE, Profile
from connector.crm.seeing import seen_contacts, sees_names
from connector.errors import InvalidRequest
from connector.numbers import read
from connector.services import Services, services_of
from connector.web.auth import Caller, require_api
from connector.web.bodies import NO_NUL, json_response

NO_STORE = {"Cache-Control": "no-store"}
TYPED_AT_MOST = 100
"""Characters of a number that are read."""


class ContactView(msgspec.Struct, frozen=True):
    """A contact as the API shows it."""

    id: str
    name: str
    account: str | None
    url: str


class LookupResult(msgspec.Struct, frozen=True):
    """What a look-up came to; `number` is as it was asked, `source` who said so."""

    number: str
    e164: str | None
    contacts: tuple[ContactView, ...]
    source: str


class SearchedContact(ContactView, frozen=True):
    """A contact as a search shows it: with its numbers as somebody typed them."""

    phone: str | None
    mobile: str | None


class SearchResult(msgspec.Struct, frozen=True):
    """What a search came to."""

    contacts: tuple[SearchedContact, ...]


async def lookup(request: Request) -> Response:
    """Return `GET /api/contacts/lookup?number=`: `{number, e164, contacts, source}`.

    `phone` (slug), `portal` (id) and `country` say where the number is at home; see `contacts.Place`.
    """
    caller = await require_api(request, by_portal=True)
    services, text = services_of(request), _required(request, "number")
    place = await _place(services, request)
    caller.check_portal(place.portal_id)
    profile = await _profile(services, caller)
    if not profile.sees_object(place.portal_id, "contacts"):
        e164 = read(text[:TYPED_AT_MOST], place.country).e164
        return json_response(LookupResult(text, e164, (), "skipped"), headers=NO_STORE)
    number, found = await services.contact_lookup.look_up_typed(place, text, caller=caller.name)
    contacts = tuple(_contact(one) for one in seen_contacts(profile, place.portal_id, found.contacts))
    return json_response(LookupResult(text, number.e164, contacts, found.source), headers=NO_STORE)


async def search(request: Request) -> Response:
    """Return `GET /api/contacts/search?text=`: `{contacts}`, by name or number; at most 10."""
    caller = await require_api(request, by_portal=True)
    services, text = services_of(request), _required(request, "text")
    place = await _place(services, request)
    caller.check_portal(place.portal_id)
    profile = await _profile(services, caller)
    found: tuple[Contact, ...] = ()
    if _may_search(profile, place, text):
        found = await services.contact_lookup.search(
            place.portal_id, text, country=place.country, caller=caller.name
        )
    seen = seen_contacts(profile, place.portal_id, found)
    return json_response(SearchResult(tuple(_searched_contact(one) for one in seen)), headers=NO_STORE)


async def _profile(services: Services, caller: Caller) -> Profile:
    """Return the profile that somebody works with; programs are no people and see what they always saw."""
    return EVERYONE if caller.user is None else await services.profiles.active(caller.user.id)


def _may_search(profile: Profile, place: Place, text: str) -> bool:
    """Tell whether Desk is asked: what a profile hides is not found out by searching for parts of it."""
    if not profile.sees_object(place.portal_id, "contacts"):
        return False
    if any(letter.isalpha() for letter in text):
        return sees_names(profile, place.portal_id)
    is_whole = read(text[:TYPED_AT_MOST], place.country).e164 is not None
    return is_whole or all(profile.sees(place.portal_id, "contacts", each) for each in ("phone", "mobile"))


async def _place(services: Services, request: Request) -> Place:
    asked = request.query_params
    if any("\x00" in value for value in asked.values()):
        raise InvalidRequest(NO_NUL)
    portal = asked.get("portal")
    if portal is not None and not (portal.isascii() and portal.isdigit() and len(portal) <= 18):
        raise InvalidRequest("portal must be a portal's number.")
    return await services.contact_lookup.place(
        portal=None if portal is None else int(portal), phone=asked.get("phone"), country=asked.get("country")
    )


def _required(request: Request, name: str) -> str:
    value = request.query_params.get(name, "").strip()
    if not value:
        raise InvalidRequest(f"{name} is missing: say what to look for.")
    return value


def _contact(found: Contact) -> ContactView:
    return ContactView(found.id, found.name, found.account, found.url)


def _searched_contact(found: Contact) -> SearchedContact:
    return SearchedContact(found.id, found.name, found.account, found.url, found.phone, found.mobile)
