"""Contacts and accounts over the API."""

import pytest

from connector.sandbox.desk.times import write_time
from tests.integration.sandbox_desk.conftest import Desk, problems


def test_list_pages(desk: Desk) -> None:
    """The first record is number 1, and 0 means the same; pages do not overlap; past the end is 204."""
    first = desk.ids("contacts", limit=100)
    assert (
        first
        == desk.ids("contacts", limit=100, **{"from": 0})
        == desk.ids("contacts", limit=100, **{"from": 1})
    )
    second = desk.ids("contacts", limit=100, **{"from": 101})
    assert len(set(first + second)) == 200
    assert desk.ids("contacts", limit=100, **{"from": 201}) == []
    assert len(desk.ids("contacts")) == 10


def test_list_sorts_by_modification(desk: Desk) -> None:
    """A minus sign turns the order round."""
    contact = desk.state.add_contact(desk.org.org_id, last_name="Newest")
    assert desk.ids("contacts", sortBy="-modifiedTime", limit=1) == [contact.id]
    ascending = desk.ids("contacts", sortBy="modifiedTime", limit=100, **{"from": 102})
    assert ascending[-1] == contact.id


def test_list_includes_accounts_and_chooses_fields(desk: Desk) -> None:
    """Accounts come if asked for; named fields come alone, with the id."""
    rows = desk.rows("contacts", include="accounts", limit=20)
    assert {row["account"]["id"] for row in rows if row["account"]} == {
        row["accountId"] for row in rows if row["accountId"]
    }
    assert set(desk.rows("contacts", fields="lastName,phone", limit=1)[0]) == {"id", "lastName", "phone"}


def test_create_and_read_back(desk: Desk) -> None:
    """What was written is read, with times as text and ids as digits."""
    account_id = next(iter(desk.portal.accounts.present())).id
    body = {
        "lastName": "Quill",
        "firstName": "Nora",
        "phone": "+44 20 7946 0018",
        "email": "nora@mail.example",
        "accountId": int(account_id),
        "ownerId": "null",
        "zip": "12345",
    }
    made = desk.post("contacts", body).json()
    assert made == desk.get(f"contacts/{made['id']}").json()
    assert (made["lastName"], made["accountId"], made["ownerId"]) == ("Quill", account_id, None)
    assert made["createdTime"] == made["modifiedTime"] == write_time(desk.now)
    assert len(made["id"]) == 18
    assert made["webUrl"] == f"{desk.sandbox.origin}/desk/contacts/{made['id']}"
    assert desk.http.get(made["webUrl"]).status_code == 200


def test_creating_twice_makes_two(desk: Desk) -> None:
    """Desk does not ask whether it has this contact already."""
    body = {"lastName": "Twin", "phone": "+44 20 7946 0019"}
    first, second = (desk.post("contacts", body).json()["id"] for _ in range(2))
    assert first != second


@pytest.mark.parametrize(
    ("member", "value", "kind"),
    [
        ("lastName", "", "missing"),
        ("lastName", None, "missing"),
        ("lastName", "x" * 201, "invalid"),
        ("lastName", 7, "invalid"),
        ("phone", "(020) 7946 0018", "invalid"),
        ("phone", "x" * 51, "invalid"),
        ("phone", "", "invalid"),
        ("mobile", "(0)7700 900123", "invalid"),
        ("mobile", "07700;900123", "invalid"),
        ("mobile", None, "invalid"),
        ("email", "nobody", "invalid"),
        ("accountId", "1", "invalid"),
        ("accountId", "x", "invalid"),
        ("ownerId", "1", "invalid"),
        ("cf", {"cf_colour": "red"}, "invalid"),
        ("zip", "12a", "invalid"),
        ("layoutId", "1", "invalid"),
    ],
)
def test_create_refuses(desk: Desk, member: str, value: object, kind: str) -> None:
    """Each member has its rule."""
    pointer = "/cf/cf_colour" if member == "cf" else f"/{member}"
    assert problems(desk.post("contacts", {"lastName": "Quill", member: value})) == {pointer: kind}


