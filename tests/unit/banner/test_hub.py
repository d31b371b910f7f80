"""Messages reach open banners, and nobody waits for a slow one."""

import pytest

from connector.banner.hub import RENEWAL, SHOWN_AT_MOST, Hub, Message

pytestmark = pytest.mark.anyio


def about(call: int, text: bytes) -> Message:
    """Make a message about a call."""
    return Message("call", text, call)


async def test_a_message_reaches_every_banner_of_a_user() -> None:
    """All banners of a user hear what is published, other users' do not."""
    hub = Hub()
    mine, also_mine, theirs = hub.subscribe(1, "a"), hub.subscribe(1, "b"), hub.subscribe(2, "c")
    hub.publish([1], about(1, b"x"))
    assert await mine.read(1) == await also_mine.read(1) == [about(1, b"x")]
    assert await theirs.read(0) == []


async def test_newer_messages_replace_unread_ones() -> None:
    """A reader that lags keeps one message a call, the latest, in the order in which they last changed."""
    hub = Hub()
    slow = hub.subscribe(1, "a")
    for number in range(1_000):
        hub.publish([1], about(number % 3, str(number).encode()))
    assert [message.data for message in await slow.read(1)] == [b"997", b"998", b"999"]
    assert await slow.read(0) == []


async def test_a_renewal_stands_for_what_is_unread() -> None:
    """A fresh snapshot holds it all, other users are sent none, and a banner that ends is sent its end."""
    hub = Hub()
    mine, ending, theirs = hub.subscribe(1, "a"), hub.subscribe(1, "b"), hub.subscribe(2, "c")
    hub.publish([1, 2], about(1, b"x"))
    hub.renew([1])
    hub.publish([1], about(2, b"y"))
    ending.end(about(3, b"z"))
    hub.renew([1])
    assert await mine.read(0) == [RENEWAL]
    assert await ending.read(0) == [about(2, b"y"), about(3, b"z")]
    assert await theirs.read(0) == [about(1, b"x")]
    assert set(hub.users) == {1, 2}


async def test_what_is_withdrawn_leaves_the_banners_that_show_it() -> None:
    """Those still concerned keep it, those who never had it hear nothing, and nobody hears it twice."""
    hub = Hub()
    keeps, loses, never = (hub.subscribe(user, "s") for user in (1, 2, 3))
    for banner in (keeps, loses, never):
        hub.fill(banner, [])
    hub.publish([1, 2], about(7, b"rings"))
    assert await keeps.read(0) == await loses.read(0) == [about(7, b"rings")]
    hub.withdraw(7, lambda: about(7, b"gone"), [1])
    hub.withdraw(7, lambda: about(7, b"gone"), [1])
    assert await loses.read(0) == [about(7, b"gone")]
    assert [await banner.read(0) for banner in (keeps, loses, never)] == [[], [], []]


async def test_what_a_banner_begins_with_can_be_withdrawn() -> None:
    """A snapshot shows calls too; until it is known which, any of them may be on the banner."""
    hub = Hub()
    begun, beginning = hub.subscribe(1, "a"), hub.subscribe(2, "b")
    hub.fill(begun, [7])
    hub.withdraw(7, lambda: about(7, b"gone"), [])
    hub.withdraw(8, lambda: about(8, b"gone"), [])
    assert await begun.read(0) == [about(7, b"gone")]
    assert await beginning.read(0) == [about(7, b"gone"), about(8, b"gone")]


def test_what_stands_where_is_not_remembered_for_ever() -> None:
    """A banner that is open for months costs no more than one of today."""
    hub = Hub()
    hub.fill(hub.subscribe(1, "a"), [])
    for call in range(SHOWN_AT_MOST + 100):
        hub.publish([1], about(call, b"rings"))
    assert len(hub._showing) == SHOWN_AT_MOST


async def test_sessions_that_are_over_end_their_streams() -> None:
    """Revoking a session ends its banners with a last word, and no others."""
    hub = Hub()
    gone, stays = hub.subscribe(1, "gone"), hub.subscribe(1, "stays")
    hub.end_sessions({"gone"}, Message("signed_out", b"{}"))
    assert (gone.is_over, stays.is_over) == (True, False)
    assert [message.event for message in await gone.read(1)] == ["signed_out"]


async def test_closing_ends_all_and_what_comes_later() -> None:
    """A stopping server lets every reader go at once, late ones too."""
    hub = Hub()
    early = hub.subscribe(1, "a")
    hub.close()
    assert early.is_over
    assert hub.subscribe(1, "b").is_over
    assert await early.read(60) == []


async def test_a_reader_is_let_go_when_its_time_is_up() -> None:
    """A banner of which nothing is told hears so, again and again, and misses nothing that comes later."""
    hub = Hub()
    banner = hub.subscribe(1, "a")
    assert await banner.read(0.001) == []
    assert await banner.read(0.001) == []
    hub.publish([1], about(7, b"rings"))
    assert await banner.read(60) == [about(7, b"rings")]


def test_banners_are_counted() -> None:
    """Leaving forgets a banner."""
    hub = Hub()
    banner = hub.subscribe(1, "a")
    assert (hub.open_banners, hub.is_watched_by([1, 2]), hub.sessions()) == (1, True, {"a"})
    assert (hub.open_of("a"), hub.open_of("b")) == (1, 0)
    hub.unsubscribe(banner)
    assert (hub.open_banners, hub.is_watched_by([1, 2])) == (0, False)
