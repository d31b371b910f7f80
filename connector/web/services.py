"""What views reach for: the services of the house, as the composition root puts them together."""

from collections.abc import Mapping
from typing import Protocol, cast

from starlette.requests import Request
from starlette.templating import Jinja2Templates

from connector.accounts import Agents, Flows, Keys, People
from connector.banner.hub import Hub
from connector.banner.links import LinkNews
from connector.clock import Clock
from connector.contacts import ContactLookup
from connector.contacts.sync import ContactSync
from connector.contacts.webhooks import DeskHooks
from connector.crypto import Sealer
from connector.delivery import Deliverer
from connector.maintenance import ClockSkew, Silence
from connector.metrics import Metrics
from connector.orders import Control
from connector.phone_systems import PhoneSystems
from connector.pipeline import Pipeline
from connector.portals import Portals
from connector.recordings import Recordings
from connector.settings import Settings
from connector.store import Store
from connector.web.cookies import Cookies
from connector.web.limiter import Limiter
from connector.zoho.data_centers import DataCenter
from connector.zoho.oauth import OAuth


class Services(Protocol):
    """The services that requests are served with."""

    settings: Settings
    clock: Clock
    store: Store
    sealer: Sealer
    people: People
    agents: Agents
    keys: Keys
    flows: Flows
    portals: Portals
    oauth: OAuth
    data_centers: Mapping[str, DataCenter]
    cookies: Cookies
    limiter: Limiter
    templates: Jinja2Templates
    phone_systems: PhoneSystems
    contact_lookup: ContactLookup
    recordings: Recordings
    desk_hooks: DeskHooks
    hub: Hub
    links: LinkNews
    control: Control
    pipeline: Pipeline
    deliverer: Deliverer
    metrics: Metrics
    silence: Silence
    clocks: ClockSkew
    syncing: ContactSync


def services_of(request: Request) -> Services:
    """Return the house that serves a request."""
    return cast("Services", request.app.state.services)
