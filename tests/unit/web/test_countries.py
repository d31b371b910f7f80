"""Countries and time zones by the names that people know them by."""

from connector.dialects import DIALECTS
from connector.web import countries
from connector.web.languages import speaking
from connector.web.pages import phone_texts


def test_a_name_or_a_code_is_meant() -> None:
    """What nobody knows stays as it was typed, for the rules to refuse."""
    assert [countries.country_code(text) for text in ("france", "fr", " FR ", "Atlantis")] == [
        *("FR", "FR", "FR", "Atlantis"),
    ]
    assert [countries.time_zone(text) for text in ("Paris", "europe/paris", "UTC", "Mars")] == [
        *("Europe/Paris", "Europe/Paris", "UTC", "Mars"),
    ]


def test_names_are_the_readers() -> None:
    """In the order of their language; a language that nobody speaks has English names."""
    with speaking("de"):
        assert countries.country_code("Österreich") == "AT"
        names = [name for _, name in countries.countries()]
        assert names.index("Norwegen") < names.index("Österreich") < names.index("Polen")
    with speaking("en-XA"):
        assert ("FR", "France") in countries.countries()


def test_every_dialect_has_its_sentence() -> None:
    """Whoever adds one says what it is, in the same order."""
    assert list(phone_texts.DIALECTS) == list(DIALECTS)
