"""Dead letters by command."""

from functools import partial

import pytest
from sqlalchemy import Connection, update

from connector.store import Store, attempts, outbox
from connector.store.attempts import Attempt
from connector.store.outbox import Wanted
from connector.store.tables import outbox as table
from tests.integration.cli.conftest import Shell


def die(connection: Connection, row_id: int, reason: str, sent_at: int | None) -> None:
    """Let a delivery be given up."""
    values = {"state": "dead", "reason": reason, "detail": "phone: too long", "sent_at": sent_at}
    connection.execute(update(table).where(table.c.id == row_id).values(values))


def stand(shell: Shell, row_id: int, state: str, **values: int) -> None:
    """Let a delivery be in a state."""
    lease = {"owner": "me", "lease_until": 1} if state == "sending" else {"owner": None, "lease_until": None}
    store = Store.open(shell.database_url)
    changing = update(table).where(table.c.id == row_id).values(state=state, **lease, **values)
    store.write_now(lambda connection: connection.execute(changing))
    store.close()


@pytest.fixture
def dead_ids(shell: Shell, portal_id: int) -> list[int]:
    """Have two dead letters: one refused, one of which nobody knows whether it was applied."""
    store = Store.open(shell.database_url)
    wanted = [
        Wanted(portal_id=portal_id, kind="contact", key=key, call_id=None, record=b"{}", due_at=1)
        for key in ("+33123456789", "+33123456790")
    ]
    store.write_now(lambda connection: outbox.want(connection, wanted, 1))
    rows = store.read_now(lambda connection: outbox.list_rows(connection, "due"))
    ids = sorted(row.id for row in rows)
    for row_id, reason, sent_at in zip(ids, ("invalid_data", "outcome_unknown"), (None, 5), strict=True):
        store.write_now(partial(die, row_id=row_id, reason=reason, sent_at=sent_at))
    store.close()
    return ids


def states(shell: Shell) -> dict[int, str]:
    """Return the state of every delivery."""
    kinds = ("due", "sending", "unknown", "done", "dead", "dropped")
    return {each["id"]: kind for kind in kinds for each in shell.json("deliveries", "list", "--state", kind)}


def test_lists_reason_and_remedy(shell: Shell, dead_ids: list[int]) -> None:
    """A dead letter says what went wrong and what to do."""
    listed = {each["id"]: each for each in shell.json("deliveries", "list")}
    assert listed[dead_ids[0]]["detail"] == "phone: too long"
    assert f"connector deliveries retry {dead_ids[0]}" in listed[dead_ids[0]]["remedy"]
    assert "--absent" in listed[dead_ids[1]]["remedy"]
    assert "invalid_data" in shell.ok("deliveries", "list")
    assert shell.ok("deliveries", "list", "--state", "done") == "No delivery is done.\n"


def test_retries_one(shell: Shell, dead_ids: list[int]) -> None:
    """One dead letter is due again, the other stays; the audit knows."""
    assert shell.ok("deliveries", "retry", str(dead_ids[0])) == "Tried again: 1.\n"
    assert states(shell) == {dead_ids[0]: "due", dead_ids[1]: "dead"}
    assert shell.json("audit")[0]["subject"] == "contact +33***89"


def test_what_may_have_been_applied_is_looked_for(shell: Shell, dead_ids: list[int]) -> None:
    """Without a person's word it is looked for first, with it it is sent."""
    shell.ok("deliveries", "retry", "--all")
    assert states(shell) == {dead_ids[0]: "due", dead_ids[1]: "unknown"}


def test_a_person_may_say_that_it_is_absent(shell: Shell, dead_ids: list[int]) -> None:
    """Who has looked in Desk spares the search."""
    shell.ok("deliveries", "retry", "--absent", str(dead_ids[1]))
    assert states(shell)[dead_ids[1]] == "due"
    assert shell.json("audit")[0]["detail"] == "found absent by a person"


