"""What the sandbox is made of."""

import re

import pytest

from connector.sandbox.config import EDITIONS, EditionName
from connector.sandbox.presets import DEMO_CLIENT_ID, DEMO_ORG_ID, client_secret, default_config, demo_config


def test_shapes_of_the_demo_client() -> None:
    """Client id and secret look like Zoho's."""
    assert re.fullmatch(r"1000\.[A-Z0-9]{30}", DEMO_CLIENT_ID)
    assert re.fullmatch(r"[0-9a-f]{42}", client_secret(DEMO_CLIENT_ID, "us"))


def test_demo_has_two_data_centers_on_one_port() -> None:
    """The demo's data centres are told apart by name."""
    config = demo_config(8900, redirect_uris=["http://127.0.0.1:8000/oauth/callback"])
    assert [(c.location, c.accounts) for c in config.data_centers] == [
        ("us", "http://127.0.0.1:8900"),
        ("eu", "http://localhost:8900"),
    ]
    assert config.clients[0].redirect_uris == ["http://127.0.0.1:8000/oauth/callback"]


def test_host_tells_the_data_center() -> None:
    """A Host header names a data centre; one that is not known means home."""
    config = demo_config(8900)
    assert config.data_center_of_host("localhost:8900").location == "eu"
    assert config.data_center_of_host("127.0.0.1:8900").location == "us"
    assert config.data_center_of_host("elsewhere").location == "us"
    with pytest.raises(KeyError):
        config.data_center("mars")


def test_secrets_per_data_center_or_one() -> None:
    """By default each data centre has its own secret; with the switch off, home's is for all."""
    config = demo_config(8900)
    client = config.clients[0]
    assert config.secret_of(client, "eu") not in (None, client.secret)
    assert config.secret_of(client, "in") is None
    config.secret_per_data_center = False
    assert config.secret_of(client, "eu") == client.secret


def test_united_kingdom_has_no_desk() -> None:
    """People of a data centre without Desk have no portal."""
    config = default_config("http://a", other_origins={"uk": "http://b"})
    assert config.data_center("uk").desk is None
    assert [user.orgs for user in config.users if user.location == "uk"] == [[]] * 7


@pytest.mark.parametrize(
    ("edition", "credits_a_day", "concurrency"),
    [
        ("Free", 5_000, 5),
        ("Express", 25_600, 10),
        ("Standard", 51_500, 10),
        ("Professional", 78_000, 15),
        ("Enterprise", 106_000, 25),
    ],
)
def test_limits_by_edition(edition: EditionName, credits_a_day: int, concurrency: int) -> None:
    """Six agents in each edition: base plus so much an agent."""
    config = default_config("http://a")
    config.orgs[0].edition = edition
    assert edition in EDITIONS
    assert config.daily_credits(DEMO_ORG_ID) == credits_a_day
    assert config.concurrency(DEMO_ORG_ID) == concurrency


def test_limits_overridden() -> None:
    """Both limits can be set outright; an unknown portal has none."""
    config = default_config("http://a")
    assert (config.daily_credits("1"), config.concurrency("1")) == (0, 0)
    config.credits_override, config.concurrency_override = 7, 3
    assert (config.daily_credits(DEMO_ORG_ID), config.concurrency(DEMO_ORG_ID)) == (7, 3)
