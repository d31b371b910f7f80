"""What an authentication method may hold."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import InvalidValue
from connector.portals import method_values as rules
from connector.zoho.actions import WEBHOOKS
from connector.zoho.data_centers import TABLE
from connector.zoho.scopes import LINKING, asked_for

EU = TABLE["eu"]


@pytest.mark.parametrize(
    "text",
    [
        *("http://desk.zoho.eu/agent", "https://desk.zoho.eu.example.com/", "https://desk.zoho.eu:8443/"),
        *("https://ada@desk.zoho.eu/", "https://desk.zoho.com/", "javascript:alert(1)", "https://[", "//x"),
    ],
)
def test_desks_address_leads_to_desk_alone(text: str) -> None:
    """It becomes a link on our pages: any other scheme, host, port or user is refused."""
    with pytest.raises(InvalidValue, match=r"must begin with https://desk\.zoho\.eu/"):
        rules.environment_url_of(text, EU)


def test_desks_address_may_be_left_out() -> None:
    """Empty is none; the company's Desk is taken as it is; where no Desk is known, there is no address."""
    assert rules.environment_url_of("  ", EU) == ""
    assert (
        rules.environment_url_of("https://desk.zoho.eu/agent/acme", EU) == "https://desk.zoho.eu/agent/acme"
    )
    with pytest.raises(InvalidValue):
        rules.environment_url_of("https://accounts.zoho.uk/", TABLE["uk"])


@given(st.lists(st.text(max_size=20) | st.sampled_from(["Desk.tickets.READ", "Desk.calls.ALL"]), max_size=5))
def test_scopes_are_scopes_or_refused(names: list[str]) -> None:
    """What is kept can be joined by commas or spaces and read again: no text smuggles in another one."""
    meant = [name for name in dict.fromkeys(names) if name]
    if all(re.fullmatch(r"[A-Za-z]+(\.[A-Za-z]+)+", name) for name in meant):
        assert rules.scopes_of(names).split() == meant
    else:
        with pytest.raises(InvalidValue, match="cannot be a scope"):
            rules.scopes_of(names)


def test_consent_asks_for_each_scope_once() -> None:
    """The usual ones, those of features, then further ones, whoever names one twice."""
    extra = ["Desk.calls.READ", "Desk.tickets.CREATE"]
    asked = [scope.name for scope in rules.asked_scopes(["webhooks"], extra)]
    wanted = [scope.name for scope in (*LINKING, *asked_for([WEBHOOKS]))]
    assert len(asked) == len(set(asked))
    assert set(asked) == {*wanted, "Desk.tickets.CREATE"}
    assert asked[-1] == "Desk.tickets.CREATE"


def test_only_who_switches_cards_or_tickets_on_is_asked_for_them() -> None:
    """A method without these features asks for what it always asked; each of them brings its own."""
    usual = {scope.name for scope in rules.asked_scopes([], [])}
    more = {name: {scope.name for scope in rules.asked_scopes([name], [])} - usual for name in rules.FEATURES}
    assert usual == {scope.name for scope in LINKING}
    assert more["cards"] == {"Desk.contacts.UPDATE"}
    assert more["tickets"] == {"Desk.tickets.CREATE", "Desk.tickets.UPDATE"}
    assert more["accounts"] == set()


def test_places_and_pieces() -> None:
    """Secrets are for data centres that there are, in one piece; "" takes one away."""
    assert rules.secrets_of({"eu": " s ", "in": ""}, TABLE) == {"eu": "s", "in": ""}
    for wrong in ({"mars": "s"}, {"eu": "a b"}, {"eu": "é"}):
        with pytest.raises(InvalidValue):
            rules.secrets_of(wrong, TABLE)
