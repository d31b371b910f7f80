"""Fields of Asterisk's events that need reading."""

import pytest

from connector.bridge.facts import dialled, is_same


@pytest.mark.parametrize(
    ("string", "number"),
    [("+442071838759@carrier", "+442071838759"),
     ("2040404/02071838759", "02071838759"),
     ("g0/02071838759", "02071838759"),
     ("carrier/sip:+442071838759@10.0.0.1:5060", "+442071838759"),
     ("carrier/sip:+442071838759;user=phone@10.0.0.1", "+442071838759"),
     ("user:secret@host/02071838759@out", "02071838759"),
     ("i1/02071838759", "02071838759"),
     ("carrier", "0207"),
     ("", "0207")],
)  # fmt: skip
def test_number_that_a_trunk_is_asked_for(string: str, number: str) -> None:
    """It follows the trunk, or stands before it; a trunk's own name may be digits too."""
    assert dialled({"DialString": string, "DestCallerIDNum": "0207", "Exten": "s"}) == number


@pytest.mark.parametrize(
    ("one", "other", "is_so"),
    [("+442071838759", "00442071838759", True),
     ("02071838759", "+442071838759", True),
     ("+442071838759", "+442071838758", False),
     ("112", "110", False),
     ("112", "112", True),
     (None, None, True),
     ("0207", None, False)],
)  # fmt: skip
def test_same_subscriber_over_another_trunk(one: str | None, other: str | None, *, is_so: bool) -> None:
    """Trunks want other digits before the same number."""
    assert is_same(one, other) is is_so