def test_one_that_is_gone_stops_no_other(shell: Shell, dead_ids: list[int]) -> None:
    """An id that is no delivery's is named, and the others are tried."""
    said = shell.refused("deliveries", "retry", "777", str(dead_ids[0]))
    assert "There is no delivery 777. Tried again: 1." in said
    assert states(shell)[dead_ids[0]] == "due"


@pytest.mark.parametrize("state", ["due", "unknown", "dead"])
def test_helps_in_any_state_but_sending(shell: Shell, dead_ids: list[int], state: str) -> None:
    """What goes on by itself can be hurried or given up as well; what is being sent, or is there, cannot."""
    row_id = dead_ids[0]
    stand(shell, row_id, state)
    assert shell.ok("deliveries", "retry", str(row_id)) == "Tried again: 1.\n"
    stand(shell, row_id, state)
    assert shell.ok("deliveries", "drop", str(row_id), "Paid otherwise") == f"Dropped: {row_id}.\n"
    for busy, why in (("sending", "being sent"), ("done", "is in Desk")):
        stand(shell, row_id, busy)
        assert why in shell.refused("deliveries", "retry", str(row_id))
        assert why in shell.refused("deliveries", "drop", str(row_id), "Paid otherwise")


def test_an_unknown_outcome_keeps_its_time(shell: Shell, dead_ids: list[int]) -> None:
    """What may still be applied is neither looked for nor sent before Desk has had its time."""
    row_id = dead_ids[1]
    stand(shell, row_id, "unknown", due_at=9_999_999_999_999)
    for words in ((), ("--absent",)):
        shell.ok("deliveries", "retry", str(row_id), *words)
        assert shell.json("deliveries", "show", str(row_id))["due_at"].startswith("2286-")


def test_all_of_none(shell: Shell) -> None:
    """Nothing to retry is no failure."""
    assert shell.ok("deliveries", "retry", "--all") == "Tried again: 0.\n"


def test_shows_one_whole(shell: Shell, dead_ids: list[int]) -> None:
    """What shall be in Desk, and what is known of what was sent."""
    shown = shell.json("deliveries", "show", str(dead_ids[1]))
    assert (shown["wanted"], shown["sent"], shown["reason"]) == ("{}", None, "outcome_unknown")
    assert shown["sent_at"] is not None
    assert "777" in shell.refused("deliveries", "show", "777")


def test_shows_what_desk_answered_and_no_secret(shell: Shell, dead_ids: list[int]) -> None:
    """Each request with its answer; of a recording's address no more than the host."""
    store = Store.open(shell.database_url)
    wanted = b'{"recordingUrl":"https://pbx.example.com/r?key=secret"}'
    changing = update(table).where(table.c.id == dead_ids[0]).values(wanted=wanted)
    store.write_now(lambda connection: connection.execute(changing))
    told = Attempt(at=5, milliseconds=9, operation="POST /contacts", revision=1, status=422)
    store.write_now(lambda connection: attempts.add(connection, [(dead_ids[0], told)]))
    store.close()
    shown = shell.json("deliveries", "show", str(dead_ids[0]))
    assert [(each["number"], each["status"]) for each in shown["requests"]] == [(1, 422)]
    assert shown["wanted"] == '{"recordingUrl":"https://pbx.example.com/***"}'
    assert "POST /contacts" in shell.ok("deliveries", "show", str(dead_ids[0]))


def test_drops_for_good(shell: Shell, dead_ids: list[int]) -> None:
    """A dropped one is no dead letter any more, but can still be retried; the audit knows both."""
    assert shell.ok("deliveries", "drop", str(dead_ids[0]), " Not  ours ") == f"Dropped: {dead_ids[0]}.\n"
    assert states(shell) == {dead_ids[0]: "dropped", dead_ids[1]: "dead"}
    entry = shell.json("audit")[0]
    assert (entry["action"], entry["detail"]) == ("delivery.dropped", "Not ours; invalid_data")
    assert str(dead_ids[0]) in shell.refused("deliveries", "drop", str(dead_ids[0]), "Again")
    shell.ok("deliveries", "retry", str(dead_ids[0]))
    assert states(shell)[dead_ids[0]] == "due"