def test_phone_may_hold_a_semicolon_and_other_letters(desk: Desk) -> None:
    """The newest pattern of `phone` allows `;` and everything beyond ASCII."""
    made = desk.post("contacts", {"lastName": "Quill", "phone": "Tél. 01 99 00 12 34; x7"})
    assert made.status_code == 200


def test_update_changes_only_what_is_given(desk: Desk) -> None:
    """The rest stays, and the time of modification moves."""
    made = desk.post("contacts", {"lastName": "Quill", "phone": "1", "title": "Dr"}).json()
    desk.sandbox.state.clock.advance(60)
    changed = desk.patch(f"contacts/{made['id']}", {"phone": "2"}).json()
    assert changed == made | {"phone": "2", "modifiedTime": write_time(desk.now)}
    assert problems(desk.patch(f"contacts/{made['id']}", {"lastName": None})) == {"/lastName": "missing"}
    assert desk.patch("contacts/1", {"phone": "2"}).status_code == 404


def test_update_takes_shorter_places_than_create(desk: Desk) -> None:
    """A country of 100 characters may be created, but not written again."""
    made = desk.post("contacts", {"lastName": "Quill", "country": "x" * 100})
    answer = desk.patch(f"contacts/{made.json()['id']}", {"country": "x" * 31})
    assert problems(answer) == {"/country": "invalid"}


def test_trashed_contact_can_be_read_but_not_listed_or_changed(desk: Desk) -> None:
    """The recycle bin hides a contact from lists and, after the delay, from searches."""
    made = desk.post("contacts", {"lastName": "Binned"}).json()
    desk.wait_for_index()
    assert desk.post("contacts/moveToTrash", {"contactIds": [made["id"]]}).status_code == 204
    assert desk.get(f"contacts/{made['id']}").json()["isTrashed"] is True
    assert made["id"] not in desk.ids("contacts", limit=100, sortBy="-createdTime")
    assert desk.ids("contacts/search", lastName="Binned") == [made["id"]]
    desk.wait_for_index()
    assert desk.ids("contacts/search", lastName="Binned") == []
    assert desk.patch(f"contacts/{made['id']}", {"phone": "2"}).status_code == 404
    assert problems(desk.post("contacts/moveToTrash", {"contactIds": ["1"]})) == {"/contactIds": "invalid"}
    assert problems(desk.post("calls", desk.call_body(contactId=made["id"]))) == {"/contactId": "invalid"}


def test_search_is_exact_or_starred_and_ignores_case_only(desk: Desk) -> None:
    """Spaces and punctuation are part of the number that was typed."""
    typed = "+44 20 7946 0777"
    contact = desk.state.add_contact(
        desk.org.org_id, first_name="Zelda", last_name="Marrow", phone=typed, mobile="07700-900777"
    )
    found = [contact.id]
    assert desk.ids("contacts/search", phone=typed) == found
    assert desk.ids("contacts/search", phone="+442079460777") == []
    assert desk.ids("contacts/search", phone="*0777") == found
    assert desk.ids("contacts/search", phone="+44 20 7946 07*", firstName="Zelda") == found
    assert desk.ids("contacts/search", phone="*7946 0777*") == found
    assert desk.ids("contacts/search", mobile="07700-900777") == found
    assert desk.ids("contacts/search", phone="07700-900777") == []
    assert desk.ids("contacts/search", phone=f"1,{typed}, 2") == found
    assert desk.ids("contacts/search", lastName="mARROW") == found
    assert desk.ids("contacts/search", lastName="Marro") == []
    assert desk.ids("contacts/search", fullName="zelda marrow") == found
    assert desk.ids("contacts/search", firstName="zel*", lastName="marrow") == found
    assert desk.ids("contacts/search", firstName="zel*", lastName="other") == []
    assert desk.ids("contacts/search", _all="*marrow*") == found
    assert desk.ids("contacts/search", id=f"{contact.id},1") == found
    assert desk.ids("contacts/search", mobile="${empty}", lastName="Marrow") == []
    assert desk.ids("contacts/search", mobile="${notempty}", lastName="Marrow") == found


