"""What views reach for: the services of the house, as the composition root puts them together."""

from collections.abc import Mapping
from typing import Protocol, cast

from starlette.requests import Request
from starlette.templating import Jinja2Templates

from connector.control import Control
from connector.delivery import Deliverer
from connector.directory import Directory
from connector.directory.hooks import DeskHooks
from connector.directory.syncing import Syncing
from connector.feed import Feed
from connector.keeping import Clocks, Silence
from connector.links import LinkNews
from connector.metrics import Metrics
from connector.people import Agents, Flows, Keys, People
from connector.phone_systems import PhoneSystems
from connector.portals import Portals
from connector.recordings import Recordings
from connector.road import Road
from connector.sealing import Sealer
from connector.settings import Settings
from connector.store import Store
from connector.times import Clock
from connector.web.cookies import Cookies
from connector.web.limiter import Limiter
from connector.zoho.data_centers import DataCenter
from connector.zoho.oauth import OAuth


class House(Protocol):
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
    feed: Feed
    links: LinkNews
    control: Control
    road: Road
    deliverer: Deliverer
    metrics: Metrics
    silence: Silence
    clocks: Clocks
    syncing: Syncing


def house_of(request: Request) -> House:
    """Answer the house that serves a request."""
    return cast("House", request.app.state.house)
