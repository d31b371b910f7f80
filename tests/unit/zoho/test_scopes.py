"""Scopes asked for and granted."""

from connector.zoho.scopes import LINKING, SIGN_IN, missing, names


def test_every_scope_has_a_reason() -> None:
    """An administrator reads why each is asked for, and none twice."""
    asked = (*LINKING, *SIGN_IN)
    assert all(scope.why for scope in asked)
    assert len({scope.name.lower() for scope in asked}) == len(asked)


def test_least_rights() -> None:
    """Nothing is deleted, and nothing of contacts or tickets is changed."""
    asked = names(LINKING)
    assert not [name for name in asked if name.endswith((".ALL", ".DELETE"))]
    assert "Desk.contacts.UPDATE" not in asked
    assert not [name for name in asked if name.startswith("Desk.tickets") and not name.endswith("READ")]


def test_all_of_it_is_granted_in_any_writing() -> None:
    """Spaces, commas and case make no difference."""
    assert missing(" ".join(names(LINKING))) == []
    assert missing(",".join(names(LINKING)).lower()) == []


def test_all_covers_its_parts() -> None:
    """What is granted as ALL is not missing."""
    granted = "Desk.calls.ALL Desk.contacts.all Desk.search.READ Desk.settings.READ Desk.basic.READ"
    assert missing(granted) == ["Desk.tickets.READ"]
    assert missing("Desk.ALL") == list(names(LINKING))


def test_silence_is_no_complaint() -> None:
    """An answer without scopes says nothing; an empty list says that there are none."""
    assert missing(None) == []
    assert missing("", SIGN_IN) == ["openid", "email", "profile"]
