"""Call records and their comments over the API."""

import pytest

from connector.sandbox.desk.times import write_time
from tests.integration.sandbox_desk.conftest import Desk, problems, refusal

LONG_URL = "https://pbx.example/recordings/2026/01/05/call.wav?token=abc%20def&x=1"


def test_create_and_read_back(desk: Desk) -> None:
    """What was written is read, but for the recording's address, which never comes back."""
    agent = desk.portal.agents()[0]
    made = desk.make_call(
        duration=90,
        ownerId=agent.id,
        recordingUrl=LONG_URL,
        description="call key 42",
        cf={"cf_callkey": "key-42"},
        priority="High",
    )
    assert made == desk.get(f"calls/{made['id']}").json()
    assert "recordingUrl" not in made
    assert (made["duration"], made["ownerId"], made["startTime"]) == (
        "90",
        agent.id,
        "2026-01-05T11:58:00.000Z",
    )
    assert (made["statusType"], made["completedTime"]) == ("Closed", write_time(desk.now))
    assert made["cf"] == {"cf_callkey": "key-42", "cf_recordingurl": None, "cf_outcome": None}
    assert made["creatorId"] == agent.id
    assert made["modifiedBy"]["emailId"] == agent.email
    assert desk.http.get(made["webUrl"]).status_code == 200
    stored = next(call for call in desk.state.dump_calls() if call["id"] == made["id"])
    assert stored["recordingUrl"] == LONG_URL
    assert (stored["startTime"], stored["orgId"]) == (made["startTime"], desk.org.org_id)


def test_creating_twice_makes_two(desk: Desk) -> None:
    """No POST of Desk is idempotent."""
    assert desk.make_call()["id"] != desk.make_call()["id"]
    assert len(desk.ids("calls")) == 2


@pytest.mark.parametrize("member", ["contactId", "departmentId", "startTime", "status", "subject"])
def test_create_needs(desk: Desk, member: str) -> None:
    """Five members are required, and each missing one is named."""
    assert problems(desk.post("calls", desk.call_body(**{member: None}))) == {f"/{member}": "missing"}
    assert problems(desk.post("calls", desk.call_body() | {member: ""})) == {f"/{member}": "missing"}


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("contactId", "1"),
        ("contactId", "x1"),
        ("contactId", True),
        ("departmentId", "1"),
        ("ownerId", "1"),
        ("ticketId", "1"),
        ("teamId", "1"),
        ("layoutId", "1"),
        ("subject", "x" * 301),
        ("subject", 5),
        ("startTime", "2026-01-05 09:00:00"),
        ("startTime", "2026-01-05T09:00:00.000+01:00"),
        ("startTime", "2026-02-31T09:00:00.000Z"),
        ("startTime", 1_767_614_400_000),
        ("status", "completed"),
        ("status", "Ringing"),
        ("direction", "internal"),
        ("duration", "-1"),
        ("duration", 1.5),
        ("duration", 2**31),
        ("duration", "1:30"),
        ("priority", "a,b"),
        ("description", "x" * 65_536),
        ("recordingUrl", "https://pbx.example/" + "x" * 2_481),
        ("recordingUrl", "rtsp://pbx.example/a"),
        ("recordingUrl", "https://pbx.example:8443/a b"),
        ("reminder", [{"reminderType": "RELATIVE"}]),
        ("recordingURL", "https://pbx.example/a"),
        ("id", "1"),
    ],
)
def test_create_refuses(desk: Desk, member: str, value: object) -> None:
    """Each member has its rule, and unknown ones are refused."""
    answer = desk.post("calls", desk.call_body(**{member: value}))
    pointer = "/reminder/0" if member == "reminder" else f"/{member}"
    assert problems(answer) == {pointer: "invalid"}


@pytest.mark.parametrize(
    "reminder",
    [
        {"alertType": ["EMAIL"], "reminderType": "RELATIVE", "relativeReminderInMin": "5"},
        {"alertType": ["POPUP"], "reminderType": "ABSOLUTE", "reminderTime": "2026-01-06T09:00:00.000Z"},
    ],
)
def test_reminders(desk: Desk, reminder: dict[str, object]) -> None:
    """A reminder is relative or absolute."""
    made = desk.make_call(status="Scheduled", reminder=[reminder])
    assert made["reminder"] == [reminder]
    assert (made["statusType"], made["completedTime"]) == ("Open", None)


