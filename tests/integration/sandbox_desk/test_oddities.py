"""What some portals of Desk do beside the contract, each a switch or a fault that stands alone."""

from connector.sandbox.faults import Rule
from tests.integration.sandbox_desk.conftest import Desk, problems


def test_older_contract(desk: Desk) -> None:
    """A call's body must name direction and duration too, when it is made and when it is changed."""
    made = desk.make_call(direction="inbound", duration=3)
    desk.config.older_contract = True
    wanted = {"/direction": "missing", "/duration": "missing"}
    assert problems(desk.post("calls", desk.call_body(direction=None, duration=None))) == wanted
    unsaid = desk.call_body(direction=None, duration=None)
    assert problems(desk.patch(f"calls/{made['id']}", unsaid)) == wanted
    changed = desk.call_body(direction="inbound", duration=4)
    assert desk.patch(f"calls/{made['id']}", changed).json()["duration"] == "4"


def test_patch_requires_more(desk: Desk) -> None:
    """Any member may be required of a change, custom fields too, and of a change alone."""
    made = desk.make_call()
    desk.config.patch_requires_more = ["priority", "cf/cf_callkey"]
    assert desk.make_call()["id"]
    wanted = {"/priority": "missing", "/cf/cf_callkey": "missing"}
    assert problems(desk.patch(f"calls/{made['id']}", desk.call_body())) == wanted


def test_patch_replaces_custom_fields(desk: Desk) -> None:
    """Custom fields that a change does not name are emptied where it names one."""
    made = desk.make_call(cf={"cf_callkey": "key"})
    desk.config.patch_replaces_cf = True
    body = desk.call_body()
    assert desk.patch(f"calls/{made['id']}", body).json()["cf"]["cf_callkey"] == "key"
    changed = desk.patch(f"calls/{made['id']}", body | {"cf": {"cf_recordingurl": "x"}}).json()
    assert changed["cf"] == {"cf_callkey": None, "cf_recordingurl": "x", "cf_outcome": None}


def test_description_as_html(desk: Desk) -> None:
    """What was written plain comes back as an editor's HTML."""
    desk.config.description_as_html = True
    assert desk.make_call(description="A & B\nC")["description"] == "<div>A &amp; B<br />C<br /></div>"


def test_unique_phones(desk: Desk) -> None:
    """A second contact with a number is a duplicate, found by the search or not yet."""
    desk.config.contact_phones_unique = True
    body = {"lastName": "One", "phone": "+33612345678"}
    assert desk.post("contacts", body).status_code == 200
    assert problems(desk.post("contacts", body)) == {"/phone": "duplicate"}


def test_a_filter_dislikes_a_text(desk: Desk) -> None:
    """A fault may strike only requests with a certain text, and a refusal is as its rule has it."""
    desk.sandbox.state.faults.add(Rule(kind="html", status=403, containing="select * from"))
    assert desk.post("calls", desk.call_body(subject="select * from x")).status_code == 403
    assert desk.post("calls", desk.call_body(subject="plain")).status_code == 200
    assert desk.get("contacts/search", fullName="select * from").status_code == 403
    desk.sandbox.state.faults.clear()
    desk.sandbox.state.faults.add(
        Rule(kind="refusal", code="LICENSE_ACCESS_LIMITED", status=403, fields={"/x": "invalid"}, times=1)
    )
    refused = desk.post("calls", desk.call_body())
    assert (refused.status_code, refused.json()["errorCode"]) == (403, "LICENSE_ACCESS_LIMITED")
    assert refused.json()["errors"] == [{"fieldName": "/x", "errorType": "invalid"}]


def test_hidden_members(desk: Desk) -> None:
    """What the profile hides is left out of single records and of lists, not emptied."""
    made = desk.make_call()
    desk.config.hidden_members = ["subject"]
    assert "subject" not in desk.get(f"calls/{made['id']}").json()
    (listed,) = desk.get("calls").json()["data"]
    assert "subject" not in listed


def test_times_as_numbers(desk: Desk) -> None:
    """Times come as epoch milliseconds."""
    desk.config.times_as_numbers = True
    made = desk.make_call()
    assert made["createdTime"] == desk.now


def test_empty_lists(desk: Desk) -> None:
    """An empty list may be answered as one, while what has nothing to say stays 204."""
    assert desk.get("calls").status_code == 204
    desk.config.empty_lists_answered = True
    answer = desk.get("calls")
    assert (answer.status_code, answer.json()) == (200, {"data": []})


def test_no_credit_headers(desk: Desk) -> None:
    """The credits left may be told or not."""
    assert "X-Rate-Limit-Remaining-v3" in desk.get("calls").headers
    desk.config.credit_headers = False
    assert not [name for name in desk.get("calls").headers if name.lower().startswith("x-rate-limit")]