def test_plus_sign_must_be_escaped_in_a_query(desk: Desk) -> None:
    """A bare plus in a URL is a space, here as there."""
    plus = desk.state.add_contact(desk.org.org_id, last_name="Plus", phone="+44 20 7946 0778")
    answer = desk.http.get(
        "/api/v1/contacts/search?phone=+44%2020%207946%200778",
        headers={"Authorization": f"Zoho-oauthtoken {desk.token}"},
    )
    assert answer.is_success
    assert plus.id not in answer.text


def test_search_finds_after_the_index_delay(desk: Desk) -> None:
    """A list knows a new contact at once, the search only after 15 seconds; changes likewise."""
    made = desk.post("contacts", {"lastName": "Latecomer", "phone": "111"}).json()["id"]
    assert made in desk.ids("contacts", sortBy="-createdTime")
    desk.sandbox.state.clock.advance(14.999)
    assert desk.ids("contacts/search", lastName="Latecomer") == []
    desk.sandbox.state.clock.advance(0.001)
    assert desk.ids("contacts/search", lastName="Latecomer") == [made]
    desk.patch(f"contacts/{made}", {"phone": "222"})
    assert desk.ids("contacts/search", phone="111") == [made]
    assert desk.ids("contacts/search", phone="222") == []
    desk.wait_for_index()
    assert desk.ids("contacts/search", phone="111") == []
    assert desk.ids("contacts/search", phone="222") == [made]


def test_search_counts_sorts_and_ranges(desk: Desk) -> None:
    """The count is of all matches; the range of modification holds both its ends."""
    start = desk.now
    ids = []
    for number in range(12):
        ids.append(desk.state.add_contact(desk.org.org_id, last_name="Series", phone=str(number)).id)
        desk.sandbox.state.clock.advance(1)
    answer = desk.get("contacts/search", lastName="Series", sortBy="modifiedTime").json()
    assert answer["count"] == 12
    assert [row["id"] for row in answer["data"]] == ids[:10]
    assert desk.ids("contacts/search", lastName="Series", limit=3) == ids[:-4:-1]
    assert (
        desk.ids("contacts/search", lastName="Series", sortBy="-modifiedTime", **{"from": 10}) == ids[1::-1]
    )
    span = f"{write_time(start + 2_000)},{write_time(start + 4_000)}"
    assert desk.ids("contacts/search", modifiedTimeRange=span, sortBy="createdTime") == ids[2:5]
    assert desk.ids("contacts/search", lastName="Series", **{"from": 12}) == []


def test_accounts(desk: Desk) -> None:
    """Accounts can be listed and read, and found through their contacts."""
    rows = desk.rows("accounts", limit=100)
    assert len(rows) == 25
    account = desk.get(f"accounts/{rows[0]['id']}").json()
    assert account["accountName"] == rows[0]["accountName"]
    assert desk.http.get(account["webUrl"]).status_code == 200
    found = desk.rows("contacts/search", accountName=account["accountName"], limit=100)
    assert {row["account"]["accountName"] for row in found} == {account["accountName"]}


def test_dump_and_seed_for_tests(desk: Desk) -> None:
    """Tests can look at all contacts and ask for more; an unknown portal is their mistake."""
    desk.state.seed(desk.org.org_id, contacts=8)
    own = [each for each in desk.state.dump_contacts() if each["orgId"] == desk.org.org_id]
    assert len(own) == 208
    assert {"id", "phone", "mobile", "createdTime", "isTrashed"} <= set(own[0])
    with pytest.raises(KeyError):
        desk.state.seed("1")
