"""Read what Zoho sends the browser back with, and trust none of it before it has been checked."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import msgspec
from starlette.requests import Request

from connector.errors import NoDeskAccount, Refused, SignInError, StateMismatch
from connector.people.flows import Back
from connector.store.flows import Purpose
from connector.web.house import House, house_of
from connector.zoho import data_centers
from connector.zoho.data_centers import DataCenter

PATHS: Mapping[Purpose, str] = MappingProxyType({"sign_in": "/login/callback", "link": "/oauth/callback"})

_ERRORS: Mapping[str, Callable[[], SignInError]] = MappingProxyType(
    {
        "access_denied": lambda: Refused("Zoho reports that the consent was refused."),
        "no_org": lambda: NoDeskAccount("Zoho reports that you have no account in Zoho Desk."),
    }
)


class Callback(msgspec.Struct, frozen=True, kw_only=True):
    """A callback that holds: a code for this flow, to be exchanged at this data centre."""

    flow: Back
    code: str
    dc: DataCenter
    redirect_uri: str


def home(house: House) -> DataCenter:
    """Answer the data centre where our client is registered, and where every flow begins."""
    return house.data_centers[house.settings.zoho_data_center]


def redirect_uri(house: House, purpose: Purpose) -> str:
    """Answer where Zoho sends the browser back to; from the setting, whatever Host a request names."""
    return house.settings.public_url.rstrip("/") + PATHS[purpose]


async def read(request: Request, purpose: Purpose) -> Callback:
    """Use the flow up and answer what the callback brings.

    Raises Refused, NoDeskAccount, StateMismatch, UnknownDataCenter or UntrustedServer; nothing is sent.
    """
    house, told = house_of(request), request.query_params
    flow = await _take(house, request, purpose)
    if error := told.get("error"):
        # Told even without a flow, for Zoho may leave the state out: a refusal changes nothing.
        raise _ERRORS[error]() if error in _ERRORS else SignInError(f"Zoho reports {error[:40]!r}.")
    if flow is None or not told.get("code"):
        raise StateMismatch("The answer belongs to no attempt that this browser has under way.")
    dc = data_centers.for_callback(
        house.data_centers, told.get("location") or flow.location, told.get("accounts-server"), home(house)
    )
    return Callback(flow=flow, code=told["code"], dc=dc, redirect_uri=redirect_uri(house, purpose))


async def _take(house: House, request: Request, purpose: Purpose) -> Back | None:
    state = request.query_params.get("state", "")
    browser = house.cookies.flow(request, state) if state else None
    return await house.flows.take(purpose, state=state, browser=browser) if browser else None
