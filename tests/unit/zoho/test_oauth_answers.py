"""Token answers with all their oddities."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.errors import (
    ClientRefused,
    CodeRefused,
    ConnectorError,
    GrantLost,
    NoRefreshToken,
    NoToken,
    TokensThrottled,
    ZohoDown,
)
from connector.zoho import oauth
from connector.zoho.oauth import Tokens
from tests.unit.zoho.samples import sample

NOW = 1_767_603_600_000


def decipher(body: bytes | dict[str, object], status: int = 200, *, refreshing: bool = False) -> Tokens:
    """Decipher an answer that is received now."""
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    return oauth.read_tokens("Europe", status, sent, NOW, refreshing=refreshing)


def test_a_token_answer() -> None:
    """The life counts from the receipt, and the scope is as Zoho writes it."""
    tokens = decipher(sample("token.json"))
    assert tokens.expires_at == NOW + 3_600_000
    assert tokens.scope == "Desk.tickets.READ Desk.calls.ALL Desk.basic.READ"
    assert oauth.with_refresh_token(tokens) is tokens


def test_secrets_are_not_printed() -> None:
    """Neither the tokens nor the id token show in a repr."""
    tokens = decipher(json.loads(sample("token.json")) | {"id_token": "eyJ.x.y"})
    for shown in (repr(tokens), str(tokens), f"{tokens}", repr([tokens])):
        assert "1000." not in shown
        assert "eyJ" not in shown


def test_an_answer_of_old() -> None:
    """Milliseconds in expires_in are known by the expires_in_sec beside them."""
    tokens = decipher(sample("token_of_old.json"))
    assert tokens.expires_at == NOW + 3_600_000
    assert tokens.scope is None


@pytest.mark.parametrize(
    ("told", "life"),
    [
        ({}, 3600),
        ({"expires_in": 3_600_000}, 3600),
        ({"expires_in": "60"}, 60),
        ({"expires_in": "12.0"}, 12),
        ({"expires_in": -5}, 3600),
        ({"expires_in": 0}, 3600),
        ({"expires_in": "soon"}, 3600),
        ({"expires_in": 60, "expires_in_sec": None}, 60),
    ],
)
def test_lives_are_clamped(told: dict[str, object], life: int) -> None:
    """No token is believed to live longer than an hour; what is no life at all counts as not told."""
    assert decipher({"access_token": "t"} | told).expires_at == NOW + life * 1000


def test_no_refresh_token_where_one_was_asked_for() -> None:
    """An access token alone is an error with its own reason."""
    with pytest.raises(NoRefreshToken):
        oauth.with_refresh_token(decipher({"access_token": "t"}))


@pytest.mark.parametrize(
    ("error", "refreshing", "kind"),
    [
        ("invalid_code", False, CodeRefused),
        ("invalid_code", True, GrantLost),
        ("invalid_client", False, ClientRefused),
        ("invalid_client", True, ClientRefused),
        ("invalid_client_secret", True, ClientRefused),
        ("invalid_redirect_uri", False, ClientRefused),
        ("general_error", True, NoToken),
        ("server_error", True, NoToken),
        ("server_error", False, NoToken),
        ("something_new", True, NoToken),
        ("something_new", False, NoToken),
        ("access_denied", True, TokensThrottled),
        ("Access Denied", False, TokensThrottled),
    ],
)
@pytest.mark.parametrize("status", [200, 400, 401, 500])
def test_errors_by_body_whatever_the_status(
    error: str, refreshing: object, kind: type[ConnectorError], status: int
) -> None:
    """The body says what is wrong; the status says nothing."""
    with pytest.raises(kind):
        decipher({"error": error}, status, refreshing=bool(refreshing))


@pytest.mark.parametrize("status", [200, 400, 429, 503])
def test_throttled_for_ten_minutes(status: int) -> None:
    """Access Denied asks us to wait, under any status."""
    with pytest.raises(TokensThrottled) as caught:
        decipher(sample("token_throttled.json"), status, refreshing=True)
    assert caught.value.retry_after_seconds == 600


@pytest.mark.parametrize("status", [200, 400, 404, 500, 502])
def test_a_page_is_an_outage(status: int) -> None:
    """HTML instead of JSON is Zoho being down."""
    with pytest.raises(ZohoDown):
        decipher(sample("token_error.html"), status, refreshing=True)


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b'"x"', b"{", b"\xff\xfe", b'{"error":7}'])
def test_rubbish_is_an_outage(body: bytes) -> None:
    """What is neither a token nor an error raises nothing foreign."""
    with pytest.raises(ZohoDown):
        decipher(body, refreshing=True)


ODD: st.SearchStrategy[object] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(),
    st.lists(st.text()),
    st.just({}),
)
MEMBERS = ["expires_in", "expires_in_sec", "scope", "api_domain", "id_token", "refresh_token", "token_type"]


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["access_token", "error", "error_description", *MEMBERS]), ODD))
def test_no_answer_raises_anything_foreign(answer: dict[str, object]) -> None:
    """Any object comes to tokens, or to an exception that concerns no record."""
    try:
        tokens = decipher(json.dumps(answer).encode(), refreshing=True)
    except (NoToken, TokensThrottled, GrantLost, ZohoDown):
        return
    assert NOW < tokens.expires_at <= NOW + 3_600_000


@settings(deadline=None)
@given(st.sampled_from(MEMBERS), ODD)
def test_only_the_token_has_to_be_there(name: str, odd: object) -> None:
    """Whatever one of the other members is, the token is read, and the error's is no error."""
    answer = json.loads(sample("token.json")) | {name: odd}
    assert decipher(json.dumps(answer).encode()).access_token == answer["access_token"]


@pytest.mark.parametrize("odd", [None, "", 0, [], {}, False])
def test_an_error_that_is_none(odd: object) -> None:
    """An `error` that says nothing is none."""
    assert decipher(json.loads(sample("token.json")) | {"error": odd}).access_token


def test_scopes_in_a_list() -> None:
    """They are read like those with spaces between."""
    assert decipher({"access_token": "t", "scope": ["Desk.calls.READ", 7, "openid"]}).scope == (
        "Desk.calls.READ openid"
    )


def test_too_many_requests_by_their_description() -> None:
    """However the error is called, Zoho's own words say that it is about the number of tokens."""
    said: dict[str, object] = {
        "error": "failure",
        "error_description": "You have made too many requests continuously.",
    }
    with pytest.raises(TokensThrottled):
        decipher(said, refreshing=True)