def test_recording_url_of_2500_characters(desk: Desk) -> None:
    """The longest address that the contract allows is taken, also with a port."""
    desk.make_call(recordingUrl="https://pbx.example:8443/" + "x" * 2_475)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("cf_recordingurl", LONG_URL),
        ("cf_recordingurl", "https://pbx.example/" + "x" * 81),
        ("cf_colour", "red"),
        ("cf_callkey", 7),
    ],
)
def test_custom_fields_refuse(desk: Desk, field: str, value: object) -> None:
    """Custom fields take 100 plain characters, so a real recording address is refused; unknown ones too."""
    assert problems(desk.post("calls", desk.call_body(cf={field: value}))) == {f"/cf/{field}": "invalid"}


def test_deprecated_custom_fields_go_by_label(desk: Desk) -> None:
    """The older member names fields as people see them."""
    made = desk.make_call(customFields={"Call key": "k-1"})
    assert made["cf"]["cf_callkey"] == made["customFields"]["Call key"] == "k-1"
    answer = desk.post("calls", desk.call_body(customFields={"Colour": "red"}))
    assert problems(answer) == {"/customFields/Colour": "invalid"}


def test_a_portal_may_lack_the_custom_fields(desk: Desk) -> None:
    """What the layout does not define is refused."""
    desk.config.call_custom_fields = []
    answer = desk.post("calls", desk.call_body(cf={"cf_callkey": "k-1"}))
    assert problems(answer) == {"/cf/cf_callkey": "invalid"}


def test_owner_must_be_an_active_agent_of_the_department(desk: Desk) -> None:
    """An agent of elsewhere, or one who has been deactivated, cannot own a call."""
    support, sales, billing = desk.portal.departments
    first, second = desk.portal.agents()[:2]
    assert desk.make_call(departmentId=sales, ownerId=first.id)["ownerId"] == first.id
    assert desk.make_call(departmentId=billing, ownerId=second.id)["ownerId"] == second.id
    foreign = desk.post("calls", desk.call_body(departmentId=billing, ownerId=first.id))
    assert problems(foreign) == {"/ownerId": "invalid"}
    desk.config.agents_of(desk.org.org_id)[1].active = False
    inactive = desk.post("calls", desk.call_body(departmentId=support, ownerId=second.id))
    assert problems(inactive) == {"/ownerId": "invalid"}
    for nobody in ("", "null", "undefined"):
        assert desk.make_call(ownerId=nobody)["ownerId"] is None


def test_update_wants_everything_again(desk: Desk) -> None:
    """By contract a PATCH needs the five members too; with the switch off it does not."""
    made = desk.make_call(status="In Progress", recordingUrl="https://pbx.example/a.wav")
    answer = desk.patch(f"calls/{made['id']}", {"duration": "5"})
    assert set(problems(answer).values()) == {"missing"}
    assert len(problems(answer)) == 5
    desk.sandbox.state.clock.advance(60)
    changed = desk.patch(f"calls/{made['id']}", desk.call_body(duration="120", status="Completed")).json()
    assert (changed["duration"], changed["completedTime"]) == ("120", write_time(desk.now))
    assert changed["createdTime"] == made["createdTime"]
    desk.config.patch_requires_all = False
    assert desk.patch(f"calls/{made['id']}", {"duration": "7"}).json()["duration"] == "7"
    stored = next(call for call in desk.state.dump_calls() if call["id"] == made["id"])
    assert stored["recordingUrl"] == "https://pbx.example/a.wav"


def test_update_keeps_custom_fields_it_does_not_name(desk: Desk) -> None:
    """Fields are merged one by one."""
    made = desk.make_call(cf={"cf_callkey": "k-1"})
    body = desk.call_body(cf={"cf_recordingurl": "https://pbx.example/a.wav"})
    changed = desk.patch(f"calls/{made['id']}", body).json()
    assert changed["cf"] == {
        "cf_callkey": "k-1",
        "cf_recordingurl": "https://pbx.example/a.wav",
        "cf_outcome": None,
    }


