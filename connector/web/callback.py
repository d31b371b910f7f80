"""Read what Zoho sends the browser back with, and trust none of it before it has been checked."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import msgspec
from starlette.requests import Request

from connector.accounts.flows import Back
from connector.errors import NoDeskAccount, Refused, SignInError, StateMismatch
from connector.store.flows import Purpose
from connector.web.services import Services, services_of
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


def home(services: Services) -> DataCenter:
    """Return the data centre where our client is registered, and where every flow begins."""
    return services.data_centers[services.settings.zoho_data_center]


def redirect_uri(services: Services, purpose: Purpose) -> str:
    """Return where Zoho sends the browser back to; from the setting, whatever Host a request names."""
    return services.settings.public_url.rstrip("/") + PATHS[purpose]


async def read(request: Request, purpose: Purpose) -> Callback:
    """Use the flow up and answer what the callback brings.

    Raises Refused, NoDeskAccount, StateMismatch, UnknownDataCenter or UntrustedServer; nothing is sent.
    """
    services, told = services_of(request), request.query_params
    flow = await _take(services, request, purpose)
    if error := told.get("error"):
        # Told even without a flow, for Zoho may leave the state out: a refusal changes nothing.
        raise _ERRORS[error]() if error in _ERRORS else SignInError(f"Zoho reports {error[:40]!r}.")
    if flow is None or not told.get("code"):
        raise StateMismatch("The answer belongs to no attempt that this browser has under way.")
    dc = data_centers.for_callback(
        services.data_centers,
        told.get("location") or flow.location,
        told.get("accounts-server"),
        home(services),
    )
    return Callback(flow=flow, code=told["code"], dc=dc, redirect_uri=redirect_uri(services, purpose))


async def _take(services: Services, request: Request, purpose: Purpose) -> Back | None:
    state = request.query_params.get("state", "")
    browser = services.cookies.flow(request, state) if state else None
    return await services.flows.take(purpose, state=state, browser=browser) if browser else None
