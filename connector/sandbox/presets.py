"""Ready-made configurations: one portal, invented people, one client with a known id."""

import hashlib
from collections.abc import Mapping, Sequence

from connector.sandbox.config import Client, Config, DataCenter, Org, User

DEMO_CLIENT_ID = "1000.SANDBOX0CONNECTOR0DEMO0CLIENT0"
SECOND_CLIENT_ID = "1000.SANDBOX0CONNECTOR0OTHER0CLIENT"
SELF_CLIENT_ID = "1000.SANDBOX0CONNECTOR0SELF0CLIENT0"
DEMO_ORG_ID = "600000001"

_DOMAINS = {"us": "com", "eu": "eu", "in": "in", "au": "com.au", "jp": "jp", "ca": "ca", "uk": "uk"}
_NAMES = {"us": "United States", "eu": "Europe", "in": "India", "au": "Australia", "jp": "Japan"}
_WITHOUT_DESK = frozenset({"uk"})

_AGENTS = (
    ("Ada", "Fontaine"),
    ("Bruno", "Keller"),
    ("Chiara", "Okafor"),
    ("Dmitri", "Larsen"),
    ("Esra", "Whitfield"),
    ("Femi", "Novak"),
)


def client_secret(client_id: str, location: str) -> str:
    """Return the secret this sandbox gives a client in a data centre: 42 hexadecimal digits."""
    return hashlib.sha256(f"{client_id}@{location}".encode()).hexdigest()[:42]


def data_center(location: str, origin: str) -> DataCenter:
    """Make a data centre whose accounts and Desk both answer at `origin`."""
    return DataCenter(
        location=location,
        accounts=origin,
        desk=None if location in _WITHOUT_DESK else origin,
        api_domain=f"https://www.zohoapis.{_DOMAINS.get(location, location)}",
        name=_NAMES.get(location, location.upper()),
    )


def default_config(
    origin: str,
    *,
    redirect_uris: Sequence[str] = (),
    other_origins: Mapping[str, str] | None = None,
) -> Config:
    """Make a configuration whose home data centre (us) answers at `origin`.

    `other_origins` maps further locations to their origins. Each data centre with Desk holds one portal
    of the Enterprise edition with six agents and one person without a seat; the ids of home come first.
    """
    centers = [data_center("us", origin)]
    centers += [data_center(place, address) for place, address in (other_origins or {}).items()]
    config = Config(data_centers=centers, clients=[], users=[], orgs=[])
    for number, center in enumerate(centers):
        _populate(config, center, number)
    config.clients.append(_client(config, DEMO_CLIENT_ID, redirect_uris))
    config.clients.append(_client(config, SECOND_CLIENT_ID, redirect_uris, name="Second connector"))
    config.clients.append(_client(config, SELF_CLIENT_ID, (), name="Self Client", is_self_client=True))
    return config


def demo_config(port: int, *, redirect_uris: Sequence[str] = ()) -> Config:
    """Make the configuration of the demo: `us` at 127.0.0.1 and `eu` at localhost, on one port."""
    others = {"eu": f"http://localhost:{port}"}
    return default_config(f"http://127.0.0.1:{port}", redirect_uris=redirect_uris, other_origins=others)


def _client(
    config: Config,
    client_id: str,
    redirect_uris: Sequence[str],
    *,
    name: str = "Connector",
    is_self_client: bool = False,
) -> Client:
    secrets = {c.location: client_secret(client_id, c.location) for c in config.data_centers}
    home = config.data_centers[0].location
    return Client(
        client_id=client_id,
        secret=secrets[home],
        secrets=secrets,
        redirect_uris=list(redirect_uris),
        name=name,
        is_self_client=is_self_client,
    )


def _populate(config: Config, center: DataCenter, number: int) -> None:
    """Give a data centre its people and, where Desk exists, its portal."""
    orgs: list[str] = []
    if center.desk is not None:
        org = Org(
            org_id=str(int(DEMO_ORG_ID) + number),
            name=f"Harbour & Hill ({center.location.upper()})",
            location=center.location,
        )
        config.orgs.append(org)
        orgs = [org.org_id]
    suffix = "" if number == 0 else f".{center.location}"
    for index, (first, last) in enumerate((*_AGENTS, ("Nils", "Seatless"))):
        config.users.append(
            User(
                zuid=str(675_000_001 + 1_000 * number + index),
                email=f"{first.lower()}{suffix}@example.com",
                first_name=first,
                last_name=last,
                location=center.location,
                orgs=orgs if index < len(_AGENTS) else [],
            )
        )