def test_recording_can_be_taken_away(desk: Desk) -> None:
    """The word null clears the address."""
    made = desk.make_call(recordingUrl="https://pbx.example/a.wav")
    desk.patch(f"calls/{made['id']}", desk.call_body(recordingUrl="null"))
    stored = next(call for call in desk.state.dump_calls() if call["id"] == made["id"])
    assert stored["recordingUrl"] is None


def test_update_checks_references_like_create(desk: Desk) -> None:
    """A call cannot be moved to a contact that is not there."""
    made = desk.make_call()
    answer = desk.patch(f"calls/{made['id']}", desk.call_body(contactId="5", ownerId="6"))
    assert problems(answer) == {"/contactId": "invalid", "/ownerId": "invalid"}
    assert desk.patch("calls/5", desk.call_body()).status_code == 404


def test_list_newest_first_of_a_department(desk: Desk) -> None:
    """This is how a lost answer is looked for: lists know a call at once."""
    support, sales, _ = desk.portal.departments
    made = []
    for minute in range(3):
        made.append(desk.make_call(startTime=f"2026-01-05T11:0{minute}:00.250Z")["id"])
        desk.sandbox.state.clock.advance(1)
    desk.make_call(departmentId=sales)
    assert desk.ids("calls", departmentId=support, sortBy="-createdTime", limit=2) == made[:0:-1]
    assert desk.ids("calls", departmentId=support) == made
    assert len(desk.ids("calls", departmentIds=f"{support},{sales}")) == 4
    item = desk.rows("calls", departmentId=support)[0]
    assert item["startTime"] == "2026-01-05T11:00:00.250Z"
    assert not {"duration", "description", "cf", "recordingUrl"} & set(item)


def test_list_filters_and_includes(desk: Desk) -> None:
    """Owner and completion filter; contact, ticket, assignee and team come if asked for."""
    ticket = next(iter(desk.portal.tickets.present()))
    agent = desk.portal.agents()[0]
    done = desk.make_call(ownerId=agent.id, ticketId=ticket.id, contactId=ticket.contact_id)["id"]
    missed = desk.make_call(status="Missed", duration="0")["id"]
    assert desk.ids("calls", isCompleted="true") == [done]
    assert desk.ids("calls", isCompleted="false") == [missed]
    assert desk.ids("calls", assignee=agent.id) == [done]
    row = desk.rows("calls", assignee=agent.id, include="contacts,tickets,assignee,teams")[0]
    assert row["contact"]["id"] == ticket.contact_id
    assert row["ticket"]["ticketNumber"] == ticket.ticket_number
    assert (row["assignee"]["id"], row["team"]) == (agent.id, None)
    single = desk.get(f"calls/{done}", include="contacts").json()
    assert single["contact"]["id"] == ticket.contact_id


def test_calls_of_a_ticket(desk: Desk) -> None:
    """A ticket lists its own calls only."""
    ticket = next(iter(desk.portal.tickets.present()))
    made = desk.make_call(ticketId=ticket.id)["id"]
    desk.make_call()
    assert desk.ids(f"tickets/{ticket.id}/calls") == [made]
    assert desk.get("tickets/5/calls").status_code == 404


def test_search_by_key_in_description_and_custom_field(desk: Desk) -> None:
    """The key is found in either place, after the index delay, within the time of creation."""
    start = desk.now
    made = desk.make_call(description="Inbound call. Key: pbx/42", cf={"cf_callkey": "pbx/42"})["id"]
    span = f"{write_time(start)},{write_time(start + 60_000)}"
    assert desk.ids("calls/search", _all="*pbx/42*", createdTimeRange=span) == []
    desk.wait_for_index()
    assert desk.ids("calls/search", _all="*pbx/42*", createdTimeRange=span) == [made]
    assert desk.ids("calls/search", _all="pbx/4*", createdTimeRange=span) == [made]
    assert desk.ids("calls/search", customField1="cf_callkey:pbx/42") == [made]
    assert desk.ids("calls/search", customField1="cf_callkey:pbx/43") == []
    assert desk.ids("calls/search", customField2="cf_recordingurl:${empty}") == [made]
    later = f"{write_time(start + 1)},{write_time(start + 60_000)}"
    assert desk.ids("calls/search", _all="*pbx/42*", createdTimeRange=later) == []


