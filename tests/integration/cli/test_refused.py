"""What Desk refuses a portal, by command."""

from connector.store import Store, refusals
from connector.store.refusals import Refusal
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
