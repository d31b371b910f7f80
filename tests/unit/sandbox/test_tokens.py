"""Lifetimes and limits of codes and tokens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.sandbox.clock import Clock
from connector.sandbox.config import Config
from connector.sandbox.presets import default_config
from connector.sandbox.tokens import Code, Grant, Throttled, Tokens

ZUID = "675000001"


class Vault:
    """Tokens beside the clock and the config they live by."""

    def __init__(self) -> None:
        self.config: Config = default_config("http://zoho.test")
        self.clock = Clock(1_000_000)
        self.tokens = Tokens(self.config, self.clock.now)

    def code(self, zuid: str = ZUID) -> str:
        """Add a code that lives two minutes."""
        expires_at = self.clock.now() + 120_000
        return self.tokens.add_code(
            Code(grant=grant(zuid), redirect_uri="http://a/cb", expires_at=expires_at, refreshable=True)
        )


def grant(zuid: str = ZUID, client_id: str = "1000.A", *scopes: str) -> Grant:
    """Make a grant of `scopes`."""
    return Grant(
        client_id=client_id,
        zuid=zuid,
        location="us",
        scopes=frozenset(scopes),
        scope_text=" ".join(scopes),
    )


@pytest.fixture
def vault() -> Vault:
    """Start with nothing."""
    return Vault()


def test_shape_of_tokens(vault: Vault) -> None:
    """Codes and tokens look like `1000.<32 hex>.<32 hex>`."""
    version, first, second = vault.code().split(".")
    assert (version, len(first), len(second)) == ("1000", 32, 32)
    assert int(first + second, 16)


def test_code_lives_two_minutes(vault: Vault) -> None:
    """A code is found until its time is over."""
    text = vault.code()
    vault.clock.advance(119)
    assert vault.tokens.find_code(text) is not None
    vault.clock.advance(1)
    assert vault.tokens.find_code(text) is None


def test_code_is_used_once(vault: Vault) -> None:
    """A used code is gone."""
    text = vault.code()
    vault.tokens.use_code(text)
    assert vault.tokens.find_code(text) is None


def test_ten_codes_in_ten_minutes(vault: Vault) -> None:
    """The eleventh code in ten minutes is refused to that user and client, and to no other."""
    for _ in range(10):
        vault.code()
        vault.clock.advance(1)
    with pytest.raises(Throttled):
        vault.code()
    vault.code("675000002")
    vault.clock.advance(590)
    vault.code()


def test_ten_access_tokens_in_ten_minutes(vault: Vault) -> None:
    """The eleventh refresh in a window is refused, and the next window is open again."""
    refresh = vault.tokens.add_refresh_token(grant())
    for _ in range(10):
        vault.tokens.refresh(refresh)
    with pytest.raises(Throttled):
        vault.tokens.refresh(refresh)
    vault.clock.advance(599)
    with pytest.raises(Throttled):
        vault.tokens.refresh(refresh)
    vault.clock.advance(1)
    vault.tokens.refresh(refresh)


def test_throttle_is_per_refresh_token(vault: Vault) -> None:
    """One refresh token's throttle is not another's."""
    first, second = (vault.tokens.add_refresh_token(grant()) for _ in range(2))
    for _ in range(10):
        vault.tokens.refresh(first)
    vault.tokens.refresh(second)


def test_retrying_can_lengthen_the_throttle(vault: Vault) -> None:
    """With the switch on, each try while throttled starts ten minutes anew."""
    vault.config.retry_lengthens_throttle = True
    refresh = vault.tokens.add_refresh_token(grant())
    for _ in range(10):
        vault.tokens.refresh(refresh)
    for _ in range(3):
        vault.clock.advance(599)
        with pytest.raises(Throttled):
            vault.tokens.refresh(refresh)
    vault.clock.advance(600)
    vault.tokens.refresh(refresh)


def test_eleventh_active_token_invalidates_the_oldest(vault: Vault) -> None:
    """Ten access tokens of a refresh token work at a time."""
    refresh = vault.tokens.add_refresh_token(grant())
    first = vault.tokens.add_access_token(refresh.grant, refresh)
    rest = [vault.tokens.refresh(refresh) for _ in range(9)]
    assert vault.tokens.resolve(first.token) is not None
    vault.tokens.refresh(refresh)
    assert vault.tokens.resolve(first.token) is None
    assert all(vault.tokens.resolve(token.token) for token in rest)


def test_expired_tokens_are_not_active(vault: Vault) -> None:
    """What has expired takes no place among the ten."""
    refresh = vault.tokens.add_refresh_token(grant())
    for _ in range(10):
        vault.tokens.refresh(refresh)
    vault.clock.advance(3_599)
    newer = vault.tokens.refresh(refresh)
    vault.clock.advance(1)
    for _ in range(9):
        vault.tokens.refresh(refresh)
    assert vault.tokens.resolve(newer.token) is not None


def test_access_token_lives_an_hour(vault: Vault) -> None:
    """An access token ends after 3600 seconds."""
    made = vault.tokens.add_access_token(grant())
    vault.clock.advance(3_599)
    assert vault.tokens.resolve(made.token) == grant()
    vault.clock.advance(1)
    assert vault.tokens.resolve(made.token) is None


def test_twenty_first_refresh_token_evicts_the_oldest(vault: Vault) -> None:
    """The oldest goes silently, with its access tokens; other users and clients keep theirs."""
    other = vault.tokens.add_refresh_token(grant(client_id="1000.B"))
    first = vault.tokens.add_refresh_token(grant())
    access = vault.tokens.add_access_token(first.grant, first)
    rest = [vault.tokens.add_refresh_token(grant()) for _ in range(19)]
    assert vault.tokens.find_refresh_token(first.token) is not None
    vault.tokens.add_refresh_token(grant())
    assert vault.tokens.find_refresh_token(first.token) is None
    assert vault.tokens.resolve(access.token) is None
    assert all(vault.tokens.find_refresh_token(refresh.token) for refresh in [other, *rest])


@given(st.integers(min_value=0, max_value=60))
def test_never_more_than_twenty_refresh_tokens(number: int) -> None:
    """However many are made, the newest twenty live."""
    vault = Vault()
    made = [vault.tokens.add_refresh_token(grant()).token for _ in range(number)]
    alive = [token for token in made if vault.tokens.find_refresh_token(token)]
    assert alive == made[-20:]


def test_revoking_a_refresh_token_kills_its_access_tokens(vault: Vault) -> None:
    """Children die with their parent, strangers do not."""
    refresh, stranger = vault.tokens.add_refresh_token(grant()), vault.tokens.add_access_token(grant())
    child = vault.tokens.refresh(refresh)
    assert vault.tokens.revoke(refresh.token)
    assert vault.tokens.resolve(child.token) is None
    assert vault.tokens.resolve(stranger.token) is not None
    assert not vault.tokens.revoke(refresh.token)


def test_revoking_an_access_token_spares_its_refresh_token(vault: Vault) -> None:
    """Only the access token goes."""
    refresh = vault.tokens.add_refresh_token(grant())
    child = vault.tokens.refresh(refresh)
    assert vault.tokens.revoke(child.token)
    assert vault.tokens.resolve(child.token) is None
    assert vault.tokens.find_refresh_token(refresh.token) is refresh


def test_tokens_of_a_deactivated_user_do_not_work(vault: Vault) -> None:
    """Codes and tokens belong to a person, and fail with them until they are back."""
    text, refresh = vault.code(), vault.tokens.add_refresh_token(grant())
    access, user = vault.tokens.refresh(refresh), vault.config.users[0]
    user.active = False
    assert vault.tokens.find_code(text) is None
    assert vault.tokens.find_refresh_token(refresh.token) is None
    assert vault.tokens.resolve(access.token) is None
    user.active = True
    assert vault.tokens.resolve(access.token) is not None


def test_revoke_all(vault: Vault) -> None:
    """Nothing is left."""
    text, refresh = vault.code(), vault.tokens.add_refresh_token(grant())
    access = vault.tokens.refresh(refresh)
    vault.tokens.revoke_all()
    assert vault.tokens.find_code(text) is None
    assert vault.tokens.grant_of(refresh.token) is vault.tokens.grant_of(access.token) is None


def test_unknown_token(vault: Vault) -> None:
    """What was never given out resolves to nothing."""
    assert vault.tokens.resolve("1000.x.y") is None
    assert vault.tokens.expires_at("1000.x.y") is None


@pytest.mark.parametrize(
    ("scopes", "wanted", "allowed"),
    [
        ("desk.tickets.read", "Desk.tickets.READ", True),
        ("desk.tickets.all", "Desk.tickets.CREATE", True),
        ("desk.tickets.read", "Desk.tickets.CREATE", False),
        ("desk.activities.all", "Desk.activities.calls.READ", False),
    ],
)
def test_what_a_grant_allows(scopes: str, wanted: str, *, allowed: bool) -> None:
    """A scope covers itself, and ALL its module's operations."""
    assert grant(ZUID, "1000.A", scopes).allows(wanted) is allowed