def test_search_by_other_columns(desk: Desk) -> None:
    """Subject, status, owner, department, ticket number and start narrow a search."""
    ticket = next(iter(desk.portal.tickets.present()))
    agent = desk.portal.agents()[0]
    made = desk.make_call(
        subject="Inbound call from Quill", ownerId=agent.id, ticketId=ticket.id, priority="High"
    )
    other = desk.make_call(subject="Other", status="Missed", startTime="2026-01-04T09:00:00.000Z")["id"]
    desk.wait_for_index()
    found = [made["id"]]
    assert desk.ids("calls/search", subject="inbound*") == found
    assert desk.ids("calls/search", status="completed") == found
    assert desk.ids("calls/search", assigneeId=agent.id) == found
    assert desk.ids("calls/search", ticketNumber=ticket.ticket_number) == found
    assert desk.ids("calls/search", priority="high") == found
    assert set(desk.ids("calls/search", departmentId=made["departmentId"])) == {*found, other}
    span = "2026-01-04T00:00:00.000Z,2026-01-04T23:59:59.999Z"
    assert desk.ids("calls/search", startDateRange=span) == [other]
    row = desk.rows("calls/search", id=made["id"])[0]
    assert (row["ticket"]["id"], row["contact"]["id"]) == (ticket.id, made["contactId"])
    assert refusal(desk.get("calls/search", contactId=made["contactId"]))[1] == "UNPROCESSABLE_ENTITY"


def test_trash(desk: Desk) -> None:
    """Trashed calls leave the lists; one unknown id spoils the whole request."""
    kept, gone = desk.make_call()["id"], desk.make_call()["id"]
    assert problems(desk.post("calls/moveToTrash", {"entityIds": [gone, "5"]})) == {"/entityIds": "invalid"}
    assert problems(desk.post("calls/moveToTrash", {"entityIds": []})) == {"/entityIds": "invalid"}
    assert problems(desk.post("calls/moveToTrash", {"entityIds": ["1"] * 51})) == {"/entityIds": "invalid"}
    answer = desk.post("calls/moveToTrash", {"entityIds": [int(gone)]})
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["x-rate-limit-request-weight-v3"] == "6"
    assert desk.ids("calls") == [kept]
    assert desk.get(f"calls/{gone}").json()["isTrashed"] is True
    assert desk.patch(f"calls/{gone}", desk.call_body()).status_code == 404


def test_comments(desk: Desk) -> None:
    """Comments are added, never merged, and listed in their order."""
    call = desk.make_call()["id"]
    assert desk.ids(f"calls/{call}/comments") == []
    first = desk.post(f"calls/{call}/comments", {"content": "<b>Hi</b>"}).json()
    desk.sandbox.state.clock.advance(1)
    second = desk.post(f"calls/{call}/comments", {"content": "Two", "contentType": "plainText"}).json()
    assert (first["contentType"], second["contentType"]) == ("html", "plainText")
    assert first["commenter"]["email"] == desk.portal.agents()[0].email
    assert desk.ids(f"calls/{call}/comments") == [first["id"], second["id"]]
    assert desk.ids(f"calls/{call}/comments", sortBy="-commentedTime", limit=1) == [second["id"]]
    assert desk.rows(f"calls/{call}/comments", include="mentions")[0]["mention"] == []
    assert desk.rows("calls")[0]["isCommented"] is True
    assert next(iter(desk.state.dump_calls()[-1]["comments"]))["content"] == "<b>Hi</b>"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"contentType": "html"}, {"/content": "missing"}),
        ({"content": "x" * 32_001}, {"/content": "invalid"}),
        ({"content": "x", "contentType": "markdown"}, {"/contentType": "invalid"}),
        ({"content": "x", "attachmentIds": ["1"]}, {"/attachmentIds": "invalid"}),
        ({"content": "x", "isPublic": True}, {"/isPublic": "invalid"}),
    ],
)
def test_comment_refuses(desk: Desk, body: dict[str, object], expected: dict[str, str]) -> None:
    """A comment has its rules as well."""
    call = desk.make_call()["id"]
    assert problems(desk.post(f"calls/{call}/comments", body)) == expected
    assert desk.post("calls/5/comments", {"content": "x"}).status_code == 404
