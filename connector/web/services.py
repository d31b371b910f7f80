"""What views reach for: the services of the house, as the composition root puts them together."""

from collections.abc import Mapping
from typing import Protocol, cast

from starlette.requests import Request
from starlette.templating import Jinja2Templates

from connector.accounts import Agents, Flows, Keys, People
from connector.banner.hub import Hub
from connector.banner.links import LinkNews
from connector.clock import Clock
from connector.contacts import Directory
from connector.contacts.hooks import DeskHooks
from connector.contacts.syncing import Syncing
from connector.crypto import Sealer
from connector.maintenance import Clocks, Silence
from connector.metrics import Metrics
from connector.orders import Control
from connector.outbox import Deliverer
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
    directory: Directory
    recordings: Recordings
    desk_hooks: DeskHooks
    hub: Hub
    links: LinkNews
    control: Control
    pipeline: Pipeline
    deliverer: Deliverer
    metrics: Metrics
    silence: Silence
    clocks: Clocks
    syncing: Syncing


def services_of(request: Request) -> Services:
    """Return the house that serves a request."""
    return cast("Services", request.app.state.services)
