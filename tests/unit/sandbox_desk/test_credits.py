"""API credits."""

import pytest

from connector.sandbox.desk.portal import Cost, Credits, weigh
from connector.sandbox.desk.refusals import Refusal
from connector.sandbox.presets import DEMO_ORG_ID, default_config

NOON = 1_767_614_400_000
DAY = 86_400_000


@pytest.mark.parametrize(
    ("cost", "query", "body", "expected"),
    [
        ("record", {}, {}, 1),
        ("page", {}, {}, 3),
        ("page", {"from": 2_000}, {}, 3),
        ("page", {"from": 2_001}, {}, 5),
        ("page", {"from": 10_001}, {}, 10),
        ("page", {"from": 50_001}, {}, 50),
        ("page", {"from": 100_001}, {}, 100),
        ("search", {"id": frozenset({"1"})}, {}, 1),
        ("search", {"id": frozenset({"1", "2"})}, {}, 3),
        ("trash", {}, {"entityIds": ["1", "2"]}, 12),
        ("trash", {}, {"entityIds": None}, 6),
    ],
)
def test_weigh(cost: Cost, query: dict[str, object], body: dict[str, object], expected: int) -> None:
    """The price grows with the offset and with what is trashed."""
    assert weigh(cost, query, body) == expected


def test_a_day_of_credits() -> None:
    """They are spent, refused with the seconds to wait, and new after midnight."""
    config = default_config("http://127.0.0.1:8900")
    config.credits_override = 5
    purse = Credits(config, DEMO_ORG_ID)
    purse.spend(3, NOON)
    with pytest.raises(Refusal) as refused:
        purse.spend(3, NOON + 500)
    assert (refused.value.code, refused.value.headers) == ("THRESHOLD_EXCEEDED", {"Retry-After": "43200"})
    assert purse.left(NOON) == 2
    assert purse.left(NOON + DAY // 2) == 5
