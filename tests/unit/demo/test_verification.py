"""The comparison must be able to fail: each way in which Desk can be wrong is found."""

from typing import Any

import pytest

from connector.demo.scenarios import NewContact, WithheldContact
from connector.demo.verification import Verdict, compare
from tests.unit.demo.desk import contact, desk, record, wanted


def counts(verdict: Verdict) -> tuple[int, int, int, int, int]:
    """Return delivered, lost, duplicated, wrong, contacts duplicated."""
    return (
        verdict.delivered,
        verdict.lost,
        verdict.duplicated,
        verdict.wrong,
        verdict.contacts_duplicated,
    )


def test_all_is_well() -> None:
    """Records that are as wanted make a clean verdict without problems."""
    verdict = compare([wanted("zpc1"), wanted("zpc2")], desk(record("zpc1"), record("zpc2")))
    assert counts(verdict) == (2, 0, 0, 0, 0)
    assert verdict.is_clean
    assert not verdict.problems


def test_a_missing_record_is_lost() -> None:
    """What is wanted and not there is lost, whatever else is."""
    verdict = compare([wanted("zpc1"), wanted("zpc2")], desk(record("zpc2")))
    assert counts(verdict) == (1, 1, 0, 0, 0)
    assert verdict.problems == ("zpc1: lost",)
    assert not verdict.is_clean


def test_a_second_record_is_a_double() -> None:
    """Each record beyond the first is one too many."""
    verdict = compare([wanted()], desk(record(), record(id="9-b"), record(id="9-c")))
    assert counts(verdict) == (1, 0, 2, 0, 0)
    assert not verdict.is_clean


def test_a_double_is_known_by_either_place_of_the_key() -> None:
    """A double whose custom field is empty still bears the key in its description."""
    verdict = compare([wanted()], desk(record(), record(id="9-b", cf={})))
    assert verdict.duplicated == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("direction", "outbound"),
        ("status", "Missed"),
        ("duration", "62"),
        ("duration", None),
        ("startTime", "2026-01-01T00:00:00.000Z"),
        ("ownerId", None),
        ("ownerId", "302"),
        ("departmentId", "402"),
        ("contactId", "502"),
        ("recordingUrl", None),
        ("recordingUrl", "https://recordings.example.com/1.wav"),
        ("cf", {"cf_key": "zpc1", "cf_recording": None}),
        ("cf", {"cf_key": None, "cf_recording": "http://127.0.0.1:8080/recordings/zpc1"}),
        ("description", "Answered by: Ada"),
        ("description", None),
        ("isTrashed", True),
    ],
)
def test_every_field_is_looked_at(field: str, value: object) -> None:
    """A single field that is not as wanted makes the record wrong, and is named."""
    verdict = compare([wanted()], desk(record() | {field: value}))
    assert counts(verdict) == (1, 0, 0, 1, 0)
    assert field in verdict.problems[0]
    assert not verdict.is_clean


def test_a_record_that_nobody_wants_is_wrong() -> None:
    """An internal call, or one that a transfer made, may leave no record."""
    verdict = compare([wanted()], desk(record(), record("zpc-internal")))
    assert counts(verdict) == (1, 0, 0, 1, 0)
    assert not verdict.is_clean


def test_a_key_that_is_part_of_a_word_is_none() -> None:
    """A longer key that begins alike is another call's."""
    verdict = compare([wanted("zpc1")], desk(record("zpc12")))
    assert (verdict.lost, verdict.wrong) == (1, 1)


NUMBER = "+442079460777"


@pytest.mark.parametrize(
    ("who", "made"),
    [(NewContact(NUMBER), contact("601", NUMBER)), (WithheldContact(), contact("601"))],
)
def test_a_contact_is_made_once(who: NewContact | WithheldContact, made: dict[str, Any]) -> None:
    """The record belongs to the contact that was made, and a second one is one too many."""
    right = record(contactId="601")
    assert compare([wanted(contact=who)], desk(right, made=(made,))).is_clean
    twice = compare([wanted(contact=who)], desk(right, made=(made, made | {"id": "602"})))
    assert counts(twice) == (1, 0, 0, 0, 1)
    assert not twice.is_clean
    other = compare([wanted(contact=who)], desk(record(), made=(made,)))
    assert counts(other) == (1, 0, 0, 1, 0)


def test_a_contact_for_a_number_that_had_one_is_a_double() -> None:
    """Nobody is made anew whom Desk had before, however the number was typed."""
    verdict = compare([wanted()], desk(record(), made=(contact("601", "+442079460001"),)))
    assert counts(verdict) == (1, 0, 0, 0, 1)


def test_a_stranger_without_a_contact_is_wrong() -> None:
    """A record of a stranger on somebody else's contact is wrong."""
    verdict = compare([wanted(contact=NewContact(NUMBER))], desk(record()))
    assert (verdict.wrong, verdict.contacts_duplicated) == (1, 0)
