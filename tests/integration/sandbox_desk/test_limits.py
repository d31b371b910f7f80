"""API credits of the day and requests at a time."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from connector.sandbox.desk.times import midnight_after
from tests.integration.sandbox_desk.conftest import Desk, refusal

WEIGHT = "x-rate-limit-request-weight-v3"
LEFT = "x-rate-limit-remaining-v3"


def test_every_answer_tells_its_price_and_what_is_left(desk: Desk) -> None:
    """A record costs one credit, a page or search three, a search by one id one, a refusal at least one."""
    contact = desk.ids("contacts", limit=1)[0]
    prices: list[tuple[str, dict[str, object], int]] = [
        ("contacts", {}, 3),
        ("contacts", {"from": 2_001}, 3),
        ("contacts", {"from": 2_002}, 5),
        ("contacts", {"from": 10_002}, 10),
        ("contacts", {"from": 50_002}, 50),
        ("contacts", {"from": 100_002}, 100),
        (f"contacts/{contact}", {}, 1),
        ("contacts/search", {"lastName": "x"}, 3),
        ("contacts/search", {"id": contact}, 1),
        ("contacts/5", {}, 1),
        ("contacts", {"nosuch": 1}, 1),
    ]
    left = int(desk.get("myinfo").headers[LEFT])
    for path, query, price in prices:
        answer = desk.get(path, **query)
        left -= price
        assert (answer.headers[WEIGHT], answer.headers[LEFT]) == (str(price), str(left)), path


def test_credits_follow_edition_and_agents(desk: Desk) -> None:
    """Enterprise with six agents has 106,000 a day, Express 25,600."""
    assert desk.get("myinfo").headers[LEFT] == str(106_000 - 1)
    desk.org.edition = "Express"
    assert desk.get("myinfo").headers[LEFT] == str(25_600 - 2)


def test_threshold_until_midnight(desk: Desk) -> None:
    """When the day's credits are gone, Desk says for how long; at 00:00 of its zone there are new ones."""
    desk.config.time_zone = "Europe/Berlin"
    desk.state.use_up_credits(desk.org.org_id, leave=2)
    assert desk.get("contacts").status_code == 429
    assert desk.get("myinfo").headers[LEFT] == "1"
    assert desk.get("myinfo").status_code == 200
    answer = desk.get("myinfo")
    assert refusal(answer) == (429, "THRESHOLD_EXCEEDED")
    assert answer.headers[LEFT] == "0"
    wait = (midnight_after(desk.now, "Europe/Berlin") - desk.now) // 1000
    assert answer.headers["retry-after"] == str(wait)
    desk.config.threshold_retry_after = False
    assert "retry-after" not in desk.get("myinfo").headers
    desk.sandbox.state.clock.advance(wait)
    desk.token = desk.grant()
    assert desk.get("myinfo").status_code == 200


def test_no_record_is_written_without_credits(desk: Desk) -> None:
    """A refused POST has not been applied."""
    desk.state.use_up_credits(desk.org.org_id)
    assert desk.post("calls", desk.call_body()).status_code == 429
    assert list(desk.portal.calls.everything()) == []


@pytest.mark.parametrize("allowed", [1, 3])
def test_concurrency(desk: Desk, allowed: int) -> None:
    """Requests under way are counted with their latency; what exceeds the edition's number is refused."""
    desk.config.concurrency_override = allowed
    desk.config.latency_ms = 250
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: desk.call("GET", "myinfo"), range(6)))
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) == 6 - allowed
    assert {refusal(answer) for answer in refused} == {(429, "TOO_MANY_REQUESTS")}
    assert all("retry-after" not in answer.headers for answer in refused)
    assert desk.call("GET", "myinfo").status_code == 200


def test_concurrency_is_per_portal(desk: Desk) -> None:
    """Whoever has no valid token is not refused for another's requests, but for the token."""
    desk.config.concurrency_override = 0
    assert refusal(desk.get("myinfo")) == (429, "TOO_MANY_REQUESTS")
    assert refusal(desk.call("GET", "myinfo", token="bad")) == (401, "INVALID_OAUTH")
    assert desk.http.get("/desk/contacts").status_code == 200
