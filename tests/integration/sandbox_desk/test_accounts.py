"""Accounts over the API: made, changed, searched by time, with their contacts."""

import pytest

from connector.sandbox.desk.times import write_time
from tests.integration.sandbox_desk.conftest import Desk, problems


def test_create_and_read_back(desk: Desk) -> None:
    """What was written is read, custom fields by name and by label; what is empty is null."""
    body = {
        "accountName": "Wexcombe Interiors",
        "phone": "+33 1 99 00 12 34",
        "website": "https://wexcombe.example",
        "ownerId": desk.portal.agents()[0].id,
        "cf": {"cf_region": "North"},
    }
    made = desk.post("accounts", body).json()
    read = desk.get(f"accounts/{made['id']}", include="owner").json()
    assert made.items() <= read.items()
    assert (made["cf"], made["customFields"]) == ({"cf_region": "North"}, {"Region": "North"})
    assert (made["phone"], made["city"]) == ("+33 1 99 00 12 34", None)
    assert read["owner"]["id"] == body["ownerId"]
    assert made["modifiedTime"] == write_time(desk.now)


@pytest.mark.parametrize(
    ("member", "value", "kind"),
    [
        ("accountName", "", "missing"),
        ("accountName", "x" * 201, "invalid"),
        ("phone", "x" * 31, "invalid"),
        ("phone", "(01) 99 00 12 34", "invalid"),
        ("website", "wexcombe", "invalid"),
        ("ownerId", "5", "invalid"),
        ("layoutId", "5", "invalid"),
        ("associatedSLAIds", ["5"], "invalid"),
        ("annualrevenue", "much", "invalid"),
        ("nosuch", 1, "invalid"),
    ],
)
def test_create_refuses(desk: Desk, member: str, value: object, kind: str) -> None:
    """Each member has its rule; the phone is shorter than a contact's."""
    assert problems(desk.post("accounts", {"accountName": "One", member: value})) == {f"/{member}": kind}


def test_update_changes_only_what_is_given(desk: Desk) -> None:
    """The rest stays, and the time of modification moves; places are shorter than where it is made."""
    made = desk.post("accounts", {"accountName": "One", "city": "x" * 100, "cf": {"cf_region": "N"}}).json()
    desk.sandbox.state.clock.advance(60)
    changed = desk.patch(f"accounts/{made['id']}", {"phone": "123"}).json()
    assert changed == made | {"phone": "123", "modifiedTime": write_time(desk.now)}
    assert problems(desk.patch(f"accounts/{made['id']}", {"city": "x" * 31})) == {"/city": "invalid"}
    assert problems(desk.patch(f"accounts/{made['id']}", {"accountName": None})) == {
        "/accountName": "missing"
    }
    assert desk.patch("accounts/1", {"phone": "2"}).status_code == 404


def test_search_by_the_time_of_a_change(desk: Desk) -> None:
    """Both ends are included, and the index lags; names are found, phones are not."""
    account = next(iter(desk.portal.accounts.present()))
    since = desk.now
    desk.patch(f"accounts/{account.id}", {"phone": "+33 1 99 00 99 99"})
    span = f"{write_time(since)},{write_time(since)}"
    assert desk.ids("accounts/search", modifiedTimeRange=span) == []
    desk.wait_for_index()
    (found,) = desk.rows("accounts/search", modifiedTimeRange=span, sortBy="modifiedTime")
    assert (found["id"], found["phone"]) == (account.id, "+33 1 99 00 99 99")
    assert account.id in desk.ids("accounts/search", accountName=f"{account.account_name[:5]}*", limit=100)
    assert desk.get("accounts/search", phone="+33 1 99 00 99 99").status_code == 422
    assert account.id in desk.ids("accounts/search", customField1="cf_region:north", limit=100)


def test_contacts_of_an_account(desk: Desk) -> None:
    """Its contacts are listed with how they belong to it, those in the recycle bin are not."""
    account = desk.state.add_account(desk.org.org_id, account_name="Wexcombe")
    assert desk.ids(f"accounts/{account.id}/contacts") == []
    names = ("Brantley", "Ashgrove")
    contacts = [
        desk.state.add_contact(desk.org.org_id, last_name=name, account_id=account.id) for name in names
    ]
    rows = desk.rows(f"accounts/{account.id}/contacts", sortBy="lastName")
    assert [row["lastName"] for row in rows] == ["Ashgrove", "Brantley"]
    assert {row["mappingInfo"]["mappingType"] for row in rows} == {"PRIMARY"}
    desk.state.change_contact(contacts[0], is_trashed=True)
    assert desk.ids(f"accounts/{account.id}/contacts") == [contacts[1].id]
    assert desk.get("accounts/5/contacts").status_code == 404


def test_trashed(desk: Desk) -> None:
    """An account in the recycle bin is read, and neither listed nor changed."""
    made = desk.post("accounts", {"accountName": "Binned"}).json()["id"]
    assert desk.post("accounts/moveToTrash", {"accountIds": [made]}).status_code == 204
    assert desk.get(f"accounts/{made}").json()["isTrashed"] is True
    assert made not in desk.ids("accounts", limit=100, sortBy="-createdTime")
    assert desk.patch(f"accounts/{made}", {"phone": "1"}).status_code == 404
    assert problems(desk.post("accounts/moveToTrash", {"accountIds": ["5"]})) == {"/accountIds": "invalid"}
    gone = desk.state.change_account(next(iter(desk.portal.accounts.present())), is_trashed=True)
    assert problems(desk.post("contacts", {"lastName": "A", "accountId": gone.id})) == {
        "/accountId": "invalid"
    }
