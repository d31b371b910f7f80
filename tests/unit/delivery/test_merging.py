"""What of a record is ours to change, and what has become somebody else's."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from connector.clock import from_iso
from connector.delivery.merging import REQUIRED, merge, missing_of
from connector.outbox.send_once import Sent
from connector.zoho.models import Count, DeskCall, Id, Moment

START = "2026-01-05T12:00:00.000Z"


def _body(**changes: Any) -> dict[str, Any]:
    body = {
        "contactId": "1",
        "departmentId": "2",
        "subject": "S",
        "startTime": START,
        "status": "Completed",
        "direction": "inbound",
        "duration": 5,
        "description": "ours",
    }
    return body | changes


def _desk(body: dict[str, Any]) -> DeskCall:
    return DeskCall(
        id=Id("9"),
        contact_id=Id(body["contactId"]),
        department_id=Id(body["departmentId"]),
        owner_id=Id(body["ownerId"]) if "ownerId" in body else None,
        subject=body["subject"],
        started_at=Moment(from_iso(body["startTime"])),
        status=body["status"],
        direction=body["direction"],
        duration_seconds=Count(body["duration"]),
        description=body["description"],
        cf=body.get("cf"),
    )


STATUSES = st.sampled_from(["Completed", "Missed", "Canceled", "Scheduled"])
BODIES = st.builds(
    _body,
    subject=st.sampled_from("abc"),
    status=STATUSES,
    duration=st.integers(0, 2),
    contactId=st.sampled_from("12"),
    description=st.sampled_from(["ours", "more\nours", "yours"]),
)


@given(BODIES)
def test_nothing_to_do(body: dict[str, Any]) -> None:
    """What stands as it shall be is not written."""
    assert merge(body, Sent(body=body), _desk(body)).writes == {}


@given(old=BODIES, new=BODIES)
def test_untouched_becomes_ours(old: dict[str, Any], new: dict[str, Any]) -> None:
    """Where nobody has edited, Desk holds the new record afterwards."""
    change = merge(new, Sent(body=old), _desk(old))
    assert old | (change.whole or {}) == new
    assert change.kept == ()


@given(old=BODIES, new=BODIES, theirs=BODIES)
def test_edits_stay(old: dict[str, Any], new: dict[str, Any], theirs: dict[str, Any]) -> None:
    """A field that differs from what we sent, and from what we want, is never written over."""
    change = merge(new, Sent(body=old), _desk(theirs))
    for name in ("subject", "status", "duration", "contactId"):
        after = (theirs | (change.whole or {}))[name]
        assert after == (new if theirs[name] == old[name] else theirs)[name]
        assert (name in change.kept) is (theirs[name] not in (old[name], new[name]))


@given(old=BODIES, tried=BODIES, new=BODIES, applied=st.booleans())
def test_tried_counts_as_ours(
    old: dict[str, Any], tried: dict[str, Any], new: dict[str, Any], applied: bool  # noqa: FBT001
) -> None:  # fmt: skip
    """Whether a change was applied or not, the next one puts everything right."""
    present = tried if applied else old
    change = merge(new, Sent(body=old, tried=(tried,)), _desk(present))
    assert present | change.writes == new


@given(old=BODIES, new=BODIES, theirs=BODIES)
def test_required_fields(old: dict[str, Any], new: dict[str, Any], theirs: dict[str, Any]) -> None:
    """A whole change names the fields again that its contract requires, as they are, and what it writes."""
    change = merge(new, Sent(body=old), _desk(theirs))
    assert change.whole.keys() == set(REQUIRED) | change.writes.keys()
    assert change.whole | change.writes == change.whole


@given(before=st.text(max_size=20), after=st.text(max_size=20))
def test_words_around_ours(before: str, after: str) -> None:
    """Only our own block of the description is replaced."""
    text = f"{before}~our old block~{after}".replace("\r", "")
    theirs = _desk(_body(description=text))
    change = merge(_body(description="~new~"), Sent(body=_body(description="~our old block~")), theirs)
    assert change.whole["description"] == text.replace("~our old block~", "~new~", 1)


def test_recording() -> None:
    """A recording cannot be read back, so it is written where it is new to us."""
    theirs = _desk(_body())
    recorded = _body(recordingUrl="https://pbx.example/1")
    first = merge(recorded, Sent(body=_body()), theirs)
    assert first.whole["recordingUrl"] == "https://pbx.example/1"
    assert merge(recorded, Sent(body=recorded), theirs).writes == {}
    assert merge(recorded, Sent(body=_body(), tried=(recorded,)), theirs).writes


def test_custom_fields() -> None:
    """Each custom field is judged by itself, and an edited one is named as it stands."""
    old = _body(cf={"cf_a": "1", "cf_b": "1"})
    theirs = _desk(_body(cf={"cf_a": "1", "cf_b": "edited", "cf_c": None}))
    change = merge(_body(cf={"cf_a": "2", "cf_b": "2", "cf_c": "2"}), Sent(body=old), theirs)
    assert change.whole["cf"] == {"cf_a": "2", "cf_b": "edited", "cf_c": "2"}
    assert change.kept == ("cf/cf_b",)


def test_owner_is_never_taken_away() -> None:
    """Where we know no owner any more, the one in Desk stays."""
    old = _body(ownerId="7")
    assert merge(_body(), Sent(body=old), _desk(old)).writes == {}


def test_hidden_fields() -> None:
    """What the profile hides is not known to be ours; required fields then carry what we want."""
    hidden = DeskCall(id=Id("9"))
    change = merge(_body(recordingUrl="https://pbx.example/1"), Sent(body=_body()), hidden)
    assert change.whole.keys() == {*REQUIRED, "recordingUrl"}


ADDED = {"recordingUrl": "https://pbx.example/1"}


def test_what_desk_wants_named_again() -> None:
    """A refusal of what was written is another matter."""
    assert missing_of({"/subject": "missing"}, ADDED) == ["subject"]
    assert missing_of({"/duration": "missing", "/cf/cf_x": "missing"}, ADDED) == ["duration", "cf/cf_x"]
    assert missing_of({"/recordingUrl": "invalid", "/priority": "invalid"}, ADDED) == []
    assert missing_of({"/cf/cf_x": "missing"}, ADDED | {"cf": {"cf_x": ""}}) == []


NAMES = st.sampled_from(
    ["direction", "duration", "ownerId", "description", "priority", "ticketId", "teamId", "cf/cf_key", "cf/x"]
)


@given(names=st.lists(NAMES, unique=True))
def test_what_is_required_is_named_as_it_stands(names: list[str]) -> None:
    """Nothing that is required changes anything in Desk, and what nobody has a value for is left out."""
    ours = _body(subject="Anew", cf={"cf_key": "k"})
    before = _body(cf={"cf_key": "k", "x": None}, duration=0)
    theirs = msgspec.structs.replace(_desk(before), priority="High")
    ours["duration"] = 0
    sent = Sent(body=_body(cf={"cf_key": "k"}))
    change = merge(ours, sent, theirs, names)
    assert change.writes == merge(ours, sent, theirs).writes == {"subject": "Anew"}
    expected = {*REQUIRED, *({*names} & {"direction", "duration", "description", "priority"})}
    assert change.whole.keys() == expected | ({"cf"} if "cf/cf_key" in names else set())
    assert change.whole.get("priority") in (None, "High")
    assert change.whole.get("duration") in (None, 0)
    assert change.whole.get("cf") in (None, {"cf_key": "k"})


def test_all_our_custom_fields_go_along() -> None:
    """One that changes takes the others along as they stand in Desk, edited or not."""
    sent = Sent(body=_body(cf={"a": "1", "b": "1", "c": "1"}))
    theirs = _desk(_body(cf={"a": "1", "b": "edited", "c": "1", "foreign": "x"}))
    change = merge(_body(cf={"a": "1", "b": "2", "c": "2"}), sent, theirs)
    assert change.writes == {"cf": {"a": "1", "b": "edited", "c": "2"}}
    assert change.kept == ("cf/b",)


def test_custom_fields_of_before_go_along() -> None:
    """A field that was ours until the settings changed is named as it stands, and a foreign one is not."""
    sent = Sent(body=_body(cf={"old": "1", "key": "k"}), tried=(_body(cf={"older": "0"}),))
    theirs = _desk(_body(cf={"old": "1", "older": "0", "key": "k", "foreign": "x"}))
    change = merge(_body(cf={"new": "2", "key": "k"}), sent, theirs)
    assert change.writes["cf"] == {"old": "1", "older": "0", "key": "k", "new": "2"}


def test_no_record_stays_on_a_contact_that_is_gone() -> None:
    """Whoever put it there: us, or somebody in Desk."""
    for base in ("1", "3"):
        change = merge(_body(contactId="2"), Sent(body=_body(contactId=base)), _desk(_body()), (), {"1"})
        assert change.writes == {"contactId": "2"}
        assert change.kept == ()
