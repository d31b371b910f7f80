"""What Desk refuses a portal, by command."""

from connector.portals.rights import Rights, rights_to_json
from connector.store import Store, portals, refusals
from connector.store.refusals import Refusal
from connector.zoho.scopes import LINKING, names
from tests.integration.cli.conftest import Shell


def test_lists_and_shows_what_is_refused(shell: Shell, portal_id: int) -> None:
    """The list says that something is wrong, one portal's page what and how to mend it."""
    assert shell.json("portals", "list")[0]["refused"] == []
    store = Store.open(shell.database_url)
    refusal = Refusal(
        portal_id=portal_id, work="change", reason="forbidden", detail="PATCH /calls: 403", refused_at=0
    )
    store.write_now(lambda c: refusals.refused(c, refusal))
    store.close()
    assert shell.json("portals", "list")[0]["refused"] == ["Desk refuses changing call records (forbidden)"]
    (shown,) = shell.json("portals", "show", str(portal_id))["refused"]
    assert "edit calls" in shown["remedy"]
    assert shown["detail"] == "PATCH /calls: 403"
    assert "edit calls" in shell.ok("portals", "show", str(portal_id))


def test_what_is_refused_and_what_stands_in_the_way_meet(shell: Shell, portal_id: int) -> None:
    """One thing is told once, with the remedy of its kind: a light agent wants a licence, no permission."""
    store = Store.open(shell.database_url)
    rights = rights_to_json(Rights(agent="Ada", is_light=True, permissions={"calls.create": True}))
    scopes = " ".join(names(LINKING))
    store.write_now(lambda c: portals.change(c, portal_id, rights=rights, scopes=scopes))
    refusal = Refusal(portal_id=portal_id, work="call", reason="forbidden", detail="403", refused_at=0)
    store.write_now(lambda c: refusals.refused(c, refusal))
    store.close()
    (listed,) = shell.json("portals", "list")
    assert listed["refused"] == ["Desk refuses writing call records (forbidden)"]
    assert [each for each in listed["in_the_way"] if not each.startswith("Not known")] == [
        "Making contacts",
        "Changing call records",
    ]
    told = shell.ok("portals", "list")
    assert told.count("Desk refuses writing call records") == 2
    assert "gives that agent a full licence" in told
    assert "permission to create calls" not in told
    (shown,) = shell.json("portals", "show", str(portal_id))["refused"]
    assert "full licence" in shown["remedy"]
